//! Character classes and escapes.

use super::SyntaxError;

/// What an escape stands for.
pub(super) enum Escaped {
    Char(char),
    /// A set, as written within brackets.
    Set(String),
}

impl Escaped {
    /// As written outside of brackets.
    pub(super) fn outside(&self) -> String {
        match self {
            Self::Char(c) => literal(*c),
            Self::Set(set) => format!("[{set}]"),
        }
    }
}

/// A character that can have no meaning of its own.
fn literal(c: char) -> String {
    if c.is_ascii() && !c.is_ascii_alphanumeric() {
        format!("\\x{:02x}", u32::from(c))
    } else {
        c.to_string()
    }
}

/// Reads an escape, which begins with the backslash.
pub(super) fn escape(text: &str) -> Result<(Escaped, &str), SyntaxError> {
    let mut chars = text.chars();
    chars.next();
    let Some(c) = chars.next() else {
        return Err(SyntaxError::new(
            "trailing backslash at end of expression",
            "",
        ));
    };
    let rest = chars.as_str();
    let invalid = || {
        let piece: String = text.chars().take(2).collect();
        SyntaxError::new("invalid escape sequence", piece)
    };
    let set = |set: &str| Ok((Escaped::Set(set.to_owned()), rest));
    match c {
        'd' => return set("0-9"),
        'D' => return set("[^0-9]"),
        's' => return set(r"\t\n\x0c\r\x20"),
        'S' => return set(r"[^\t\n\x0c\r\x20]"),
        'w' => return set("0-9A-Za-z_"),
        'W' => return set("[^0-9A-Za-z_]"),
        'p' | 'P' => return property(text),
        _ => {}
    }
    let plain = match c {
        'a' => '\u{7}',
        'f' => '\u{c}',
        't' => '\t',
        'n' => '\n',
        'r' => '\r',
        'v' => '\u{b}',
        'x' => return hex(text),
        '0' => return Ok(octal(text, 1)),
        // One digit would be a reference to a group, which there is none of.
        '1'..='7' if rest.starts_with(|c: char| c.is_digit(8)) => return Ok(octal(text, 1)),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
        _ => return Err(invalid()),
    };
    Ok((Escaped::Char(plain), rest))
}

/// Up to three octal digits from a place on.
fn octal(text: &str, from: usize) -> (Escaped, &str) {
    let digits = text[from..]
        .bytes()
        .take(3)
        .take_while(|byte| matches!(byte, b'0'..=b'7'))
        .count();
    let code = u32::from_str_radix(&text[from..from + digits], 8).unwrap_or(0);
    let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    (Escaped::Char(c), &text[from + digits..])
}

/// `\xHH` or `\x{H…}`.
fn hex(text: &str) -> Result<(Escaped, &str), SyntaxError> {
    let body = &text[2..];
    let (digits, rest) = match body.strip_prefix('{') {
        Some(inner) => match inner.split_once('}') {
            Some(pieces) => pieces,
            None => return Err(SyntaxError::new("invalid escape sequence", text)),
        },
        None => match (body.get(..2), body.get(2..)) {
            (Some(digits), Some(rest)) => (digits, rest),
            _ => return Err(SyntaxError::new("invalid escape sequence", text)),
        },
    };
    let piece = &text[..text.len() - rest.len()];
    let valid = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
    let code = u32::from_str_radix(digits, 16).ok().filter(|_| valid);
    match code.and_then(char::from_u32) {
        Some(c) => Ok((Escaped::Char(c), rest)),
        None => Err(SyntaxError::new("invalid escape sequence", piece)),
    }
}

/// `\pL`, `\p{Greek}`, `\p{^Greek}`, and `\P` for what they are not.
fn property(text: &str) -> Result<(Escaped, &str), SyntaxError> {
    let negative = text[1..].starts_with('P');
    let body = &text[2..];
    let (name, rest) = if let Some(inner) = body.strip_prefix('{') {
        let whole = || SyntaxError::new("invalid character class range", text);
        inner.split_once('}').ok_or_else(whole)?
    } else {
        let len = body.chars().next().map_or(0, char::len_utf8);
        body.split_at(len)
    };
    let (inverted, name) = match name.strip_prefix('^') {
        Some(name) => (true, name),
        None => (false, name),
    };
    let piece = &text[..text.len() - rest.len()];
    let letter = if negative == inverted { 'p' } else { 'P' };
    let set = if name == "Any" {
        if letter == 'p' {
            r"\x00-\x{10ffff}".to_owned()
        } else {
            r"[^\x00-\x{10ffff}]".to_owned()
        }
    } else {
        format!("\\{letter}{{{name}}}")
    };
    // Names are those of Unicode in both, but Go wants them spelt exactly.
    let known = name.starts_with(|c: char| c.is_ascii_uppercase())
        && regex::Regex::new(&format!("[{set}]")).is_ok();
    if !known {
        return Err(SyntaxError::new("invalid character class range", piece));
    }
    Ok((Escaped::Set(set), rest))
}

/// Reads a class, which begins with its bracket.
pub(super) fn translate(text: &str) -> Result<(String, &str), SyntaxError> {
    let mut rest = &text[1..];
    let mut out = String::from("[");
    if let Some(inner) = rest.strip_prefix('^') {
        out.push('^');
        rest = inner;
    }
    let mut first = true;
    loop {
        let Some(c) = rest.chars().next() else {
            return Err(SyntaxError::new("missing closing ]", text));
        };
        if c == ']' && !first {
            out.push(']');
            return Ok((out, &rest[1..]));
        }
        first = false;
        if rest.starts_with("[:")
            && let Some(end) = rest.find(":]")
        {
            let name = &rest[..end + 2];
            if regex::Regex::new(&format!("[{name}]")).is_err() {
                return Err(SyntaxError::new("invalid character class range", name));
            }
            out.push_str(name);
            rest = &rest[end + 2..];
            continue;
        }
        rest = range(&mut out, rest)?;
    }
}

/// One character, a range, or an escape that is a set.
fn range<'t>(out: &mut String, text: &'t str) -> Result<&'t str, SyntaxError> {
    let (low, rest) = member(text)?;
    let low = match low {
        Escaped::Set(set) => {
            out.push_str(&set);
            return Ok(rest);
        }
        Escaped::Char(c) => c,
    };
    out.push_str(&literal(low));
    let Some(after) = rest.strip_prefix('-') else {
        return Ok(rest);
    };
    if after.starts_with(']') || after.is_empty() {
        return Ok(rest);
    }
    let (high, after) = member(after)?;
    let piece = &text[..text.len() - after.len()];
    match high {
        Escaped::Char(high) if low <= high => {
            out.push('-');
            out.push_str(&literal(high));
            Ok(after)
        }
        _ => Err(SyntaxError::new("invalid character class range", piece)),
    }
}

fn member(text: &str) -> Result<(Escaped, &str), SyntaxError> {
    if text.starts_with('\\') {
        return escape(text);
    }
    let mut chars = text.chars();
    let c = chars.next().unwrap_or_default();
    Ok((Escaped::Char(c), chars.as_str()))
}
