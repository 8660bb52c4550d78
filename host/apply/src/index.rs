//! What is known of the cluster: one watch per kind on objects that carry our owner labels.
//!
//! Metadata only, unless the health of a kind matters. See [`meta`] for how drift is told.

pub(crate) mod events;
pub(crate) mod meta;
pub(crate) mod table;
