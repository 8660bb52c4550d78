//! Cases of letters, and the shapes of words and lines (Masterminds/goutils, huandu/xstrings).

mod words;

use super::{Result, int, text};
use crate::exec::Call;
use crate::function::Function;
use crate::function::Type::{Int, String as Str};
use crate::value::Value;

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("title", &[Str], |_, v| Ok(title(&text(&v[0])).into())),
    Function::new("untitle", &[Str], |_, v| Ok(untitle(&text(&v[0])).into())),
    Function::new(
        "swapcase",
        &[Str],
        |_, v| Ok(swap_case(&text(&v[0])).into()),
    ),
    Function::new("snakecase", &[Str], |_, v| {
        Ok(words::separated(&text(&v[0]), '_').into())
    }),
    Function::new("kebabcase", &[Str], |_, v| {
        Ok(words::separated(&text(&v[0]), '-').into())
    }),
    Function::new("camelcase", &[Str], |_, v| {
        Ok(words::pascal(&text(&v[0])).into())
    }),
    Function::new("initials", &[Str], |_, v| Ok(initials(&text(&v[0])).into())),
    Function::new("abbrev", &[Int, Str], |_, v| {
        abbreviate(&v[1], 0, int(&v[0]))
    }),
    Function::new("abbrevboth", &[Int, Int, Str], |_, v| {
        abbreviate(&v[2], int(&v[0]), int(&v[1]))
    }),
    Function::new("wrap", &[Int, Str], |call, v| {
        wrap(call, &v[1], int(&v[0]), "", false)
    }),
    Function::new("wrapWith", &[Int, Str, Str], |call, v| {
        wrap(call, &v[2], int(&v[0]), &text(&v[1]), true)
    }),
];

/// `unicode.ToUpper`: one character for one.
pub(super) fn upper_char(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => c,
    }
}

/// `unicode.ToLower`.
pub(super) fn lower_char(c: char) -> char {
    let mut lower = c.to_lowercase();
    // The one character with a longer lower case is the dotted capital I.
    lower.next().unwrap_or(c)
}

pub(super) fn upper(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_uppercase();
    }
    text.chars().map(upper_char).collect()
}

pub(super) fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(lower_char).collect()
}

/// `strings.Title`.
fn title(text: &str) -> String {
    let mut before = ' ';
    text.chars()
        .map(|c| {
            let starts = is_separator(before);
            before = c;
            if starts { upper_char(c) } else { c }
        })
        .collect()
}

fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_alphanumeric() && c != '_';
    }
    !c.is_alphanumeric() && c.is_whitespace()
}

fn untitle(text: &str) -> String {
    let mut starts = true;
    text.chars()
        .map(|c| {
            if c.is_whitespace() {
                starts = true;
                c
            } else if std::mem::take(&mut starts) {
                lower_char(c)
            } else {
                c
            }
        })
        .collect()
}

fn swap_case(text: &str) -> String {
    let mut after_space = true;
    text.chars()
        .map(|c| {
            if c.is_uppercase() {
                after_space = false;
                lower_char(c)
            } else if c.is_lowercase() {
                after_space = false;
                upper_char(c)
            } else {
                after_space = c.is_whitespace();
                c
            }
        })
        .collect()
}

/// The library goes by bytes, each of which it takes for a character.
fn initials(text: &str) -> String {
    let mut after_space = true;
    let mut out = String::new();
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_whitespace() {
            after_space = true;
        } else if std::mem::take(&mut after_space) {
            out.push(c);
        }
    }
    out
}

/// Shortens to `width` bytes with an ellipsis at one end or both.
fn abbreviate(value: &Value, offset: i64, width: i64) -> Result {
    if width < 4 || offset > 0 && width < 7 {
        return Ok(value.clone());
    }
    let bytes = value.string_bytes().unwrap_or_default();
    let mut out = Vec::new();
    abbreviate_bytes(bytes, offset, width as usize, &mut out);
    Ok(Value::string_from_bytes(out))
}

fn abbreviate_bytes(bytes: &[u8], offset: i64, width: usize, out: &mut Vec<u8>) {
    if bytes.len() <= width {
        out.extend_from_slice(bytes);
        return;
    }
    let kept = width - 3;
    let mut offset = usize::try_from(offset).unwrap_or(0).min(bytes.len());
    if bytes.len() - offset < kept {
        offset = bytes.len() - kept;
    }
    if offset <= 4 {
        out.extend_from_slice(&bytes[..kept]);
        out.extend_from_slice(b"...");
    } else if width < 7 {
        // An error of the library, which Sprig drops.
    } else if offset + kept < bytes.len() {
        out.extend_from_slice(b"...");
        abbreviate_bytes(&bytes[offset..], 0, kept, out);
    } else {
        out.extend_from_slice(b"...");
        out.extend_from_slice(&bytes[bytes.len() - kept..]);
    }
}

/// Breaks lines at spaces, and long words if told to. By bytes.
fn wrap(call: &mut Call<'_>, value: &Value, width: i64, mark: &str, breaks_words: bool) -> Result {
    let bytes = value.string_bytes().unwrap_or_default();
    let mark = if mark.is_empty() { "\n" } else { mark };
    let width = usize::try_from(width).unwrap_or(0).max(1);
    call.charge(bytes.len().saturating_mul(1 + mark.len()))?;
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while bytes.len() - at > width {
        if bytes[at] == b' ' {
            at += 1;
            continue;
        }
        let line = &bytes[at..=at + width];
        if let Some(space) = line.iter().rposition(|byte| *byte == b' ') {
            out.extend_from_slice(&line[..space]);
            at += space + 1;
        } else if breaks_words {
            out.extend_from_slice(&line[..width]);
            at += width;
        } else {
            let beyond = bytes[at + width..].iter().position(|byte| *byte == b' ');
            let Some(beyond) = beyond else {
                break;
            };
            out.extend_from_slice(&bytes[at..at + width + beyond]);
            at += width + beyond + 1;
        }
        out.extend_from_slice(mark.as_bytes());
    }
    out.extend_from_slice(&bytes[at..]);
    Ok(Value::string_from_bytes(out))
}
