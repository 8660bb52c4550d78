//! The two kinds of file patterns that Helm knows: Go's, in `.helmignore` and `--show-only`, and
//! those of gobwas/glob, in `.Files.Glob`.

mod path;
mod tree;

pub(crate) use path::{BadPattern, PathPattern};
pub(crate) use tree::TreePattern;
