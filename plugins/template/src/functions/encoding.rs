//! JSON, and bytes as text (Masterminds/sprig `defaults.go`, `strings.go`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Result, text};
use crate::encode::json::{self, Style};
use crate::error::CallError;
use crate::exec::Call;
use crate::function::Function;
use crate::function::Type::{Any, String as Str};
use crate::value::Value;

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("mustFromJson", &[Str], from_json),
    Function::new("mustToJson", &[Any], |_, v| must_write(v, Style::COMPACT)),
    Function::new("toPrettyJson", &[Any], |_, v| {
        Ok(json::write(&v[0], PRETTY).unwrap_or_default().into())
    }),
    Function::new("mustToPrettyJson", &[Any], |_, v| must_write(v, PRETTY)),
    Function::new("toRawJson", &[Any], |_, v| must_write(v, RAW)),
    Function::new("mustToRawJson", &[Any], |_, v| must_write(v, RAW)),
    Function::new("b64enc", &[Str], |_, v| {
        Ok(STANDARD
            .encode(v[0].string_bytes().unwrap_or_default())
            .into())
    }),
    Function::new("b64dec", &[Str], |_, v| {
        Ok(match decode64(v[0].string_bytes().unwrap_or_default()) {
            Ok(bytes) => Value::string_from_bytes(bytes),
            // Sprig returns the text of the error.
            Err(at) => format!("illegal base64 data at input byte {at}").into(),
        })
    }),
    Function::new("b32enc", &[Str], |_, v| {
        Ok(encode32(v[0].string_bytes().unwrap_or_default()).into())
    }),
    Function::new("b32dec", &[Str], |_, v| {
        Ok(match decode32(v[0].string_bytes().unwrap_or_default()) {
            Ok(bytes) => Value::string_from_bytes(bytes),
            Err(at) => format!("illegal base32 data at input byte {at}").into(),
        })
    }),
];

const PRETTY: Style = Style {
    escape_html: true,
    indent: true,
};

const RAW: Style = Style {
    escape_html: false,
    indent: false,
};

fn must_write(v: &[Value], style: Style) -> Result {
    match json::write(&v[0], style) {
        Ok(text) => Ok(text.into()),
        Err(error) => Err(CallError::text(error.to_string())),
    }
}

fn from_json(_: &mut Call<'_>, v: &[Value]) -> Result {
    match weir_yaml::json::parse(&text(&v[0])) {
        Ok(plain) => Ok((&plain).into()),
        Err(error) => Err(CallError::text(error.to_string())),
    }
}

fn sextet(byte: u8) -> Option<u32> {
    Some(
        match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        }
        .into(),
    )
}

/// Padded base64 with line breaks anywhere; the error is the place that Go's decoder names.
pub(super) fn decode64(input: &[u8]) -> std::result::Result<Vec<u8>, usize> {
    let mut symbols = input
        .iter()
        .enumerate()
        .filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
    let mut out = Vec::with_capacity(input.len() / 4 * 3);
    let (mut bits, mut held) = (0, 0);
    while let Some((at, byte)) = symbols.next() {
        if let Some(value) = sextet(*byte) {
            bits = bits << 6 | value;
            held += 1;
            if held == 4 {
                out.extend_from_slice(&bits.to_be_bytes()[1..]);
                (bits, held) = (0, 0);
            }
            continue;
        }
        if *byte != b'=' || held < 2 {
            return Err(at);
        }
        if held == 2 {
            match symbols.next() {
                Some((_, b'=')) => {}
                Some((at, _)) => return Err(at - 1),
                None => return Err(input.len()),
            }
        }
        if let Some((at, _)) = symbols.next() {
            return Err(at);
        }
        let bytes = (bits << (6 * (4 - held))).to_be_bytes();
        out.extend_from_slice(&bytes[1..held]);
        return Ok(out);
    }
    if held > 0 {
        // Go names the start of the group that is not complete.
        return Err(input.len() - held);
    }
    Ok(out)
}

const ALPHABET32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn encode32(input: &[u8]) -> String {
    let mut out = String::with_capacity(input.len().div_ceil(5) * 8);
    for chunk in input.chunks(5) {
        let mut bytes = [0; 8];
        bytes[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(bytes);
        let symbols = (chunk.len() * 8).div_ceil(5);
        for i in 0..8 {
            let symbol = (bits >> (35 - 5 * i)) as usize & 31;
            out.push(if i < symbols {
                char::from(ALPHABET32[symbol])
            } else {
                '='
            });
        }
    }
    out
}

/// Padded base32 with line breaks anywhere (golang/go `src/encoding/base32`).
fn decode32(input: &[u8]) -> std::result::Result<Vec<u8>, usize> {
    let symbols: Vec<u8> = input
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let mut out = Vec::new();
    for (group, chunk) in symbols.chunks(8).enumerate() {
        let start = group * 8;
        let mut bits = 0u64;
        for (i, byte) in chunk.iter().enumerate() {
            if *byte == b'=' && i >= 2 && symbols.len() - (start + i + 1) < 8 {
                padding(&symbols, start, i)?;
                out.extend_from_slice(&bits.to_be_bytes()[3..3 + i * 5 / 8]);
                return Ok(out);
            }
            let value = ALPHABET32.iter().position(|symbol| symbol == byte);
            let value = value.ok_or(start + i)?;
            bits |= (value as u64) << (35 - 5 * i);
        }
        if chunk.len() < 8 {
            return Err(start);
        }
        out.extend_from_slice(&bits.to_be_bytes()[3..]);
    }
    Ok(out)
}

/// Whether the last group, of which so many symbols are data, ends as it must.
fn padding(symbols: &[u8], start: usize, data: usize) -> std::result::Result<(), usize> {
    let rest = &symbols[start + data + 1..];
    let wanted = 7 - data;
    if rest.len() < wanted {
        return Err(symbols.len());
    }
    if let Some(at) = rest[..wanted].iter().position(|byte| *byte != b'=') {
        return Err(start + data + at);
    }
    if matches!(data, 3 | 6) {
        return Err(start + data);
    }
    Ok(())
}
