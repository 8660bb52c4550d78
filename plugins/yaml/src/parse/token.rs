//! Tokens, places and problems of the scanner.

use crate::error::Error;
use crate::resolve::Dialect;

/// A place in the text, counted from 0; `index` and `column` in characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) index: usize,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScalarStyle {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    StreamEnd,
    VersionDirective,
    TagDirective(String, String),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(String),
    Anchor(String),
    /// Handle and suffix.
    Tag(String, String),
    Scalar(String, ScalarStyle),
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: Mark,
    pub(super) end: Mark,
}

/// A syntax error with the marks from which go-yaml takes its line.
#[derive(Debug)]
pub(super) struct Problem {
    message: String,
    /// Where what could not be read begins.
    context: Mark,
    /// Where it cannot go on.
    place: Mark,
    scanner: bool,
}

impl Problem {
    pub(super) fn scanner(message: &str, context: Mark, place: Mark) -> Self {
        Self {
            message: message.to_owned(),
            context,
            place,
            scanner: true,
        }
    }

    pub(super) fn parser(message: &str, context: Option<Mark>, place: Mark) -> Self {
        let context = context.unwrap_or_default();
        Self {
            message: message.to_owned(),
            context,
            place,
            scanner: false,
        }
    }

    /// The error as go-yaml words it. It counts lines from 0 and corrects that for the scanner
    /// only; v3 prefers the line where the construct begins.
    pub(super) fn into_error(self, dialect: Dialect) -> Error {
        let bump = usize::from(self.scanner);
        let line = match dialect {
            Dialect::V3 if self.context.line != 0 => self.context.line + bump,
            _ if self.place.line != 0 => self.place.line + bump,
            _ => self.context.line,
        };
        let text = if line == 0 {
            format!("yaml: {}", self.message)
        } else {
            format!("yaml: line {line}: {}", self.message)
        };
        Error::at(
            text,
            self.place.line as u32 + 1,
            self.place.column as u32 + 1,
        )
    }
}
