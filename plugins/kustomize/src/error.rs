//! Why a build fails.

use std::fmt;

/// Where in the tree the cause is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Path of the file, relative to the root of the tree.
    pub path: String,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1.
    pub column: Option<u32>,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The content is wrong.
    Input,
    /// Something that the content names is not there.
    NotFound,
    /// A feature that a sandboxed renderer does not have.
    Unsupported,
    /// The host said no.
    Denied,
    /// A remote does not answer.
    Unavailable,
}

/// A failed build. `Display` is kustomize's own message: the chain of what was being done, then
/// the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
    position: Option<Position>,
    entry: Option<usize>,
}

/// Result of a build step.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Wrong content.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Input,
            message: message.into(),
            position: None,
            entry: None,
        }
    }

    /// With another kind.
    #[must_use]
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Says what was being done.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Changes the message, keeping the rest.
    #[must_use]
    pub fn reworded(mut self, reword: impl FnOnce(&str) -> String) -> Self {
        self.message = reword(&self.message);
        self
    }

    /// Says where, unless that is known already.
    #[must_use]
    pub fn at_file(mut self, path: &str) -> Self {
        match &mut self.position {
            Some(position) if position.path.is_empty() => path.clone_into(&mut position.path),
            Some(_) => {}
            None => {
                let path = path.to_owned();
                self.position = Some(Position {
                    path,
                    line: None,
                    column: None,
                });
            }
        }
        self
    }

    /// Says which line, unless a file is known already: a line within a text that stands in this file
    /// (a patch) is told by the place of that text.
    pub(crate) fn at_line(mut self, path: &str, line: Option<u32>) -> Self {
        if self.position().is_none() {
            self.position = Some(Position {
                path: path.to_owned(),
                line,
                column: None,
            });
        }
        self
    }

    /// Says which line of a file that is told later.
    pub(crate) fn in_line(mut self, line: Option<u32>) -> Self {
        if self.position.is_none() && line.is_some() {
            self.position = Some(Position {
                path: String::new(),
                line,
                column: None,
            });
        }
        self
    }

    /// Says which entry of a field it is about, where one step acts on all of them.
    pub(crate) fn of_entry(mut self, entry: usize) -> Self {
        self.entry.get_or_insert(entry);
        self
    }

    /// See [`Error::of_entry`].
    pub(crate) fn entry(&self) -> Option<usize> {
        self.entry
    }

    /// Moves the position down, for a document that starts further down in its file.
    pub(crate) fn shift_lines(&mut self, by: usize) {
        if let Some(line) = self
            .position
            .as_mut()
            .and_then(|position| position.line.as_mut())
        {
            *line += by as u32;
        }
    }

    /// Kind of the failure.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where the cause is.
    pub fn position(&self) -> Option<&Position> {
        self.position
            .as_ref()
            .filter(|position| !position.path.is_empty())
    }

    /// True for text that is not YAML (kyaml marks it so).
    pub(crate) fn is_malformed_yaml(&self) -> bool {
        self.message.contains("MalformedYAMLError")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<weir_yaml::Error> for Error {
    fn from(err: weir_yaml::Error) -> Self {
        let position = err.line().map(|line| Position {
            path: String::new(),
            line: Some(line),
            column: err.column().filter(|column| *column > 0),
        });
        Self {
            kind: Kind::Input,
            message: err.to_string(),
            position,
            entry: None,
        }
    }
}

/// Adds context to results.
pub(crate) trait Context<T> {
    fn context(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|err| err.into().context(what))
    }
}
