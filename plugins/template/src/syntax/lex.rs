//! The lexer (golang/go `src/text/template/parse/lex.go`).
//!
//! It differs in what are tokens: white space in an action is told by the token behind it, and fields
//! within each other are one.

mod number;
mod text;

use super::token::{Token, TokenKind};

const LEFT: &[u8; 2] = b"{{";
const RIGHT: &[u8] = b"}}";
/// The marker and the space beside it.
const TRIM_MARKER: usize = 2;

/// Cuts the source into tokens, one at a time.
pub(super) struct Lexer<'s> {
    input: &'s str,
    /// Where the token begins.
    start: usize,
    pos: usize,
    /// White space was passed before the token.
    spaced: bool,
    inside_action: bool,
    paren_depth: usize,
    /// What is wrong, once a token said that something is.
    pub(super) message: String,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(input: &'s str) -> Self {
        Self {
            input,
            start: 0,
            pos: 0,
            spaced: false,
            inside_action: false,
            paren_depth: 0,
            message: String::new(),
        }
    }

    /// Kept out of the many places that look at a token again.
    #[inline(never)]
    pub(super) fn next_token(&mut self) -> Token {
        if self.inside_action {
            return self.inside_action();
        }
        loop {
            if let Some(token) = self.text() {
                return token;
            }
        }
    }

    /// What is left.
    fn bytes(&self) -> &'s [u8] {
        &self.input.as_bytes()[self.pos..]
    }

    fn byte(&self) -> Option<u8> {
        self.input.as_bytes().get(self.pos).copied()
    }

    /// What is left, where a character may be more than a byte.
    fn rest(&self) -> &'s str {
        self.input.get(self.pos..).unwrap_or_default()
    }

    fn token(&mut self, kind: TokenKind) -> Token {
        let token = Token {
            kind,
            spaced: self.spaced,
            start: self.start as u32,
            end: self.pos as u32,
        };
        self.start = self.pos;
        token
    }

    /// Passes bytes, of which the last is a token.
    fn take(&mut self, count: usize, kind: TokenKind) -> Token {
        self.pos += count;
        self.token(kind)
    }

    /// After an error there is nothing more.
    fn error(&mut self, message: impl Into<String>) -> Token {
        self.message = message.into();
        self.pos = self.start;
        self.input = self.input.get(..self.start).unwrap_or_default();
        self.inside_action = false;
        self.token(TokenKind::Error)
    }

    fn inside_action(&mut self) -> Token {
        let spaces = count_spaces(self.bytes());
        // The last of them may be that of a trim marker that closes the action.
        let trims = spaces > 0 && self.bytes()[spaces..].starts_with(b"-}}");
        self.pos += spaces - usize::from(trims);
        self.start = self.pos;
        self.spaced = spaces > usize::from(trims);
        let Some(byte) = self.byte() else {
            return self.error("unclosed action");
        };
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.identifier(),
            b'.' => self.fields(),
            b'$' => self.variable(),
            _ if trims || self.bytes().starts_with(RIGHT) => self.right_delim(trims),
            b'(' => {
                self.paren_depth += 1;
                self.take(1, TokenKind::LeftParen)
            }
            b')' => {
                if self.paren_depth == 0 {
                    return self.error("unexpected right paren");
                }
                self.paren_depth -= 1;
                self.take(1, TokenKind::RightParen)
            }
            b'|' => self.take(1, TokenKind::Pipe),
            b'"' => self.quoted(TokenKind::String, "unterminated quoted string"),
            b'`' => self.raw_quoted(),
            b':' if self.bytes().starts_with(b":=") => self.take(2, TokenKind::Declare),
            b':' => self.error("expected :="),
            b'=' => self.take(1, TokenKind::Assign),
            b'+' | b'-' | b'0'..=b'9' => self.number(),
            b'\'' => self.quoted(TokenKind::CharConstant, "unterminated character constant"),
            b' '..=b'~' => self.take(1, TokenKind::Char),
            _ if self.rest().starts_with(is_alphanumeric) => self.identifier(),
            _ => {
                let c = code_point(self.rest().chars().next());
                self.error(format!("unrecognized character in action: {c}"))
            }
        }
    }

    fn right_delim(&mut self, trims: bool) -> Token {
        if self.paren_depth > 0 {
            return self.error("unclosed left paren");
        }
        if trims {
            self.pos += TRIM_MARKER;
            self.start = self.pos;
        }
        let token = self.take(RIGHT.len(), TokenKind::RightDelim);
        if trims {
            self.skip_spaces();
        }
        self.inside_action = false;
        token
    }

    /// Passes white space that belongs to nothing.
    fn skip_spaces(&mut self) {
        self.pos += count_spaces(self.bytes());
        self.start = self.pos;
    }

    fn identifier(&mut self) -> Token {
        self.skip_alphanumerics();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let word = self.input.get(self.start..self.pos).unwrap_or_default();
        let kind = TokenKind::keyword(word).unwrap_or(TokenKind::Identifier);
        self.token(kind)
    }

    fn variable(&mut self) -> Token {
        self.pos += 1;
        self.name(TokenKind::Variable, TokenKind::Variable)
    }

    /// A name that may be missing.
    fn name(&mut self, kind: TokenKind, without: TokenKind) -> Token {
        if self.at_terminator() {
            return self.token(without);
        }
        self.skip_alphanumerics();
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.token(kind)
    }

    /// A period: with names it is fields, with digits a number, alone the dot.
    fn fields(&mut self) -> Token {
        if self.bytes().get(1).is_some_and(u8::is_ascii_digit) {
            return self.number();
        }
        self.pos += 1;
        let mut token = self.name(TokenKind::Field, TokenKind::Dot);
        // Anything but a plain name is left to be looked at as a token of its own.
        while token.kind == TokenKind::Field && self.byte() == Some(b'.') {
            let name = count_ascii(&self.bytes()[1..]);
            let first = self.bytes().get(1).copied().unwrap_or_default();
            self.pos += 1 + name;
            if name == 0 || first.is_ascii_digit() || !self.at_terminator() {
                self.pos = self.start;
                break;
            }
            self.start = self.pos;
            token.end = self.pos as u32;
        }
        token
    }

    fn skip_alphanumerics(&mut self) {
        self.pos += count_ascii(self.bytes());
        // Letters of other scripts are letters, too.
        if self.byte().is_some_and(|byte| !byte.is_ascii()) {
            let tail = self.rest();
            self.pos += tail.find(|c| !is_alphanumeric(c)).unwrap_or(tail.len());
        }
    }

    fn bad_character(&mut self) -> Token {
        let c = self.rest().chars().next();
        self.error(format!("bad character {}", code_point(c)))
    }

    /// Whether a name may end here; `$x+2` is no expression.
    fn at_terminator(&self) -> bool {
        match self.byte() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'.' | b',' | b'|' | b':' | b')' | b'(') => {
                true
            }
            Some(_) => self.bytes().starts_with(RIGHT),
        }
    }

    fn quoted(&mut self, kind: TokenKind, unterminated: &str) -> Token {
        let quote = self.bytes()[0];
        self.pos += 1;
        loop {
            // Nothing in between ends it.
            let rest = self.bytes();
            let Some(plain) = memchr::memchr3(quote, b'\\', b'\n', rest) else {
                return self.error(unterminated);
            };
            self.pos += plain + 1;
            if rest[plain] == quote {
                return self.token(kind);
            }
            let escaped = self.rest().chars().next().filter(|c| *c != '\n');
            match escaped {
                Some(c) if rest[plain] == b'\\' => self.pos += c.len_utf8(),
                _ => return self.error(unterminated),
            }
        }
    }

    fn raw_quoted(&mut self) -> Token {
        match memchr::memchr(b'`', &self.bytes()[1..]) {
            Some(end) => self.take(end + 2, TokenKind::RawString),
            None => self.error("unterminated raw quoted string"),
        }
    }
}

fn count_spaces(bytes: &[u8]) -> usize {
    let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    bytes.iter().take_while(is_space).count()
}

/// How many letters, digits and underscores there are, as far as they are ASCII.
fn count_ascii(bytes: &[u8]) -> usize {
    let is_alphanumeric = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    bytes.iter().take_while(is_alphanumeric).count()
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// `%#U` of a character; the end of the input is -1 there, which prints as this.
fn code_point(c: Option<char>) -> String {
    match c {
        None => "U+FFFFFFFFFFFFFFFF".to_owned(),
        Some(c) if c.is_control() => format!("U+{:04X}", u32::from(c)),
        Some(c) => format!("U+{:04X} '{c}'", u32::from(c)),
    }
}
