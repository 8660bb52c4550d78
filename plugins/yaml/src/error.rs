//! What can be wrong with a document.

use thiserror::Error;

/// A document that cannot be read or written. `Display` is the text that Go's
/// libraries give, with their `yaml: ` or `json: `.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Error {
    message: String,
    line: Option<u32>,
    column: Option<u32>,
}

impl Error {
    /// An error without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            line: None,
            column: None,
        }
    }

    /// An error at a place, counted from 1.
    pub fn at(message: impl Into<String>, line: u32, column: u32) -> Self {
        Self {
            message: message.into(),
            line: Some(line),
            column: Some(column),
        }
    }

    /// What is found missing at the end of a text is missing in its last line.
    pub(crate) fn within(mut self, text: &str) -> Self {
        let lines = text.trim_end().lines().count().max(1) as u32;
        if self.line.is_some_and(|line| line > lines) {
            self.line = Some(lines);
            self.column = None;
        }
        self
    }

    /// Line, from 1.
    pub fn line(&self) -> Option<u32> {
        self.line
    }

    /// Column, from 1.
    pub fn column(&self) -> Option<u32> {
        self.column
    }
}
