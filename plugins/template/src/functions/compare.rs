//! Comparisons of the language (golang/go `src/text/template/funcs.go`, of Go 1.23).

use std::cmp::Ordering;

use super::Result;
use crate::error::CallError;
use crate::exec::Call;
use crate::fmt;
use crate::function::{Function, Type};
use crate::value::{Kind, Value, View};

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::variadic("eq", &[Type::Reflect, Type::Reflect], eq),
    Function::new("ne", &[Type::Reflect, Type::Reflect], ne),
    Function::new("lt", &[Type::Reflect, Type::Reflect], lt),
    Function::new("le", &[Type::Reflect, Type::Reflect], le),
    Function::new("gt", &[Type::Reflect, Type::Reflect], gt),
    Function::new("ge", &[Type::Reflect, Type::Reflect], ge),
];

const INCOMPATIBLE: &str = "incompatible types for comparison";
const INVALID: &str = "invalid type for comparison";

/// Values that can be compared, by kind.
enum Basic<'a> {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    String(&'a [u8]),
}

fn basic(value: &Value) -> Option<Basic<'_>> {
    Some(match value {
        Value::Bool(value) => Basic::Bool(*value),
        Value::Int(_, value) => Basic::Int(*value),
        Value::Uint(_, value) => Basic::Uint(*value),
        Value::Float(value) => Basic::Float(*value),
        Value::Object(object) => match object.view() {
            View::Int(value) => Basic::Int(value),
            _ => return None,
        },
        value => Basic::String(value.string_bytes()?),
    })
}

fn equal(left: &Value, right: &Value) -> std::result::Result<bool, CallError> {
    match (basic(left), basic(right)) {
        (Some(a), Some(b)) => match (a, b) {
            (Basic::Bool(a), Basic::Bool(b)) => Ok(a == b),
            (Basic::Int(a), Basic::Int(b)) => Ok(a == b),
            (Basic::Uint(a), Basic::Uint(b)) => Ok(a == b),
            #[expect(clippy::float_cmp, reason = "as Go compares")]
            (Basic::Float(a), Basic::Float(b)) => Ok(a == b),
            (Basic::String(a), Basic::String(b)) => Ok(a == b),
            (Basic::Int(a), Basic::Uint(b)) => Ok(u64::try_from(a) == Ok(b)),
            (Basic::Uint(a), Basic::Int(b)) => Ok(u64::try_from(b) == Ok(a)),
            _ => Err(INCOMPATIBLE.into()),
        },
        (None, None) => equal_others(left, right),
        _ if left.is_nil() || right.is_nil() => Ok(false),
        _ => Err(INCOMPATIBLE.into()),
    }
}

/// Neither is a number, a string or a truth value.
fn equal_others(left: &Value, right: &Value) -> std::result::Result<bool, CallError> {
    if left.is_nil() || right.is_nil() {
        return Ok(is_nil(left) && is_nil(right));
    }
    let (left_name, right_name) = (left.type_name(), right.type_name());
    let shown = |value: &Value| {
        let text = fmt::sprintf(b"%s", std::slice::from_ref(value), usize::MAX);
        fmt::into_text(text.unwrap_or_default())
    };
    if left.kind() != right.kind() {
        let (left, right) = (shown(left), fmt::text_of(right));
        return Err(
            format!("non-comparable types {left}: {left_name}, {right_name}: {right}").into(),
        );
    }
    if is_nil(left) || is_nil(right) {
        return Ok(is_nil(left) == is_nil(right));
    }
    match (left, right) {
        (Value::Object(a), Value::Object(b)) if !matches!(a.kind(), Kind::Map | Kind::Slice) => Ok(
            std::rc::Rc::ptr_eq(a, b) || a.kind() == Kind::Struct && shown(left) == shown(right),
        ),
        _ => Err(format!("non-comparable type {}: {right_name}", shown(right)).into()),
    }
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        _ => false,
    }
}

fn less(left: &Value, right: &Value) -> std::result::Result<bool, CallError> {
    let (Some(a), Some(b)) = (basic(left), basic(right)) else {
        return Err(INVALID.into());
    };
    let order = match (a, b) {
        (Basic::Bool(_), Basic::Bool(_)) => return Err(INVALID.into()),
        (Basic::Int(a), Basic::Int(b)) => a.cmp(&b),
        (Basic::Uint(a), Basic::Uint(b)) => a.cmp(&b),
        (Basic::Float(a), Basic::Float(b)) => return Ok(a < b),
        (Basic::String(a), Basic::String(b)) => a.cmp(b),
        (Basic::Int(a), Basic::Uint(b)) => i128::from(a).cmp(&i128::from(b)),
        (Basic::Uint(a), Basic::Int(b)) => i128::from(a).cmp(&i128::from(b)),
        _ => return Err(INCOMPATIBLE.into()),
    };
    Ok(order == Ordering::Less)
}

fn at_most(left: &Value, right: &Value) -> std::result::Result<bool, CallError> {
    Ok(less(left, right)? || equal(left, right)?)
}

fn eq(_: &mut Call<'_>, values: &[Value]) -> Result {
    let (first, others) = values.split_first().ok_or("missing argument")?;
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn ne(_: &mut Call<'_>, values: &[Value]) -> Result {
    Ok(Value::Bool(!equal(&values[0], &values[1])?))
}

fn lt(_: &mut Call<'_>, values: &[Value]) -> Result {
    Ok(Value::Bool(less(&values[0], &values[1])?))
}

fn le(_: &mut Call<'_>, values: &[Value]) -> Result {
    Ok(Value::Bool(at_most(&values[0], &values[1])?))
}

fn gt(_: &mut Call<'_>, values: &[Value]) -> Result {
    Ok(Value::Bool(!at_most(&values[0], &values[1])?))
}

fn ge(_: &mut Call<'_>, values: &[Value]) -> Result {
    Ok(Value::Bool(!less(&values[0], &values[1])?))
}
