//! Functions of the language itself (golang/go `src/text/template/funcs.go`).

use std::fmt::Write as _;

use super::Result;
use crate::error::{CallError, Limit};
use crate::exec::Call;
use crate::fmt;
use crate::function::{Function, Type};
use crate::syntax::quote::is_print;
use crate::value::{Value, View};

/// The functions, without those that compare.
pub(super) const FUNCTIONS: &[Function] = &[
    // These three are calls of a kind of their own; see `exec`.
    Function::variadic("and", &[Type::Reflect, Type::Reflect], nothing),
    Function::variadic("or", &[Type::Reflect, Type::Reflect], nothing),
    Function::variadic("call", &[Type::Reflect, Type::Reflect], nothing),
    Function::variadic("html", &[Type::Any], html),
    Function::variadic("index", &[Type::Reflect, Type::Reflect], index),
    Function::variadic("js", &[Type::Any], js),
    Function::new("len", &[Type::Reflect], len),
    Function::new("not", &[Type::Reflect], not),
    Function::variadic("print", &[Type::Any], print),
    Function::variadic("printf", &[Type::String, Type::Any], printf),
    Function::variadic("println", &[Type::Any], println),
    Function::variadic("urlquery", &[Type::Any], urlquery),
];

fn nothing(_: &mut Call<'_>, _: &[Value]) -> Result {
    Ok(Value::Nil)
}

/// Arguments as an action would print them (`evalArgs`).
fn printed(values: &[Value]) -> String {
    let shown: Vec<Value> = values
        .iter()
        .map(|value| match value {
            Value::Nil => Value::from("<no value>"),
            value => value.clone(),
        })
        .collect();
    fmt::into_text(fmt::sprint(&shown))
}

fn html(_: &mut Call<'_>, values: &[Value]) -> Result {
    let mut out = String::new();
    for c in printed(values).chars() {
        match c {
            '\0' => out.push('\u{fffd}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    Ok(out.into())
}

fn js(_: &mut Call<'_>, values: &[Value]) -> Result {
    let mut out = String::new();
    for c in printed(values).chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c if c.is_ascii() || is_print(c) => out.push(c),
            c => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
        }
    }
    Ok(out.into())
}

fn urlquery(_: &mut Call<'_>, values: &[Value]) -> Result {
    let mut out = String::new();
    for byte in printed(values).bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    Ok(out.into())
}

fn not(_: &mut Call<'_>, values: &[Value]) -> Result {
    Ok(Value::Bool(!values[0].is_true()))
}

fn print(_: &mut Call<'_>, values: &[Value]) -> Result {
    Ok(Value::string_from_bytes(fmt::sprint(values)))
}

fn println(_: &mut Call<'_>, values: &[Value]) -> Result {
    Ok(Value::string_from_bytes(fmt::sprintln(values)))
}

fn printf(call: &mut Call<'_>, values: &[Value]) -> Result {
    let format = values[0].string_bytes().unwrap_or_default();
    let out = fmt::sprintf(format, &values[1..], call.room());
    let out = out.ok_or(Limit::Value)?;
    call.charge(out.len())?;
    Ok(Value::string_from_bytes(out))
}

/// What an object is below its type, for those who index or measure it.
fn underlying(value: &Value) -> Value {
    match value {
        Value::Object(object) => match object.view() {
            View::List(list) => Value::List(list),
            View::Map(map) => Value::Map(map),
            _ => value.clone(),
        },
        value => value.clone(),
    }
}

/// The name of a type, without the pointer to it.
fn pointed_to(value: &Value) -> String {
    let name = value.type_name();
    name.strip_prefix('*').unwrap_or(&name).to_owned()
}

fn len(_: &mut Call<'_>, values: &[Value]) -> Result {
    let value = underlying(&values[0]);
    let len = match &value {
        Value::Nil => return Err("reflect: call of reflect.Value.Type on zero Value".into()),
        Value::List(list) => list.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Map(map) => map.len(),
        value => match value.string_bytes() {
            Some(bytes) => bytes.len(),
            None => return Err(format!("len of type {}", pointed_to(value)).into()),
        },
    };
    Ok(Value::int(len as i64))
}

/// A position in something of `len` items (`indexArg`).
fn position(index: &Value, len: usize) -> std::result::Result<usize, CallError> {
    let at = match index {
        Value::Int(_, at) => *at,
        Value::Uint(_, at) => *at as i64,
        Value::Nil => return Err("cannot index slice/array with nil".into()),
        other => {
            let name = other.type_name();
            return Err(format!("cannot index slice/array with type {name}").into());
        }
    };
    match usize::try_from(at) {
        Ok(at) if at <= len => Ok(at),
        _ => Err(format!("index out of range: {at}").into()),
    }
}

fn index(_: &mut Call<'_>, values: &[Value]) -> Result {
    let (first, indexes) = values.split_first().ok_or("missing argument")?;
    if first.is_nil() {
        return Err("index of untyped nil".into());
    }
    let mut item = first.clone();
    for index in indexes {
        item = match underlying(&item) {
            Value::Nil => return Err("index of nil pointer".into()),
            Value::List(list) => {
                let at = position(index, list.len())?;
                let found = list.get(at).cloned();
                found.ok_or("reflect: slice index out of range")?
            }
            Value::Bytes(bytes) => {
                let at = position(index, bytes.len())?;
                let byte = bytes.get(at).copied();
                byte.ok_or("reflect: slice index out of range")?.into()
            }
            Value::Map(map) => {
                let key = match index {
                    Value::Nil => return Err("value is nil; should be of type string".into()),
                    index => index.text().ok_or_else(|| {
                        format!("value has type {}; should be string", index.type_name())
                    })?,
                };
                map.get(&key).unwrap_or_else(|| map.map_type().zero())
            }
            other => {
                let Some(bytes) = other.string_bytes() else {
                    let name = pointed_to(&other);
                    return Err(format!("can't index item of type {name}").into());
                };
                let at = position(index, bytes.len())?;
                let byte = bytes.get(at).copied();
                byte.ok_or("reflect: string index out of range")?.into()
            }
        };
    }
    Ok(item)
}
