//! How applying fails, in the words of Flux where users know them.

use std::fmt;
use std::time::Duration;

use weir_api::inventory::ObjectId;

use crate::changeset::ChangeSet;
use crate::object::InvalidObject;
use crate::order::Stage;

/// What was being done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Asking the server what it would do.
    DryRun,
    /// Writing.
    Apply,
    /// Deleting, in order to create anew.
    Recreate,
    /// Deleting.
    Delete,
    /// Reading.
    Get,
    /// Waiting until a definition is served.
    Wait,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DryRun => "dry-run",
            Self::Apply => "apply",
            Self::Recreate => "recreate",
            Self::Delete => "delete",
            Self::Get => "get",
            Self::Wait => "wait",
        })
    }
}

/// A request that did not end well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequestError {
    /// HTTP status; 0 if there was no answer.
    pub code: u16,
    /// The server's reason (`Invalid`, `Forbidden`), or `Timeout` and `Unreachable` of our own.
    pub reason: String,
    /// The server's words.
    pub message: String,
    /// When to come back, if the server said.
    pub retry_after: Option<Duration>,
}

impl RequestError {
    /// Whether the same request may succeed later without anybody changing it. A namespace or a
    /// definition that is missing may be on its way.
    pub fn is_retryable(&self) -> bool {
        matches!(self.code, 0 | 404 | 408 | 409 | 429 | 500..=599)
    }

    /// Whether the object or its kind does not exist.
    pub fn is_not_found(&self) -> bool {
        self.code == 404
    }

    /// Whether somebody else wrote the object while the server was merging ours, more often than
    /// it tries by itself (kubernetes/kubernetes
    /// apiserver/pkg/registry/generic/registry/store.go).
    pub fn is_contended(&self) -> bool {
        self.code == 409 && self.message.contains("the object has been modified")
    }

    /// Whether the change was refused because the object exists: what `force` recreates
    /// (fluxcd/pkg ssa/errors.go). Plain validation errors belong to it too; unlike Flux's rule,
    /// a race with another writer does not: it passes by itself, and must not cost the object.
    pub fn is_immutable(&self) -> bool {
        self.code == 422
            || (self.code == 409 && self.reason != "AlreadyExists" && !self.is_contended())
            || self.message.contains("is immutable")
            || self.message.contains("immutable field")
    }
}

/// One object that could not be brought to its desired state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ObjectError {
    /// The object.
    pub id: ObjectId,
    /// What was being done.
    pub operation: Operation,
    /// What came of it.
    pub cause: RequestError,
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.id.subject();
        let (operation, cause) = (self.operation, &self.cause);
        if cause.reason.is_empty() {
            write!(f, "{subject} {operation} failed: {}", cause.message)
        } else {
            write!(
                f,
                "{subject} {operation} failed ({}): {}",
                cause.reason, cause.message
            )
        }
    }
}

/// Why a run ended early. Nothing of a stage is written unless all of it passed its dry run.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A manifest is no object, appears twice, or lacks a namespace that its kind needs.
    #[error(transparent)]
    Invalid(#[from] InvalidObject),
    /// No API serves the kind.
    #[error("{} failed: no matches for kind \"{}\" in version \"{version}\"", .id.subject(), .id.kind)]
    UnknownKind {
        /// The object.
        id: ObjectId,
        /// Its `apiVersion`.
        version: String,
    },
    /// A Secret is still encrypted.
    #[error("{} is SOPS encrypted, configuring decryption is required for this secret to be reconciled", .id.subject())]
    Encrypted {
        /// The Secret.
        id: ObjectId,
    },
    /// Which kinds the server has could not be found out.
    #[error("failed to discover the kinds that the API server has")]
    Discovery(#[source] RequestError),
    /// The caller's hook before the first write failed; nothing was written.
    #[error("failed to record the objects before the first write: {0}")]
    Hook(String),
    /// Objects of a stage failed.
    #[error("{}", Failures(.failures))]
    Stage {
        /// The stage.
        stage: Stage,
        /// The objects that failed; not empty.
        failures: Vec<ObjectError>,
        /// What had been done before and beside.
        done: ChangeSet,
    },
    /// The run did not end in time.
    #[error("apply did not end within {0}")]
    Timeout(weir_api::Duration, ChangeSet),
}

impl ApplyError {
    /// What had been done when the run ended.
    pub fn done(&self) -> Option<&ChangeSet> {
        match self {
            Self::Stage { done, .. } | Self::Timeout(_, done) => Some(done),
            _ => None,
        }
    }

    /// Whether the same run may succeed later without anybody changing anything. An unknown kind
    /// may: its definition may be on its way.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::Encrypted { .. } => false,
            Self::UnknownKind { .. } | Self::Hook(_) | Self::Timeout(..) => true,
            Self::Discovery(cause) => cause.is_retryable(),
            Self::Stage { failures, .. } => failures.iter().any(|f| f.cause.is_retryable()),
        }
    }

    /// The longest time that the server asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Discovery(cause) => cause.retry_after,
            Self::Stage { failures, .. } => failures
                .iter()
                .filter_map(|failure| failure.cause.retry_after)
                .max(),
            _ => None,
        }
    }
}

/// How many failures a message spells out; the others are counted.
const SPELLED_OUT: usize = 10;

struct Failures<'a>(&'a [ObjectError]);

impl fmt::Display for Failures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, failure) in self.0.iter().take(SPELLED_OUT).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{failure}")?;
        }
        match self.0.len().checked_sub(SPELLED_OUT) {
            Some(more) if more > 0 => write!(f, "\nand {more} more"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(name: &str, code: u16, reason: &str, message: &str) -> ObjectError {
        ObjectError {
            id: ObjectId::new("ns", name, "apps", "Deployment"),
            operation: Operation::DryRun,
            cause: RequestError {
                code,
                reason: reason.to_owned(),
                message: message.to_owned(),
                retry_after: None,
            },
        }
    }

    #[test]
    fn the_message_names_object_and_field() {
        let error = ApplyError::Stage {
            stage: Stage::Rest,
            failures: vec![failure(
                "web",
                422,
                "Invalid",
                "spec.replicas: must be positive",
            )],
            done: ChangeSet::default(),
        };
        assert_eq!(
            error.to_string(),
            "Deployment/ns/web dry-run failed (Invalid): spec.replicas: must be positive"
        );
        assert!(!error.is_retryable());
    }

    #[test]
    fn many_failures_are_counted() {
        let failures: Vec<_> = (0..12)
            .map(|n| failure(&n.to_string(), 500, "", "no"))
            .collect();
        let error = ApplyError::Stage {
            stage: Stage::Rest,
            failures,
            done: ChangeSet::default(),
        };
        assert_eq!(error.to_string().lines().count(), 11);
        assert!(error.to_string().ends_with("and 2 more"));
        assert!(error.is_retryable());
    }

    #[test]
    fn what_force_recreates() {
        let immutable = |code, reason: &str, message: &str| {
            failure("a", code, reason, message).cause.is_immutable()
        };
        assert!(immutable(
            422,
            "Invalid",
            "spec.selector: field is immutable"
        ));
        assert!(immutable(400, "BadRequest", "the field is immutable"));
        assert!(immutable(409, "Conflict", "uid changed"));
        let raced = "Operation cannot be fulfilled on configmaps \"a\": the object has been \
                     modified; please apply your changes to the latest version and try again";
        assert!(!immutable(409, "Conflict", raced));
        assert!(!immutable(409, "AlreadyExists", "exists"));
        assert!(!immutable(403, "Forbidden", "no"));
    }
}
