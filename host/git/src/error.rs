//! Why an operation failed, and what the object's condition says about it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use weir_plugin::{Failure, FailureClass};

/// Reason of a Flux GitRepository whose credentials were refused.
const AUTHENTICATION_FAILED: &str = "AuthenticationFailed";
/// Reason of a Flux GitRepository for every other failure of a Git operation.
const OPERATION_FAILED: &str = "GitOperationFailed";
/// Reason of a Flux GitRepository whose address cannot be used.
const URL_INVALID: &str = "URLInvalid";

/// A failed step. The text says what went wrong, not on which repository: that is added once, by
/// [`Error::into_failure`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The address cannot be used.
    #[error("{0}")]
    Url(String),
    /// What is asked for makes no sense.
    #[error("{0}")]
    Settings(String),
    /// Credentials or certificates that cannot be used as they are.
    #[error("{0}")]
    Credentials(String),
    /// What this host does not do.
    #[error("{0}")]
    Unsupported(String),
    /// The server wants other credentials.
    #[error("{0}")]
    Unauthorized(String),
    /// The host's own rules forbid it.
    #[error("{0}")]
    Denied(String),
    /// The peer cannot be reached, answers with an error or broke off.
    #[error("{message}")]
    Unavailable {
        /// What happened.
        message: String,
        /// Seconds, when the server asked for a pause.
        retry_after: Option<u32>,
    },
    /// The server says that there is nothing at the address, or no such commit.
    #[error("{0}")]
    NotFound(String),
    /// The server does not hand out the object that was asked for by its id; a fetch by
    /// reference may still succeed.
    #[error("{0}")]
    Refused(String),
    /// The content passes a limit or cannot be used.
    #[error("{0}")]
    Content(String),
    /// The local copy is damaged; thrown away and fetched again.
    #[error("{0}")]
    Damaged(String),
    /// A file that the local copy does not have.
    #[error("object {id} of '{path}' is missing")]
    Missing {
        /// Of the file.
        path: String,
        /// Of its object, hex.
        id: String,
    },
    /// The cache folder cannot be used.
    #[error("cannot {doing} {}: {source}", path.display())]
    Local {
        /// `create`, `write`, ...
        doing: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The time is over.
    #[error("timed out after {} while {phase}", seconds(*.after))]
    TimedOut {
        /// The time that was granted.
        after: Duration,
        /// What was going on.
        phase: String,
    },
    /// Nobody waits for the answer any more.
    #[error("the operation was cancelled")]
    Interrupted,
    /// A bug in this host or in the library below.
    #[error("internal error: {0}")]
    Internal(String),
}

fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs_f64())
}

impl Error {
    /// The peer cannot be reached, without a hint when to come back.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable {
            message: message.into(),
            retry_after: None,
        }
    }

    /// Curried for `map_err`.
    pub(crate) fn local(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Local {
            doing,
            path,
            source,
        }
    }

    /// A local copy that cannot be read, with the chain of causes.
    pub(crate) fn damaged(what: &str, error: &gix_error::Error) -> Self {
        Self::Damaged(format!("{what}: {}", chain(error)))
    }

    /// The same, on a part of what was asked for.
    pub(crate) fn within(mut self, part: &str) -> Self {
        match &mut self {
            Self::Url(text)
            | Self::Settings(text)
            | Self::Credentials(text)
            | Self::Unsupported(text)
            | Self::Unauthorized(text)
            | Self::Denied(text)
            | Self::Unavailable { message: text, .. }
            | Self::NotFound(text)
            | Self::Refused(text)
            | Self::Content(text)
            | Self::Damaged(text) => *text = format!("{part}: {text}"),
            Self::Missing { .. }
            | Self::Local { .. }
            | Self::TimedOut { .. }
            | Self::Interrupted
            | Self::Internal(_) => {}
        }
        self
    }

    /// The answer to the caller; `doing` says on what, such as `list references of https://…`.
    pub(crate) fn into_failure(self, doing: &str) -> Failure {
        let (class, code) = match &self {
            Self::Url(_) => (FailureClass::InvalidSettings, URL_INVALID),
            Self::Settings(_) => (FailureClass::InvalidSettings, OPERATION_FAILED),
            Self::Credentials(_) | Self::Unauthorized(_) => {
                (FailureClass::Unauthorized, AUTHENTICATION_FAILED)
            }
            Self::Unsupported(_) => (FailureClass::Unsupported, OPERATION_FAILED),
            Self::Denied(_) => (FailureClass::Denied, OPERATION_FAILED),
            Self::NotFound(_) | Self::Refused(_) => (FailureClass::NotFound, OPERATION_FAILED),
            Self::Content(_) => (FailureClass::InvalidInput, OPERATION_FAILED),
            Self::Unavailable { .. }
            | Self::Damaged(_)
            | Self::Missing { .. }
            | Self::Local { .. }
            | Self::TimedOut { .. }
            | Self::Interrupted => (FailureClass::Unavailable, OPERATION_FAILED),
            Self::Internal(_) => (FailureClass::Internal, OPERATION_FAILED),
        };
        let mut failure = Failure::new(class, code, format!("failed to {doing}: {self}"));
        if let Self::Unavailable { retry_after, .. } = self {
            failure.retry_after = retry_after;
        }
        failure
    }
}

/// All causes in one line, outermost first, each said once.
pub(crate) fn chain(error: &gix_error::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.iter_errors() {
        let text = cause.to_string();
        if !text.is_empty() && !parts.iter().any(|known| known.contains(&text)) {
            parts.push(text);
        }
    }
    one_line(&parts.join(": "))
}

/// Text of a peer for a message: one line, printable, bounded.
pub(crate) fn one_line(text: &str) -> String {
    const MOST: usize = 500;
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|c| !c.is_control()));
        if line.len() > MOST {
            let end = (0..=MOST)
                .rev()
                .find(|end| line.is_char_boundary(*end))
                .unwrap_or(0);
            line.truncate(end);
            line.push('…');
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_text_becomes_one_bounded_line() {
        assert_eq!(
            one_line("not\n our\t\u{1b}[31mref \u{7}\r\n"),
            "not our [31mref "
        );
        let long = one_line(&"wörter ".repeat(500));
        assert!(long.len() < 520 && long.ends_with('…'), "{long}");
    }

    #[test]
    fn the_message_names_the_operation_once() {
        let error = Error::TimedOut {
            after: Duration::from_millis(1500),
            phase: "listing references".into(),
        };
        let failure = error.into_failure("list references of https://git.example/a.git");
        assert_eq!(
            failure.message,
            "failed to list references of https://git.example/a.git: timed out after 1.5s while \
             listing references"
        );
        assert_eq!(failure.code, "GitOperationFailed");
        assert_eq!(failure.class, FailureClass::Unavailable);
    }
}
