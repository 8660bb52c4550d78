//! The lexer (golang/go `src/text/template/parse/lex.go`).
//!
//! Lines are counted as there, including where an error is said to be, which is why positions are
//! kept the way they are.

mod number;
mod text;

use super::token::{Token, TokenKind};

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
/// The marker and the space beside it.
const TRIM_MARKER: usize = 2;

/// Cuts the source into tokens, one at a time.
pub(super) struct Lexer<'s> {
    input: &'s str,
    /// Where the token begins.
    start: usize,
    start_line: usize,
    pos: usize,
    line: usize,
    inside_action: bool,
    paren_depth: usize,
    /// What is wrong, once a token said that something is.
    pub(super) message: String,
}

type Scanned<'s> = Option<Token<'s>>;

impl<'s> Lexer<'s> {
    pub(super) fn new(input: &'s str) -> Self {
        Self {
            input,
            start: 0,
            start_line: 1,
            pos: 0,
            line: 1,
            inside_action: false,
            paren_depth: 0,
            message: String::new(),
        }
    }

    pub(super) fn next_token(&mut self) -> Token<'s> {
        loop {
            let token = if self.inside_action {
                Some(self.inside_action())
            } else {
                self.text()
            };
            if let Some(token) = token {
                return token;
            }
        }
    }

    fn rest(&self) -> &'s str {
        &self.input[self.pos..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    /// What is left, for looks at ASCII.
    fn bytes(&self) -> &'s [u8] {
        &self.input.as_bytes()[self.pos..]
    }

    fn token(&mut self, kind: TokenKind) -> Token<'s> {
        let token = Token {
            kind,
            pos: self.start as u32,
            line: self.start_line as u32,
            text: &self.input[self.start..self.pos],
        };
        self.start = self.pos;
        self.start_line = self.line;
        token
    }

    /// Steps over what was skipped without reading it character by character.
    fn ignore(&mut self) {
        self.line += newlines(&self.input[self.start..self.pos]);
        self.start = self.pos;
        self.start_line = self.line;
    }

    /// After an error there is nothing more.
    fn error(&mut self, message: String) -> Token<'s> {
        let token = Token {
            kind: TokenKind::Error,
            pos: self.start as u32,
            line: self.start_line as u32,
            text: "",
        };
        self.message = message;
        self.input = "";
        (self.start, self.pos) = (0, 0);
        self.inside_action = false;
        token
    }

    /// Whether an action ends here, and if so, with a trim marker.
    fn right_delim_ahead(&self) -> Option<bool> {
        match self.bytes() {
            [b'}', b'}', ..] => Some(false),
            [b' ' | b'\t' | b'\r' | b'\n', b'-', b'}', b'}', ..] => Some(true),
            _ => None,
        }
    }

    fn right_delim(&mut self) -> Token<'s> {
        let trim = self.right_delim_ahead() == Some(true);
        if trim {
            self.pos += TRIM_MARKER;
            self.ignore();
        }
        self.pos += RIGHT.len();
        let token = self.token(TokenKind::RightDelim);
        if trim {
            self.skip_spaces();
            self.ignore();
        }
        self.inside_action = false;
        token
    }

    fn inside_action(&mut self) -> Token<'s> {
        if self.right_delim_ahead().is_some() {
            if self.paren_depth == 0 {
                return self.right_delim();
            }
            return self.error("unclosed left paren".to_owned());
        }
        let Some(c) = self.peek() else {
            return self.error("unclosed action".to_owned());
        };
        if is_space(c) {
            return self.space();
        }
        if matches!(c, '+' | '-' | '0'..='9') {
            return self.number();
        }
        if is_alphanumeric(c) {
            return self.identifier();
        }
        self.next();
        match c {
            '=' => self.token(TokenKind::Assign),
            ':' if self.next() == Some('=') => self.token(TokenKind::Declare),
            ':' => self.error("expected :=".to_owned()),
            '|' => self.token(TokenKind::Pipe),
            '"' => self.quoted('"', TokenKind::String, "unterminated quoted string"),
            '`' => self.raw_quoted(),
            '$' => self.field_or_variable(TokenKind::Variable),
            '\'' => self.quoted(
                '\'',
                TokenKind::CharConstant,
                "unterminated character constant",
            ),
            '.' => {
                if self.peek().is_some_and(|next| next.is_ascii_digit()) {
                    self.pos -= 1;
                    return self.number();
                }
                self.field_or_variable(TokenKind::Field)
            }
            '(' => {
                self.paren_depth += 1;
                self.token(TokenKind::LeftParen)
            }
            ')' => {
                if self.paren_depth == 0 {
                    return self.error("unexpected right paren".to_owned());
                }
                self.paren_depth -= 1;
                self.token(TokenKind::RightParen)
            }
            ' '..='~' => self.token(TokenKind::Char),
            _ => self.error(format!(
                "unrecognized character in action: {}",
                code_point(Some(c))
            )),
        }
    }

    /// A run of spaces, up to the space of a trim marker that closes the action.
    fn space(&mut self) -> Token<'s> {
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let count = self.bytes().iter().take_while(is_space).count();
        let last = self.pos + count - 1;
        self.pos = last;
        if self.right_delim_ahead() == Some(true) {
            if count == 1 {
                return self.right_delim();
            }
        } else {
            self.pos += 1;
        }
        self.line += newlines(&self.input[self.start..self.pos]);
        self.token(TokenKind::Space)
    }

    fn identifier(&mut self) -> Token<'s> {
        self.skip_alphanumerics();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let word = &self.input[self.start..self.pos];
        let kind = TokenKind::keyword(word).unwrap_or(match word {
            "true" | "false" => TokenKind::Bool,
            _ => TokenKind::Identifier,
        });
        self.token(kind)
    }

    /// The `.` or `$` has been read.
    fn field_or_variable(&mut self, kind: TokenKind) -> Token<'s> {
        if self.at_terminator() {
            return self.token(match kind {
                TokenKind::Field => TokenKind::Dot,
                kind => kind,
            });
        }
        self.skip_alphanumerics();
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.token(kind)
    }

    fn skip_alphanumerics(&mut self) {
        let rest = self.rest();
        let ascii = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        self.pos += ascii;
        // Letters of other scripts are letters, too.
        if rest[ascii..].starts_with(|c: char| !c.is_ascii()) {
            let tail = &rest[ascii..];
            self.pos += tail.find(|c| !is_alphanumeric(c)).unwrap_or(tail.len());
        }
    }

    fn bad_character(&mut self) -> Token<'s> {
        let c = self.peek();
        self.error(format!("bad character {}", code_point(c)))
    }

    /// Whether a name may end here; `$x+2` is no expression.
    fn at_terminator(&self) -> bool {
        match self.input.as_bytes().get(self.pos) {
            None => true,
            Some(byte) if b" \t\r\n.,|:)(".contains(byte) => true,
            Some(_) => self.bytes().starts_with(b"}}"),
        }
    }

    /// The opening quote has been read.
    fn quoted(&mut self, quote: char, kind: TokenKind, unterminated: &str) -> Token<'s> {
        loop {
            // Nothing in between ends it.
            let plain = memchr::memchr3(quote as u8, b'\\', b'\n', self.bytes());
            self.pos += plain.unwrap_or(self.bytes().len());
            let mut c = self.next();
            if c == Some('\\') {
                c = self.next().filter(|escaped| *escaped != '\n');
                if c.is_some() {
                    continue;
                }
            }
            match c {
                None | Some('\n') => return self.error(unterminated.to_owned()),
                Some(c) if c == quote => return self.token(kind),
                Some(_) => {}
            }
        }
    }

    fn raw_quoted(&mut self) -> Token<'s> {
        let Some(end) = memchr::memchr(b'`', self.bytes()) else {
            return self.error("unterminated raw quoted string".to_owned());
        };
        self.pos += end + 1;
        self.line += newlines(&self.input[self.start..self.pos]);
        self.token(TokenKind::RawString)
    }
}

fn newlines(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn has_left_trim(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some('-') && chars.next().is_some_and(is_space)
}

/// `%#U` of a character; the end of the input is -1 there, which prints as this.
fn code_point(c: Option<char>) -> String {
    match c {
        None => "U+FFFFFFFFFFFFFFFF".to_owned(),
        Some(c) if c.is_control() => format!("U+{:04X}", u32::from(c)),
        Some(c) => format!("U+{:04X} '{c}'", u32::from(c)),
    }
}
