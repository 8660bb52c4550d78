//! The read-set of a call: every question a guest asked, with the digest of its answer.
//!
//! Together with the plugin's digest it is an exact cache key: a render whose questions would be
//! answered the same today gives the same output, so it need not run. A failure is recorded as
//! its class and code, so failed renders are cached too.

use serde::{Deserialize, Serialize};

use crate::{Call, Digest, Target};

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// What was asked.
    pub question: Question,
    /// Digest of the canonical form of the answer.
    pub answer: Digest,
}

/// What a guest can ask.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// `call.subject`.
    Subject,
    /// `call.settings`.
    Settings,
    /// `call.inputs`.
    Inputs,
    /// `call.revision`.
    Revision(String),
    /// `dir.kind` of a path of an input.
    Kind(String, String),
    /// `dir.entries`.
    Entries(String, String),
    /// `dir.glob`.
    Glob(String, String),
    /// `dir.read`, `dir.open` and each path of `dir.read-many`.
    Read(String, String),
    /// `target.path`.
    Path,
    /// `target.values`.
    Values,
    /// `target.namespace`.
    Namespace,
    /// `target.release-name`.
    ReleaseName,
    /// `target.release-revision`.
    ReleaseRevision,
    /// `target.is-upgrade`.
    IsUpgrade,
    /// `target.kube-version`.
    KubeVersion,
    /// `target.has-api`.
    HasApi(String),
    /// `target.apis`.
    Apis,
}

/// Why a result may not be cached by its read-set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impurity {
    /// Asked for the time.
    pub clock: bool,
    /// Asked for randomness.
    pub random: bool,
    /// Looked into the cluster.
    pub cluster: bool,
}

impl Impurity {
    /// Whether the result is a function of the trace alone.
    pub const fn is_pure(self) -> bool {
        !(self.clock || self.random || self.cluster)
    }
}

/// The read-set of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// In the order in which they were asked, each once.
    pub recorded: Vec<Recorded>,
    /// What keeps the result from being cached.
    pub impurity: Impurity,
}

impl Trace {
    /// Whether every question would be answered the same for `call` and `target`.
    pub fn holds(&self, call: &Call, target: &dyn Target) -> bool {
        let _ = (call, target);
        todo!("the plugin helper writes this together with the recorder")
    }
}
