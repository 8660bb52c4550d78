//! Pipelines and what they are made of.

use std::cell::OnceCell;

use super::{Parse, Parser};
use crate::syntax::arena::Id;
use crate::syntax::ast::{Command, Expr, Number, Operand, Pipe, Slot, Variable};
use crate::syntax::constant;
use crate::syntax::quote::{quote, unquote, verbatim};
use crate::syntax::token::{Token, TokenKind};

impl Parser<'_> {
    pub(super) fn pipeline(&mut self, context: &str, end: TokenKind) -> Parse<Id<Pipe>> {
        let pos = self.peek().start;
        let variables = self.ast.variables.begin();
        let known = self.scope.names.len();
        let assigns = self.declarations(context)?;
        let commands = self.ast.commands.begin();
        loop {
            let token = self.next();
            if token.kind == end {
                break;
            }
            if !begins_operand(token.kind) {
                return self.unexpected(token, context);
            }
            self.backup();
            let command = self.command()?;
            self.ast.commands.push(command);
        }
        let pipe = Pipe {
            pos,
            assigns,
            variables: self.ast.variables.end(variables),
            commands: self.ast.commands.end(commands),
        };
        self.check(&pipe, context)?;
        self.declare(&pipe, known);
        Ok(self.ast.pipes.add(pipe))
    }

    /// `$x :=`, `$x =`, and in `range` `$i, $x :=`; true for an assignment.
    ///
    /// Go's parser knows the names at once, so that a pipeline may name the variable that it
    /// declares; there is no such variable then when it runs.
    fn declarations(&mut self, context: &str) -> Parse<bool> {
        let known = self.scope.names.len();
        loop {
            let variable = self.peek();
            if variable.kind != TokenKind::Variable {
                return Ok(false);
            }
            self.next();
            let next = self.peek();
            match next.kind {
                TokenKind::Assign | TokenKind::Declare => {
                    self.next();
                    self.know(variable);
                    return Ok(next.kind == TokenKind::Assign);
                }
                TokenKind::Char if self.text(next) == "," => {
                    self.next();
                    self.know(variable);
                    if context != "range" || self.scope.names.len() >= known + 2 {
                        return self.error(format!("too many declarations in {context}"));
                    }
                    if !matches!(
                        self.peek().kind,
                        TokenKind::Variable | TokenKind::RightDelim | TokenKind::RightParen
                    ) {
                        return self.error("range can only initialize variables");
                    }
                }
                // "$x foo" is an argument.
                _ => {
                    self.backup2(variable);
                    return Ok(false);
                }
            }
        }
    }

    fn know(&mut self, variable: Token) {
        self.ast.variables.push(Variable {
            name: variable.span(),
            slot: None,
        });
        self.scope.names.push((self.text(variable), None));
    }

    /// Gives the variables of a pipeline their slots, now that its commands have been read. Their
    /// names stand at `known` and behind it.
    fn declare(&mut self, pipe: &Pipe, known: usize) {
        for i in 0..pipe.variables.len() {
            let at = known + i;
            let name = self.scope.names[at].0;
            let slot = if pipe.assigns {
                self.slot(name)
            } else {
                let slot = self.scope.next;
                self.scope.next = slot.saturating_add(1);
                self.scope.names[at].1 = Some(slot);
                Some(slot)
            };
            self.ast.variables[pipe.variables][i].slot = slot;
        }
    }

    /// The slot of the innermost living variable of a name.
    fn slot(&self, name: &str) -> Option<Slot> {
        let mut names = self.scope.names.iter().rev();
        names.find_map(|(other, slot)| slot.filter(|_| *other == name))
    }

    fn check(&self, pipe: &Pipe, context: &str) -> Parse<()> {
        if pipe.commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        let is_constant = |command: &Command| {
            let first = self.ast.operands[command.operands].first();
            first.is_some_and(|operand| operand.expr.is_constant())
        };
        let mut later = self.ast.commands[pipe.commands].iter().skip(1);
        match later.position(is_constant) {
            Some(at) => self.error(format!(
                "non executable command in pipeline stage {}",
                at + 2
            )),
            None => Ok(()),
        }
    }

    /// Operands up to a `|` or the end of the pipeline.
    fn command(&mut self) -> Parse<Command> {
        let operands = self.ast.operands.begin();
        loop {
            let operand = self.operand()?;
            let token = self.next();
            if let Some(operand) = operand {
                self.ast.operands.push(operand);
                if token.spaced {
                    self.backup();
                    continue;
                }
            }
            match token.kind {
                TokenKind::RightDelim | TokenKind::RightParen => self.backup(),
                TokenKind::Pipe => {}
                _ => return self.unexpected(token, "operand"),
            }
            break;
        }
        let operands = self.ast.operands.end(operands);
        if operands.is_empty() {
            return self.error("empty command");
        }
        Ok(Command { operands })
    }

    /// A term and the fields behind it.
    fn operand(&mut self) -> Parse<Option<Operand>> {
        let Some(mut operand) = self.term()? else {
            return Ok(None);
        };
        let is_constant = operand.expr.is_constant();
        let mut next = self.peek();
        while next.kind == TokenKind::Field && !next.spaced {
            operand.end = next.end;
            self.next();
            next = self.peek();
        }
        if is_constant && operand.has_fields() {
            let term = quote(operand.term().of(self.source));
            // White space is a token to Go.
            let place = if next.spaced { operand.end } else { next.start };
            return self.error_at(place, format!("unexpected . after term {term}"));
        }
        Ok(Some(operand))
    }

    fn term(&mut self) -> Parse<Option<Operand>> {
        let token = self.next();
        let expr = match token.kind {
            TokenKind::Field => {
                return Ok(Some(Operand {
                    start: token.start,
                    fields: token.start,
                    end: token.end,
                    expr: Expr::Field,
                }));
            }
            TokenKind::Identifier => self.function(token)?,
            TokenKind::Dot => Expr::Dot,
            TokenKind::Nil => Expr::Nil,
            TokenKind::Variable => self.variable(token)?,
            TokenKind::Bool => Expr::Bool(self.text(token) == "true"),
            TokenKind::CharConstant => self.number(constant::character(self.text(token)))?,
            TokenKind::Number => self.number(constant::number(self.text(token)))?,
            TokenKind::Complex => self.number(constant::complex(self.text(token)))?,
            TokenKind::LeftParen => Expr::Pipe(self.nested(|parser| {
                parser.pipeline("parenthesized pipeline", TokenKind::RightParen)
            })?),
            TokenKind::String | TokenKind::RawString => self.string(token)?,
            _ => {
                self.backup();
                return Ok(None);
            }
        };
        // Of a pipeline, the parenthesis that closes it was read last.
        let end = self.tokens[self.ahead].end;
        Ok(Some(Operand {
            start: token.start,
            fields: end,
            end,
            expr,
        }))
    }

    fn function(&self, token: Token) -> Parse<Expr> {
        let name = self.text(token);
        match self.functions.find(name) {
            Some(index) => Ok(Expr::Function(index as u32)),
            None => self.error(format!("function {} not defined", quote(name))),
        }
    }

    fn number(&mut self, number: Result<Number, String>) -> Parse<Expr> {
        match number {
            Ok(number) => Ok(Expr::Number(self.ast.numbers.add(number))),
            Err(message) => self.error(message),
        }
    }

    fn string(&mut self, token: Token) -> Parse<Expr> {
        let quoted = self.text(token);
        if verbatim(quoted).is_none() && unquote(quoted).is_none() {
            return self.error("invalid syntax");
        }
        Ok(Expr::Text(self.ast.texts.add(OnceCell::new())))
    }

    fn variable(&self, token: Token) -> Parse<Expr> {
        let name = self.text(token);
        if !self.scope.names.iter().any(|(known, _)| *known == name) {
            return self.error(format!("undefined variable {}", quote(name)));
        }
        Ok(Expr::Variable(self.slot(name)))
    }
}

fn begins_operand(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Bool
            | TokenKind::CharConstant
            | TokenKind::Complex
            | TokenKind::Dot
            | TokenKind::Field
            | TokenKind::Identifier
            | TokenKind::Number
            | TokenKind::Nil
            | TokenKind::RawString
            | TokenKind::String
            | TokenKind::Variable
            | TokenKind::LeftParen
    )
}
