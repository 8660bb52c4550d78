//! Running templates (golang/go `src/text/template/exec.go`).

mod arguments;
mod call;
mod eval;
mod nested;
mod walk;

use std::collections::HashMap;
use std::rc::Rc;

use crate::engine::{Options, Templates};
use crate::error::{CallError, ExecError, Limit};
use crate::function::Functions;
use crate::host::Host;
use crate::regex::Regexes;
use crate::syntax::{Ast, Command, Id, Invocation, Operand, Pipe, Slot, Source, Span, Tree, quote};
use crate::value::Value;

/// A run, as the functions that it calls see it.
pub struct Call<'h> {
    host: &'h dyn Host,
    functions: &'h Functions,
    templates: Rc<Templates>,
    options: Options,
    /// What has been written; an include takes its part off the end.
    out: Vec<u8>,
    /// Bytes written in all.
    written: usize,
    steps: u64,
    /// Templates within templates at the moment.
    depth: usize,
    /// Lists of nodes and pipelines within each other at the moment.
    nesting: usize,
    /// How often a name is being included at the moment.
    included: HashMap<Rc<str>, usize>,
    /// Variables of all templates that are running, the innermost last.
    variables: Vec<Reflected>,
    /// Texts that `tpl` has read.
    read: HashMap<Rc<str>, Rc<[Rc<Tree>]>>,
    pub(crate) regexes: &'h Regexes,
}

/// A value as Go's reflection holds it. An element of a map or list is of an interface type, which
/// errors tell from the value's own; a nil that is boxed is a nil interface, otherwise nothing.
#[derive(Clone)]
struct Reflected {
    value: Value,
    boxed: bool,
}

impl Reflected {
    fn plain(value: Value) -> Self {
        Self {
            value,
            boxed: false,
        }
    }

    /// The type that errors name.
    fn type_name(&self) -> std::borrow::Cow<'static, str> {
        if self.boxed {
            "interface {}".into()
        } else {
            self.value.type_name()
        }
    }
}

/// One template that is running.
struct Frame<'t> {
    tree: &'t Tree,
    /// What an error would be about.
    at: At<'t>,
    /// Where its variables begin.
    base: usize,
}

impl<'t> Frame<'t> {
    fn source(&self) -> &'t Source {
        &self.tree.source
    }

    fn ast(&self) -> &'t Ast {
        &self.tree.source.ast
    }

    /// Where a variable is among those of all templates.
    fn place(&self, slot: Slot) -> usize {
        self.base + slot.get() as usize - 1
    }

    /// The text of a piece of the template.
    fn text(&self, span: Span) -> &'t str {
        span.of(&self.tree.source.text)
    }
}

/// A piece of a template.
#[derive(Clone, Copy)]
enum At<'t> {
    Start,
    Operand(&'t Operand),
    /// What stands before the fields of an operand.
    Term(&'t Operand),
    Command(Command),
    Pipe(Id<Pipe>),
    Action(Id<Pipe>),
    Template(&'t Invocation),
}

impl Frame<'_> {
    /// The error text of Go, with where it happened (`state.errorf`).
    fn error(&self, message: impl std::fmt::Display) -> CallError {
        let source = self.source();
        let text = &source.text;
        let (pos, shown) = match self.at {
            At::Start => {
                return CallError::text(format!("template: {}: {message}", self.tree.name));
            }
            At::Operand(operand) => (operand.pos(text), source.show_operand(operand)),
            At::Term(operand) => {
                let term = operand.term();
                (term.start(), term.of(text).to_owned())
            }
            At::Command(command) => (source.pos(command), source.show_command(command)),
            At::Pipe(pipe) => (source.ast.pipes[pipe].pos, source.show_pipe(pipe)),
            At::Action(pipe) => {
                let shown = format!("{{{{{}}}}}", source.show_pipe(pipe));
                (source.ast.pipes[pipe].pos, shown)
            }
            At::Template(invocation) => {
                let name = quote(&invocation.name);
                let pipe = invocation.pipe.map(|pipe| source.show_pipe(pipe));
                let space = if pipe.is_some() { " " } else { "" };
                let pipe = pipe.unwrap_or_default();
                (
                    invocation.pos,
                    format!("{{{{template {name}{space}{pipe}}}}}"),
                )
            }
        };
        let pos = pos as usize;
        let before = text.get(..pos).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        // Go counts bytes, from 0 behind a line break.
        let column = before.rfind('\n').map_or(pos, |at| pos - at - 1);
        let (parsed, name) = (&source.name, quote(&self.tree.name));
        CallError::text(format!(
            "template: {parsed}:{line}:{column}: executing {name} at <{shown}>: {message}"
        ))
    }
}

impl<'h> Call<'h> {
    pub(crate) fn new(
        host: &'h dyn Host,
        functions: &'h Functions,
        templates: Rc<Templates>,
        regexes: &'h Regexes,
        options: Options,
    ) -> Self {
        Self {
            host,
            functions,
            templates,
            options,
            out: Vec::new(),
            written: 0,
            steps: 0,
            depth: 0,
            nesting: 0,
            included: HashMap::new(),
            variables: Vec::new(),
            read: HashMap::new(),
            regexes,
        }
    }

    pub(crate) fn execute(mut self, name: &str, dot: Value) -> Result<Vec<u8>, ExecError> {
        let Some(tree) = self.templates.find(name).cloned() else {
            let name = quote(name);
            return Err(ExecError::NoTemplate(format!(
                "no template {name} associated with template \"gotpl\""
            )));
        };
        match self.run(&tree, Reflected::plain(dot)) {
            Ok(()) => Ok(self.out),
            Err(CallError::Text(text)) => Err(ExecError::Template(text)),
            Err(CallError::Limit(limit)) => Err(ExecError::Limit(limit)),
        }
    }

    /// Time, randomness and the cluster.
    pub fn host(&self) -> &'h dyn Host {
        self.host
    }

    /// Counts items of a list that a function is about to make.
    pub(crate) fn charge_items(&mut self, count: usize) -> Result<(), CallError> {
        if count > self.options.limits.value / 4 {
            return Err(Limit::Value.into());
        }
        self.work(count)
    }

    /// Bytes that a function may make.
    pub(crate) fn room(&self) -> usize {
        self.options.limits.value
    }

    /// Counts bytes that a function is about to make.
    pub fn charge(&mut self, made: usize) -> Result<(), CallError> {
        if made > self.options.limits.value {
            return Err(Limit::Value.into());
        }
        self.work(made)
    }

    /// Counts steps of work that a function is about to do.
    pub(crate) fn work(&mut self, steps: usize) -> Result<(), CallError> {
        self.steps = self.steps.saturating_add(steps as u64);
        if self.steps > self.options.limits.steps {
            return Err(Limit::Steps.into());
        }
        Ok(())
    }

    /// Runs a template with variables of its own.
    fn run(&mut self, tree: &Tree, dot: Reflected) -> Result<(), CallError> {
        let base = self.variables.len();
        self.variables.push(dot.clone());
        let mut frame = Frame {
            tree,
            at: At::Start,
            base,
        };
        let walked = self.walk(&mut frame, &dot, tree.root);
        self.variables.truncate(base);
        walked.map(|_| ())
    }

    /// Whether another template would be one too many.
    fn is_too_deep(&self) -> bool {
        let limits = &self.options.limits;
        self.depth >= limits.depth || self.nesting >= limits.nesting
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        self.out.extend_from_slice(bytes);
        self.wrote(bytes.len())
    }

    fn wrote(&mut self, bytes: usize) -> Result<(), CallError> {
        self.written += bytes;
        if self.written > self.options.limits.output {
            return Err(Limit::Output.into());
        }
        Ok(())
    }
}
