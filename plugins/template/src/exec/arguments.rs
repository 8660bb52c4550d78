//! Arguments, and whether they fit the parameters.

use super::eval::constant;
use super::{At, Call, Frame, Reflected};
use crate::error::CallError;
use crate::function::Type;
use crate::syntax::{Expr, Id, Number, Operand};
use crate::value::{IntKind, ListType, MapType, Value};

impl Call<'_> {
    /// An argument for a parameter (`evalArg`).
    pub(super) fn argument<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        param: Type,
        operand: &'t Operand,
    ) -> Result<Reflected, CallError> {
        frame.at = At::Operand(operand);
        match operand.expr {
            Expr::Nil if param.takes_nil() => Ok(Reflected::plain(Value::Nil)),
            Expr::Nil => Err(frame.error(format!("cannot assign nil to {param}"))),
            Expr::Dot | Expr::Field | Expr::Variable(_) | Expr::Pipe(_) | Expr::Function(_) => {
                let value = self.operand(frame, dot, operand)?;
                self.validate(frame, value, param)
            }
            _ => literal(frame, param, operand).map(Reflected::plain),
        }
    }

    /// A value, if it may be passed for a parameter (`validateType`).
    #[expect(clippy::unused_self, reason = "reads as its sibling")]
    pub(super) fn validate(
        &self,
        frame: &Frame<'_>,
        value: Reflected,
        param: Type,
    ) -> Result<Reflected, CallError> {
        if matches!(param, Type::Any | Type::Reflect) {
            return Ok(value);
        }
        if value.value.is_nil() && !value.boxed {
            if param.takes_nil() {
                return Ok(value);
            }
            return Err(frame.error(format!("invalid value; expected {param}")));
        }
        if fits(&value.value, param) {
            return Ok(Reflected::plain(value.value));
        }
        let got = if value.value.is_nil() {
            value.type_name()
        } else {
            value.value.type_name()
        };
        let text = format!("wrong type for value; expected {param}; got {got}");
        Err(frame.error(text))
    }
}

/// Whether Go would assign the value to a variable of the type.
fn fits(value: &Value, param: Type) -> bool {
    match param {
        Type::Any | Type::Reflect => true,
        Type::Bool => matches!(value, Value::Bool(_)),
        Type::Int => matches!(value, Value::Int(IntKind::Int, _)),
        Type::Int64 => matches!(value, Value::Int(IntKind::Int64, _)),
        Type::Uint32 => false,
        Type::Float => matches!(value, Value::Float(_)),
        Type::String => matches!(value, Value::String(_) | Value::Raw(_)),
        Type::Strings => value
            .as_list()
            .is_some_and(|list| list.list_type() == ListType::Strings),
        Type::List => value
            .as_list()
            .is_some_and(|list| list.list_type() == ListType::Any),
        // A named type is assignable to the unnamed one below it.
        Type::Map => value
            .as_map()
            .is_some_and(|map| matches!(map.map_type(), MapType::Any | MapType::Named(_))),
        Type::Named(name) => matches!(value, Value::Object(object) if object.type_name() == name),
    }
}

/// A constant, whose type the parameter decides.
fn literal(frame: &Frame<'_>, param: Type, operand: &Operand) -> Result<Value, CallError> {
    let number = |number: Id<Number>| &frame.ast().numbers[number];
    let (wanted, value) = match (param, operand.expr) {
        (Type::Any | Type::Reflect, Expr::Bool(value)) => return Ok(Value::Bool(value)),
        (Type::Any | Type::Reflect, Expr::Number(id)) => {
            return constant(frame, operand, id);
        }
        (Type::Any | Type::Reflect | Type::String, Expr::Text(id)) => {
            return Ok(frame.source().text_of(operand, id).clone());
        }
        (Type::Bool, Expr::Bool(value)) => ("bool", Some(Value::Bool(value))),
        (Type::Bool, _) => ("bool", None),
        (Type::Int, Expr::Number(id)) => ("integer", number(id).int.map(Value::int)),
        (Type::Int64, Expr::Number(id)) => ("integer", number(id).int.map(Value::int64)),
        (Type::Int | Type::Int64, _) => ("integer", None),
        (Type::Uint32, Expr::Number(id)) => {
            let fits = number(id).int.filter(|value| *value >= 0);
            ("unsigned integer", fits.map(Value::int64))
        }
        (Type::Uint32, _) => ("unsigned integer", None),
        (Type::Float, Expr::Number(id)) => ("float", number(id).float.map(Value::Float)),
        (Type::Float, _) => ("float", None),
        (Type::String, _) => ("string", None),
        _ => {
            let operand = frame.source().show_operand(operand);
            let text = format!("can't handle {operand} for arg of type {param}");
            return Err(frame.error(text));
        }
    };
    value.ok_or_else(|| {
        let operand = frame.source().show_operand(operand);
        frame.error(format!("expected {wanted}; found {operand}"))
    })
}
