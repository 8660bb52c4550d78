//! Data as Go prints it with `%#v`, for the one message that shows it.

use crate::number;
use crate::value::Value;

/// The value as a Go expression.
pub(crate) fn expression(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(element).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Object(object) => {
            let entries = object.sorted().into_iter();
            let entries: Vec<String> = entries
                .map(|(key, value)| format!("{key:?}:{}", element(value)))
                .collect();
            format!(
                "map[interface {{}}]interface {{}}{{{}}}",
                entries.join(", ")
            )
        }
        other => element(other),
    }
}

/// As part of something larger, where nothing has a type.
fn element(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => format!("0x{value:x}"),
        Value::Float(value) => number::format_float(*value),
        Value::String(text) => format!("{text:?}"),
        other => expression(other),
    }
}
