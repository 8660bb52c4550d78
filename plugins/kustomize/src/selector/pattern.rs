//! Regular expressions with Go's syntax (RE2) and Go's messages.

use regex_lite::Regex;

use crate::error::{Error, Result};

/// A compiled pattern.
#[derive(Debug)]
pub(crate) enum Pattern {
    /// Nothing in it has a special meaning, and it must match as a whole.
    Literal(String),
    Regex(Regex),
}

fn is_special(c: char) -> bool {
    matches!(
        c,
        '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' | '\\'
    )
}

impl Pattern {
    /// A pattern that has to match a whole text.
    pub(crate) fn anchored(pattern: &str) -> Result<Self> {
        if !pattern.contains(is_special) {
            return Ok(Self::Literal(pattern.to_owned()));
        }
        Self::search(&format!("^(?:{pattern})$"))
    }

    /// A pattern that may match anywhere.
    pub(crate) fn search(pattern: &str) -> Result<Self> {
        if let Some(problem) = syntax_problem(pattern) {
            return Err(Error::new(format!("error parsing regexp: {problem}")));
        }
        // Go reads `$` as the very end, as this engine does, and `{` that starts no repetition as
        // itself, which this engine does not.
        Regex::new(&escape_stray_braces(pattern))
            .map(Self::Regex)
            .map_err(|err| Error::new(format!("error parsing regexp: {err}: `{pattern}`")))
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == text,
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Length of `{n}`, `{n,}` or `{n,m}` at the start of `rest`.
fn repetition(rest: &str) -> Option<usize> {
    let end = rest.find('}')?;
    let (min, max) = rest[1..end].split_once(',').unwrap_or((&rest[1..end], "0"));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    (!min.is_empty() && digits(min) && digits(max)).then_some(end + 1)
}

fn escape_stray_braces(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut at = 0;
    let mut in_class = false;
    while let Some(c) = pattern[at..].chars().next() {
        let mut len = c.len_utf8();
        match c {
            '\\' => {
                len += pattern[at + 1..].chars().next().map_or(0, char::len_utf8);
                if let Some(rest) = pattern[at..].strip_prefix("\\z") {
                    out.push('$');
                    at = pattern.len() - rest.len();
                    continue;
                }
                // `\pN` and `\x{10}` keep their braces.
                if matches!(pattern[at + 1..].chars().next(), Some('p' | 'P' | 'x'))
                    && pattern[at + 2..].starts_with('{')
                {
                    len = pattern[at..].find('}').map_or(len, |end| end + 1);
                }
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '{' if !in_class => match repetition(&pattern[at..]) {
                Some(whole) => len = whole,
                None => out.push('\\'),
            },
            '}' if !in_class => out.push('\\'),
            _ => {}
        }
        out.push_str(&pattern[at..at + len]);
        at += len;
    }
    out
}

/// The mistakes that people make, in Go's words.
fn syntax_problem(pattern: &str) -> Option<String> {
    let mut depth = 0usize;
    let mut class_start = None;
    let mut repeatable = false;
    let mut chars = pattern.char_indices();
    while let Some((at, c)) = chars.next() {
        if let Some(start) = class_start {
            match c {
                '\\' => {
                    chars.next();
                }
                ']' if at > start + 1 => class_start = None,
                _ => {}
            }
            repeatable = true;
            continue;
        }
        match c {
            '\\' => {
                if chars.next().is_none() {
                    return Some("trailing backslash at end of expression: ``".to_owned());
                }
                repeatable = true;
            }
            '[' => class_start = Some(at),
            '(' => {
                depth += 1;
                repeatable = false;
                // `(?:`, `(?P<name>` and `(?i:` open a group; `(?i)` is none.
                if pattern[at + 1..].starts_with('?')
                    && chars
                        .find(|(_, c)| matches!(c, ':' | '>' | ')'))
                        .map(|(_, c)| c)
                        == Some(')')
                {
                    depth -= 1;
                }
            }
            ')' if depth == 0 => return Some(format!("unexpected ): `{pattern}`")),
            ')' => {
                depth -= 1;
                repeatable = true;
            }
            '|' => repeatable = false,
            '*' | '+' | '?' if !repeatable => {
                return Some(format!("missing argument to repetition operator: `{c}`"));
            }
            _ => repeatable = true,
        }
    }
    if let Some(start) = class_start {
        return Some(format!("missing closing ]: `{}`", &pattern[start..]));
    }
    (depth > 0).then(|| format!("missing closing ): `{pattern}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_read_as_in_go() {
        let message = |pattern| {
            Pattern::anchored(pattern)
                .map(|_| ())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            message("c("),
            "error parsing regexp: missing closing ): `^(?:c()$`"
        );
        assert_eq!(
            message("*a"),
            "error parsing regexp: missing argument to repetition operator: `*`"
        );
    }

    #[test]
    fn groups_of_all_kinds_are_read() {
        for pattern in ["(?i)a", "(?i:a)b", "(?P<x>a)+", "a(?:b)*"] {
            assert!(
                Pattern::search(pattern).unwrap().is_match("ab"),
                "{pattern}"
            );
        }
    }

    #[test]
    fn braces_may_stand_for_themselves() {
        assert!(Pattern::search("a{b}").unwrap().is_match("xa{b}"));
        assert!(Pattern::search("^a{2}$").unwrap().is_match("aa"));
    }
}
