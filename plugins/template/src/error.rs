//! What goes wrong while reading and running templates. Texts are Go's.

/// A template that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template: {name}:{line}: {message}")]
pub struct ParseError {
    /// The name of the template.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// A template that could not be run to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecError {
    /// The template's own doing.
    #[error("{0}")]
    Template(String),
    /// There is no template of the name, or it is empty.
    #[error("template: {0}")]
    NoTemplate(String),
    /// A bound was reached.
    #[error("{0}")]
    Limit(Limit),
}

/// A bound of [`crate::Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// Bytes written.
    #[error("templates produce too much output")]
    Output,
    /// Steps taken.
    #[error("templates take too many steps")]
    Steps,
    /// The size of one value.
    #[error("templates make a value that is too large")]
    Value,
}

/// A function or method that did not return a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The text of the error that the Go function returns, or panics with.
    #[error("{0}")]
    Text(String),
    /// A bound was reached; it ends the whole run.
    #[error("{0}")]
    Limit(Limit),
}

impl CallError {
    /// An error with a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for CallError {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for CallError {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Limit> for CallError {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}
