//! Quoted strings of Go (`strconv.Quote`, `strconv.Unquote`).

/// `%q` of a string.
pub(crate) fn quote(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    quote_inner(text, &mut out);
    out.push(b'"');
    String::from_utf8(out).unwrap_or_default()
}

/// `%q` of a string that need not be UTF-8.
pub(crate) fn quote_bytes(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    if let Ok(text) = std::str::from_utf8(text) {
        quote_inner(text, out);
    } else {
        for chunk in text.utf8_chunks() {
            quote_inner(chunk.valid(), out);
            for byte in chunk.invalid() {
                out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
            }
        }
    }
    out.push(b'"');
}

fn quote_inner(text: &str, out: &mut Vec<u8>) {
    let simple = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.bytes().all(simple) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        if !is_plain(c) {
            out.extend_from_slice(&text.as_bytes()[plain..at]);
            plain = at + c.len_utf8();
            escape(c, '"', out);
        }
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
}

fn is_plain(c: char) -> bool {
    match c {
        '"' | '\\' => false,
        ' '..='~' => true,
        _ => is_print(c),
    }
}

fn escape(c: char, quote: char, out: &mut Vec<u8>) {
    let short = match c {
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\u{c}' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\u{b}' => 'v',
        '\\' => '\\',
        c if c == quote => c,
        c if is_print(c) => {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
        c => {
            let text = match u32::from(c) {
                code @ (0..=0x1f | 0x7f) => format!("\\x{code:02x}"),
                code @ 0..=0xffff => format!("\\u{code:04x}"),
                code => format!("\\U{code:08x}"),
            };
            out.extend_from_slice(text.as_bytes());
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short as u8]);
}

/// `%q` of a character.
pub(crate) fn quote_char(c: char) -> String {
    let mut out = vec![b'\''];
    escape(c, '\'', &mut out);
    out.push(b'\'');
    String::from_utf8(out).unwrap_or_default()
}

/// Whether `strconv.IsPrint` lets a character through. Rust's own idea of what to escape in debug
/// output follows the same Unicode categories; the exceptions are spaces, combining marks and quotes.
pub(crate) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    if c.is_whitespace() || c.is_control() {
        return false;
    }
    let mut escaped = c.escape_debug();
    // Grapheme extenders are escaped by Rust but are printable marks in Go.
    escaped.len() == 1 || is_mark(c) && escaped.next() == Some('\\')
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}'
        | '\u{64b}'..='\u{65f}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}'
        | '\u{1ab0}'..='\u{1ace}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20f0}'
        | '\u{3099}'..='\u{309a}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{e0100}'..='\u{e01ef}')
}

/// What a quoted string of a template means, in any of Go's three quotes; nothing for what
/// `strconv.Unquote` refuses.
pub(crate) fn unquote(quoted: &str) -> Option<Vec<u8>> {
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    if quoted.starts_with('`') {
        return Some(inner.replace('\r', "").into_bytes());
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        match unescape(rest, '"')? {
            (Unescaped::Char(c), tail) => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = tail;
            }
            (Unescaped::Byte(byte), tail) => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    Some(out)
}

/// What a quoted string means that stands for itself: nothing is escaped in it. The lexer lets no
/// quotes and line breaks through.
pub(crate) fn verbatim(quoted: &str) -> Option<&str> {
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    let special = if quoted.starts_with('`') {
        b'\r'
    } else {
        b'\\'
    };
    memchr::memchr(special, inner.as_bytes())
        .is_none()
        .then_some(inner)
}

/// One character of a quoted string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unescaped {
    /// A character.
    Char(char),
    /// A byte, of `\x` or octal.
    Byte(u8),
}

/// Reads one character within quotes (`strconv.UnquoteChar`).
pub(crate) fn unescape(text: &str, quote: char) -> Option<(Unescaped, &str)> {
    let mut chars = text.chars();
    let c = chars.next()?;
    if c == quote || c == '\n' {
        return None;
    }
    if c != '\\' {
        return Some((Unescaped::Char(c), chars.as_str()));
    }
    let plain = match chars.next()? {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        q @ ('\'' | '"') if q == quote => q,
        'x' => return digits(chars.as_str(), 2, 16).map(byte),
        'u' => return digits(chars.as_str(), 4, 16).and_then(character),
        'U' => return digits(chars.as_str(), 8, 16).and_then(character),
        '0'..='7' => {
            let (code, tail) = digits(&text[1..], 3, 8)?;
            return (code < 256).then(|| byte((code, tail)));
        }
        _ => return None,
    };
    Some((Unescaped::Char(plain), chars.as_str()))
}

fn digits(text: &str, count: usize, radix: u32) -> Option<(u32, &str)> {
    let head = text.get(..count)?;
    if !head.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    Some((u32::from_str_radix(head, radix).ok()?, &text[count..]))
}

fn byte((code, tail): (u32, &str)) -> (Unescaped, &str) {
    (Unescaped::Byte(code as u8), tail)
}

fn character((code, tail): (u32, &str)) -> Option<(Unescaped, &str)> {
    char::from_u32(code).map(|c| (Unescaped::Char(c), tail))
}
