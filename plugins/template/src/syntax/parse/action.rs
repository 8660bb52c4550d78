//! Pipelines and what they are made of.

use smallvec::{SmallVec, smallvec};

use super::Parser;
use crate::error::ParseError;
use crate::syntax::ast::{Command, Expr, Fields, Operand, Pipe, Span, Variable};
use crate::syntax::constant;
use crate::syntax::quote::{quote, unquote};
use crate::syntax::token::{Token, TokenKind};
use crate::value::Value;

impl<'s> Parser<'s> {
    pub(super) fn pipeline(&mut self, context: &str, end: TokenKind) -> Result<Pipe, ParseError> {
        let pos = self.peek_non_space().pos;
        let mut pipe = Pipe {
            pos,
            assigns: false,
            variables: Vec::new(),
            commands: SmallVec::new(),
        };
        let mut known = Vec::new();
        self.declarations(context, &mut pipe, &mut known)?;
        loop {
            let token = self.next_non_space();
            if token.kind == end {
                break;
            }
            if !begins_operand(token.kind) {
                return self.unexpected(&token, context);
            }
            self.backup();
            let command = self.command()?;
            pipe.commands.push(command);
        }
        self.check(&pipe, context)?;
        self.declare(&mut pipe, known);
        Ok(pipe)
    }

    /// `$x :=`, `$x =`, and in `range` `$i, $x :=`.
    ///
    /// Go's parser knows the names at once, so that a pipeline may name the variable that it
    /// declares; there is no such variable then when it runs.
    fn declarations(
        &mut self,
        context: &str,
        pipe: &mut Pipe,
        known: &mut Vec<usize>,
    ) -> Result<(), ParseError> {
        loop {
            let variable = self.peek_non_space();
            if variable.kind != TokenKind::Variable {
                return Ok(());
            }
            self.next();
            // "$x foo" is an argument, which only the token after the space tells.
            let after = self.peek();
            let next = self.peek_non_space();
            match next.kind {
                TokenKind::Assign | TokenKind::Declare => {
                    pipe.assigns = next.kind == TokenKind::Assign;
                    self.next_non_space();
                    self.know(variable, pipe, known);
                    return Ok(());
                }
                TokenKind::Char if next.text == "," => {
                    self.next_non_space();
                    self.know(variable, pipe, known);
                    if context != "range" || known.len() >= 2 {
                        return self.error(format!("too many declarations in {context}"));
                    }
                    if !matches!(
                        self.peek_non_space().kind,
                        TokenKind::Variable | TokenKind::RightDelim | TokenKind::RightParen
                    ) {
                        return self.error("range can only initialize variables");
                    }
                }
                _ => {
                    if after.kind == TokenKind::Space {
                        self.backup3(variable, after);
                    } else {
                        self.backup2(variable);
                    }
                    return Ok(());
                }
            }
        }
    }

    fn know(&mut self, variable: Token<'s>, pipe: &mut Pipe, known: &mut Vec<usize>) {
        pipe.variables.push(Variable {
            name: variable.span(),
            slot: None,
        });
        known.push(self.scope.names.len());
        self.scope.names.push((variable.text, None));
    }

    /// Gives the variables of a pipeline their slots, now that its commands have been read.
    fn declare(&mut self, pipe: &mut Pipe, known: Vec<usize>) {
        for (i, at) in known.into_iter().enumerate() {
            let name = self.scope.names[at].0;
            let slot = if pipe.assigns {
                self.slot(name)
            } else {
                let slot = self.scope.alive;
                self.scope.alive += 1;
                self.scope.names[at].1 = Some(slot);
                Some(slot)
            };
            pipe.variables[i].slot = slot;
        }
    }

    /// The slot of the innermost living variable of a name.
    fn slot(&self, name: &str) -> Option<u32> {
        let mut names = self.scope.names.iter().rev();
        names.find_map(|(other, slot)| slot.filter(|_| *other == name))
    }

    fn check(&mut self, pipe: &Pipe, context: &str) -> Result<(), ParseError> {
        if pipe.commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        let constant = |command: &Command| {
            matches!(
                command.operands.first().map(|operand| &operand.expr),
                Some(Expr::Bool(_) | Expr::Dot | Expr::Nil | Expr::Number(_) | Expr::Text { .. })
            )
        };
        let stage = pipe.commands.iter().skip(1).position(constant);
        match stage {
            Some(at) => self.error(format!(
                "non executable command in pipeline stage {}",
                at + 2
            )),
            None => Ok(()),
        }
    }

    /// Operands up to a `|` or the end of the pipeline.
    fn command(&mut self) -> Result<Command, ParseError> {
        let mut command = Command {
            pos: self.peek_non_space().pos,
            operands: SmallVec::new(),
        };
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                command.operands.push(operand);
            }
            let token = self.next();
            match token.kind {
                TokenKind::Space => continue,
                TokenKind::RightDelim | TokenKind::RightParen => self.backup(),
                TokenKind::Pipe => {}
                _ => return self.unexpected(&token, "operand"),
            }
            break;
        }
        if command.operands.is_empty() {
            return self.error("empty command");
        }
        Ok(command)
    }

    /// A term and the fields behind it.
    fn operand(&mut self) -> Result<Option<Operand>, ParseError> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        if self.peek().kind != TokenKind::Field {
            return Ok(Some(term));
        }
        let pos = self.peek().pos;
        let mut more = Fields::new();
        while self.peek().kind == TokenKind::Field {
            more.push(field_name(self.next()));
        }
        let expr = match term.expr {
            Expr::Field(mut fields) => {
                fields.extend(more);
                Expr::Field(fields)
            }
            Expr::Variable(variable, mut fields) => {
                fields.extend(more);
                Expr::Variable(variable, fields)
            }
            Expr::Bool(_) | Expr::Text { .. } | Expr::Number(_) | Expr::Nil | Expr::Dot => {
                let term = quote(&term.show(&self.source));
                return self.error(format!("unexpected . after term {term}"));
            }
            _ => Expr::Chain(Box::new(term), more),
        };
        Ok(Some(Operand { pos, expr }))
    }

    fn term(&mut self) -> Result<Option<Operand>, ParseError> {
        let token = self.next_non_space();
        let expr = match token.kind {
            TokenKind::Identifier => {
                let Some(index) = self.functions.find(token.text) else {
                    let name = quote(token.text);
                    return self.error(format!("function {name} not defined"));
                };
                Expr::Function {
                    name: token.span(),
                    index,
                }
            }
            TokenKind::Dot => Expr::Dot,
            TokenKind::Nil => Expr::Nil,
            TokenKind::Variable => self.variable(token)?,
            TokenKind::Field => Expr::Field(smallvec![field_name(token)]),
            TokenKind::Bool => Expr::Bool(token.text == "true"),
            TokenKind::CharConstant => self.constant(constant::character(token.text))?,
            TokenKind::Number => self.constant(constant::number(token.text))?,
            TokenKind::Complex => self.constant(constant::complex(token.text))?,
            TokenKind::LeftParen => {
                let pipe = self.nested(|parser| {
                    parser.pipeline("parenthesized pipeline", TokenKind::RightParen)
                })?;
                let pos = pipe.pos;
                let expr = Expr::Pipe(Box::new(pipe));
                return Ok(Some(Operand { pos, expr }));
            }
            TokenKind::String | TokenKind::RawString => match unquote(token.text) {
                Some(text) => Expr::Text {
                    quoted: token.span(),
                    value: Value::string_from_bytes(text),
                },
                None => return self.error("invalid syntax"),
            },
            _ => {
                self.backup();
                return Ok(None);
            }
        };
        let pos = token.pos;
        Ok(Some(Operand { pos, expr }))
    }

    fn constant(
        &self,
        number: Result<crate::syntax::ast::Number, String>,
    ) -> Result<Expr, ParseError> {
        match number {
            Ok(number) => Ok(Expr::Number(Box::new(number))),
            Err(message) => self.error(message),
        }
    }

    fn variable(&self, token: Token<'s>) -> Result<Expr, ParseError> {
        let name = token.text;
        if !self.scope.names.iter().any(|(known, _)| *known == name) {
            return self.error(format!("undefined variable {}", quote(name)));
        }
        let variable = Variable {
            name: token.span(),
            slot: self.slot(name),
        };
        Ok(Expr::Variable(variable, Fields::new()))
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

/// The name behind the period.
fn field_name(token: Token<'_>) -> Span {
    Span::new(token.pos as usize + 1, token.text.len().saturating_sub(1))
}
