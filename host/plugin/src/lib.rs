//! The component runtime: pulls, verifies, compiles and calls plugins. Knows nothing of
//! Kubernetes.
//!
//! A [`Runtime`] turns a component into a [`Plugin`], a [`Catalog`] says which plugin goes by
//! which name, and a plugin's methods make one call each, with a [`Call`] that brings the inputs,
//! the grants and the limits.

mod answer;
mod bindings;
mod builtin;
mod call;
mod catalog;
mod component;
mod digest;
mod error;
mod failure;
#[cfg(fuzzing)]
pub mod fuzzing;
mod grants;
#[allow(
    unreachable_pub,
    reason = "the generated bindings re-export the resource types"
)]
mod guest;
mod linker;
mod mask;
mod net;
mod observer;
pub mod oci;
mod plugin;
pub mod precompile;
mod runtime;
mod schema;
mod spool;
mod target;
mod trace;
mod tree;
mod trees;
mod unpack;
mod world;

pub use builtin::{Builtin, Packed};
pub use call::{
    ArtifactSink, BlobSource, Call, Checkout, ClusterReader, Commit, Credentials, Git, Grants,
    Input, KindRef, Limits, Manifest, Reference, Remote, RenderOutput, Revision, Services, Signed,
    Subject, Target, Wanted, Warning,
};
pub use catalog::Catalog;
pub use digest::{Digest, InvalidDigest};
pub use error::LoadError;
pub use failure::{CallError, Failure, FailureClass, Limit, Position};
pub use grants::Granted;
pub use observer::Observer;
pub use plugin::{Called, Description, Info, Plugin, Want};
pub use runtime::{ComponentSource, InstallError, Runtime, RuntimeConfig};
pub use schema::Problem;
pub use spool::MemoryBlob;
pub use target::FixedTarget;
pub use trace::{Impurity, Question, Recorded, Trace};
pub use tree::{Entry, EntryKind, FileInfo, Tree, normalise};
pub use trees::{DirTree, InvalidPath, InvalidPattern, MemoryTree, glob};
pub use world::World;

/// An error with its sources, for a log line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
