//! Actions that control what is run.

use std::rc::Rc;

use super::{Ending, Parsed, Parser};
use crate::error::ParseError;
use crate::syntax::ast::{Branch, Invocation, Node};
use crate::syntax::quote::unquote;
use crate::syntax::token::{Token, TokenKind};

/// The branching actions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

impl<'s> Parser<'s> {
    /// The left delimiter has been read.
    pub(super) fn action(&mut self) -> Result<Parsed<'s>, ParseError> {
        let token = self.next_non_space();
        let node = match token.kind {
            TokenKind::Block => self.block()?,
            TokenKind::Break => self.leave("{{break}}", Node::Break)?,
            TokenKind::Continue => self.leave("{{continue}}", Node::Continue)?,
            TokenKind::Else => return self.otherwise().map(Parsed::Ending),
            TokenKind::End => {
                self.expect(TokenKind::RightDelim, "end")?;
                return Ok(Parsed::Ending(Ending::End));
            }
            TokenKind::If => self.nested(|parser| parser.control(Control::If))?,
            TokenKind::Range => self.nested(|parser| parser.control(Control::Range))?,
            TokenKind::With => self.nested(|parser| parser.control(Control::With))?,
            TokenKind::Template => self.template()?,
            _ => {
                self.backup();
                // Its variables live on until the enclosing `end`.
                Node::Action(self.pipeline("command", TokenKind::RightDelim)?)
            }
        };
        Ok(Parsed::Node(node))
    }

    fn leave(&mut self, action: &str, node: Node) -> Result<Node, ParseError> {
        let token = self.next_non_space();
        if token.kind != TokenKind::RightDelim {
            return self.unexpected(&token, action);
        }
        if self.range_depth == 0 {
            return self.error(format!("{action} outside {{{{range}}}}"));
        }
        Ok(node)
    }

    fn otherwise(&mut self) -> Result<Ending<'s>, ParseError> {
        let token = self.peek_non_space();
        if matches!(token.kind, TokenKind::If | TokenKind::With) {
            return Ok(Ending::Else(Some(token)));
        }
        self.expect(TokenKind::RightDelim, "else")?;
        Ok(Ending::Else(None))
    }

    fn control(&mut self, control: Control) -> Result<Node, ParseError> {
        let context = match control {
            Control::If => "if",
            Control::With => "with",
            Control::Range => "range",
        };
        let (known, alive) = (self.scope.names.len(), self.scope.alive);
        let pipe = self.pipeline(context, TokenKind::RightDelim)?;
        let inside = self.scope.alive;
        let ranges = usize::from(control == Control::Range);
        self.range_depth += ranges;
        let (list, ending) = self.list()?;
        self.range_depth -= ranges;
        // What the first list declared is gone when the second runs, though Go's parser lets it be
        // named there.
        self.scope.bury(inside);
        let otherwise = match ending {
            Ending::End => Vec::new(),
            Ending::Else(follower) => self.else_list(control, follower)?,
        };
        self.scope.names.truncate(known);
        self.scope.alive = alive;
        let branch = Box::new(Branch {
            pipe,
            list,
            otherwise,
        });
        Ok(match control {
            Control::If => Node::If(branch),
            Control::With => Node::With(branch),
            Control::Range => Node::Range(branch),
        })
    }

    /// `else if` and `else with` are an `else` with the other inside, whose `end` is shared.
    fn else_list(
        &mut self,
        control: Control,
        follower: Option<Token<'s>>,
    ) -> Result<Vec<Node>, ParseError> {
        let follower = follower.map(|token| token.kind);
        let chained = match (control, follower) {
            (Control::If, Some(TokenKind::If)) => Some(Control::If),
            (Control::With, Some(TokenKind::With)) => Some(Control::With),
            _ => None,
        };
        if let Some(chained) = chained {
            self.next_non_space();
            let node = self.nested(|parser| parser.control(chained))?;
            return Ok(vec![node]);
        }
        let (list, ending) = self.list()?;
        match ending {
            Ending::End => Ok(list),
            Ending::Else(_) => self.error("expected end; found {{else}}"),
        }
    }

    pub(super) fn template_name(
        &mut self,
        token: &Token<'s>,
        context: &str,
    ) -> Result<Rc<str>, ParseError> {
        if !matches!(token.kind, TokenKind::String | TokenKind::RawString) {
            return self.unexpected(token, context);
        }
        match unquote(token.text) {
            Some(name) => Ok(String::from_utf8_lossy(&name).into()),
            None => self.error("invalid syntax"),
        }
    }

    /// A template that is defined where it is used.
    fn block(&mut self) -> Result<Node, ParseError> {
        const CONTEXT: &str = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, TokenKind::RightDelim)?;
        let root = self.own_list(CONTEXT)?;
        self.add(Rc::clone(&name), root)?;
        Ok(Node::Template(Box::new(Invocation {
            pos: token.pos,
            name,
            pipe: Some(pipe),
        })))
    }

    fn template(&mut self) -> Result<Node, ParseError> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let mut pipe = None;
        if self.next_non_space().kind != TokenKind::RightDelim {
            self.backup();
            pipe = Some(self.pipeline(CONTEXT, TokenKind::RightDelim)?);
        }
        Ok(Node::Template(Box::new(Invocation {
            pos: token.pos,
            name,
            pipe,
        })))
    }
}

impl super::Scope<'_> {
    /// Forgets where the variables from a slot on are, but not their names.
    fn bury(&mut self, from: u32) {
        for (_, slot) in &mut self.names {
            *slot = slot.filter(|slot| *slot < from);
        }
        self.alive = from;
    }
}
