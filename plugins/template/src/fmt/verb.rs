//! One verb applied to one value (golang/go `src/fmt/format.go` and `print.go`).

use super::scalar::{float_verb, integer, pad, string};
use crate::value::{Kind, Map, Value, View};

/// The flags of a verb.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flags {
    pub(crate) sharp: bool,
    pub(crate) zero: bool,
    pub(crate) plus: bool,
    pub(crate) minus: bool,
    pub(crate) space: bool,
    pub(crate) width: Option<usize>,
    pub(crate) precision: Option<usize>,
    /// `%+v`, which shows names of fields but no signs.
    pub(crate) names: bool,
}

impl Flags {
    pub(super) fn pads_with_zeros(self) -> bool {
        self.zero && !self.minus
    }
}

/// Writes a value by a verb.
pub(super) fn write_value(out: &mut Vec<u8>, value: &Value, verb: char, flags: Flags) {
    match (value, verb) {
        (_, 'T') => pad(out, value.type_name().as_bytes(), flags),
        (Value::Nil, 'v') => pad(out, b"<nil>", flags),
        (Value::Nil, _) => bad_verb(out, value, verb, flags),
        (_, 'p') => pointer(out, value, verb, flags),
        _ => write_at(out, value, verb, flags, 0),
    }
}

/// Addresses differ from run to run; nothing that is to be applied twice may depend on them.
fn pointer(out: &mut Vec<u8>, value: &Value, verb: char, flags: Flags) {
    match value.kind() {
        Kind::Slice | Kind::Map | Kind::Ptr | Kind::Func => out.extend_from_slice(b"0xc000000000"),
        _ => bad_verb(out, value, verb, flags),
    }
}

fn write_at(out: &mut Vec<u8>, value: &Value, verb: char, flags: Flags, depth: usize) {
    if depth > super::MAX_DEPTH {
        out.extend_from_slice(b"...");
        return;
    }
    match value {
        Value::Nil => {
            let text: &[u8] = if verb == 'v' && flags.sharp {
                b"interface {}(nil)"
            } else {
                b"<nil>"
            };
            out.extend_from_slice(text);
        }
        Value::Bool(truth) => match verb {
            't' | 'v' => pad(out, truth.to_string().as_bytes(), flags),
            _ => bad_verb(out, value, verb, flags),
        },
        Value::Int(_, number) => {
            let magnitude = number.unsigned_abs();
            integer(out, value, magnitude, *number < 0, verb, flags);
        }
        Value::Uint(_, number) if verb == 'v' && flags.sharp => {
            integer(out, value, *number, false, 'x', flags);
        }
        Value::Uint(_, number) => integer(out, value, *number, false, verb, flags),
        Value::Float(number) => float_verb(out, value, *number, verb, flags),
        Value::String(_) | Value::Raw(_) => {
            let bytes = value.string_bytes().unwrap_or_default();
            string(out, value, bytes, verb, flags);
        }
        Value::Bytes(bytes) => match verb {
            's' | 'q' | 'x' | 'X' => string(out, value, bytes, verb, flags),
            _ => {
                let numbers: Vec<Value> = bytes.iter().map(|byte| (*byte).into()).collect();
                let name = (verb == 'v' && flags.sharp).then_some("[]byte");
                items(out, &numbers, name, verb, flags, depth);
            }
        },
        Value::List(list) => {
            let name = (verb == 'v' && flags.sharp).then(|| list.list_type().name());
            if list.is_nil() && name.is_some() {
                out.extend_from_slice(format!("{}(nil)", list.list_type().name()).as_bytes());
                return;
            }
            items(out, list, name, verb, flags, depth);
        }
        Value::Map(map) => entries(out, map, verb, flags, depth),
        Value::Object(object) => {
            let stringer = matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') && !flags.sharp;
            if let Some(text) = object.text().filter(|_| stringer) {
                string(out, value, text.as_bytes(), verb, flags);
                return;
            }
            match object.view() {
                View::Map(map) => entries(out, &map, verb, flags, depth),
                View::List(list) => items(out, &list, None, verb, flags, depth),
                View::Int(number) => {
                    integer(out, value, number.unsigned_abs(), number < 0, verb, flags);
                }
                View::Struct(fields) => {
                    if object.kind() == Kind::Ptr {
                        out.push(b'&');
                    }
                    if verb == 'v' && flags.sharp {
                        out.extend_from_slice(
                            object.type_name().trim_start_matches('*').as_bytes(),
                        );
                    }
                    structure(out, &fields, verb, flags, depth);
                }
            }
        }
    }
}

fn structure(
    out: &mut Vec<u8>,
    fields: &[(&'static str, Value)],
    verb: char,
    flags: Flags,
    depth: usize,
) {
    let sharp = verb == 'v' && flags.sharp;
    out.push(b'{');
    for (i, (name, value)) in fields.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(if sharp { b", " } else { b" " });
        }
        if sharp || flags.names {
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
        }
        write_at(out, value, verb, flags, depth + 1);
    }
    out.push(b'}');
}

fn items(
    out: &mut Vec<u8>,
    items: &[Value],
    type_name: Option<&str>,
    verb: char,
    flags: Flags,
    depth: usize,
) {
    let (open, between, close) = match type_name {
        Some(name) => {
            out.extend_from_slice(name.as_bytes());
            (b'{', &b", "[..], b'}')
        }
        None => (b'[', &b" "[..], b']'),
    };
    out.push(open);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(between);
        }
        write_at(out, item, verb, flags, depth + 1);
    }
    out.push(close);
}

fn entries(out: &mut Vec<u8>, map: &Map, verb: char, flags: Flags, depth: usize) {
    let sharp = verb == 'v' && flags.sharp;
    if sharp {
        out.extend_from_slice(map.map_type().name().as_bytes());
        out.push(b'{');
    } else {
        out.extend_from_slice(b"map[");
    }
    let mut first = true;
    map.each(|key, value| {
        if !std::mem::take(&mut first) {
            out.extend_from_slice(if sharp { b", " } else { b" " });
        }
        let key_value = Value::from(key);
        string(out, &key_value, key.as_bytes(), verb, flags);
        out.push(b':');
        write_at(out, value, verb, flags, depth + 1);
    });
    out.push(if sharp { b'}' } else { b']' });
}

/// `%!verb(type=value)`; width and precision are those of the value.
pub(super) fn bad_verb(out: &mut Vec<u8>, value: &Value, verb: char, flags: Flags) {
    out.extend_from_slice(format!("%!{verb}(").as_bytes());
    if value.is_nil() {
        out.extend_from_slice(b"<nil>");
    } else {
        out.extend_from_slice(value.type_name().as_bytes());
        out.push(b'=');
        write_at(out, value, 'v', flags, 0);
    }
    out.push(b')');
}
