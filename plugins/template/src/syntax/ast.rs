//! The tree of a template. Nodes keep where they were, for errors, and refer to the source for every
//! name and text: reading a chart is mostly making trees, and a tree of copies is slow to make.

use std::rc::Rc;

use smallvec::SmallVec;

use crate::value::Value;

/// A piece of the source, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, len: usize) -> Self {
        Self {
            start: start as u32,
            end: (start + len) as u32,
        }
    }

    /// The text of it.
    pub(crate) fn of(self, source: &str) -> &str {
        source
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// A parsed template.
pub(crate) struct Tree {
    /// Its name.
    pub(crate) name: Rc<str>,
    /// The name of the template in whose source it was found.
    pub(crate) parse_name: Rc<str>,
    /// That source.
    pub(crate) source: Rc<str>,
    pub(crate) root: Vec<Node>,
}

impl Tree {
    /// Whether it is of no more than white space; such a definition replaces no other.
    pub(crate) fn is_empty(&self) -> bool {
        self.root.iter().all(|node| match node {
            Node::Text(text) => text.of(&self.source).trim().is_empty(),
            _ => false,
        })
    }
}

/// A step of a template.
pub(crate) enum Node {
    Text(Span),
    Action(Pipe),
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template(Box<Invocation>),
    Break,
    Continue,
}

/// `template`.
pub(crate) struct Invocation {
    pub(crate) pos: u32,
    pub(crate) name: Rc<str>,
    pub(crate) pipe: Option<Pipe>,
}

/// `if`, `with` or `range`.
pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) list: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

/// Commands, each of which gets what the one before returned.
pub(crate) struct Pipe {
    pub(crate) pos: u32,
    /// `=` rather than `:=`.
    pub(crate) assigns: bool,
    pub(crate) variables: Vec<Variable>,
    pub(crate) commands: SmallVec<[Command; 1]>,
}

/// An operand and its arguments.
pub(crate) struct Command {
    pub(crate) pos: u32,
    pub(crate) operands: SmallVec<[Operand; 1]>,
}

/// A variable that is set or read.
pub(crate) struct Variable {
    pub(crate) name: Span,
    /// Its place on the stack of the template; nothing where the parser of Go knows the name but no
    /// such variable is alive, as in an `else` that names a variable of its `if`.
    pub(crate) slot: Option<u32>,
}

/// An operand and where it is.
pub(crate) struct Operand {
    pub(crate) pos: u32,
    pub(crate) expr: Expr,
}

/// Names of fields, one within the other.
pub(crate) type Fields = SmallVec<[Span; 3]>;

/// An operand.
pub(crate) enum Expr {
    Bool(bool),
    Dot,
    Nil,
    Number(Box<Number>),
    Text {
        /// Quotes included.
        quoted: Span,
        value: Value,
    },
    /// `.A.B`.
    Field(Fields),
    /// `$x.A.B`.
    Variable(Variable, Fields),
    /// `(…).A.B`.
    Chain(Box<Operand>, Fields),
    Function {
        name: Span,
        /// Its place among the functions.
        index: usize,
    },
    Pipe(Box<Pipe>),
}

/// A constant. What it is depends on where it is used.
pub(crate) struct Number {
    pub(crate) text: Box<str>,
    pub(crate) int: Option<i64>,
    pub(crate) float: Option<f64>,
    /// The real and the imaginary part.
    pub(crate) complex: Option<(f64, f64)>,
}
