//! Pipelines, commands and fields.

use std::rc::Rc;

use super::call::Callee;
use super::{At, Call, Frame, Reflected};
use crate::engine::MissingKey;
use crate::error::CallError;
use crate::syntax::{Command, Expr, Id, Number, Operand, Pipe, Slot, Span, Variable};
use crate::value::{Complex, Value, View};

impl Call<'_> {
    pub(super) fn pipeline(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Reflected,
        pipe: Id<Pipe>,
    ) -> Result<Reflected, CallError> {
        frame.at = At::Pipe(pipe);
        let ast = frame.ast();
        let pipe = &ast.pipes[pipe];
        // Not taken back on an error, which ends the run.
        self.nesting += 1;
        let mut result = None;
        for &command in &ast.commands[pipe.commands] {
            let mut value = self.command(frame, dot, command, result)?;
            // What the interface held counts from here on.
            value.boxed = false;
            result = Some(value);
        }
        self.nesting -= 1;
        let result = result.unwrap_or_else(|| Reflected::plain(Value::Nil));
        for variable in &ast.variables[pipe.variables] {
            self.set(frame, pipe, variable, result.clone())?;
        }
        Ok(result)
    }

    /// Sets a variable, or makes it if the pipeline declares it.
    pub(super) fn set(
        &mut self,
        frame: &Frame<'_>,
        pipe: &Pipe,
        variable: &Variable,
        value: Reflected,
    ) -> Result<(), CallError> {
        let place = variable.slot.map(|slot| frame.place(slot));
        if let Some(place) = place.filter(|_| !pipe.assigns)
            && place >= self.variables.len()
        {
            self.variables
                .resize(place + 1, Reflected::plain(Value::Nil));
        }
        match place.and_then(|place| self.variables.get_mut(place)) {
            Some(held) => {
                *held = value;
                Ok(())
            }
            None => Err(frame.error(format!("undefined variable: {}", frame.text(variable.name)))),
        }
    }

    fn variable(
        &self,
        frame: &Frame<'_>,
        name: Span,
        slot: Option<Slot>,
    ) -> Result<Reflected, CallError> {
        let place = slot.map(|slot| frame.place(slot));
        match place.and_then(|place| self.variables.get(place)) {
            Some(value) => Ok(value.clone()),
            None => Err(frame.error(format!("undefined variable: {}", frame.text(name)))),
        }
    }

    fn command(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Reflected,
        command: Command,
        last: Option<Reflected>,
    ) -> Result<Reflected, CallError> {
        let operands = &frame.ast().operands[command.operands];
        let Some((first, arguments)) = operands.split_first() else {
            return Err(frame.error("empty command"));
        };
        if first.has_fields() {
            return self.fields(frame, dot, first, arguments, last);
        }
        match first.expr {
            Expr::Function(index) => {
                frame.at = At::Operand(first);
                let at = At::Command(command);
                return self.function(frame, dot, (first, index), at, arguments, last);
            }
            Expr::Pipe(pipe) => {
                not_a_function(frame, first, arguments, last.as_ref())?;
                return self.pipeline(frame, dot, pipe);
            }
            Expr::Variable(_) => {
                let value = self.operand(frame, dot, first)?;
                not_a_function(frame, first, arguments, last.as_ref())?;
                return Ok(value);
            }
            _ => {}
        }
        frame.at = At::Operand(first);
        not_a_function(frame, first, arguments, last.as_ref())?;
        match first.expr {
            Expr::Nil => Err(frame.error("nil is not a command")),
            _ => self.operand(frame, dot, first),
        }
    }

    /// Calls a function by its place.
    fn function<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        (operand, index): (&'t Operand, u32),
        at: At<'t>,
        arguments: &'t [Operand],
        last: Option<Reflected>,
    ) -> Result<Reflected, CallError> {
        let name = frame.text(operand.term());
        let callee = Callee::Function(*self.functions.at(index as usize));
        self.call(frame, dot, callee, at, name, arguments, last)
    }

    /// An operand without arguments.
    pub(super) fn operand<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        operand: &'t Operand,
    ) -> Result<Reflected, CallError> {
        frame.at = At::Operand(operand);
        if operand.has_fields() {
            return self.fields(frame, dot, operand, &[], None);
        }
        self.term(frame, dot, operand)
    }

    /// What stands before the fields of an operand.
    fn term<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        operand: &'t Operand,
    ) -> Result<Reflected, CallError> {
        Ok(match operand.expr {
            Expr::Bool(value) => Reflected::plain(Value::Bool(value)),
            Expr::Dot | Expr::Field => dot.clone(),
            Expr::Nil => Reflected::plain(Value::Nil),
            Expr::Number(id) => Reflected::plain(constant(frame, operand, id)?),
            Expr::Text(id) => Reflected::plain(frame.source().text_of(operand, id).clone()),
            Expr::Variable(slot) => self.variable(frame, operand.term(), slot)?,
            Expr::Function(index) => {
                frame.at = At::Term(operand);
                self.function(frame, dot, (operand, index), frame.at, &[], None)?
            }
            Expr::Pipe(pipe) => self.pipeline(frame, dot, pipe)?,
        })
    }

    /// Fields of the dot, a variable or a pipeline; the last may be a method with arguments.
    fn fields<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        operand: &'t Operand,
        arguments: &'t [Operand],
        last: Option<Reflected>,
    ) -> Result<Reflected, CallError> {
        frame.at = At::Operand(operand);
        let mut receiver = self.term(frame, dot, operand)?;
        let mut rest = frame.text(operand.fields());
        while let Some(after) = rest.get(1..) {
            let name = &after[..next_field(after)];
            rest = &after[name.len()..];
            if rest.is_empty() {
                return self.field(frame, dot, operand, name, arguments, last, receiver);
            }
            receiver = self.field(frame, dot, operand, name, &[], None, receiver)?;
        }
        Ok(receiver)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "Go's evalField, whose order they have"
    )]
    fn field<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        operand: &'t Operand,
        name: &str,
        arguments: &'t [Operand],
        last: Option<Reflected>,
        receiver: Reflected,
    ) -> Result<Reflected, CallError> {
        let has_arguments = !arguments.is_empty() || last.is_some();
        let map = match &receiver.value {
            Value::Nil if receiver.boxed => {
                let text = format!("nil pointer evaluating interface {{}}.{name}");
                return Err(frame.error(text));
            }
            Value::Nil if self.options.missing_key == MissingKey::Error => {
                let text = format!("nil data; no entry for key \"{name}\"");
                return Err(frame.error(text));
            }
            Value::Nil => return Ok(receiver),
            Value::Map(map) => Some(Rc::clone(map)),
            Value::Object(object) => {
                if let Some(params) = object.method(name) {
                    let callee = Callee::Method(Rc::clone(object), params);
                    let at = At::Operand(operand);
                    return self.call(frame, dot, callee, at, name, arguments, last);
                }
                if let Some(value) = object.field(name) {
                    if has_arguments {
                        return Err(frame.error(format!(
                            "{name} has arguments but cannot be invoked as function"
                        )));
                    }
                    return Ok(Reflected::plain(value));
                }
                match object.view() {
                    View::Map(map) => Some(map),
                    _ => None,
                }
            }
            _ => None,
        };
        let Some(map) = map else {
            let type_name = receiver.type_name();
            return Err(frame.error(format!("can't evaluate field {name} in type {type_name}")));
        };
        if has_arguments {
            return Err(frame.error(format!("{name} is not a method but has arguments")));
        }
        let map_type = map.map_type();
        let boxed = map_type.holds_interfaces();
        match (map.get(name), self.options.missing_key) {
            (Some(value), _) => Ok(Reflected { value, boxed }),
            (None, MissingKey::Default) => Ok(Reflected::plain(Value::Nil)),
            (None, MissingKey::Zero) => Ok(Reflected {
                value: map_type.zero(),
                boxed,
            }),
            (None, MissingKey::Error) => {
                Err(frame.error(format!("map has no entry for key \"{name}\"")))
            }
        }
    }
}

/// Where the next period is. Names are too short for anything cleverer.
fn next_field(names: &str) -> usize {
    let period = names.bytes().position(|byte| byte == b'.');
    period.unwrap_or(names.len())
}

fn not_a_function(
    frame: &Frame<'_>,
    first: &Operand,
    arguments: &[Operand],
    last: Option<&Reflected>,
) -> Result<(), CallError> {
    if arguments.is_empty() && last.is_none() {
        return Ok(());
    }
    let first = frame.source().show_operand(first);
    Err(frame.error(format!("can't give argument to non-function {first}")))
}

/// A number where its form decides what it is (`idealConstant`).
pub(super) fn constant(
    frame: &Frame<'_>,
    operand: &Operand,
    number: Id<Number>,
) -> Result<Value, CallError> {
    let number = &frame.ast().numbers[number];
    if let Some((real, imaginary)) = number.complex {
        return Ok(Value::Object(Rc::new(Complex { real, imaginary })));
    }
    let text = frame.text(operand.term());
    let hex = text.starts_with("0x") || text.starts_with("0X");
    let hex_integer = hex && text.len() > 2 && !text.contains(['p', 'P']);
    let is_float =
        !hex_integer && !text.starts_with('\'') && text.contains(['.', 'e', 'E', 'p', 'P']);
    match (number.float.filter(|_| is_float), number.int) {
        (Some(float), _) => Ok(Value::Float(float)),
        (None, Some(int)) => Ok(Value::int(int)),
        (None, None) => Err(frame.error(format!("{text} overflows int"))),
    }
}
