//! The one error type of plugins: what the host does next, and what a person is told.

use std::fmt;
use std::time::Duration;

use crate::bindings::imports::weir::plugin::types;

/// What the host does next.
pub use types::FailureClass as Class;
/// Where in the source tree the cause is. Lines and columns count from 1.
pub use types::Position;

/// Result of a plugin.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure: a [`Class`], which decides what the host does next; a code in UpperCamelCase, which
/// becomes the reason of the object's Ready condition; and one sentence for a person.
///
/// ```
/// use weir_sdk::Error;
///
/// let error = Error::invalid_input("BuildFailed", "a mapping needs `:` after its key")
///     .at("apps/a.yaml", 3);
/// assert_eq!(error.to_string(), "apps/a.yaml:3: a mapping needs `:` after its key");
/// ```
///
/// What a host function answers converts by `?`; [`ResultExt`] classifies errors of libraries.
#[derive(Clone, Debug)]
pub struct Error(Box<types::Failure>);

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $class:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(code: impl Into<String>, message: impl Into<String>) -> Self {
                Self::new(Class::$class, code, message)
            }
        )*
    };
}

impl Error {
    /// A failure without position, detail or floor for the retry.
    pub fn new(class: Class, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(types::Failure {
            class,
            code: code.into(),
            message: message.into(),
            retry_after: None,
            positions: Vec::new(),
            detail: None,
        }))
    }

    constructors! {
        /// Settings or spec are wrong: stalled until someone edits them.
        invalid_settings => InvalidSettings;
        /// The source content is wrong: stalled until a new revision.
        invalid_input => InvalidInput;
        /// Something named is not there: in a renderer as `invalid_input`, else as `unavailable`.
        not_found => NotFound;
        /// Credentials are missing, expired or refused: retried, at once when the Secret changes.
        unauthorized => Unauthorized;
        /// Refused by a rule: stalled until the rule changes.
        denied => Denied;
        /// The peer does not answer, or not now: retried with backoff.
        unavailable => Unavailable;
        /// Not supported: stalled.
        unsupported => Unsupported;
        /// A bug of the plugin: retried a few times, then stalled until the plugin changes.
        internal => Internal;
    }

    /// Adds a position: line `line` (from 1) of `path`.
    pub fn at(self, path: impl Into<String>, line: u32) -> Self {
        self.position(path, Some(line), None)
    }

    /// Adds a position: line and column (from 1) of `path`.
    pub fn at_column(self, path: impl Into<String>, line: u32, column: u32) -> Self {
        self.position(path, Some(line), Some(column))
    }

    /// Adds a position: a file as a whole.
    pub fn in_file(self, path: impl Into<String>) -> Self {
        self.position(path, None, None)
    }

    fn position(mut self, path: impl Into<String>, line: Option<u32>, column: Option<u32>) -> Self {
        self.0.positions.push(Position {
            path: path.into(),
            line,
            column,
        });
        self
    }

    /// The host waits at least this long before it tries again (rounded up to seconds).
    pub fn retry_after(mut self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.0.retry_after = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
        self
    }

    /// Further data for events and logs.
    pub fn detail(mut self, detail: &serde_json::Value) -> Self {
        self.0.detail = Some(detail.to_string());
        self
    }

    /// The same failure with another code, for plugins that must use the reasons of a kind.
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = code.into();
        self
    }

    /// The same failure with another sentence.
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// The same failure, told as `context: message`.
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// What the host does next.
    pub fn class(&self) -> Class {
        self.0.class
    }

    /// The condition's reason.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The sentence for a person, without positions.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where the cause is.
    pub fn positions(&self) -> &[Position] {
        &self.0.positions
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = self.0.positions.first() {
            write!(f, "{}", position.path)?;
            for number in [position.line, position.column].into_iter().flatten() {
                write!(f, ":{number}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl From<types::Failure> for Error {
    fn from(failure: types::Failure) -> Self {
        Self(Box::new(failure))
    }
}

impl From<Error> for types::Failure {
    fn from(error: Error) -> Self {
        *error.0
    }
}

/// Classifies the error of a library.
///
/// ```
/// use weir_sdk::{Error, Result, ResultExt};
///
/// fn replicas(text: &str) -> Result<u32> {
///     text.parse().invalid_input("InvalidReplicas")
/// }
/// assert_eq!(replicas("many").unwrap_err().code(), "InvalidReplicas");
/// ```
pub trait ResultExt<T>: Sized {
    /// As [`Error::new`], with the error's text as the message.
    fn classify(self, class: Class, code: &str) -> Result<T>;

    /// The settings are wrong.
    fn invalid_settings(self, code: &str) -> Result<T> {
        self.classify(Class::InvalidSettings, code)
    }

    /// The source content is wrong.
    fn invalid_input(self, code: &str) -> Result<T> {
        self.classify(Class::InvalidInput, code)
    }

    /// The peer gave no usable answer.
    fn unavailable(self, code: &str) -> Result<T> {
        self.classify(Class::Unavailable, code)
    }

    /// A bug of the plugin.
    fn internal(self, code: &str) -> Result<T> {
        self.classify(Class::Internal, code)
    }
}

impl<T, E: fmt::Display> ResultExt<T> for std::result::Result<T, E> {
    fn classify(self, class: Class, code: &str) -> Result<T> {
        self.map_err(|error| Error::new(class, code, error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_carries_everything_to_the_host() {
        let error = Error::unavailable("RateLimited", "too many requests")
            .at_column("a.yaml", 3, 7)
            .in_file("b.yaml")
            .retry_after(Duration::from_millis(1500))
            .detail(&serde_json::json!({ "status": 429 }))
            .context("posting to the channel");
        assert_eq!(
            error.to_string(),
            "a.yaml:3:7: posting to the channel: too many requests"
        );

        let failure = types::Failure::from(error);
        assert_eq!(failure.class, Class::Unavailable);
        assert_eq!(failure.code, "RateLimited");
        assert_eq!(
            failure.retry_after,
            Some(2),
            "part of a second counts as a whole one"
        );
        assert_eq!(failure.detail.as_deref(), Some(r#"{"status":429}"#));
        assert_eq!(failure.positions.len(), 2);
        assert_eq!(failure.positions[1].line, None);
    }
}
