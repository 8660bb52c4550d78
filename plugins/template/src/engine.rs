//! Templates that know each other by name.

use std::collections::HashMap;
use std::rc::Rc;

use crate::error::{ExecError, ParseError};
use crate::exec::Call;
use crate::function::{Function, Functions};
use crate::host::Host;
use crate::regex::Regexes;
use crate::syntax::{self, Ast, Tree};
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
    /// Templates within templates, whether by `template`, `include` or `tpl`. Helm allows a name to
    /// be included 1000 times within itself.
    pub depth: usize,
    /// Lists of nodes and pipelines within each other, in all templates together, at which no further
    /// template may begin. Each takes up to 1.2 KiB of stack, and the last template may add 400.
    pub nesting: usize,
    /// Bytes of output, those of included templates counted too.
    pub output: usize,
    /// Steps: nodes walked and items made.
    pub steps: u64,
    /// Bytes that one function makes; an item of a list counts as four.
    pub value: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 1000,
            // Fits the two megabytes of a thread.
            nesting: 1000,
            output: 32 << 20,
            steps: 200_000_000,
            value: 8 << 20,
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
    options: Options,
    functions: Functions,
    templates: Rc<Templates>,
    regexes: Regexes,
    /// Where trees are made, with the room that those before it took.
    ast: Ast,
}

/// Templates by name, and those of the set that this one extends.
#[derive(Default)]
pub(crate) struct Templates {
    own: HashMap<Rc<str>, Rc<Tree>>,
    base: Option<Rc<Self>>,
}

impl Templates {
    /// A set that sees another one and adds to it (`Template.Clone`).
    pub(crate) fn extending(base: Rc<Self>) -> Self {
        Self {
            own: HashMap::new(),
            base: Some(base),
        }
    }

    /// The template of a name.
    pub(crate) fn find(&self, name: &str) -> Option<&Rc<Tree>> {
        match self.own.get(name) {
            Some(tree) => Some(tree),
            None => self.base.as_ref()?.find(name),
        }
    }

    /// Adds a template; an empty one does not replace another (`Template.AddParseTree`).
    pub(crate) fn add(&mut self, tree: Rc<Tree>) {
        if !tree.is_empty() || self.find(&tree.name).is_none() {
            self.own.insert(Rc::clone(&tree.name), tree);
        }
    }
}

impl Engine {
    /// An empty set with the functions of the language, Sprig and Helm.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            functions: Functions::standard(),
            templates: Rc::default(),
            regexes: Regexes::default(),
            ast: Ast::default(),
        }
    }

    /// Adds a function, or replaces the one of its name.
    pub fn add_function(&mut self, function: Function) {
        self.functions.add(function);
    }

    /// Reads a template, and the templates that it defines. A later one of a name replaces the
    /// earlier, unless it is empty.
    pub fn parse(&mut self, name: &str, source: impl Into<Rc<str>>) -> Result<(), ParseError> {
        let trees = syntax::parse(name, &source.into(), &self.functions, &mut self.ast)?;
        // No run is under way, so the set is not shared.
        if let Some(templates) = Rc::get_mut(&mut self.templates) {
            for tree in trees {
                templates.add(Rc::new(tree));
            }
        }
        Ok(())
    }

    /// Runs a template; what it wrote need not be UTF-8.
    pub fn execute(&self, host: &dyn Host, name: &str, dot: Value) -> Result<Vec<u8>, ExecError> {
        let templates = Rc::clone(&self.templates);
        Call::new(
            host,
            &self.functions,
            templates,
            &self.regexes,
            self.options,
        )
        .execute(name, dot)
    }
}
