//! One verb applied to one value (golang/go `src/fmt/format.go` and `print.go`).

use std::fmt::Write as _;

use super::float;
use crate::syntax::quote::{is_print, quote_bytes, quote_char};
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
    fn pads_with_zeros(self) -> bool {
        self.zero && !self.minus
    }
}

/// Writes a value by a verb.
pub(super) fn write_value(out: &mut Vec<u8>, value: &Value, verb: char, flags: Flags) {
    match (value, verb) {
        (_, 'T') => pad(out, value.type_name().as_bytes(), flags),
        (Value::Nil, 'v') => pad(out, b"<nil>", flags),
        (Value::Nil, _) => bad_verb(out, value, verb),
        (_, 'p') => pointer(out, value, verb),
        _ => write_at(out, value, verb, flags, 0),
    }
}

/// Addresses differ from run to run; nothing that is to be applied twice may depend on them.
fn pointer(out: &mut Vec<u8>, value: &Value, verb: char) {
    match value.kind() {
        Kind::Slice | Kind::Map | Kind::Ptr | Kind::Func => out.extend_from_slice(b"0xc000000000"),
        _ => bad_verb(out, value, verb),
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
            _ => bad_verb(out, value, verb),
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

/// `%!verb(type=value)`.
fn bad_verb(out: &mut Vec<u8>, value: &Value, verb: char) {
    out.extend_from_slice(format!("%!{verb}(").as_bytes());
    if value.is_nil() {
        out.extend_from_slice(b"<nil>");
    } else {
        out.extend_from_slice(value.type_name().as_bytes());
        out.push(b'=');
        write_at(out, value, 'v', Flags::default(), 0);
    }
    out.push(b')');
}

fn char_count(bytes: &[u8]) -> usize {
    let chunks = bytes.utf8_chunks();
    chunks
        .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
        .sum()
}

/// Fills up to the width.
fn pad(out: &mut Vec<u8>, text: &[u8], flags: Flags) {
    let missing = flags.width.unwrap_or(0).saturating_sub(char_count(text));
    let filler = if flags.pads_with_zeros() { b'0' } else { b' ' };
    if flags.minus {
        out.extend_from_slice(text);
        out.extend(std::iter::repeat_n(b' ', missing));
    } else {
        out.extend(std::iter::repeat_n(filler, missing));
        out.extend_from_slice(text);
    }
}

fn integer(
    out: &mut Vec<u8>,
    value: &Value,
    magnitude: u64,
    negative: bool,
    verb: char,
    flags: Flags,
) {
    let digits = match verb {
        'v' | 'd' => magnitude.to_string(),
        'b' => format!("{magnitude:b}"),
        'o' | 'O' => format!("{magnitude:o}"),
        'x' => format!("{magnitude:x}"),
        'X' => format!("{magnitude:X}"),
        'c' | 'q' | 'U' => {
            let code = if negative {
                None
            } else {
                u32::try_from(magnitude).ok()
            };
            let c = code.and_then(char::from_u32);
            return character(out, c, magnitude, verb, flags);
        }
        _ => return bad_verb(out, value, verb),
    };
    let sign = match (negative, flags.plus, flags.space) {
        (true, _, _) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    };
    let prefix = match verb {
        'O' => "0o",
        'b' if flags.sharp => "0b",
        'o' if flags.sharp && !digits.starts_with('0') => "0",
        'x' if flags.sharp => "0x",
        'X' if flags.sharp => "0X",
        _ => "",
    };
    if flags.precision == Some(0) && magnitude == 0 {
        let none = Flags {
            zero: false,
            ..flags
        };
        return pad(out, b"", none);
    }
    let wanted = match (flags.precision, flags.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if flags.pads_with_zeros() => width.saturating_sub(sign.len()),
        _ => 0,
    };
    let zeros = "0".repeat(wanted.saturating_sub(digits.len()));
    let text = format!("{sign}{prefix}{zeros}{digits}");
    pad(
        out,
        text.as_bytes(),
        Flags {
            zero: false,
            ..flags
        },
    );
}

fn character(out: &mut Vec<u8>, c: Option<char>, code: u64, verb: char, flags: Flags) {
    let shown = c.unwrap_or(char::REPLACEMENT_CHARACTER);
    let text = match verb {
        'c' => shown.to_string(),
        'q' => quote_char(shown),
        _ if flags.sharp && is_print(shown) => format!("U+{code:04X} '{shown}'"),
        _ => format!("U+{code:04X}"),
    };
    pad(out, text.as_bytes(), flags);
}

fn float_verb(out: &mut Vec<u8>, value: &Value, number: f64, verb: char, flags: Flags) {
    let (form, precision) = match verb {
        'v' => (b'g', flags.precision),
        'g' | 'G' | 'x' | 'X' => (verb as u8, flags.precision),
        'f' | 'F' => (b'f', flags.precision.or(Some(6))),
        'e' | 'E' => (verb as u8, flags.precision.or(Some(6))),
        _ => return bad_verb(out, value, verb),
    };
    let text = float::format(number, form, precision);
    let unsigned = text.trim_start_matches(['-', '+']);
    let sign = match (text.starts_with('-'), flags.plus, flags.space) {
        (true, _, _) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        // Infinity has its sign only where signs are asked for, except by %v.
        _ if number.is_infinite() && text.starts_with('+') => "+",
        _ => "",
    };
    let missing = flags.width.unwrap_or(0);
    let missing = missing.saturating_sub(sign.len() + unsigned.len());
    if flags.pads_with_zeros() && number.is_finite() {
        out.extend_from_slice(sign.as_bytes());
        out.extend(std::iter::repeat_n(b'0', missing));
        out.extend_from_slice(unsigned.as_bytes());
    } else {
        let text = format!("{sign}{unsigned}");
        pad(
            out,
            text.as_bytes(),
            Flags {
                zero: false,
                ..flags
            },
        );
    }
}

fn string(out: &mut Vec<u8>, value: &Value, bytes: &[u8], verb: char, flags: Flags) {
    match verb {
        'v' if flags.sharp => {
            let mut quoted = Vec::new();
            quote_bytes(bytes, &mut quoted);
            pad(out, &quoted, flags);
        }
        'v' | 's' => pad(out, cut(bytes, flags), flags),
        'q' => {
            let bytes = cut(bytes, flags);
            let mut quoted = Vec::new();
            let raw = flags.sharp && can_backquote(bytes);
            if raw {
                quoted.push(b'`');
                quoted.extend_from_slice(bytes);
                quoted.push(b'`');
            } else if flags.plus {
                quote_ascii(bytes, &mut quoted);
            } else {
                quote_bytes(bytes, &mut quoted);
            }
            pad(out, &quoted, flags);
        }
        'x' | 'X' => hex(out, bytes, verb == 'X', flags),
        _ => bad_verb(out, value, verb),
    }
}

/// A precision counts characters.
fn cut(bytes: &[u8], flags: Flags) -> &[u8] {
    let Some(precision) = flags.precision else {
        return bytes;
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let end = text.char_indices().nth(precision);
            end.map_or(bytes, |(end, _)| &bytes[..end])
        }
        Err(_) => &bytes[..precision.min(bytes.len())],
    }
}

fn can_backquote(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| {
        text.chars()
            .all(|c| c == '\t' || !c.is_control() && c != '`' && c != '\u{feff}')
    })
}

/// `%+q`.
fn quote_ascii(bytes: &[u8], out: &mut Vec<u8>) {
    let mut quoted = Vec::new();
    quote_bytes(bytes, &mut quoted);
    for c in String::from_utf8_lossy(&quoted).chars() {
        let text = match u32::from(c) {
            0..=0x7f => c.to_string(),
            code @ 0..=0xffff => format!("\\u{code:04x}"),
            code => format!("\\U{code:08x}"),
        };
        out.extend_from_slice(text.as_bytes());
    }
}

fn hex(out: &mut Vec<u8>, bytes: &[u8], upper: bool, flags: Flags) {
    let shown = flags.precision.unwrap_or(bytes.len()).min(bytes.len());
    let mut text = String::new();
    for (i, byte) in bytes[..shown].iter().enumerate() {
        if i > 0 && flags.space {
            text.push(' ');
        }
        if flags.sharp && (i == 0 || flags.space) {
            text.push_str(if upper { "0X" } else { "0x" });
        }
        let _ = if upper {
            write!(text, "{byte:02X}")
        } else {
            write!(text, "{byte:02x}")
        };
    }
    pad(out, text.as_bytes(), flags);
}
