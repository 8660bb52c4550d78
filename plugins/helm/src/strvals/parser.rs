//! Lines of several assignments (helm/helm pkg/strvals/parser.go).

use weir_template::{Map, Value};

use super::scanner::{self, Scanner};
use super::{
    LineError, Stop, check_index, deeper, existing_list, existing_table, list_at, list_value,
    parse_all, set, set_index, table_at,
};

/// What stands behind `=`.
#[derive(Clone, Copy)]
pub(super) enum Values<'a> {
    /// Text that may look like a number or truth.
    Typed,
    /// Text.
    Text,
    /// A JSON document.
    Json,
    /// The name of a file, whose content is the value.
    Files(&'a dyn Fn(&str) -> Result<Vec<u8>, String>),
}

pub(super) struct Parser<'a> {
    scanner: Scanner<'a>,
    values: Values<'a>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(line: &'a str, values: Values<'a>) -> Self {
        Self {
            scanner: Scanner::new(line),
            values,
        }
    }

    pub(super) fn parse(mut self, into: &Map) -> Result<(), LineError> {
        parse_all(|| self.key(into, 0))
    }

    fn key(&mut self, map: &Map, nesting: usize) -> Result<(), Stop> {
        let read = self.scanner.until(&['=', '[', ',', '.']);
        let key = read.text;
        match read.stop {
            None if key.is_empty() => Err(Stop::End),
            None => Err(Stop::Error(format!("key {key:?} has no value"))),
            Some('[') => {
                let index = scanner::index(self.scanner.until(&[']']))?;
                let mut list = existing_list(map, &key)?;
                let result = self.list_item(&mut list, index, nesting);
                set(map, &key, list_value(list));
                result
            }
            Some('=') => match self.value() {
                Ok(value) => {
                    set(map, &key, value);
                    Ok(())
                }
                Err(Stop::End) => {
                    set(map, &key, Value::from(""));
                    Err(Stop::End)
                }
                Err(error) => Err(error),
            },
            Some(',') => Err(Stop::Error(format!(
                "key {key:?} has no value (cannot end with ,)"
            ))),
            Some(_) => {
                let nesting = deeper(nesting)?;
                let inner = existing_table(map, &key)?;
                let result = self.key(&inner, nesting);
                if result.is_ok() && inner.is_empty() {
                    return Err(Stop::Error(format!("key map {key:?} has no value")));
                }
                if !inner.is_empty() {
                    set(map, &key, Value::Map(inner));
                }
                result
            }
        }
    }

    fn list_item(&mut self, list: &mut Vec<Value>, index: i64, nesting: usize) -> Result<(), Stop> {
        check_index(index)?;
        let read = self.scanner.until(&['[', '.', '=']);
        if !read.text.is_empty() {
            return Err(scanner::unexpected_after_index(&read.text));
        }
        match read.stop {
            None => Err(Stop::End),
            Some('=') => {
                let value = match self.value() {
                    Err(Stop::End) => Value::from(""),
                    value => value?,
                };
                set_index(list, index, value)
            }
            Some('[') => {
                let inner_index = scanner::index(self.scanner.until(&[']']))?;
                let mut inner = list_at(list, index)?;
                self.list_item(&mut inner, inner_index, nesting)?;
                set_index(list, index, list_value(inner))
            }
            Some(_) => {
                let inner = table_at(list, index);
                self.key(&inner, nesting)?;
                set_index(list, index, Value::Map(inner))
            }
        }
    }

    /// What stands behind `=`, with the comma behind it. The end of the line is left to the caller,
    /// for whom it may be an empty value.
    fn value(&mut self) -> Result<Value, Stop> {
        if matches!(self.values, Values::Json) {
            if self.scanner.empty_value() {
                return Ok(Value::Nil);
            }
            let document = self.scanner.json()?;
            self.scanner.empty_value();
            return Ok(from_json(&document));
        }
        if self.scanner.at_end() {
            return Err(Stop::End);
        }
        if self.scanner.next_if('{') {
            return self.list();
        }
        let text = self.scanner.until(&[',']).text;
        self.convert(text)
    }

    fn list(&mut self) -> Result<Value, Stop> {
        let mut items = Vec::new();
        loop {
            let read = self.scanner.until(&[',', '}']);
            let Some(stop) = read.stop else {
                return Err(Stop::Error("list must terminate with '}'".to_owned()));
            };
            items.push(self.convert(read.text)?);
            if stop == '}' {
                self.scanner.next_if(',');
                return Ok(list_value(items));
            }
        }
    }

    fn convert(&self, text: String) -> Result<Value, Stop> {
        match self.values {
            Values::Typed => Ok(typed(text)),
            Values::Files(read) => Ok(Value::string_from_bytes(read(&text)?)),
            Values::Text | Values::Json => Ok(Value::from(text)),
        }
    }
}

/// What text looks like. A leading zero makes it text: it may be a telephone number.
fn typed(text: String) -> Value {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") || is("false") {
        return Value::Bool(is("true"));
    }
    if is("null") {
        return Value::Nil;
    }
    if text == "0" {
        return Value::int64(0);
    }
    match text.parse() {
        Ok(number) if !text.starts_with('0') => Value::int64(number),
        _ => Value::from(text),
    }
}

fn from_json(document: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match document {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Float(number.as_f64().unwrap_or_default()),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(from_json).collect()),
        Json::Object(entries) => {
            let entries = entries.iter();
            Value::map(entries.map(|(key, value)| (key.as_str(), from_json(value))))
        }
    }
}
