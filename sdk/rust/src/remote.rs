//! What is named by URL, fetched by the host without credentials, where the operator grants the
//! origin. A result that asked here is not cached.

use crate::bindings::imports::weir::plugin::remote;
use crate::{Blob, Dir, Result};

/// A file by HTTP.
///
/// # Errors
/// `denied` by the grants, `not-found`, `unavailable`.
pub fn file(url: &str) -> Result<Blob> {
    Ok(Blob::new(remote::get_file(url)?))
}

/// The tree of a Git repository at a branch, tag or commit; `None`: its default branch.
///
/// # Errors
/// As [`file()`].
pub fn repository(url: &str, reference: Option<&str>) -> Result<Dir> {
    Ok(Dir::new(remote::get_repository(url, reference)?))
}
