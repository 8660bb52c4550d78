//! Words within names, as huandu/xstrings `convert.go` finds them.

use super::{lower_char, upper_char};

/// What a word is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Number,
    /// Upper case, or one upper case letter and lower case behind it.
    Upper,
    Letters,
    Connector,
    Punctuation,
    Other,
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

fn is_punctuation(c: char) -> bool {
    // Among ASCII, `unicode.IsPunct` leaves out the symbols.
    if c.is_ascii() {
        return c.is_ascii_punctuation() && !"$+<=>^`|~".contains(c);
    }
    matches!(c, '¡' | '§' | '«' | '¶' | '·' | '»' | '¿' | '\u{2010}'..='\u{2027}'
        | '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}')
}

fn is_letter(c: char) -> bool {
    let cjk = matches!(c, '\u{3400}'..='\u{4db5}' | '\u{4e00}'..='\u{9fcc}'
        | '\u{20000}'..='\u{2b81d}');
    c.is_alphabetic() && !cjk
}

/// How many bytes at the start satisfy the rule.
fn run(text: &str, rule: impl Fn(char) -> bool) -> usize {
    text.find(|c| !rule(c)).unwrap_or(text.len())
}

fn is_lower_letter(c: char) -> bool {
    is_letter(c) && !c.is_uppercase()
}

/// Takes one word off the front.
fn next_word<'t>(rest: &mut &'t str) -> Option<(Word, &'t str)> {
    let first = rest.chars().next()?;
    let tail = &rest[first.len_utf8()..];
    let (word, len) = if is_connector(first) {
        (Word::Connector, run(rest, is_connector))
    } else if is_punctuation(first) {
        (Word::Punctuation, run(rest, is_punctuation))
    } else if first.is_uppercase() {
        let capitals = run(rest, char::is_uppercase);
        let behind = rest[capitals..].chars().next();
        let len = if capitals == first.len_utf8() {
            capitals + run(tail, is_lower_letter)
        } else if behind.is_some_and(is_letter) {
            // "HTTPStatus" is "HTTP" and "Status".
            let last = rest[..capitals].chars().next_back();
            capitals - last.map_or(0, char::len_utf8)
        } else {
            capitals
        };
        (Word::Upper, len)
    } else if is_letter(first) {
        (Word::Letters, run(rest, is_lower_letter))
    } else if first.is_numeric() {
        (Word::Number, run(rest, char::is_numeric))
    } else {
        let other =
            |c: char| !(is_connector(c) || is_letter(c) || c.is_numeric() || is_punctuation(c));
        (Word::Other, first.len_utf8() + run(tail, other))
    };
    let (head, after) = rest.split_at(len);
    *rest = after;
    Some((word, head))
}

/// Snake case and kebab case.
pub(super) fn separated(text: &str, connector: char) -> String {
    let mut rest = text;
    let mut out = String::new();
    let mut current = next_word(&mut rest);
    while !rest.is_empty() {
        let Some((kind, word)) = current else {
            break;
        };
        if kind != Word::Connector {
            push(&mut out, kind, word, connector);
        }
        current = next_word(&mut rest);
        match kind {
            Word::Number => {
                push_letters(&mut out, &mut current, &mut rest, connector);
                connect(&mut out, current, connector);
            }
            Word::Connector => push(&mut out, kind, word, connector),
            Word::Punctuation => {}
            _ => after_letters(&mut out, &mut current, &mut rest, connector),
        }
    }
    if let Some((kind, word)) = current {
        push(&mut out, kind, word, connector);
    }
    out
}

/// What stands between a word of letters and the word behind it.
fn after_letters<'t>(
    out: &mut String,
    current: &mut Option<(Word, &'t str)>,
    rest: &mut &'t str,
    connector: char,
) {
    let Some((kind, word)) = *current else {
        return;
    };
    if kind != Word::Number {
        connect(out, *current, connector);
        return;
    }
    if rest.is_empty() {
        return;
    }
    *current = next_word(rest);
    let letters_follow = current.is_some_and(|(kind, _)| kind == Word::Letters);
    if letters_follow {
        // "HTTP2xx" is "http_2xx".
        out.push(connector);
        push(out, Word::Number, word, connector);
        push_letters(out, current, rest, connector);
        connect(out, *current, connector);
    } else {
        // "Bld4Floor" is "bld4_floor".
        push(out, Word::Number, word, connector);
        connect(out, *current, connector);
    }
}

/// Letters and numbers in a row are one word.
fn push_letters<'t>(
    out: &mut String,
    current: &mut Option<(Word, &'t str)>,
    rest: &mut &'t str,
    connector: char,
) {
    while let Some((kind @ (Word::Letters | Word::Number), word)) = *current {
        push(out, kind, word, connector);
        *current = next_word(rest);
    }
}

fn connect(out: &mut String, next: Option<(Word, &str)>, connector: char) {
    if next.is_some_and(|(kind, _)| !matches!(kind, Word::Connector | Word::Punctuation)) {
        out.push(connector);
    }
}

fn push(out: &mut String, kind: Word, word: &str, connector: char) {
    match kind {
        Word::Connector => out.extend(word.chars().map(|_| connector)),
        Word::Upper => out.extend(word.chars().map(lower_char)),
        _ => out.push_str(word),
    }
}

/// Camel case that begins with a capital.
pub(super) fn pascal(text: &str) -> String {
    let start = run(text, is_connector);
    let (leading, body) = text.split_at(start);
    let mut out = leading.to_owned();
    let mut chars = body.chars();
    let Some(first) = chars.next() else {
        return out;
    };
    // Within a word that begins with a capital, further capitals are made small.
    let mut capitals = first.is_uppercase();
    let mut held = upper_char(first);
    for c in chars {
        let mut next = c;
        match (is_connector(held), is_connector(c)) {
            (true, true) => out.push(held),
            (true, false) => {
                capitals = c.is_uppercase();
                next = upper_char(c);
            }
            (false, _) => {
                if capitals && c.is_uppercase() {
                    next = lower_char(c);
                } else {
                    capitals = false;
                }
                out.push(held);
            }
        }
        held = next;
    }
    out.push(held);
    out
}
