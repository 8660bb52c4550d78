//! From text to tokens: libyaml's scanner as changed by go-yaml v3.
//!
//! Two things make YAML's scanner unlike others: indentation opens and closes collections, and a
//! key is only known to be one when its `:` comes. The latter is why tokens wait in a queue into
//! which the start of a mapping can still be inserted.

use std::collections::VecDeque;

use super::token::{Mark, Problem, Token, TokenKind};
use crate::resolve::Dialect;

/// How far behind its start the `:` of a key may come.
const MAX_SIMPLE_KEY: usize = 1024;
/// Deepest nesting of brackets and of indentation.
const MAX_DEPTH: usize = 10_000;

pub(super) type Scan<T> = Result<T, Problem>;

#[derive(Debug, Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token_number: usize,
    mark: Mark,
}

pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    /// Position in bytes.
    pub(super) at: usize,
    pub(super) mark: Mark,
    tokens: VecDeque<Token>,
    tokens_taken: usize,
    /// Column of the innermost block; -1 outside of any.
    pub(super) indent: i64,
    indents: Vec<i64>,
    pub(super) flow_level: usize,
    pub(super) simple_key_allowed: bool,
    simple_keys: Vec<SimpleKey>,
    ended: bool,
    /// The front token has been found to be what it is.
    settled: bool,
    /// Tokens to be read before the next is looked at: it decides which of two errors is met first.
    ahead: usize,
}

pub(super) fn is_blank(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

pub(super) fn is_alpha(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

/// What ASCII has besides controls.
pub(super) fn is_printable(b: u8) -> bool {
    (b' '..=b'~').contains(&b)
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, dialect: Dialect) -> Self {
        Self {
            text,
            at: 0,
            mark: Mark::default(),
            tokens: VecDeque::new(),
            tokens_taken: 0,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey::default()],
            ended: false,
            settled: false,
            // The third version looks further, for comments.
            ahead: match dialect {
                Dialect::V2 => 0,
                Dialect::V3 => 2,
            },
        }
    }

    /// The byte `ahead` of the position; 0 at the end.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text
            .as_bytes()
            .get(self.at + ahead)
            .copied()
            .unwrap_or(0)
    }

    /// Length in bytes of the line break `ahead`; 0 if there is none.
    pub(super) fn break_len(&self, ahead: usize) -> usize {
        match (self.byte(ahead), self.byte(ahead + 1), self.byte(ahead + 2)) {
            (b'\r', b'\n', _) | (0xc2, 0x85, _) => 2,
            (b'\r' | b'\n', _, _) => 1,
            (0xe2, 0x80, 0xa8 | 0xa9) => 3,
            _ => 0,
        }
    }

    pub(super) fn is_end(&self) -> bool {
        self.at >= self.text.len()
    }

    pub(super) fn is_break(&self, ahead: usize) -> bool {
        self.break_len(ahead) > 0
    }

    pub(super) fn is_breakz(&self, ahead: usize) -> bool {
        self.at + ahead >= self.text.len() || self.is_break(ahead)
    }

    pub(super) fn is_blankz(&self, ahead: usize) -> bool {
        is_blank(self.byte(ahead)) || self.is_breakz(ahead)
    }

    /// Passes a character.
    pub(super) fn skip(&mut self) {
        let len = self.text[self.at..]
            .chars()
            .next()
            .map_or(0, char::len_utf8);
        self.at += len;
        self.mark.index += 1;
        self.mark.column += 1;
    }

    /// Passes the ASCII characters ahead that are of a kind, none of which ends a line.
    pub(super) fn run(&mut self, is: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(|b| b.is_ascii() && is(*b)).count();
        self.pass(length);
        &rest[..length]
    }

    /// Passes ASCII characters, none of which ends a line.
    pub(super) fn pass(&mut self, length: usize) {
        self.at += length;
        self.mark.index += length;
        self.mark.column += length;
    }

    /// Passes a line break.
    pub(super) fn skip_line(&mut self) {
        let len = self.break_len(0);
        self.at += len;
        self.mark.index += if self.text[..self.at].ends_with("\r\n") {
            2
        } else {
            1
        };
        self.mark.column = 0;
        self.mark.line += 1;
    }

    /// Takes a character over.
    pub(super) fn read(&mut self, into: &mut String) {
        if let Some(c) = self.text[self.at..].chars().next() {
            into.push(c);
        }
        self.skip();
    }

    /// Takes a line break over; all but two kinds become a line feed.
    pub(super) fn read_line(&mut self, into: &mut String) {
        match self.break_len(0) {
            0 => return,
            3 => into.push_str(&self.text[self.at..self.at + 3]),
            _ => into.push('\n'),
        }
        self.skip_line();
    }

    pub(super) fn problem<T>(&self, context: Mark, message: &str) -> Scan<T> {
        Err(Problem::scanner(message, context, self.mark))
    }

    /// The next token, left in place.
    pub(super) fn peek(&mut self) -> Scan<&Token> {
        self.fill()?;
        match self.tokens.front() {
            Some(token) => Ok(token),
            None => Err(Problem::scanner("unexpected end", self.mark, self.mark)),
        }
    }

    /// Takes the next token.
    pub(super) fn take(&mut self) -> Scan<Token> {
        self.fill()?;
        match self.tokens.pop_front() {
            Some(token) => {
                self.tokens_taken += 1;
                self.settled = false;
                Ok(token)
            }
            None => Err(Problem::scanner("unexpected end", self.mark, self.mark)),
        }
    }

    /// Reads ahead until the front token cannot turn out to be a key any more.
    fn fill(&mut self) -> Scan<()> {
        while !self.settled && !self.ended {
            self.settled = self.tokens.len() > self.ahead && !self.front_may_be_key()?;
            if !self.settled {
                self.fetch()?;
            }
        }
        Ok(())
    }

    fn front_may_be_key(&mut self) -> Scan<bool> {
        let front = self.tokens_taken;
        let mut keys = self.simple_keys.iter();
        match keys.position(|key| key.possible && key.token_number == front) {
            Some(at) => self.is_valid_key(at),
            None => Ok(false),
        }
    }

    fn push(&mut self, kind: TokenKind, start: Mark) {
        let end = self.mark;
        self.tokens.push_back(Token { kind, start, end });
    }

    fn fetch(&mut self) -> Scan<()> {
        let before = self.mark;
        self.scan_to_next_token();
        self.unroll_indent(self.mark.column as i64, before);
        if self.is_end() {
            return self.fetch_stream_end();
        }
        let first = self.byte(0);
        if self.mark.column == 0 {
            if first == b'%' {
                return self.fetch_directive();
            }
            if self.is_document_marker() {
                let kind = if first == b'-' {
                    TokenKind::DocumentStart
                } else {
                    TokenKind::DocumentEnd
                };
                return self.fetch_document_marker(kind);
            }
        }
        let in_flow = self.flow_level > 0;
        let before_blank = self.is_blankz(1);
        match first {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if before_blank => self.fetch_block_entry(),
            b'?' if in_flow || before_blank => self.fetch_key(),
            b':' if in_flow || before_blank => self.fetch_value(),
            b'*' | b'&' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                let token = self.scan_anchor()?;
                self.tokens.push_back(token);
                Ok(())
            }
            b'!' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                let token = self.scan_tag()?;
                self.tokens.push_back(token);
                Ok(())
            }
            b'|' | b'>' if !in_flow => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                let token = self.scan_block_scalar(first == b'|')?;
                self.tokens.push_back(token);
                Ok(())
            }
            b'\'' | b'"' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                let token = self.scan_quoted(first == b'\'')?;
                self.tokens.push_back(token);
                Ok(())
            }
            _ if self.starts_plain(first) => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                let token = self.scan_plain()?;
                self.tokens.push_back(token);
                Ok(())
            }
            _ => self.problem(self.mark, "found character that cannot start any token"),
        }
    }

    fn starts_plain(&self, first: u8) -> bool {
        let indicator = matches!(
            first,
            b'-' | b'?'
                | b':'
                | b','
                | b'['
                | b']'
                | b'{'
                | b'}'
                | b'#'
                | b'&'
                | b'*'
                | b'!'
                | b'|'
                | b'>'
                | b'\''
                | b'"'
                | b'%'
                | b'@'
                | b'`'
        );
        (!indicator && !self.is_blankz(0))
            || (first == b'-' && !is_blank(self.byte(1)))
            || (self.flow_level == 0 && matches!(first, b'?' | b':') && !self.is_blankz(1))
    }

    /// `---` or `...` and white space.
    pub(super) fn is_document_marker(&self) -> bool {
        let rest = &self.text.as_bytes()[self.at..];
        (rest.starts_with(b"---") || rest.starts_with(b"...")) && self.is_blankz(3)
    }

    fn scan_to_next_token(&mut self) {
        loop {
            if self.mark.column == 0 && self.text[self.at..].starts_with('\u{feff}') {
                self.skip();
            }
            let tabs = self.flow_level > 0 || !self.simple_key_allowed;
            self.run(|b| b == b' ' || (tabs && b == b'\t'));
            if self.byte(0) == b'#' {
                self.skip_comment();
            }
            if !self.is_break(0) {
                return;
            }
            self.skip_line();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    /// Passes what is left of a line; a third of what people write are comments.
    fn skip_comment(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let line = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        if rest[..line].is_ascii() {
            self.pass(line);
            return;
        }
        while !self.is_breakz(0) {
            self.skip();
            self.run(is_printable);
        }
    }

    fn is_valid_key(&mut self, at: usize) -> Scan<bool> {
        let key = self.simple_keys[at];
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < self.mark.line || key.mark.index + MAX_SIMPLE_KEY < self.mark.index {
            if key.required {
                return self.problem(key.mark, "could not find expected ':'");
            }
            self.simple_keys[at].possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn save_simple_key(&mut self) -> Scan<()> {
        if !self.simple_key_allowed {
            return Ok(());
        }
        let required = self.flow_level == 0 && self.indent == self.mark.column as i64;
        self.remove_simple_key()?;
        if let Some(last) = self.simple_keys.last_mut() {
            *last = SimpleKey {
                possible: true,
                required,
                token_number: self.tokens_taken + self.tokens.len(),
                mark: self.mark,
            };
        }
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Scan<()> {
        let Some(key) = self.simple_keys.last_mut() else {
            return Ok(());
        };
        if key.possible && key.required {
            let mark = key.mark;
            return self.problem(mark, "could not find expected ':'");
        }
        key.possible = false;
        Ok(())
    }

    /// Opens a block at `column`, in front of the token `number` or at the end.
    fn roll_indent(
        &mut self,
        column: usize,
        number: Option<usize>,
        kind: TokenKind,
        mark: Mark,
    ) -> Scan<()> {
        let column = column as i64;
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > MAX_DEPTH {
            return self.problem(mark, &format!("exceeded max depth of {MAX_DEPTH}"));
        }
        let token = Token {
            kind,
            start: mark,
            end: mark,
        };
        self.insert(number, token);
        Ok(())
    }

    fn insert(&mut self, number: Option<usize>, token: Token) {
        match number.map(|number| number.saturating_sub(self.tokens_taken)) {
            Some(at) if at <= self.tokens.len() => self.tokens.insert(at, token),
            _ => self.tokens.push_back(token),
        }
    }

    /// Closes blocks that are further in than `column`. `mark`: where the last of them ended.
    fn unroll_indent(&mut self, column: i64, mark: Mark) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.tokens.push_back(Token {
                kind: TokenKind::BlockEnd,
                start: mark,
                end: mark,
            });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn fetch_stream_end(&mut self) -> Scan<()> {
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
        self.unroll_indent(-1, self.mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(TokenKind::StreamEnd, self.mark);
        self.ended = true;
        Ok(())
    }

    fn fetch_directive(&mut self) -> Scan<()> {
        self.unroll_indent(-1, self.mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_directive()?;
        self.tokens.extend(token);
        Ok(())
    }

    fn fetch_document_marker(&mut self, kind: TokenKind) -> Scan<()> {
        self.unroll_indent(-1, self.mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.mark;
        for _ in 0..3 {
            self.skip();
        }
        self.push(kind, start);
        Ok(())
    }

    fn single(&mut self, kind: TokenKind) {
        let start = self.mark;
        self.skip();
        self.push(kind, start);
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Scan<()> {
        self.save_simple_key()?;
        self.simple_keys.push(SimpleKey::default());
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return self.problem(self.mark, &format!("exceeded max depth of {MAX_DEPTH}"));
        }
        self.simple_key_allowed = true;
        self.single(kind);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Scan<()> {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            self.simple_keys.pop();
        }
        self.simple_key_allowed = false;
        self.single(kind);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Scan<()> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.single(TokenKind::FlowEntry);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Scan<()> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return self.problem(
                    self.mark,
                    "block sequence entries are not allowed in this context",
                );
            }
            let kind = TokenKind::BlockSequenceStart;
            self.roll_indent(self.mark.column, None, kind, self.mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.single(TokenKind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Scan<()> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return self.problem(self.mark, "mapping keys are not allowed in this context");
            }
            let kind = TokenKind::BlockMappingStart;
            self.roll_indent(self.mark.column, None, kind, self.mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.single(TokenKind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Scan<()> {
        let last = self.simple_keys.len().saturating_sub(1);
        if self.is_valid_key(last)? {
            let key = self.simple_keys[last];
            let token = Token {
                kind: TokenKind::Key,
                start: key.mark,
                end: key.mark,
            };
            self.insert(Some(key.token_number), token);
            self.roll_indent(
                key.mark.column,
                Some(key.token_number),
                TokenKind::BlockMappingStart,
                key.mark,
            )?;
            self.simple_keys[last].possible = false;
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return self
                        .problem(self.mark, "mapping values are not allowed in this context");
                }
                let kind = TokenKind::BlockMappingStart;
                self.roll_indent(self.mark.column, None, kind, self.mark)?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.single(TokenKind::Value);
        Ok(())
    }
}
