//! `helm template` as a library and as a renderer component.
//!
//! The library takes a chart in a tree ([`FileSystem`]), values ([`ValueOptions`]) and
//! [`Options`], and gives the [`Release`] that Helm 3.17 would make of them: manifests byte for
//! byte, hooks, notes, or its error. Modules carry Helm's terms: *coalescing* merges values of a
//! chart and its subcharts, a *hook* is a manifest that an event runs, a *release* is a chart under
//! a name.
//!
//! Templates themselves are `weir-template`'s; here is what Helm does around them. Nothing is read
//! but through the traits that the caller gives. Bounded by the limits of the template engine and
//! by Helm's own for charts.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests"
    )
)]

mod archive;
mod chart;
mod decode;
mod error;
mod fs;
mod glob;
mod ignore;
mod loader;
mod metadata;

pub use chart::{Chart, File, Lock};
pub use error::Error;
pub use fs::{EntryKind, FileSystem, MemoryFs};
pub use loader::load;
pub use metadata::{Dependency, Import, Maintainer, Metadata, ValidationError};
