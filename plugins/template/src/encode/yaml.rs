//! YAML as `sigs.k8s.io/yaml` writes it: by way of JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use weir_yaml::{Object as PlainMap, Value as Plain};

use super::{EncodeError, MAX_DEPTH};
use crate::value::{Map, Value, View};

/// Writes a value as one document, which ends in a line break.
pub(crate) fn write(value: &Value) -> Result<String, EncodeError> {
    Ok(weir_yaml::to_yaml(&plain(value)?))
}

/// Writes a value as go-yaml v3 does, which Helm uses to have lists indented.
pub(crate) fn write_pretty(value: &Value) -> Result<String, EncodeError> {
    let plain = Converter { by_json: false }.value(value, 0)?;
    // Plain data can always be written.
    Ok(weir_yaml::to_yaml_indented(&plain).unwrap_or_default())
}

/// What remains of a value once it went through JSON and was read again.
pub(crate) fn plain(value: &Value) -> Result<Plain, EncodeError> {
    Converter { by_json: true }.value(value, 0)
}

struct Converter {
    /// JSON does not tell whole floats from integers.
    by_json: bool,
}

impl Converter {
    fn value(&self, value: &Value, depth: usize) -> Result<Plain, EncodeError> {
        if depth > MAX_DEPTH {
            return Err(EncodeError::Depth);
        }
        Ok(match value {
            Value::Nil => Plain::Null,
            Value::Bool(value) => Plain::Bool(*value),
            Value::Int(_, value) => Plain::Int(*value),
            Value::Uint(_, value) => integer(*value),
            Value::Float(value) if self.by_json => number(*value)?,
            Value::Float(value) => Plain::Float(*value),
            Value::String(text) => Plain::String(text.as_ref().to_owned()),
            Value::Raw(bytes) => Plain::String(String::from_utf8_lossy(bytes).into_owned()),
            Value::Bytes(bytes) => Plain::String(STANDARD.encode(bytes)),
            // The other encoder shows what is nil as it does what is empty.
            Value::List(list) if list.is_nil() && self.by_json => Plain::Null,
            Value::List(list) => self.items(list, depth)?,
            Value::Map(map) if map.is_nil() && self.by_json => Plain::Null,
            Value::Map(map) => self.entries(map, depth)?,
            Value::Object(object) => {
                if let Some(json) = object.json() {
                    return self.value(&json, depth + 1);
                }
                match object.view() {
                    View::Map(map) => self.entries(&map, depth)?,
                    View::List(list) => self.items(&list, depth)?,
                    View::Int(value) => Plain::Int(value),
                    View::Struct(fields) => {
                        let mut object = PlainMap::new();
                        for (name, value) in fields {
                            object.push(name.to_owned(), self.value(&value, depth + 1)?);
                        }
                        Plain::Object(object)
                    }
                }
            }
        })
    }

    fn items(&self, items: &[Value], depth: usize) -> Result<Plain, EncodeError> {
        let items = items.iter().map(|item| self.value(item, depth + 1));
        items.collect::<Result<_, _>>().map(Plain::Array)
    }

    fn entries(&self, map: &Map, depth: usize) -> Result<Plain, EncodeError> {
        let mut object = PlainMap::new();
        map.try_each(|key, value| {
            object.push(key.to_owned(), self.value(value, depth + 1)?);
            Ok(())
        })?;
        Ok(Plain::Object(object))
    }
}

fn integer(value: u64) -> Plain {
    i64::try_from(value).map_or(Plain::Uint(value), Plain::Int)
}

/// Whole numbers are read back as integers.
fn number(value: f64) -> Result<Plain, EncodeError> {
    if !value.is_finite() {
        let name = weir_yaml::number::format_float(value);
        return Err(EncodeError::Number(name));
    }
    // Below this every whole number has the digits that it is.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() != 0.0 {
        return Ok(Plain::Float(value));
    }
    if value.abs() < EXACT {
        return Ok(Plain::Int(value as i64));
    }
    // Above, JSON has the shortest digits that mean the float, and it is they that are read.
    let text = weir_yaml::number::format_json(value).unwrap_or_default();
    if let Ok(value) = text.parse() {
        return Ok(Plain::Int(value));
    }
    if let Ok(value) = text.parse() {
        return Ok(Plain::Uint(value));
    }
    Ok(Plain::Float(value))
}
