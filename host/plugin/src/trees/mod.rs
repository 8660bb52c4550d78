//! Trees that this crate brings: in memory, a local directory, and an unpacked archive; and the
//! glob that works on any of them.

mod directory;
mod glob;
mod memory;
mod packed;
mod pattern;

pub use directory::DirTree;
pub use glob::glob;
pub(crate) use glob::glob_until;
pub use memory::{InvalidPath, MemoryTree};
pub(crate) use packed::{Builder, UnpackError};
pub use pattern::InvalidPattern;
