//! From text to trees: Go's `text/template/parse`.

mod arena;
mod ast;
pub(crate) mod constant;
mod display;
mod lex;
mod parse;
pub(crate) mod quote;
mod token;

pub(crate) use arena::{Id, Run};
pub(crate) use ast::{
    Ast, Branch, Command, Expr, Invocation, Node, Number, Operand, Pipe, Slot, Source, Span, Tree,
    Variable,
};
pub(crate) use parse::{FunctionNames, parse};
pub(crate) use quote::quote;
