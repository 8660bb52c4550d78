//! Values of templates as plain data.

use weir_template::value::View;
use weir_template::{Map, Value};
use weir_yaml::{Object, Value as Plain};

/// A map as plain data, in the order of its keys.
pub(crate) fn plain_map(map: &Map) -> Object {
    let entries = map.entries().into_iter();
    entries
        .map(|(key, value)| (key.to_string(), plain(&value)))
        .collect()
}

/// A value as JSON would have it.
pub(crate) fn plain(value: &Value) -> Plain {
    match value {
        Value::Nil => Plain::Null,
        Value::Bool(value) => Plain::Bool(*value),
        Value::Int(_, value) => Plain::Int(*value),
        Value::Uint(_, value) => Plain::Uint(*value),
        Value::Float(value) => Plain::Float(*value),
        Value::String(text) => Plain::String(text.to_string()),
        Value::Raw(bytes) | Value::Bytes(bytes) => {
            Plain::String(String::from_utf8_lossy(bytes).into_owned())
        }
        Value::List(list) => Plain::Array(list.iter().map(plain).collect()),
        Value::Map(map) => Plain::Object(plain_map(map)),
        Value::Object(object) => match object.view() {
            View::Map(map) => Plain::Object(plain_map(&map)),
            View::List(list) => Plain::Array(list.iter().map(plain).collect()),
            View::Int(value) => Plain::Int(value),
            View::Struct(fields) => {
                let fields = fields.into_iter();
                Plain::Object(
                    fields
                        .map(|(name, value)| (name.to_owned(), plain(&value)))
                        .collect(),
                )
            }
        },
    }
}
