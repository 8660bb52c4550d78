//! Pipelines, commands and fields.

use std::rc::Rc;

use super::call::Callee;
use super::{At, Call, Frame, Reflected};
use crate::engine::MissingKey;
use crate::error::CallError;
use crate::syntax::{Command, Expr, Number, Operand, Pipe, Variable};
use crate::value::{Complex, Value, View};

impl Call<'_> {
    pub(super) fn pipeline<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        pipe: &'t Pipe,
    ) -> Result<Reflected, CallError> {
        frame.at = At::Pipe(pipe);
        // Not taken back on an error, which ends the run.
        self.nesting += 1;
        let mut result = None;
        for command in &pipe.commands {
            let mut value = self.command(frame, dot, command, result)?;
            // What the interface held counts from here on.
            value.boxed = false;
            result = Some(value);
        }
        self.nesting -= 1;
        let result = result.unwrap_or_else(|| Reflected::plain(Value::Nil));
        for variable in &pipe.variables {
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
        let place = variable.slot.map(|slot| frame.base + slot as usize);
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

    fn variable(&self, frame: &Frame<'_>, variable: &Variable) -> Result<Reflected, CallError> {
        let place = variable.slot.map(|slot| frame.base + slot as usize);
        match place.and_then(|place| self.variables.get(place)) {
            Some(value) => Ok(value.clone()),
            None => Err(frame.error(format!("undefined variable: {}", frame.text(variable.name)))),
        }
    }

    fn command<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        command: &'t Command,
        last: Option<Reflected>,
    ) -> Result<Reflected, CallError> {
        let Some((first, arguments)) = command.operands.split_first() else {
            return Err(frame.error("empty command"));
        };
        match &first.expr {
            Expr::Function { name, index } => {
                let name = frame.text(*name);
                frame.at = At::Operand(first);
                let callee = Callee::Function(*self.functions.at(*index));
                let at = At::Command(command);
                return self.call(frame, dot, callee, at, name, arguments, last);
            }
            Expr::Pipe(pipe) => {
                not_a_function(frame, first, arguments, last.as_ref())?;
                return self.pipeline(frame, dot, pipe);
            }
            Expr::Field(_) | Expr::Chain(..) => {
                return self.fields(frame, dot, first, arguments, last);
            }
            Expr::Variable(_, fields) => {
                if fields.is_empty() {
                    let value = self.operand(frame, dot, first)?;
                    not_a_function(frame, first, arguments, last.as_ref())?;
                    return Ok(value);
                }
                return self.fields(frame, dot, first, arguments, last);
            }
            _ => {}
        }
        frame.at = At::Operand(first);
        not_a_function(frame, first, arguments, last.as_ref())?;
        match &first.expr {
            Expr::Nil => Err(frame.error("nil is not a command")),
            _ => self.operand(frame, dot, first),
        }
    }

    /// An operand without arguments.
    pub(super) fn operand<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        operand: &'t Operand,
    ) -> Result<Reflected, CallError> {
        frame.at = At::Operand(operand);
        Ok(match &operand.expr {
            Expr::Bool(value) => Reflected::plain(Value::Bool(*value)),
            Expr::Dot => dot.clone(),
            Expr::Nil => Reflected::plain(Value::Nil),
            Expr::Number(number) => Reflected::plain(constant(frame, number)?),
            Expr::Text { value, .. } => Reflected::plain(value.clone()),
            Expr::Variable(variable, fields) if fields.is_empty() => {
                self.variable(frame, variable)?
            }
            Expr::Field(_) | Expr::Variable(..) | Expr::Chain(..) => {
                self.fields(frame, dot, operand, &[], None)?
            }
            Expr::Function { name, index } => {
                let name = frame.text(*name);
                let callee = Callee::Function(*self.functions.at(*index));
                let at = At::Operand(operand);
                self.call(frame, dot, callee, at, name, &[], None)?
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
        let (mut receiver, names) = match &operand.expr {
            Expr::Field(names) => (dot.clone(), names),
            Expr::Variable(variable, names) => (self.variable(frame, variable)?, names),
            Expr::Chain(inner, names) => {
                if matches!(inner.expr, Expr::Nil) {
                    let text = format!(
                        "indirection through explicit nil in {}",
                        operand.show(&frame.tree.source)
                    );
                    return Err(frame.error(text));
                }
                (self.operand(frame, dot, inner)?, names)
            }
            _ => return Err(frame.error("no fields")),
        };
        let Some((final_name, names)) = names.split_last() else {
            return Ok(receiver);
        };
        for name in names {
            let name = frame.text(*name);
            receiver = self.field(frame, dot, operand, name, &[], None, receiver)?;
        }
        let name = frame.text(*final_name);
        self.field(frame, dot, operand, name, arguments, last, receiver)
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

fn not_a_function(
    frame: &Frame<'_>,
    first: &Operand,
    arguments: &[Operand],
    last: Option<&Reflected>,
) -> Result<(), CallError> {
    if arguments.is_empty() && last.is_none() {
        return Ok(());
    }
    let first = first.show(&frame.tree.source);
    Err(frame.error(format!("can't give argument to non-function {first}")))
}

/// A number where its form decides what it is (`idealConstant`).
pub(super) fn constant(frame: &Frame<'_>, number: &Number) -> Result<Value, CallError> {
    if let Some((real, imaginary)) = number.complex {
        return Ok(Value::Object(Rc::new(Complex { real, imaginary })));
    }
    let text = &number.text;
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
