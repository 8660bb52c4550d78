//! How a call ends other than well. Four outcomes are kept apart: the guest's own error, a trap,
//! a passed deadline and a reached limit. Only the first is the plugin author's message to the
//! user; the others are about the plugin.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What the host does next; `failure-class` of `wit/types.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// Settings or spec are wrong: stalled until an edit.
    InvalidSettings,
    /// The source content is wrong: stalled until a new revision.
    InvalidInput,
    /// In a renderer as `InvalidInput`, elsewhere as `Unavailable`.
    NotFound,
    /// Credentials missing or refused: backoff.
    Unauthorized,
    /// The host refused: stalled until the grant changes.
    Denied,
    /// Peer not reachable: backoff.
    Unavailable,
    /// Feature or contract version not supported: stalled.
    Unsupported,
    /// A bug in the plugin: backoff.
    Internal,
}

/// Where in the source tree a failure is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Path inside the tree.
    pub path: String,
    /// 1-based.
    pub line: Option<u32>,
    /// 1-based.
    pub column: Option<u32>,
}

/// A guest's error, or the host's answer to one of its questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What the host does next.
    pub class: FailureClass,
    /// UpperCamelCase; becomes the reason of the Ready condition.
    pub code: String,
    /// One sentence for a person.
    pub message: String,
    /// Seconds to wait at least.
    pub retry_after: Option<u32>,
    /// Where the cause is.
    pub positions: Vec<Position>,
    /// JSON for events and logs.
    pub detail: Option<String>,
}

impl Failure {
    /// A failure without position, detail or floor for the retry.
    pub fn new(class: FailureClass, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            class,
            code: code.into(),
            message: message.into(),
            retry_after: None,
            positions: Vec::new(),
            detail: None,
        }
    }
}

/// Which limit a call reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Linear memory.
    Memory,
    /// Table elements.
    Table,
    /// Bytes emitted or put into an artifact.
    OutputBytes,
    /// Manifests emitted or files put.
    OutputCount,
    /// Open resource handles.
    Handles,
    /// What one call of a host function, or an answer, may bring.
    Transfer,
}

/// The outcome of a call that did not return ok.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The guest returned an error.
    #[error("{0}")]
    Failed(Failure),
    /// The guest trapped: a bug in the plugin.
    #[error("plugin trapped: {message}")]
    Trapped {
        /// The trap, then the innermost frames.
        message: String,
    },
    /// The call was still running at its deadline.
    #[error("plugin passed its deadline of {after:?}")]
    DeadlineExceeded {
        /// The time that was granted.
        after: Duration,
    },
    /// The call reached a limit.
    #[error("plugin reached its limit: {message}")]
    LimitReached {
        /// Which.
        limit: Limit,
        /// What was asked for and what is allowed.
        message: String,
    },
    /// The host itself could not make the call (no such export, shutting down).
    #[error("{0}")]
    Host(String),
}

impl CallError {
    /// `error`, `trap`, `deadline`, `limit` or `host`: the `outcome` label of the metrics.
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Failed(_) => "error",
            Self::Trapped { .. } => "trap",
            Self::DeadlineExceeded { .. } => "deadline",
            Self::LimitReached { .. } => "limit",
            Self::Host(_) => "host",
        }
    }
}
