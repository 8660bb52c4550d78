//! The tree of a template. Nodes keep where they were, for errors.

use std::rc::Rc;

use crate::value::Value;

/// A parsed template.
pub(crate) struct Tree {
    /// Its name.
    pub(crate) name: Rc<str>,
    /// The name of the template in whose source it was found.
    pub(crate) parse_name: Rc<str>,
    /// That source, to tell lines and columns.
    pub(crate) source: Rc<str>,
    pub(crate) root: Vec<Node>,
}

impl Tree {
    /// Whether it is of no more than white space; such a definition replaces no other.
    pub(crate) fn is_empty(&self) -> bool {
        self.root.iter().all(|node| match node {
            Node::Text(text) => text.trim().is_empty(),
            _ => false,
        })
    }
}

/// A step of a template.
pub(crate) enum Node {
    Text(Box<str>),
    Action(Pipe),
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template {
        pos: usize,
        name: Rc<str>,
        pipe: Option<Pipe>,
    },
    Break,
    Continue,
}

/// `if`, `with` or `range`.
pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) list: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

/// Commands, each of which gets what the one before returned.
pub(crate) struct Pipe {
    pub(crate) pos: usize,
    /// `=` rather than `:=`.
    pub(crate) assigns: bool,
    pub(crate) variables: Vec<Variable>,
    pub(crate) commands: Vec<Command>,
}

/// An operand and its arguments.
pub(crate) struct Command {
    pub(crate) pos: usize,
    pub(crate) operands: Vec<Operand>,
}

/// A variable that is set or read.
pub(crate) struct Variable {
    pub(crate) name: Box<str>,
    /// Its place on the stack of the template; nothing where the parser of Go knows the name but no
    /// such variable is alive, as in an `else` that names a variable of its `if`.
    pub(crate) slot: Option<usize>,
}

/// An operand and where it is.
pub(crate) struct Operand {
    pub(crate) pos: usize,
    pub(crate) expr: Expr,
}

/// An operand.
pub(crate) enum Expr {
    Bool(bool),
    Dot,
    Nil,
    Number(Number),
    Text {
        /// As in the source, quotes included.
        quoted: Box<str>,
        value: Value,
    },
    /// `.A.B`.
    Field(Box<[Rc<str>]>),
    /// `$x.A.B`.
    Variable(Variable, Box<[Rc<str>]>),
    /// `(…).A.B`.
    Chain(Box<Operand>, Box<[Rc<str>]>),
    Function {
        name: Box<str>,
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
