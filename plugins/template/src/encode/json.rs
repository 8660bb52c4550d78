//! JSON as `encoding/json` writes it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{EncodeError, MAX_DEPTH};
use crate::value::{Map, Value, View};

/// How JSON is written.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    /// `<`, `>` and `&` as escapes.
    pub(crate) escape_html: bool,
    /// One entry a line.
    pub(crate) indent: bool,
}

impl Style {
    /// `json.Marshal`.
    pub(crate) const COMPACT: Self = Self {
        escape_html: true,
        indent: false,
    };
}

/// Writes a value; keys are sorted.
pub(crate) fn write(value: &Value, style: Style) -> Result<String, EncodeError> {
    let mut writer = Writer {
        out: String::new(),
        style,
    };
    writer.value(value, 0)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    style: Style,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), EncodeError> {
        if depth > MAX_DEPTH {
            return Err(EncodeError::Depth);
        }
        match value {
            Value::Nil => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(_, value) => {
                let _ = write!(self.out, "{value}");
            }
            Value::Uint(_, value) => {
                let _ = write!(self.out, "{value}");
            }
            Value::Float(value) => {
                let text = weir_yaml::number::format_json(*value)
                    .ok_or_else(|| EncodeError::Number(weir_yaml::number::format_float(*value)))?;
                self.out.push_str(&text);
            }
            Value::String(text) => self.string(text),
            Value::Raw(bytes) => self.string(&String::from_utf8_lossy(bytes)),
            Value::Bytes(bytes) => self.string(&STANDARD.encode(bytes)),
            Value::List(list) if list.is_nil() => self.out.push_str("null"),
            Value::List(list) => self.items(list, depth)?,
            Value::Map(map) if map.is_nil() => self.out.push_str("null"),
            Value::Map(map) => self.entries(map, depth)?,
            Value::Object(object) => {
                if let Some(json) = object.json() {
                    return self.value(&json, depth + 1);
                }
                match object.view() {
                    View::Map(map) => self.entries(&map, depth)?,
                    View::List(list) => self.items(&list, depth)?,
                    View::Int(value) => {
                        let _ = write!(self.out, "{value}");
                    }
                    View::Struct(fields) => self.fields(&fields, depth)?,
                }
            }
        }
        Ok(())
    }

    fn items(&mut self, items: &[Value], depth: usize) -> Result<(), EncodeError> {
        self.out.push('[');
        for (i, item) in items.iter().enumerate() {
            self.next(i, depth + 1);
            self.value(item, depth + 1)?;
        }
        self.close(']', items.is_empty(), depth);
        Ok(())
    }

    fn entries(&mut self, map: &Map, depth: usize) -> Result<(), EncodeError> {
        self.out.push('{');
        let mut count = 0;
        map.try_each(|key, value| {
            self.next(count, depth + 1);
            count += 1;
            self.key(key);
            self.value(value, depth + 1)
        })?;
        self.close('}', count == 0, depth);
        Ok(())
    }

    fn fields(&mut self, fields: &[(&str, Value)], depth: usize) -> Result<(), EncodeError> {
        self.out.push('{');
        for (i, (name, value)) in fields.iter().enumerate() {
            self.next(i, depth + 1);
            self.key(name);
            self.value(value, depth + 1)?;
        }
        self.close('}', fields.is_empty(), depth);
        Ok(())
    }

    fn key(&mut self, key: &str) {
        self.string(key);
        self.out.push(':');
        if self.style.indent {
            self.out.push(' ');
        }
    }

    fn next(&mut self, place: usize, depth: usize) {
        if place > 0 {
            self.out.push(',');
        }
        self.line(depth);
    }

    fn close(&mut self, bracket: char, empty: bool, depth: usize) {
        if !empty {
            self.line(depth);
        }
        self.out.push(bracket);
    }

    fn line(&mut self, depth: usize) {
        if self.style.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", depth));
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            let escape = match c {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\u{8}' => "\\b",
                '\u{c}' => "\\f",
                '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => "",
                '<' | '>' | '&' if self.style.escape_html => "",
                _ => continue,
            };
            self.out.push_str(&text[plain..at]);
            plain = at + c.len_utf8();
            if escape.is_empty() {
                let _ = write!(self.out, "\\u{:04x}", u32::from(c));
            } else {
                self.out.push_str(escape);
            }
        }
        self.out.push_str(&text[plain..]);
        self.out.push('"');
    }
}
