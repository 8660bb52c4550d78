//! The parser (golang/go `src/text/template/parse/parse.go`).
//!
//! It differs in one thing: variables are given their place on the stack here, so that running a
//! template looks no names up.

mod action;
mod control;

use std::rc::Rc;

use super::ast::{Node, Tree};
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

/// Reads a source: the templates that it defines, and last the one that it is.
pub(crate) fn parse(
    name: &str,
    source: &str,
    functions: &dyn FunctionNames,
) -> Result<Vec<Tree>, ParseError> {
    let blank = Token {
        kind: TokenKind::Eof,
        pos: 0,
        line: 1,
        text: "",
    };
    let mut parser = Parser {
        name: name.into(),
        source: source.into(),
        functions,
        lexer: Lexer::new(source),
        tokens: [blank; 3],
        ahead: 0,
        action_line: 0,
        range_depth: 0,
        depth: 0,
        scope: Scope::new(),
        trees: Vec::new(),
    };
    let root = parser.file()?;
    parser.add(Rc::clone(&parser.name), root)?;
    Ok(parser.trees)
}

/// The variables that the parser knows.
struct Scope<'s> {
    /// Names with their slots; a dead one is known to the parser only.
    names: Vec<(&'s str, Option<u32>)>,
    /// Variables alive.
    alive: u32,
}

impl Scope<'_> {
    fn new() -> Self {
        Self {
            names: vec![("$", Some(0))],
            alive: 1,
        }
    }
}

struct Parser<'s> {
    name: Rc<str>,
    source: Rc<str>,
    functions: &'s dyn FunctionNames,
    lexer: Lexer<'s>,
    /// Read but not yet used; the last read is at 0.
    tokens: [Token<'s>; 3],
    ahead: usize,
    /// Where the action began; 0 outside of actions.
    action_line: u32,
    range_depth: usize,
    depth: usize,
    scope: Scope<'s>,
    trees: Vec<Tree>,
}

/// How a list of nodes ended.
enum Ending<'s> {
    End,
    /// The token `else`, with `if` or `with` still to come if they follow.
    Else(Option<Token<'s>>),
}

impl Ending<'_> {
    fn describe(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else(_) => "{{else}}",
        }
    }
}

/// What an action or a text turned out to be.
enum Parsed<'s> {
    Node(Node),
    Ending(Ending<'s>),
}

impl<'s> Parser<'s> {
    fn error<T>(&self, message: impl Into<String>) -> Result<T, ParseError> {
        Err(ParseError {
            name: self.name.to_string(),
            line: self.tokens[0].line as usize,
            message: message.into(),
        })
    }

    fn unexpected<T>(&self, token: &Token<'s>, context: &str) -> Result<T, ParseError> {
        if token.kind != TokenKind::Error {
            let text = token.describe();
            return self.error(format!("unexpected {text} in {context}"));
        }
        let text = &self.lexer.message;
        if self.action_line == 0 || self.action_line == token.line {
            return self.error(text.as_str());
        }
        // Not "action in action".
        let joint = if text.ends_with(" action") {
            ""
        } else {
            " in action"
        };
        let (name, line) = (&self.name, self.action_line);
        self.error(format!("{text}{joint} started at {name}:{line}"))
    }

    fn next(&mut self) -> Token<'s> {
        if self.ahead > 0 {
            self.ahead -= 1;
        } else {
            self.tokens[0] = self.lexer.next_token();
        }
        self.tokens[self.ahead]
    }

    fn backup(&mut self) {
        self.ahead += 1;
    }

    /// Gives back two tokens, of which the later is still at 0.
    fn backup2(&mut self, first: Token<'s>) {
        self.tokens[1] = first;
        self.ahead = 2;
    }

    fn backup3(&mut self, first: Token<'s>, second: Token<'s>) {
        self.tokens[1] = second;
        self.tokens[2] = first;
        self.ahead = 3;
    }

    fn peek(&mut self) -> Token<'s> {
        if self.ahead == 0 {
            self.ahead = 1;
            self.tokens[0] = self.lexer.next_token();
        }
        self.tokens[self.ahead - 1]
    }

    fn next_non_space(&mut self) -> Token<'s> {
        loop {
            let token = self.next();
            if token.kind != TokenKind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token<'s> {
        let token = self.next_non_space();
        self.backup();
        token
    }

    fn expect(&mut self, kind: TokenKind, context: &str) -> Result<Token<'s>, ParseError> {
        let token = self.next_non_space();
        if token.kind == kind {
            return Ok(token);
        }
        self.unexpected(&token, context)
    }

    /// Nested pieces, bounded.
    fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        if self.depth >= MAX_DEPTH {
            return self.error("max expression depth exceeded");
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn file(&mut self) -> Result<Vec<Node>, ParseError> {
        let mut root = Vec::new();
        loop {
            let first = self.peek().kind;
            if first == TokenKind::Eof {
                return Ok(root);
            }
            if first == TokenKind::LeftDelim {
                let delim = self.next();
                if self.next_non_space().kind == TokenKind::Define {
                    self.definition()?;
                    continue;
                }
                self.backup2(delim);
            }
            match self.text_or_action()? {
                Parsed::Node(node) => root.push(node),
                Parsed::Ending(ending) => {
                    return self.error(format!("unexpected {}", ending.describe()));
                }
            }
        }
    }

    /// Parses what has variables of its own, until its `end`.
    fn own_list(&mut self, context: &str) -> Result<Vec<Node>, ParseError> {
        let scope = std::mem::replace(&mut self.scope, Scope::new());
        let range_depth = std::mem::take(&mut self.range_depth);
        let action_line = std::mem::take(&mut self.action_line);
        let (root, ending) = self.nested(Self::list)?;
        if !matches!(ending, Ending::End) {
            let ending = ending.describe();
            return self.error(format!("unexpected {ending} in {context}"));
        }
        self.scope = scope;
        self.range_depth = range_depth;
        self.action_line = action_line;
        Ok(root)
    }

    /// The keyword `define` has been read.
    fn definition(&mut self) -> Result<(), ParseError> {
        const CONTEXT: &str = "define clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        self.expect(TokenKind::RightDelim, CONTEXT)?;
        let root = self.own_list(CONTEXT)?;
        self.add(name, root)
    }

    /// Keeps a template. Of one source, only an empty one may be defined again.
    fn add(&mut self, name: Rc<str>, root: Vec<Node>) -> Result<(), ParseError> {
        let tree = Tree {
            name,
            parse_name: Rc::clone(&self.name),
            source: Rc::clone(&self.source),
            root,
        };
        let Some(at) = self.trees.iter().position(|other| other.name == tree.name) else {
            self.trees.push(tree);
            return Ok(());
        };
        if self.trees[at].is_empty() {
            self.trees[at] = tree;
        } else if !tree.is_empty() {
            let name = super::quote::quote(&tree.name);
            return self.error(format!("template: multiple definition of template {name}"));
        }
        Ok(())
    }

    /// Nodes until `end` or `else`.
    fn list(&mut self) -> Result<(Vec<Node>, Ending<'s>), ParseError> {
        let mut nodes = Vec::new();
        while self.peek_non_space().kind != TokenKind::Eof {
            match self.text_or_action()? {
                Parsed::Node(node) => nodes.push(node),
                Parsed::Ending(ending) => return Ok((nodes, ending)),
            }
        }
        self.error("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Result<Parsed<'s>, ParseError> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::Text => Ok(Parsed::Node(Node::Text(token.span()))),
            TokenKind::LeftDelim => {
                self.action_line = token.line;
                let parsed = self.action()?;
                self.action_line = 0;
                Ok(parsed)
            }
            _ => self.unexpected(&token, "input"),
        }
    }
}
