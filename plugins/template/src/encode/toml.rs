//! TOML as BurntSushi/toml writes it (`encode.go`), and what TOML means.

use std::fmt::Write as _;

use toml::de::{DeInteger, DeTable, DeValue};

use super::MAX_DEPTH;
use crate::value::{Map, Value, View};

const DEPTH: &str = "toml: value is nested too deeply";
const NIL_IN_ARRAY: &str = "toml: cannot encode array with nil element";

/// Writes a value; the error is the library's.
pub(crate) fn write(value: &Value) -> Result<String, String> {
    let mut writer = Writer { out: String::new() };
    writer.encode(&mut Vec::new(), value)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
}

/// A table in any of its forms: entries in order, those that are tables themselves last.
fn table_of(value: &Value) -> Option<Vec<(String, Value)>> {
    let entries = |map: &Map| {
        map.entries()
            .into_iter()
            .map(|(key, value)| (key.to_string(), value))
            .collect()
    };
    match value {
        Value::Map(map) => Some(entries(map)),
        Value::Object(object) => match object.view() {
            View::Map(map) => Some(entries(&map)),
            View::Struct(fields) if object.text().is_none() => Some(
                fields
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
            ),
            _ => None,
        },
        _ => None,
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

fn is_table_array(value: &Value) -> Result<bool, String> {
    let Value::List(list) = value else {
        return Ok(false);
    };
    if list.iter().any(is_nil) {
        return Err(NIL_IN_ARRAY.to_owned());
    }
    Ok(!list.is_empty() && list.iter().all(|item| table_of(item).is_some()))
}

impl Writer {
    fn encode(&mut self, key: &mut Vec<String>, value: &Value) -> Result<(), String> {
        if key.len() > MAX_DEPTH {
            return Err(DEPTH.to_owned());
        }
        if is_nil(value) {
            return Ok(());
        }
        if let Some(table) = table_of(value) {
            if key.len() == 1 {
                self.newline();
            }
            if !key.is_empty() {
                let _ = writeln!(self.out, "{}[{}]", indent(key), joined(key));
            }
            return self.table(key, table);
        }
        if is_table_array(value)? {
            return self.tables(key, value);
        }
        if key.is_empty() {
            return self.element(value, 0);
        }
        let name = key.last().map(|name| quoted_key(name)).unwrap_or_default();
        let _ = write!(self.out, "{}{name} = ", indent(key));
        self.element(value, 0)?;
        self.newline();
        Ok(())
    }

    fn tables(&mut self, key: &mut Vec<String>, value: &Value) -> Result<(), String> {
        if key.is_empty() {
            return Err("toml: top-level values must be Go maps or structs".to_owned());
        }
        for item in value
            .as_list()
            .map(|list| list.to_vec())
            .unwrap_or_default()
        {
            self.newline();
            let _ = writeln!(self.out, "{}[[{}]]", indent(key), joined(key));
            self.table(key, table_of(&item).unwrap_or_default())?;
        }
        Ok(())
    }

    fn table(&mut self, key: &mut Vec<String>, table: Vec<(String, Value)>) -> Result<(), String> {
        for (name, value) in tables_last(table)? {
            key.push(name);
            self.encode(key, &value)?;
            key.pop();
        }
        Ok(())
    }

    fn newline(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    /// A value behind `=` or within an array.
    fn element(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(DEPTH.to_owned());
        }
        match value {
            Value::Nil => return Err(NIL_IN_ARRAY.to_owned()),
            Value::Bool(value) => {
                let _ = write!(self.out, "{value}");
            }
            Value::Int(_, value) => {
                let _ = write!(self.out, "{value}");
            }
            Value::Uint(_, value) => {
                let _ = write!(self.out, "{value}");
            }
            Value::Float(value) => self.out.push_str(&float(*value)),
            Value::List(list) => self.array(list, depth)?,
            Value::Bytes(bytes) => {
                let items: Vec<Value> = bytes.iter().map(|byte| (*byte).into()).collect();
                self.array(&items, depth)?;
            }
            value => match (table_of(value), value.text()) {
                (Some(table), _) => self.inline(table, depth)?,
                (None, Some(text)) => self.string(&text),
                (None, None) => self.string(&crate::fmt::text_of(value)),
            },
        }
        Ok(())
    }

    fn array(&mut self, items: &[Value], depth: usize) -> Result<(), String> {
        self.out.push('[');
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            self.element(item, depth + 1)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn inline(&mut self, table: Vec<(String, Value)>, depth: usize) -> Result<(), String> {
        self.out.push('{');
        let entries = tables_last(table)?;
        let last = entries.len().saturating_sub(1);
        for (i, (name, value)) in entries.iter().enumerate() {
            if is_nil(value) {
                continue;
            }
            let _ = write!(self.out, "{} = ", quoted_key(name));
            self.element(value, depth + 1)?;
            if i != last {
                self.out.push_str(", ");
            }
        }
        self.out.push('}');
        Ok(())
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\u{8}' => self.out.push_str("\\b"),
                '\t' => self.out.push_str("\\t"),
                '\n' => self.out.push_str("\\n"),
                '\u{c}' => self.out.push_str("\\f"),
                '\r' => self.out.push_str("\\r"),
                '\0'..='\u{1f}' | '\u{7f}' => {
                    let _ = write!(self.out, "\\u{:04x}", u32::from(c));
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

/// Whether a value opens a table of its own.
fn tables_last(table: Vec<(String, Value)>) -> Result<Vec<(String, Value)>, String> {
    let (mut plain, mut tables) = (Vec::new(), Vec::new());
    for (name, value) in table {
        if table_of(&value).is_some() || is_table_array(&value)? {
            tables.push((name, value));
        } else {
            plain.push((name, value));
        }
    }
    plain.append(&mut tables);
    Ok(plain)
}

fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = format!("{value}");
    if text.contains('.') {
        text
    } else {
        format!("{text}.0")
    }
}

fn indent(key: &[String]) -> String {
    "  ".repeat(key.len().saturating_sub(1))
}

fn joined(key: &[String]) -> String {
    let names: Vec<String> = key.iter().map(|name| quoted_key(name)).collect();
    names.join(".")
}

fn quoted_key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) {
        return name.to_owned();
    }
    let mut writer = Writer { out: String::new() };
    writer.string(name);
    writer.out
}

/// Reads a document into a map.
pub(crate) fn read(text: &str) -> Result<Value, String> {
    let document = DeTable::parse(text).map_err(|error| format!("toml: {}", error.message()))?;
    Ok(table_value(document.get_ref()))
}

fn table_value(table: &DeTable<'_>) -> Value {
    Value::map(
        table
            .iter()
            .map(|(key, value)| (key.get_ref().as_ref(), value_of(value.get_ref()))),
    )
}

fn value_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(number) => Value::int64(integer(number)),
        DeValue::Float(number) => number.as_str().parse().map_or(Value::Nil, Value::Float),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(time) => time.to_string().into(),
        DeValue::Array(items) => {
            let values: Vec<Value> = items.iter().map(|item| value_of(item.get_ref())).collect();
            // The library makes lists of tables lists of maps.
            Value::list(values)
        }
        DeValue::Table(table) => table_value(table),
    }
}

fn integer(number: &DeInteger<'_>) -> i64 {
    i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(0)
}
