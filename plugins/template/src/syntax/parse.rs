//! The parser (golang/go `src/text/template/parse/parse.go`).
//!
//! It differs in one thing: variables are given their place on the stack here, so that running a
//! template looks no names up.

mod action;
mod control;

use std::rc::Rc;

use super::arena::Run;
use super::ast::{Ast, Node, Slot, Source, Tree};
use super::lex::Lexer;
use super::token::{Token, TokenKind};
use crate::error::ParseError;

/// Parentheses and blocks within each other; beyond is no template that a person wrote, and the
/// stack is finite.
const MAX_DEPTH: usize = 400;

/// The functions that a template may name.
pub(crate) trait FunctionNames {
    /// The place of a function.
    fn find(&self, name: &str) -> Option<usize>;
}

/// What is read, or an error, which is rare and therefore kept small.
type Parse<T> = Result<T, Box<ParseError>>;

/// Reads a source: the templates that it defines, and last the one that it is. Trees are made in
/// `ast`, whose room is there for the next source.
pub(crate) fn parse(
    name: &str,
    source: &Rc<str>,
    functions: &dyn FunctionNames,
    ast: &mut Ast,
) -> Result<Vec<Tree>, ParseError> {
    let blank = Token {
        kind: TokenKind::Eof,
        spaced: false,
        start: 0,
        end: 0,
    };
    let mut parser = Parser {
        name,
        source,
        functions,
        lexer: Lexer::new(source),
        tokens: [blank; 2],
        ahead: 0,
        action: None,
        range_depth: 0,
        depth: 0,
        scope: Scope::new(),
        ast,
        roots: Vec::new(),
    };
    let read = parser.file();
    let roots = parser.roots;
    let source = Source {
        name: name.into(),
        text: Rc::clone(source),
        ast: ast.take(),
    };
    read.map_err(|error| *error)?;
    let source = Rc::new(source);
    let trees = roots.into_iter().map(|(name, root)| Tree {
        name,
        source: Rc::clone(&source),
        root,
    });
    Ok(trees.collect())
}

/// The variables that the parser knows.
struct Scope<'s> {
    /// Names with their slots; a dead one is known to the parser only.
    names: Vec<(&'s str, Option<Slot>)>,
    /// The slot of the next one.
    next: Slot,
}

impl Scope<'_> {
    fn new() -> Self {
        let dollar = Slot::MIN;
        Self {
            names: vec![("$", Some(dollar))],
            next: dollar.saturating_add(1),
        }
    }
}

struct Parser<'s> {
    name: &'s str,
    source: &'s str,
    functions: &'s dyn FunctionNames,
    lexer: Lexer<'s>,
    /// Read but not yet used; the last read is at 0.
    tokens: [Token; 2],
    ahead: usize,
    /// Where the action began.
    action: Option<u32>,
    range_depth: usize,
    depth: usize,
    scope: Scope<'s>,
    ast: &'s mut Ast,
    /// Templates by name.
    roots: Vec<(Rc<str>, Run<Node>)>,
}

/// How a list of nodes ended.
enum Ending {
    End,
    /// The token `else`, with `if` or `with` still to come if they follow.
    Else(Option<Token>),
}

impl Ending {
    fn describe(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else(_) => "{{else}}",
        }
    }
}

/// What an action or a text turned out to be.
enum Parsed {
    Node(Node),
    Ending(Ending),
}

impl<'s> Parser<'s> {
    fn error<T>(&self, message: impl Into<String>) -> Parse<T> {
        self.error_at(self.tokens[0].start, message)
    }

    fn error_at<T>(&self, place: u32, message: impl Into<String>) -> Parse<T> {
        Err(Box::new(ParseError {
            name: self.name.to_owned(),
            line: self.line(place),
            message: message.into(),
        }))
    }

    /// The line of a place. Errors alone have one, so nobody counts before.
    fn line(&self, place: u32) -> usize {
        let before = &self.source.as_bytes()[..place as usize];
        memchr::memchr_iter(b'\n', before).count() + 1
    }

    fn unexpected<T>(&self, token: Token, context: &str) -> Parse<T> {
        if token.kind != TokenKind::Error {
            let text = token.describe(self.source);
            return self.error(format!("unexpected {text} in {context}"));
        }
        let text = &self.lexer.message;
        let line = self.action.map(|action| self.line(action));
        let Some(line) = line.filter(|line| *line != self.line(token.start)) else {
            return self.error(text.as_str());
        };
        // Not "action in action".
        let joint = if text.ends_with(" action") {
            ""
        } else {
            " in action"
        };
        let name = self.name;
        self.error(format!("{text}{joint} started at {name}:{line}"))
    }

    /// The text of a token.
    fn text(&self, token: Token) -> &'s str {
        token.span().of(self.source)
    }

    #[inline]
    fn next(&mut self) -> Token {
        let token = self.peek();
        self.ahead -= 1;
        token
    }

    #[inline]
    fn peek(&mut self) -> Token {
        if self.ahead == 0 {
            self.tokens[0] = self.lexer.next_token();
            self.ahead = 1;
        }
        self.tokens[self.ahead - 1]
    }

    fn backup(&mut self) {
        self.ahead += 1;
    }

    /// Gives back two tokens, of which the later is still at 0.
    fn backup2(&mut self, first: Token) {
        self.tokens[1] = first;
        self.ahead = 2;
    }

    fn expect(&mut self, kind: TokenKind, context: &str) -> Parse<Token> {
        let token = self.next();
        if token.kind == kind {
            return Ok(token);
        }
        self.unexpected(token, context)
    }

    /// Nested pieces, bounded.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= MAX_DEPTH {
            return self.error("max expression depth exceeded");
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// The whole source.
    fn file(&mut self) -> Parse<()> {
        let nodes = self.ast.nodes.begin();
        loop {
            let first = self.peek().kind;
            if first == TokenKind::Eof {
                let root = self.ast.nodes.end(nodes);
                return self.add(self.name.into(), root);
            }
            if first == TokenKind::LeftDelim {
                let delim = self.next();
                if self.next().kind == TokenKind::Define {
                    self.definition()?;
                    continue;
                }
                self.backup2(delim);
            }
            match self.text_or_action()? {
                Parsed::Node(node) => self.ast.nodes.push(node),
                Parsed::Ending(ending) => {
                    return self.error(format!("unexpected {}", ending.describe()));
                }
            }
        }
    }

    /// Parses what has variables of its own, until its `end`.
    fn own_list(&mut self, context: &str) -> Parse<Run<Node>> {
        let scope = std::mem::replace(&mut self.scope, Scope::new());
        let range_depth = std::mem::take(&mut self.range_depth);
        let action = self.action.take();
        let (root, ending) = self.nested(Self::list)?;
        if !matches!(ending, Ending::End) {
            let ending = ending.describe();
            return self.error(format!("unexpected {ending} in {context}"));
        }
        self.scope = scope;
        self.range_depth = range_depth;
        self.action = action;
        Ok(root)
    }

    /// The keyword `define` has been read.
    fn definition(&mut self) -> Parse<()> {
        const CONTEXT: &str = "define clause";
        let token = self.next();
        let name = self.template_name(token, CONTEXT)?;
        self.expect(TokenKind::RightDelim, CONTEXT)?;
        let root = self.own_list(CONTEXT)?;
        self.add(name, root)
    }

    /// Keeps a template. Of one source, only an empty one may be defined again.
    fn add(&mut self, name: Rc<str>, root: Run<Node>) -> Parse<()> {
        let Some(at) = self.roots.iter().position(|(other, _)| *other == name) else {
            self.roots.push((name, root));
            return Ok(());
        };
        if self.ast.is_empty(self.roots[at].1, self.source) {
            self.roots[at].1 = root;
        } else if !self.ast.is_empty(root, self.source) {
            let name = super::quote::quote(&name);
            return self.error(format!("template: multiple definition of template {name}"));
        }
        Ok(())
    }

    /// Nodes until `end` or `else`.
    fn list(&mut self) -> Parse<(Run<Node>, Ending)> {
        let nodes = self.ast.nodes.begin();
        while self.peek().kind != TokenKind::Eof {
            match self.text_or_action()? {
                Parsed::Node(node) => self.ast.nodes.push(node),
                Parsed::Ending(ending) => return Ok((self.ast.nodes.end(nodes), ending)),
            }
        }
        self.error("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Parse<Parsed> {
        let token = self.next();
        match token.kind {
            TokenKind::Text => Ok(Parsed::Node(Node::Text(token.span()))),
            TokenKind::LeftDelim => {
                self.action = Some(token.start);
                let parsed = self.action()?;
                self.action = None;
                Ok(parsed)
            }
            _ => self.unexpected(token, "input"),
        }
    }
}
