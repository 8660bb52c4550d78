//! Numbers from anything (spf13/cast, as Sprig's `int`, `int64` and `float64` use it).

use crate::syntax::constant;
use crate::value::{IntKind, Value};

/// `cast.ToInt64`; what is no number is 0.
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Int(_, value) => *value,
        Value::Uint(_, value) => *value as i64,
        Value::Float(value) => truncate(*value),
        value => match value.text() {
            Some(text) => constant::parse_int(without_zero_decimal(&text)).unwrap_or(0),
            None => 0,
        },
    }
}

/// Go's conversion on amd64: what does not fit is the least integer.
pub(super) fn truncate(value: f64) -> i64 {
    if value.is_nan() || !(-9.223_372_036_854_776e18..9.223_372_036_854_776e18).contains(&value) {
        return i64::MIN;
    }
    value as i64
}

/// `1.00` is read as `1`.
fn without_zero_decimal(text: &str) -> &str {
    let trimmed = text.trim_end_matches('0');
    match trimmed.strip_suffix('.') {
        Some(whole) if trimmed.len() < text.len() => whole,
        _ => text,
    }
}

/// `cast.ToFloat64`; what is no number is 0.
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Int(IntKind::Int | IntKind::Int32 | IntKind::Int64, value) => *value as f64,
        Value::Uint(_, value) => *value as f64,
        Value::Float(value) => *value,
        value => match value.text() {
            Some(text) => constant::parse_float(&text).unwrap_or(0.0),
            None => 0.0,
        },
    }
}
