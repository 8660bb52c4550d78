//! What templates find in their dot: `.Chart`, `.Files`, `.Capabilities`, as the Go values that
//! they are in Helm.

mod capabilities;
mod chart;
mod files;
mod record;

pub(crate) use capabilities::capabilities;
pub(crate) use chart::chart;
pub(crate) use files::files;
