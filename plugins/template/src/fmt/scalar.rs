//! Numbers and texts as a verb shows them (golang/go `src/fmt/format.go`).

use std::fmt::Write as _;

use super::float;
use super::verb::{Flags, bad_verb};
use crate::syntax::quote::{is_print, quote_bytes, quote_char};
use crate::value::Value;

fn char_count(bytes: &[u8]) -> usize {
    let chunks = bytes.utf8_chunks();
    chunks
        .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
        .sum()
}

/// Fills up to the width.
pub(super) fn pad(out: &mut Vec<u8>, text: &[u8], flags: Flags) {
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

pub(super) fn integer(
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
        _ => return bad_verb(out, value, verb, flags),
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

pub(super) fn float_verb(out: &mut Vec<u8>, value: &Value, number: f64, verb: char, flags: Flags) {
    let (form, precision) = match verb {
        'v' => (b'g', flags.precision),
        'g' | 'G' | 'x' | 'X' => (verb as u8, flags.precision),
        'f' | 'F' => (b'f', flags.precision.or(Some(6))),
        'e' | 'E' => (verb as u8, flags.precision.or(Some(6))),
        _ => return bad_verb(out, value, verb, flags),
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

pub(super) fn string(out: &mut Vec<u8>, value: &Value, bytes: &[u8], verb: char, flags: Flags) {
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
        _ => bad_verb(out, value, verb, flags),
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
