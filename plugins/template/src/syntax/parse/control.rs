//! Actions that control what is run.

use std::rc::Rc;

use super::{Ending, Parse, Parsed, Parser, Scope};
use crate::syntax::arena::{Id, Run};
use crate::syntax::ast::{Branch, Invocation, Node, Pipe, Slot};
use crate::syntax::quote::{unquote, verbatim};
use crate::syntax::token::{Token, TokenKind};

/// The branching actions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

impl Parser<'_> {
    /// The left delimiter has been read.
    pub(super) fn action(&mut self) -> Parse<Parsed> {
        let token = self.next();
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

    fn leave(&mut self, action: &str, node: Node) -> Parse<Node> {
        let token = self.next();
        if token.kind != TokenKind::RightDelim {
            return self.unexpected(token, action);
        }
        if self.range_depth == 0 {
            return self.error(format!("{action} outside {{{{range}}}}"));
        }
        Ok(node)
    }

    fn otherwise(&mut self) -> Parse<Ending> {
        let token = self.peek();
        if matches!(token.kind, TokenKind::If | TokenKind::With) {
            return Ok(Ending::Else(Some(token)));
        }
        self.expect(TokenKind::RightDelim, "else")?;
        Ok(Ending::Else(None))
    }

    fn control(&mut self, control: Control) -> Parse<Node> {
        let context = match control {
            Control::If => "if",
            Control::With => "with",
            Control::Range => "range",
        };
        let (known, next) = (self.scope.names.len(), self.scope.next);
        let pipe = self.pipeline(context, TokenKind::RightDelim)?;
        let inside = self.scope.next;
        let ranges = usize::from(control == Control::Range);
        self.range_depth += ranges;
        let (list, ending) = self.list()?;
        self.range_depth -= ranges;
        // What the first list declared is gone when the second runs, though Go's parser lets it be
        // named there.
        self.scope.bury(inside);
        let otherwise = match ending {
            Ending::End => Run::default(),
            Ending::Else(follower) => self.else_list(control, follower)?,
        };
        self.scope.names.truncate(known);
        self.scope.next = next;
        let branch = self.ast.branches.add(Branch {
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
    fn else_list(&mut self, control: Control, follower: Option<Token>) -> Parse<Run<Node>> {
        let follower = follower.map(|token| token.kind);
        let chained = match (control, follower) {
            (Control::If, Some(TokenKind::If)) => Some(Control::If),
            (Control::With, Some(TokenKind::With)) => Some(Control::With),
            _ => None,
        };
        if let Some(chained) = chained {
            self.next();
            let nodes = self.ast.nodes.begin();
            let node = self.nested(|parser| parser.control(chained))?;
            self.ast.nodes.push(node);
            return Ok(self.ast.nodes.end(nodes));
        }
        let (list, ending) = self.list()?;
        match ending {
            Ending::End => Ok(list),
            Ending::Else(_) => self.error("expected end; found {{else}}"),
        }
    }

    pub(super) fn template_name(&mut self, token: Token, context: &str) -> Parse<Rc<str>> {
        if !matches!(token.kind, TokenKind::String | TokenKind::RawString) {
            return self.unexpected(token, context);
        }
        let quoted = self.text(token);
        if let Some(name) = verbatim(quoted) {
            return Ok(name.into());
        }
        match unquote(quoted) {
            Some(name) => Ok(String::from_utf8_lossy(&name).into()),
            None => self.error("invalid syntax"),
        }
    }

    /// A template that is defined where it is used.
    fn block(&mut self) -> Parse<Node> {
        const CONTEXT: &str = "block clause";
        let token = self.next();
        let name = self.template_name(token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, TokenKind::RightDelim)?;
        let root = self.own_list(CONTEXT)?;
        self.add(Rc::clone(&name), root)?;
        Ok(self.invocation(token, name, Some(pipe)))
    }

    fn template(&mut self) -> Parse<Node> {
        const CONTEXT: &str = "template clause";
        let token = self.next();
        let name = self.template_name(token, CONTEXT)?;
        let mut pipe = None;
        if self.next().kind != TokenKind::RightDelim {
            self.backup();
            pipe = Some(self.pipeline(CONTEXT, TokenKind::RightDelim)?);
        }
        Ok(self.invocation(token, name, pipe))
    }

    fn invocation(&mut self, token: Token, name: Rc<str>, pipe: Option<Id<Pipe>>) -> Node {
        Node::Template(self.ast.invocations.add(Invocation {
            pos: token.start,
            name,
            pipe,
        }))
    }
}

impl Scope<'_> {
    /// Forgets where the variables from a slot on are, but not their names.
    fn bury(&mut self, from: Slot) {
        for (_, slot) in &mut self.names {
            *slot = slot.filter(|slot| *slot < from);
        }
        self.next = from;
    }
}
