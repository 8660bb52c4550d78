//! Values on the command line: `a.b[0]=1,c={x,y}` (helm/helm pkg/strvals).

mod literal;
mod parser;
mod scanner;

use std::rc::Rc;

use weir_template::{List, ListType, Map, Value};

use parser::{Parser, Values};

/// Names within names beyond this are refused.
const MAX_NESTING: usize = 30;
/// Larger places in lists are refused.
const MAX_INDEX: i64 = 65_536;

/// A line that cannot be read; the texts are Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct LineError(String);

/// Why reading stopped.
#[derive(Debug, PartialEq, Eq)]
enum Stop {
    /// At the end of the line.
    End,
    /// At an error.
    Error(String),
}

impl From<String> for Stop {
    fn from(text: String) -> Self {
        Self::Error(text)
    }
}

/// `--set`: what looks like a number or truth is one.
pub(crate) fn parse(line: &str, into: &Map) -> Result<(), LineError> {
    Parser::new(line, Values::Typed).parse(into)
}

/// `--set-string`.
pub(crate) fn parse_string(line: &str, into: &Map) -> Result<(), LineError> {
    Parser::new(line, Values::Text).parse(into)
}

/// `--set-json`.
pub(crate) fn parse_json(line: &str, into: &Map) -> Result<(), LineError> {
    Parser::new(line, Values::Json).parse(into)
}

/// `--set-file`: values are names of files.
pub(crate) fn parse_file(
    line: &str,
    into: &Map,
    read: &dyn Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<(), LineError> {
    Parser::new(line, Values::Files(read)).parse(into)
}

/// `--set-literal`: all behind the first `=` is the value.
pub(crate) fn parse_literal(line: &str, into: &Map) -> Result<(), LineError> {
    literal::parse(line, into)
}

/// Repeats until the line ends.
fn parse_all(mut key: impl FnMut() -> Result<(), Stop>) -> Result<(), LineError> {
    loop {
        match key() {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Error(text)) => return Err(LineError(text)),
        }
    }
}

/// Sets a key, unless it has no name.
fn set(map: &Map, key: &str, value: Value) {
    if !key.is_empty() {
        map.set(key, value);
    }
}

fn set_index(list: &mut Vec<Value>, index: i64, value: Value) -> Result<(), Stop> {
    check_index(index)?;
    if index > MAX_INDEX {
        return Err(Stop::Error(format!(
            "index of {index} is greater than maximum supported index of {MAX_INDEX}"
        )));
    }
    let index = usize::try_from(index).unwrap_or_default();
    if list.len() <= index {
        list.resize(index + 1, Value::Nil);
    }
    list[index] = value;
    Ok(())
}

fn check_index(index: i64) -> Result<(), Stop> {
    if index < 0 {
        return Err(Stop::Error(format!("negative {index} index not allowed")));
    }
    Ok(())
}

fn list_value(items: Vec<Value>) -> Value {
    Value::List(Rc::new(List::new(ListType::Any, items)))
}

/// The item at an index, if the list reaches there.
fn item(list: &[Value], index: i64) -> Option<&Value> {
    list.get(usize::try_from(index).ok()?)
}

/// The table at an index of a list; a new one where there is none.
fn table_at(list: &[Value], index: i64) -> Rc<Map> {
    match item(list, index) {
        Some(Value::Map(table)) => Rc::clone(table),
        _ => crate::values::empty_map(),
    }
}

/// The list that stands at a key already.
fn existing_list(map: &Map, key: &str) -> Result<Vec<Value>, Stop> {
    match map.get(key) {
        None => Ok(Vec::new()),
        Some(value) => as_list(&value),
    }
}

/// The list within a list that stands at an index already; null is none.
fn list_at(list: &[Value], index: i64) -> Result<Vec<Value>, Stop> {
    match item(list, index) {
        None | Some(Value::Nil) => Ok(Vec::new()),
        Some(value) => as_list(value),
    }
}

fn as_list(value: &Value) -> Result<Vec<Value>, Stop> {
    match value {
        Value::List(list) => Ok(list.to_vec()),
        other => Err(conversion(other, "[]interface {}")),
    }
}

/// The table that stands at a key already, or a new one.
fn existing_table(map: &Map, key: &str) -> Result<Rc<Map>, Stop> {
    match map.get(key) {
        None => Ok(crate::values::empty_map()),
        Some(Value::Map(table)) => Ok(table),
        Some(other) => Err(conversion(&other, "map[string]interface {}")),
    }
}

/// The text of Go's failed type assertion, which Helm passes on.
fn conversion(value: &Value, wanted: &str) -> Stop {
    let given = match value {
        Value::Nil => "nil".into(),
        other => other.type_name(),
    };
    Stop::Error(format!(
        "unable to parse key: interface conversion: interface {{}} is {given}, not {wanted}"
    ))
}

/// Goes one name deeper.
fn deeper(nesting: usize) -> Result<usize, Stop> {
    if nesting >= MAX_NESTING {
        return Err(Stop::Error(format!(
            "value name nested level is greater than maximum supported nested level of \
             {MAX_NESTING}"
        )));
    }
    Ok(nesting + 1)
}

#[cfg(test)]
mod tests;
