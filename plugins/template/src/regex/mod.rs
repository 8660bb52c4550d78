//! Regular expressions: Go's `regexp` by way of the crate `regex`, which shares its engine's
//! promise of linear time but not its syntax.

mod class;
mod translate;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use regex::{Regex, RegexBuilder};

use crate::syntax::quote;

/// Compiled size beyond which an expression is refused. Go has a bound of this kind, too.
const MAX_SIZE: usize = 4 << 20;

/// What Go says about an expression that it cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {what}: `{piece}`")]
pub(crate) struct SyntaxError {
    what: &'static str,
    piece: String,
}

impl SyntaxError {
    fn new(what: &'static str, piece: impl Into<String>) -> Self {
        Self {
            what,
            piece: piece.into(),
        }
    }
}

/// An expression in Go's syntax, for those who check patterns of JSON schemas.
#[derive(Debug, Clone)]
pub struct GoRegex {
    pattern: Rc<str>,
    compiled: Rc<Regex>,
}

impl GoRegex {
    /// Compiles an expression; the error has Go's text.
    pub fn new(pattern: &str) -> Result<Self, String> {
        match compile(pattern) {
            Ok(compiled) => Ok(Self {
                pattern: pattern.into(),
                compiled,
            }),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Whether it matches anywhere in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }
}

/// As it was written.
impl std::fmt::Display for GoRegex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.pattern)
    }
}

/// Expressions that an engine has compiled. Charts use the same few in loops and in most of their
/// files, and to compile one takes as long as a small file.
#[derive(Default)]
pub(crate) struct Regexes {
    compiled: RefCell<HashMap<Rc<str>, Compiled>>,
}

type Compiled = Result<Rc<Regex>, SyntaxError>;

impl Regexes {
    /// The expression, compiled once (`regexp.Compile`).
    pub(crate) fn get(&self, pattern: &str) -> Compiled {
        if let Some(compiled) = self.compiled.borrow().get(pattern) {
            return compiled.clone();
        }
        let compiled = compile(pattern);
        let mut known = self.compiled.borrow_mut();
        known.insert(pattern.into(), compiled.clone());
        compiled
    }

    /// As [`Regexes::get`]; the error is what `regexp.MustCompile` panics with.
    pub(crate) fn must(&self, pattern: &str) -> Result<Rc<Regex>, String> {
        self.get(pattern).map_err(|error| {
            let shown = if pattern.contains(|c: char| c == '`' || c.is_control() && c != '\t') {
                quote(pattern)
            } else {
                format!("`{pattern}`")
            };
            format!("regexp: Compile({shown}): {error}")
        })
    }
}

fn compile(pattern: &str) -> Compiled {
    let translated = translate::translate(pattern)?;
    RegexBuilder::new(&translated)
        .size_limit(MAX_SIZE)
        .build()
        .map(Rc::new)
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => SyntaxError::new("expression too large", pattern),
            _ => SyntaxError::new("invalid expression", pattern),
        })
}
