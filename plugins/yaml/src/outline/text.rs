//! Keys and texts that stand on one line.

use crate::decode;
use crate::resolve::{self, Dialect, Scalar};
use crate::value::Value;

/// Longer keys are left to the parser.
const MAX_KEY: usize = 256;

/// How far in a line is.
pub(super) fn spaces(line: &str) -> usize {
    line.bytes().take_while(|byte| *byte == b' ').count()
}

/// Whether nothing but a comment is left of a line.
pub(super) fn is_nothing(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('#')
}

/// A key of the plainest kind, with its quotes, and what follows its colon.
pub(super) fn split_key(line: &str) -> Option<(&str, &str)> {
    let bytes = line.as_bytes();
    let end = match *bytes.first()? {
        quote @ (b'"' | b'\'') => 2 + memchr::memchr(quote, &bytes[1..])?,
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => bytes.iter().position(|byte| {
            !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-' | b'.' | b'/')
        })?,
        _ => return None,
    };
    let (key, rest) = line.split_at(end);
    let value = rest.strip_prefix(':')?;
    let separate = value.is_empty() || value.starts_with(' ');
    (separate && key.len() <= MAX_KEY).then(|| (key, value.trim_start_matches(' ')))
}

/// What a key is called; nothing for one that is no text, or not plainly so.
pub(super) fn meaning_of_key(key: &str) -> Option<&str> {
    if key.starts_with(['"', '\'']) {
        let inner = &key[1..key.len() - 1];
        return (!inner.contains('\\')).then_some(inner);
    }
    match resolve::plain(Dialect::V2, key) {
        Scalar::Str => Some(key),
        Scalar::Bool(true) => Some("true"),
        Scalar::Bool(false) => Some("false"),
        _ => None,
    }
}

/// Whether a colon in text without quotes would make it a key.
pub(super) fn has_colon(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut colons = memchr::memchr_iter(b':', bytes);
    colons.any(|at| matches!(bytes.get(at + 1), None | Some(b' ')))
}

/// What is before a comment.
pub(super) fn without_comment(text: &str) -> &str {
    let bytes = text.as_bytes();
    let mut hashes = memchr::memchr_iter(b'#', bytes);
    match hashes.find(|at| *at == 0 || bytes[at - 1] == b' ') {
        Some(at) => text[..at].trim_end_matches(' '),
        None => text,
    }
}

/// The value of text without quotes.
pub(super) fn plain(text: &str, wanted: bool) -> Option<Value> {
    let bytes = text.as_bytes();
    let first = *bytes.first()?;
    let is_indicator = b",[]{}&*!|>'\"%@`".contains(&first)
        || b"-?:".contains(&first) && matches!(bytes.get(1), None | Some(b' '));
    if is_indicator || has_colon(text) {
        return None;
    }
    // Where it is not wanted, only numbers that JSON lacks matter.
    if !wanted && !b".+-".contains(&first) {
        return Some(Value::Null);
    }
    let value = decode::as_json(decode::plain_text(text)).ok()?;
    (!matches!(value, Value::Float(number) if !number.is_finite())).then_some(value)
}

/// The value of text in double quotes that ends on its line.
pub(super) fn double_quoted(text: &str, wanted: bool) -> Option<Value> {
    let bytes = text.as_bytes();
    let mut at = 1;
    let mut escapes = false;
    loop {
        at += memchr::memchr2(b'"', b'\\', &bytes[at..])?;
        if bytes[at] == b'"' {
            return quoted(text, at, wanted, escapes);
        }
        if !b"0abtnvfre \"'\\N_LP".contains(bytes.get(at + 1)?) {
            return None;
        }
        escapes = true;
        at += 2;
    }
}

/// The value of text in single quotes that ends on its line.
pub(super) fn single_quoted(text: &str, wanted: bool) -> Option<Value> {
    let bytes = text.as_bytes();
    let mut at = 1;
    let mut escapes = false;
    loop {
        at += memchr::memchr(b'\'', &bytes[at..])?;
        if bytes.get(at + 1) != Some(&b'\'') {
            return quoted(text, at, wanted, escapes);
        }
        escapes = true;
        at += 2;
    }
}

/// The value of text in quotes, of which the last stands at `end`. What it means with escapes is
/// left to the parser.
fn quoted(text: &str, end: usize, wanted: bool, escapes: bool) -> Option<Value> {
    let rest = &text[end + 1..];
    let ends = rest.is_empty() || rest.starts_with(' ') && is_nothing(rest.trim_start_matches(' '));
    match (ends, wanted) {
        (true, false) => Some(Value::Null),
        (true, true) if !escapes => Some(Value::from(&text[1..end])),
        _ => None,
    }
}
