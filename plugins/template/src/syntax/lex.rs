//! The lexer (golang/go `src/text/template/parse/lex.go`).
//!
//! Lines are counted as there, including where an error is said to be, which is why positions are
//! kept the way they are.

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

    fn text(&mut self) -> Scanned<'s> {
        let Some(at) = self.rest().find(LEFT) else {
            self.pos = self.input.len();
            if self.pos > self.start {
                self.line += newlines(&self.input[self.start..self.pos]);
                return Some(self.token(TokenKind::Text));
            }
            return Some(self.token(TokenKind::Eof));
        };
        if at > 0 {
            self.pos += at;
            let before = &self.input[self.start..self.pos];
            let trimmed = if has_left_trim(&self.input[self.pos + LEFT.len()..]) {
                before.len() - before.trim_end_matches(is_space).len()
            } else {
                0
            };
            self.pos -= trimmed;
            self.line += newlines(&self.input[self.start..self.pos]);
            let token = self.token(TokenKind::Text);
            self.pos += trimmed;
            self.ignore();
            if !token.text.is_empty() {
                return Some(token);
            }
        }
        self.left_delim()
    }

    fn left_delim(&mut self) -> Scanned<'s> {
        self.pos += LEFT.len();
        let marker = if has_left_trim(self.rest()) {
            TRIM_MARKER
        } else {
            0
        };
        if self.input[self.pos + marker..].starts_with("/*") {
            self.pos += marker;
            self.ignore();
            return self.comment();
        }
        let token = self.token(TokenKind::LeftDelim);
        self.inside_action = true;
        self.pos += marker;
        self.ignore();
        self.paren_depth = 0;
        Some(token)
    }

    /// Comments are dropped.
    fn comment(&mut self) -> Scanned<'s> {
        self.pos += 2;
        let Some(at) = self.rest().find("*/") else {
            return Some(self.error("unclosed comment".to_owned()));
        };
        self.pos += at + 2;
        let Some(trim) = self.right_delim_ahead() else {
            return Some(self.error("comment ends before closing delimiter".to_owned()));
        };
        if trim {
            self.pos += TRIM_MARKER;
        }
        self.pos += RIGHT.len();
        if trim {
            self.skip_spaces();
        }
        self.ignore();
        None
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.pos += rest.len() - rest.trim_start_matches(is_space).len();
    }

    /// Whether an action ends here, and if so, with a trim marker.
    fn right_delim_ahead(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim(rest) && rest[TRIM_MARKER..].starts_with(RIGHT) {
            return Some(true);
        }
        rest.starts_with(RIGHT).then_some(false)
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
        let mut count = 0;
        let mut last = self.pos;
        while self.peek().is_some_and(is_space) {
            last = self.pos;
            self.next();
            count += 1;
        }
        let closing = &self.input[last..];
        if has_right_trim(closing) && closing[TRIM_MARKER..].starts_with(RIGHT) {
            if closing.starts_with('\n') {
                self.line -= 1;
            }
            self.pos = last;
            if count == 1 {
                return self.right_delim();
            }
        }
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
            None | Some(b' ' | b'\t' | b'\r' | b'\n') => true,
            Some(b'.' | b',' | b'|' | b':' | b')' | b'(') => true,
            Some(_) => self.rest().starts_with(RIGHT),
        }
    }

    /// The opening quote has been read.
    fn quoted(&mut self, quote: char, kind: TokenKind, unterminated: &str) -> Token<'s> {
        loop {
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
        loop {
            match self.next() {
                None => return self.error("unterminated raw quoted string".to_owned()),
                Some('`') => return self.token(TokenKind::RawString),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Token<'s> {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.peek(), Some('+' | '-')) {
            if !self.scan_number() || !self.input[..self.pos].ends_with('i') {
                return self.bad_number();
            }
            return self.token(TokenKind::Complex);
        }
        self.token(TokenKind::Number)
    }

    fn bad_number(&mut self) -> Token<'s> {
        let text = super::quote::quote(&self.input[self.start..self.pos]);
        self.error(format!("bad number syntax: {text}"))
    }

    fn accept(&mut self, set: &str) -> bool {
        let found = self.peek().is_some_and(|c| set.contains(c));
        if found {
            self.next();
        }
        found
    }

    fn accept_run(&mut self, set: &str) {
        while self.accept(set) {}
    }

    /// Takes more than what is a number: the parser looks again.
    fn scan_number(&mut self) -> bool {
        const DECIMAL: &str = "0123456789_";
        const HEX: &str = "0123456789abcdefABCDEF_";
        self.accept("+-");
        let mut digits = DECIMAL;
        if self.accept("0") {
            if self.accept("xX") {
                digits = HEX;
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = match digits {
            DECIMAL => "eE",
            HEX => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_run(DECIMAL);
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

fn newlines(text: &str) -> usize {
    text.matches('\n').count()
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

fn has_right_trim(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_space) && chars.next() == Some('-')
}

/// `%#U` of a character; the end of the input is -1 there, which prints as this.
fn code_point(c: Option<char>) -> String {
    match c {
        None => "U+FFFFFFFFFFFFFFFF".to_owned(),
        Some(c) if c.is_control() => format!("U+{:04X}", u32::from(c)),
        Some(c) => format!("U+{:04X} '{c}'", u32::from(c)),
    }
}
