//! Printing values: Go's package `fmt`.

mod float;
mod printf;
mod scalar;
mod verb;

use crate::value::{Map, Value, View};

pub(crate) use printf::sprintf;

/// What a template prints for a value that is not there.
pub(crate) const NO_VALUE: &[u8] = b"<no value>";
/// Values within values that are printed; a map may hold itself.
const MAX_DEPTH: usize = 100;

/// `fmt.Fprint` of one value, as the result of an action is printed.
pub(crate) fn print(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Nil => out.extend_from_slice(b"<nil>"),
        _ => write_plain(out, value, 0),
    }
}

/// `fmt.Sprint`: spaces between operands of which neither is a string.
pub(crate) fn sprint(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let is_string = |value: &Value| matches!(value, Value::String(_) | Value::Raw(_));
    for (i, value) in values.iter().enumerate() {
        if i > 0 && !is_string(value) && !is_string(&values[i - 1]) {
            out.push(b' ');
        }
        print(&mut out, value);
    }
    out
}

/// `fmt.Sprintln`.
pub(crate) fn sprintln(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        print(&mut out, value);
    }
    out.push(b'\n');
    out
}

/// `%v` of a value as text.
pub(crate) fn text_of(value: &Value) -> String {
    let mut out = Vec::new();
    print(&mut out, value);
    into_text(out)
}

/// Text of bytes; what is not UTF-8 in them is replaced.
pub(crate) fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// `%v` without flags.
fn write_plain(out: &mut Vec<u8>, value: &Value, depth: usize) {
    if depth > MAX_DEPTH {
        out.extend_from_slice(b"...");
        return;
    }
    match value {
        Value::Nil => out.extend_from_slice(b"<nil>"),
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Int(_, value) => out.extend_from_slice(value.to_string().as_bytes()),
        Value::Uint(_, value) => out.extend_from_slice(value.to_string().as_bytes()),
        Value::Float(value) => {
            out.extend_from_slice(weir_yaml::number::format_float(*value).as_bytes());
        }
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        Value::Raw(bytes) => out.extend_from_slice(bytes),
        Value::Bytes(bytes) => {
            let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
            out.extend_from_slice(format!("[{}]", numbers.join(" ")).as_bytes());
        }
        Value::List(list) => write_items(out, list, depth),
        Value::Map(map) => write_map(out, map, depth),
        Value::Object(object) => {
            if let Some(text) = object.text() {
                out.extend_from_slice(text.as_bytes());
                return;
            }
            match object.view() {
                View::Map(map) => write_map(out, &map, depth),
                View::List(list) => write_items(out, &list, depth),
                View::Int(value) => out.extend_from_slice(value.to_string().as_bytes()),
                View::Struct(fields) => {
                    if object.kind() == crate::value::Kind::Ptr && depth > 0 {
                        // Go prints the address, which differs from run to run.
                        out.extend_from_slice(b"0xc000000000");
                        return;
                    }
                    if object.kind() == crate::value::Kind::Ptr {
                        out.push(b'&');
                    }
                    out.push(b'{');
                    for (i, (_, value)) in fields.iter().enumerate() {
                        if i > 0 {
                            out.push(b' ');
                        }
                        write_plain(out, value, depth + 1);
                    }
                    out.push(b'}');
                }
            }
        }
    }
}

fn write_items(out: &mut Vec<u8>, items: &[Value], depth: usize) {
    out.push(b'[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        write_plain(out, item, depth + 1);
    }
    out.push(b']');
}

fn write_map(out: &mut Vec<u8>, map: &Map, depth: usize) {
    out.extend_from_slice(b"map[");
    let mut first = true;
    map.each(|key, value| {
        if !std::mem::take(&mut first) {
            out.push(b' ');
        }
        out.extend_from_slice(key.as_bytes());
        out.push(b':');
        write_plain(out, value, depth + 1);
    });
    out.push(b']');
}
