//! Versions and version ranges as Flux understands them: the rules of Masterminds/semver 3 (lenient
//! versions, `^ ~ - x ||` ranges) with those of fluxcd/pkg `version` on top.
//!
//! The crate `semver` is not used because it implements Cargo's ranges: there a comma is the only
//! conjunction, there is no `||`, no hyphen range, a bare `1.2.3` means `^1.2.3`, and `v1.2.3` or
//! `1.02.3` is no version at all.
//!
//! Parsing is by hand rather than by regular expressions, which would be most of the size of the
//! components that use it.

mod range;
mod scan;
mod version;

pub use range::{InvalidRange, Range};
pub use version::{InvalidVersion, Version};
