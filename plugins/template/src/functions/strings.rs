//! Strings (Masterminds/sprig `strings.go`, and what `functions.go` takes from Go's `strings`).
//!
//! Go's strings are bytes, and Sprig cuts them where it is told to, characters or not.

use std::rc::Rc;

use super::{Result, int, text};
use crate::error::CallError;
use crate::exec::Call;
use crate::fmt;
use crate::function::Function;
use crate::function::Type::{Any, Int, String as Str};
use crate::syntax::quote::quote_bytes;
use crate::value::{Map, MapType, Value};

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("hello", &[], |_, _| Ok("Hello!".into())),
    Function::new("trim", &[Str], trim),
    Function::new("upper", &[Str], |_, v| {
        Ok(super::case::upper(&text(&v[0])).into())
    }),
    Function::new("lower", &[Str], |_, v| {
        Ok(super::case::lower(&text(&v[0])).into())
    }),
    Function::new("trunc", &[Int, Str], trunc),
    Function::new("substr", &[Int, Int, Str], substr),
    Function::new("repeat", &[Int, Str], repeat),
    Function::new("trimall", &[Str, Str], trim_all),
    Function::new("trimAll", &[Str, Str], trim_all),
    Function::new("trimSuffix", &[Str, Str], trim_suffix),
    Function::new("trimPrefix", &[Str, Str], trim_prefix),
    Function::new("nospace", &[Str], |_, v| {
        Ok(text(&v[0]).replace(char::is_whitespace, "").into())
    }),
    Function::new("contains", &[Str, Str], |_, v| {
        Ok(text(&v[1]).contains(&*text(&v[0])).into())
    }),
    Function::new("hasPrefix", &[Str, Str], |_, v| {
        Ok(text(&v[1]).starts_with(&*text(&v[0])).into())
    }),
    Function::new("hasSuffix", &[Str, Str], |_, v| {
        Ok(text(&v[1]).ends_with(&*text(&v[0])).into())
    }),
    Function::variadic("quote", &[Any], quote),
    Function::variadic("squote", &[Any], squote),
    Function::variadic("cat", &[Any], cat),
    Function::new("indent", &[Int, Str], |call, v| indent(call, v, "")),
    Function::new("nindent", &[Int, Str], |call, v| indent(call, v, "\n")),
    Function::new("replace", &[Str, Str, Str], replace),
    Function::new("plural", &[Str, Str, Int], |_, v| {
        Ok(v[usize::from(int(&v[2]) != 1)].clone())
    }),
    Function::new("toString", &[Any], |_, v| Ok(string_of(&v[0]))),
    Function::new("split", &[Str, Str], |_, v| {
        Ok(numbered(split(&text(&v[1]), &text(&v[0]), -1)))
    }),
    Function::new("splitn", &[Str, Int, Str], |_, v| {
        Ok(numbered(split(&text(&v[2]), &text(&v[0]), int(&v[1]))))
    }),
    Function::new("splitList", &[Str, Str], |_, v| {
        Ok(Value::strings(split(&text(&v[1]), &text(&v[0]), -1)))
    }),
    Function::new("toStrings", &[Any], |_, v| {
        Ok(Value::strings(strings_of(&v[0])))
    }),
    Function::new("join", &[Str, Any], join),
];

/// What a value is as text (`strval`), binary strings included.
pub(super) fn string_of(value: &Value) -> Value {
    match value {
        Value::String(_) | Value::Raw(_) => value.clone(),
        Value::Bytes(bytes) => Value::string_from_bytes(bytes.to_vec()),
        value => {
            let mut out = Vec::new();
            fmt::print(&mut out, value);
            Value::string_from_bytes(out)
        }
    }
}

/// As [`string_of`], where what is not UTF-8 does not matter.
pub(super) fn text_of(value: &Value) -> Rc<str> {
    match string_of(value) {
        Value::String(text) => text,
        other => text(&other).into(),
    }
}

/// The items of a list as texts, without those that are nil (`strslice`).
pub(super) fn strings_of(value: &Value) -> Vec<Rc<str>> {
    match super::lists::items(value) {
        Some(items) => items
            .iter()
            .filter(|item| !item.is_nil())
            .map(text_of)
            .collect(),
        None if value.is_nil() => Vec::new(),
        None => vec![text_of(value)],
    }
}

/// The panic of Go for `s[from:to]`.
fn out_of_range(from: Option<i64>, to: i64, len: usize) -> CallError {
    let text = match from {
        _ if to > len as i64 => format!("[:{to}] with length {len}"),
        None => format!("[:{to}]"),
        Some(from) => format!("[{from}:{to}]"),
    };
    CallError::text(format!("runtime error: slice bounds out of range {text}"))
}

fn cut(value: &Value, from: usize, to: usize) -> Value {
    let bytes = value.string_bytes().unwrap_or_default();
    Value::string_from_bytes(bytes.get(from..to).unwrap_or_default().to_vec())
}

fn byte_len(value: &Value) -> usize {
    value.string_bytes().map_or(0, <[u8]>::len)
}

fn trunc(_: &mut Call<'_>, v: &[Value]) -> Result {
    let (at, len) = (int(&v[0]), byte_len(&v[1]));
    let from_end = len as i64 + at;
    if at < 0 && from_end > 0 {
        return Ok(cut(&v[1], from_end as usize, len));
    }
    if at >= 0 && (len as i64) > at {
        return Ok(cut(&v[1], 0, at as usize));
    }
    Ok(v[1].clone())
}

fn substr(_: &mut Call<'_>, v: &[Value]) -> Result {
    let (start, end, len) = (int(&v[0]), int(&v[1]), byte_len(&v[2]));
    if start < 0 {
        if end < 0 || end > len as i64 {
            return Err(out_of_range(None, end, len));
        }
        return Ok(cut(&v[2], 0, end as usize));
    }
    let end = if end < 0 || end > len as i64 {
        len as i64
    } else {
        end
    };
    if start > end {
        return Err(out_of_range(Some(start), end, len));
    }
    Ok(cut(&v[2], start as usize, end as usize))
}

fn repeat(call: &mut Call<'_>, v: &[Value]) -> Result {
    repeated(call, &v[1], int(&v[0])).map(Value::string_from_bytes)
}

fn repeated(
    call: &mut Call<'_>,
    value: &Value,
    count: i64,
) -> std::result::Result<Vec<u8>, CallError> {
    let count = usize::try_from(count).map_err(|_| "strings: negative Repeat count")?;
    let bytes = value.string_bytes().unwrap_or_default();
    let size = bytes.len().checked_mul(count);
    call.charge(size.unwrap_or(usize::MAX))?;
    Ok(bytes.repeat(count))
}

fn trim(_: &mut Call<'_>, v: &[Value]) -> Result {
    match &v[0] {
        Value::Raw(bytes) => Ok(Value::string_from_bytes(bytes.trim_ascii().to_vec())),
        value => Ok(text(value).trim().into()),
    }
}

fn trim_all(_: &mut Call<'_>, v: &[Value]) -> Result {
    let set = text(&v[0]);
    Ok(text(&v[1]).trim_matches(|c| set.contains(c)).into())
}

fn trim_suffix(_: &mut Call<'_>, v: &[Value]) -> Result {
    let whole = text(&v[1]);
    match whole.strip_suffix(&*text(&v[0])) {
        Some(rest) => Ok(rest.into()),
        None => Ok(v[1].clone()),
    }
}

fn trim_prefix(_: &mut Call<'_>, v: &[Value]) -> Result {
    let whole = text(&v[1]);
    match whole.strip_prefix(&*text(&v[0])) {
        Some(rest) => Ok(rest.into()),
        None => Ok(v[1].clone()),
    }
}

/// Values that are not nil, each written in some way, with spaces between.
fn spaced(values: &[Value], mut write: impl FnMut(&Value, &mut Vec<u8>)) -> Value {
    let mut out = Vec::new();
    let present = values.iter().filter(|value| !value.is_nil());
    for (i, value) in present.enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        write(value, &mut out);
    }
    Value::string_from_bytes(out)
}

fn quote(_: &mut Call<'_>, v: &[Value]) -> Result {
    Ok(spaced(v, |value, out| {
        let text = string_of(value);
        quote_bytes(text.string_bytes().unwrap_or_default(), out);
    }))
}

fn squote(_: &mut Call<'_>, v: &[Value]) -> Result {
    Ok(spaced(v, |value, out| {
        out.push(b'\'');
        fmt::print(out, value);
        out.push(b'\'');
    }))
}

fn cat(_: &mut Call<'_>, v: &[Value]) -> Result {
    Ok(spaced(v, |value, out| fmt::print(out, value)))
}

fn indent(call: &mut Call<'_>, v: &[Value], before: &str) -> Result {
    let pad = repeated(call, &" ".into(), int(&v[0]))?;
    let bytes = v[1].string_bytes().unwrap_or_default();
    let lines = bytes.split(|byte| *byte == b'\n').count();
    let size = bytes.len() + lines * pad.len();
    call.charge(size)?;
    let mut out = Vec::with_capacity(before.len() + size);
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(&pad);
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
        out.extend_from_slice(&rest[..=at]);
        out.extend_from_slice(&pad);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    Ok(Value::string_from_bytes(out))
}

fn replace(call: &mut Call<'_>, v: &[Value]) -> Result {
    let replaced = text(&v[2]).replace(&*text(&v[0]), &text(&v[1]));
    call.charge(replaced.len())?;
    Ok(replaced.into())
}

/// `strings.SplitN`; a negative count is no bound.
pub(super) fn split(whole: &str, separator: &str, count: i64) -> Vec<Rc<str>> {
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    if limit == 0 {
        return Vec::new();
    }
    if !separator.is_empty() {
        return whole.splitn(limit, separator).map(Rc::from).collect();
    }
    let mut parts = Vec::new();
    let mut rest = whole;
    while let Some(c) = rest.chars().next() {
        if parts.len() + 1 == limit {
            parts.push(rest.into());
            break;
        }
        let (head, tail) = rest.split_at(c.len_utf8());
        parts.push(head.into());
        rest = tail;
    }
    parts
}

/// `_0`, `_1`, … as keys.
fn numbered(parts: Vec<Rc<str>>) -> Value {
    let entries = parts.into_iter().enumerate();
    Value::Map(Rc::new(Map::new(
        MapType::Strings,
        entries.map(|(i, part)| (format!("_{i}"), Value::String(part))),
    )))
}

fn join(call: &mut Call<'_>, v: &[Value]) -> Result {
    let joined = strings_of(&v[1]).join(&text(&v[0]));
    call.charge(joined.len())?;
    Ok(joined.into())
}
