//! Templates that know each other by name.

use crate::error::{ExecError, ParseError};
use crate::function::Function;
use crate::host::Host;
use crate::value::Value;

/// What a key that is not in a map means (`Template.Option`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingKey {
    /// No value.
    Default,
    /// The zero value of the map's elements. Helm's choice.
    #[default]
    Zero,
    /// An error. Helm's choice when strict.
    Error,
}

/// Bounds of one [`Engine::execute`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Templates within templates, whether by `template`, `include` or `tpl`.
    pub depth: usize,
    /// Bytes of output, those of included templates counted too.
    pub output: usize,
    /// Steps: nodes walked and items made.
    pub steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 1000,
            output: 256 << 20,
            steps: 500_000_000,
        }
    }
}

/// How templates are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// What a missing key means.
    pub missing_key: MissingKey,
    /// Bounds.
    pub limits: Limits,
}

/// A set of templates and the functions they call.
pub struct Engine {
    _options: Options,
}

impl Engine {
    /// An empty set with the functions of the language, Sprig and Helm.
    pub fn new(options: Options) -> Self {
        Self { _options: options }
    }

    /// Adds a function, or replaces the one of its name. Templates parsed before do not see it.
    pub fn add_function(&mut self, function: Function) {
        let _ = function;
    }

    /// Reads a template, and the templates that it defines. A later one of a name replaces the
    /// earlier, unless it is empty.
    pub fn parse(&mut self, name: &str, source: &str) -> Result<(), ParseError> {
        let _ = (name, source);
        Ok(())
    }

    /// Runs a template; what it wrote need not be UTF-8.
    pub fn execute(&self, host: &dyn Host, name: &str, dot: Value) -> Result<Vec<u8>, ExecError> {
        let _ = (host, name, dot);
        Ok(Vec::new())
    }
}
