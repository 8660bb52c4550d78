//! The read-set of a call: every question a guest asked, with the digest of its answer.
//!
//! Together with the plugin's digest it is an exact cache key: a render whose questions would be
//! answered the same today gives the same output, so it need not run. A failure is recorded as
//! its class and code, so failed renders are cached too.

use std::sync::Arc;

use indexmap::IndexMap;
use indexmap::map::Entry;

use serde::{Deserialize, Serialize};

use crate::{Call, Digest, Target, answer, glob};

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
    Kind(Arc<str>, String),
    /// `dir.entries`.
    Entries(Arc<str>, String),
    /// `dir.glob`.
    Glob(Arc<str>, String),
    /// `dir.read`, `dir.open` and each path of `dir.read-many`.
    Read(Arc<str>, String),
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
    /// Whether `cluster` may be asked for a kind. What it then answers makes the result impure.
    MayRead(String),
}

/// Why a result may not be cached by its read-set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Impurity {
    /// Asked for the time.
    pub clock: bool,
    /// Asked for randomness.
    pub random: bool,
    /// Looked into the cluster.
    pub cluster: bool,
    /// Asked for what a URL leads to.
    pub remote: bool,
    /// Asked more than a trace may hold; what was recorded is dropped.
    pub overflow: bool,
}

impl Impurity {
    /// Whether the result is a function of the trace alone.
    pub const fn is_pure(self) -> bool {
        !(self.clock || self.random || self.cluster || self.remote || self.overflow)
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
    /// Whether every question would be answered the same for `call` and `target`, asked in the
    /// order of the first time. An impure trace never holds.
    pub fn holds(&self, call: &Call, target: &dyn Target) -> bool {
        self.impurity.is_pure()
            && self
                .recorded
                .iter()
                .all(|recorded| recorded.question.answer(call, target) == recorded.answer)
    }
}

/// Whether the call may read objects of a kind in the cluster.
pub(crate) fn may_read(call: &Call, kind: &str) -> bool {
    call.services.cluster.is_some() && call.grants.allows_kind(kind)
}

impl Question {
    /// The digest of the answer that `call` and `target` give today.
    fn answer(&self, call: &Call, target: &dyn Target) -> Digest {
        let input = |name: &str| call.inputs.iter().find(|input| *input.name == *name);
        let tree = |name: &str| input(name).map(|input| &*input.tree);
        match self {
            Self::Subject => answer::subject(&call.subject),
            Self::Settings => answer::text(&call.settings),
            Self::Inputs => answer::texts(call.inputs.iter().map(|input| &input.name)),
            Self::Revision(name) => {
                input(name).map_or_else(answer::absent, |input| answer::text(&input.revision))
            }
            Self::Kind(name, path) => answer::kind(tree(name).and_then(|tree| tree.kind(path))),
            Self::Entries(name, path) => {
                answer::entries(tree(name).and_then(|tree| tree.entries(path)).as_deref())
            }
            Self::Glob(name, pattern) => match tree(name).map(|tree| glob(tree, pattern)) {
                None => answer::absent(),
                Some(found) => answer::globbed(found.as_deref().ok()),
            },
            Self::Read(name, path) => {
                answer::file(tree(name).and_then(|tree| tree.file(path)).as_ref())
            }
            Self::Path => answer::text(&target.path()),
            Self::Values => answer::text(&target.values()),
            Self::Namespace => answer::optional(target.namespace().as_deref()),
            Self::ReleaseName => answer::optional(target.release_name().as_deref()),
            Self::ReleaseRevision => answer::number(target.release_revision()),
            Self::IsUpgrade => answer::flag(target.is_upgrade()),
            Self::KubeVersion => answer::text(&target.kube_version()),
            Self::HasApi(name) => answer::flag(target.has_api(name)),
            Self::Apis => answer::texts(target.apis()),
            Self::MayRead(kind) => answer::flag(may_read(call, kind)),
        }
    }

    /// Bytes it keeps in memory beyond its own size, roughly.
    fn weight(&self) -> usize {
        match self {
            Self::Kind(a, b) | Self::Entries(a, b) | Self::Glob(a, b) | Self::Read(a, b) => {
                a.len() + b.len()
            }
            Self::Revision(name) | Self::HasApi(name) | Self::MayRead(name) => name.len(),
            _ => 0,
        }
    }
}

/// Questions that one trace holds at most. It bounds what a guest can make the host keep; a
/// render that asks more works, but is not cached.
const MAX_QUESTIONS: usize = 500_000;
/// Bytes of paths that one trace holds at most.
const MAX_WEIGHT: usize = 64 << 20;

/// Writes the trace of a running call.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    /// In the order in which they were asked.
    answers: IndexMap<Question, Digest>,
    impurity: Impurity,
    weight: usize,
}

impl Recorder {
    /// Records a question with its answer, unless it was asked before.
    pub(crate) fn record(&mut self, question: Question, answer: impl FnOnce() -> Digest) {
        if self.impurity.overflow {
            return;
        }
        let asked = self.answers.len();
        let Entry::Vacant(entry) = self.answers.entry(question) else {
            return;
        };
        self.weight += entry.key().weight();
        if asked < MAX_QUESTIONS && self.weight <= MAX_WEIGHT {
            entry.insert(answer());
        } else {
            self.impurity.overflow = true;
            self.answers = IndexMap::new();
        }
    }

    pub(crate) fn impure(&mut self) -> &mut Impurity {
        &mut self.impurity
    }

    pub(crate) fn finish(self) -> Trace {
        let recorded = self.answers.into_iter();
        Trace {
            recorded: recorded
                .map(|(question, answer)| Recorded { question, answer })
                .collect(),
            impurity: self.impurity,
        }
    }
}
