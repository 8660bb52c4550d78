//! The tree of a template. Reading a chart is mostly making trees, of which few are run: pieces are
//! small, refer to each other by number and to the source for every name and text.

use std::cell::OnceCell;
use std::num::NonZeroU32;
use std::rc::Rc;

use super::arena::{Arena, Id, Run};
use super::quote::{unquote, verbatim};
use crate::value::Value;

/// A piece of the source, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    /// Where it begins.
    pub(crate) fn start(self) -> u32 {
        self.start
    }

    /// The text of it.
    pub(crate) fn of(self, source: &str) -> &str {
        source
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// A text that was read, and the pieces of the trees in it.
pub(crate) struct Source {
    /// The name of the template that the text is.
    pub(crate) name: Rc<str>,
    pub(crate) text: Rc<str>,
    pub(crate) ast: Ast,
}

/// A parsed template.
pub(crate) struct Tree {
    /// Its name.
    pub(crate) name: Rc<str>,
    /// Where it was found.
    pub(crate) source: Rc<Source>,
    pub(crate) root: Run<Node>,
}

impl Tree {
    /// Whether it is of no more than white space; such a definition replaces no other.
    pub(crate) fn is_empty(&self) -> bool {
        self.source.ast.is_empty(self.root, &self.source.text)
    }
}

/// The pieces of trees.
#[derive(Default)]
pub(crate) struct Ast {
    pub(crate) nodes: Arena<Node>,
    pub(crate) branches: Arena<Branch>,
    pub(crate) invocations: Arena<Invocation>,
    pub(crate) pipes: Arena<Pipe>,
    pub(crate) commands: Arena<Command>,
    pub(crate) operands: Arena<Operand>,
    pub(crate) variables: Arena<Variable>,
    pub(crate) numbers: Arena<Number>,
    /// What quoted texts mean, once that is asked.
    pub(crate) texts: Arena<OnceCell<Value>>,
}

impl Ast {
    /// Whether nodes are of no more than white space.
    pub(super) fn is_empty(&self, nodes: Run<Node>, source: &str) -> bool {
        self.nodes[nodes].iter().all(|node| match node {
            Node::Text(text) => text.of(source).trim().is_empty(),
            _ => false,
        })
    }

    /// Takes everything out; what is left is empty.
    pub(super) fn take(&mut self) -> Self {
        Self {
            nodes: self.nodes.take(),
            branches: self.branches.take(),
            invocations: self.invocations.take(),
            pipes: self.pipes.take(),
            commands: self.commands.take(),
            operands: self.operands.take(),
            variables: self.variables.take(),
            numbers: self.numbers.take(),
            texts: self.texts.take(),
        }
    }
}

/// A step of a template.
#[derive(Clone, Copy)]
pub(crate) enum Node {
    Text(Span),
    Action(Id<Pipe>),
    If(Id<Branch>),
    With(Id<Branch>),
    Range(Id<Branch>),
    Template(Id<Invocation>),
    Break,
    Continue,
}

/// `template`.
pub(crate) struct Invocation {
    pub(crate) pos: u32,
    pub(crate) name: Rc<str>,
    pub(crate) pipe: Option<Id<Pipe>>,
}

/// `if`, `with` or `range`.
pub(crate) struct Branch {
    pub(crate) pipe: Id<Pipe>,
    pub(crate) list: Run<Node>,
    pub(crate) otherwise: Run<Node>,
}

/// Commands, each of which gets what the one before returned.
#[derive(Clone, Copy)]
pub(crate) struct Pipe {
    pub(crate) pos: u32,
    /// `=` rather than `:=`.
    pub(crate) assigns: bool,
    pub(crate) variables: Run<Variable>,
    pub(crate) commands: Run<Command>,
}

/// An operand and its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Command {
    pub(crate) operands: Run<Operand>,
}

/// A place on the stack of a template, from 1.
pub(crate) type Slot = NonZeroU32;

/// A variable that is set.
#[derive(Clone, Copy)]
pub(crate) struct Variable {
    pub(crate) name: Span,
    /// Nothing where the parser of Go knows the name but no such variable is alive, as in an `else`
    /// that names a variable of its `if`.
    pub(crate) slot: Option<Slot>,
}

/// An operand and where it is: a term and the fields behind it, `$x.A.B`.
#[derive(Clone, Copy)]
pub(crate) struct Operand {
    pub(super) start: u32,
    /// Where the fields begin; the end if there are none.
    pub(super) fields: u32,
    pub(super) end: u32,
    pub(crate) expr: Expr,
}

impl Operand {
    /// Whether there are fields.
    pub(crate) fn has_fields(&self) -> bool {
        self.fields < self.end
    }

    /// The part before the fields.
    pub(crate) fn term(&self) -> Span {
        Span {
            start: self.start,
            end: self.fields,
        }
    }

    /// The fields, each with the period before it.
    pub(crate) fn fields(&self) -> Span {
        Span {
            start: self.fields,
            end: self.end,
        }
    }

    /// Where Go says that it is: where its parser was when it knew what it had.
    pub(crate) fn pos(&self, source: &str) -> u32 {
        match self.expr {
            Expr::Field => {
                let first = self.fields().of(source).get(1..).unwrap_or_default();
                let second = first.find('.').map_or(0, |at| at + 1);
                self.start + second as u32
            }
            _ if self.has_fields() => self.fields,
            _ => self.start,
        }
    }
}

/// The term of an operand.
#[derive(Clone, Copy)]
pub(crate) enum Expr {
    Bool(bool),
    Dot,
    Nil,
    Number(Id<Number>),
    /// In quotes.
    Text(Id<OnceCell<Value>>),
    /// None: the fields are those of the dot.
    Field,
    Variable(Option<Slot>),
    /// The place of a function among all.
    Function(u32),
    /// In parentheses.
    Pipe(Id<Pipe>),
}

impl Expr {
    /// Whether nothing can be called or looked up in it.
    pub(super) fn is_constant(self) -> bool {
        matches!(
            self,
            Self::Bool(_) | Self::Dot | Self::Nil | Self::Number(_) | Self::Text(_)
        )
    }
}

/// A constant. What it is depends on where it is used.
pub(crate) struct Number {
    pub(crate) int: Option<i64>,
    pub(crate) float: Option<f64>,
    /// The real and the imaginary part.
    pub(crate) complex: Option<(f64, f64)>,
}

impl Source {
    /// Where a command begins.
    pub(crate) fn pos(&self, command: Command) -> u32 {
        let first = self.ast.operands[command.operands].first();
        first.map_or(0, |first| first.start)
    }

    /// What a quoted text means; the parser has seen that it means something.
    pub(crate) fn text_of(&self, operand: &Operand, id: Id<OnceCell<Value>>) -> &Value {
        self.ast.texts[id].get_or_init(|| {
            let quoted = operand.term().of(&self.text);
            match verbatim(quoted) {
                Some(text) => Value::string(text),
                None => Value::string_from_bytes(unquote(quoted).unwrap_or_default()),
            }
        })
    }
}
