//! The component runtime: pulls, verifies, compiles and calls plugins. Knows nothing of
//! Kubernetes.

mod call;
mod digest;
mod failure;
mod trace;
mod tree;

pub use call::{
    ArtifactSink, BlobSource, Call, Checkout, Commit, Credentials, Git, Grants, Input, Limits,
    Manifest, Reference, Remote, RenderOutput, Revision, Services, Signed, Subject, Target,
    Wanted, Warning,
};
pub use digest::{Digest, InvalidDigest};
pub use failure::{CallError, Failure, FailureClass, Limit, Position};
pub use trace::{Impurity, Question, Recorded, Trace};
pub use tree::{Entry, EntryKind, FileInfo, Tree, normalise};
