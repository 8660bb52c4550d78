//! Regular expressions (Masterminds/sprig `regex.go`).

use std::rc::Rc;

use ::regex::{NoExpand, Regex};

use super::{Result, int, text};
use crate::error::CallError;
use crate::exec::Call;
use crate::function::Function;
use crate::function::Type::{Int, String as Str};
use crate::value::{List, ListType, Value};

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("regexMatch", &[Str, Str], |call, v| {
        // An expression that cannot be read matches nothing.
        let Ok(regex) = call.regexes.get(&text(&v[0])) else {
            return Ok(false.into());
        };
        is_match(call, &regex, &v[1])
    }),
    Function::new("mustRegexMatch", &[Str, Str], |call, v| {
        let regex = checked(call, &v[0])?;
        is_match(call, &regex, &v[1])
    }),
    Function::new("regexFind", &[Str, Str], |call, v| {
        let regex = must(call, &v[0])?;
        find(call, &regex, &v[1])
    }),
    Function::new("mustRegexFind", &[Str, Str], |call, v| {
        let regex = checked(call, &v[0])?;
        find(call, &regex, &v[1])
    }),
    Function::new("regexFindAll", &[Str, Str, Int], |call, v| {
        let regex = must(call, &v[0])?;
        find_all(call, &regex, &v[1], int(&v[2]))
    }),
    Function::new("mustRegexFindAll", &[Str, Str, Int], |call, v| {
        let regex = checked(call, &v[0])?;
        find_all(call, &regex, &v[1], int(&v[2]))
    }),
    Function::new("regexReplaceAll", &[Str, Str, Str], |call, v| {
        let regex = must(call, &v[0])?;
        replace(call, &regex, v, true)
    }),
    Function::new("mustRegexReplaceAll", &[Str, Str, Str], |call, v| {
        let regex = checked(call, &v[0])?;
        replace(call, &regex, v, true)
    }),
    Function::new("regexReplaceAllLiteral", &[Str, Str, Str], |call, v| {
        let regex = must(call, &v[0])?;
        replace(call, &regex, v, false)
    }),
    Function::new("mustRegexReplaceAllLiteral", &[Str, Str, Str], |call, v| {
        let regex = checked(call, &v[0])?;
        replace(call, &regex, v, false)
    }),
    Function::new("regexSplit", &[Str, Str, Int], |call, v| {
        let regex = must(call, &v[0])?;
        split(call, &regex, &v[1], int(&v[2]))
    }),
    Function::new("mustRegexSplit", &[Str, Str, Int], |call, v| {
        let regex = checked(call, &v[0])?;
        split(call, &regex, &v[1], int(&v[2]))
    }),
    Function::new("regexQuoteMeta", &[Str], |_, v| {
        let special = |c| r"\.+*?()|[]{}^$".contains(c);
        let mut out = String::new();
        for c in text(&v[0]).chars() {
            if special(c) {
                out.push('\\');
            }
            out.push(c);
        }
        Ok(out.into())
    }),
];

type Compiled = std::result::Result<Rc<Regex>, CallError>;

fn checked(call: &mut Call<'_>, pattern: &Value) -> Compiled {
    let compiled = call.regexes.get(&text(pattern));
    compiled.map_err(|error| CallError::text(error.to_string()))
}

fn must(call: &mut Call<'_>, pattern: &Value) -> Compiled {
    call.regexes.must(&text(pattern)).map_err(CallError::from)
}

fn is_match(call: &mut Call<'_>, regex: &Regex, subject: &Value) -> Result {
    let subject = text(subject);
    call.charge(subject.len())?;
    Ok(regex.is_match(&subject).into())
}

fn find(call: &mut Call<'_>, regex: &Regex, subject: &Value) -> Result {
    let subject = text(subject);
    call.charge(subject.len())?;
    let found = regex.find(&subject);
    Ok(found.map_or("", |found| found.as_str()).into())
}

fn find_all(call: &mut Call<'_>, regex: &Regex, subject: &Value, count: i64) -> Result {
    let subject = text(subject);
    call.charge(subject.len())?;
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    let found = regex.find_iter(&subject).take(limit);
    let found: Vec<_> = found.map(|found| found.as_str().into()).collect();
    Ok(Value::List(Rc::new(if found.is_empty() {
        List::nil(ListType::Strings)
    } else {
        List::new(ListType::Strings, found)
    })))
}

/// Groups are named by the translation with an underscore in front, and so must the references be.
fn references(replacement: &str) -> String {
    let mut out = String::with_capacity(replacement.len());
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push_str("$$");
            rest = after;
            continue;
        }
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let (name, tail) = match after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            Some((name, tail)) if !name.is_empty() && name.chars().all(word) => (name, tail),
            Some(_) => ("", after),
            None => {
                let end = after.find(|c| !word(c)).unwrap_or(after.len());
                after.split_at(end)
            }
        };
        if name.is_empty() {
            // Nothing that refers to a group: the dollar stands for itself.
            out.push_str("$$");
            rest = after;
            continue;
        }
        let number = name.bytes().all(|byte| byte.is_ascii_digit());
        let mark = if number { "" } else { "_" };
        out.extend(["${", mark, name, "}"]);
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn replace(call: &mut Call<'_>, regex: &Regex, v: &[Value], expands: bool) -> Result {
    let (subject, replacement) = (text(&v[1]), text(&v[2]));
    call.charge(subject.len())?;
    let replaced = if expands && replacement.contains('$') {
        regex.replace_all(&subject, references(&replacement))
    } else {
        regex.replace_all(&subject, NoExpand(&replacement))
    };
    call.charge(replaced.len())?;
    Ok(replaced.into_owned().into())
}

fn split(call: &mut Call<'_>, regex: &Regex, subject: &Value, count: i64) -> Result {
    let subject = text(subject);
    call.charge(subject.len())?;
    if count == 0 {
        return Ok(Value::List(Rc::new(List::nil(ListType::Strings))));
    }
    if subject.is_empty() {
        return Ok(Value::strings([""]));
    }
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    let mut parts: Vec<Rc<str>> = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in regex.find_iter(&subject).take(limit) {
        if parts.len() + 1 == limit {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(subject[begin..end].into());
        }
        begin = found.end();
    }
    if end != subject.len() {
        parts.push(subject[begin..].into());
    }
    Ok(Value::strings(parts))
}
