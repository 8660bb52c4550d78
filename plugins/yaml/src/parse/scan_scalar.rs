//! Scanning scalars.

use super::scan::{Scan, Scanner, is_blank, is_printable};
use super::token::{Mark, ScalarStyle, Token, TokenKind};

/// Line breaks and white space between the words of a scalar, until it is known what they mean.
#[derive(Default)]
struct Gap {
    leading_break: String,
    trailing_breaks: String,
    whitespace: String,
    /// A line break has been seen.
    broken: bool,
}

impl Gap {
    /// Folds what has been gathered into the text: one break is a space, more are themselves.
    fn fold_into(&mut self, text: &mut String) {
        if self.broken {
            if self.leading_break.starts_with('\n') {
                if self.trailing_breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(&self.leading_break);
            }
            text.push_str(&self.trailing_breaks);
        } else {
            text.push_str(&self.whitespace);
        }
        self.leading_break.clear();
        self.trailing_breaks.clear();
        self.whitespace.clear();
    }
}

impl<'a> Scanner<'a> {
    fn scalar(text: String, style: ScalarStyle, start: Mark, end: Mark) -> Token {
        Token {
            kind: TokenKind::Scalar(text, style),
            start,
            end,
        }
    }

    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Scan<Token> {
        let start = self.mark;
        self.skip();
        let (chomping, increment) = self.scan_block_header(start)?;
        let mut end = self.mark;
        let mut indent = match (increment, self.indent) {
            (0, _) => 0,
            (increment, ..0) => increment,
            (increment, outer) => outer as usize + increment,
        };
        let mut text = String::new();
        let (mut leading_break, mut trailing_breaks) = (String::new(), String::new());
        let (mut leading_blank, mut trailing_blank);
        let mut after_blank = false;
        self.scan_block_breaks(&mut indent, &mut trailing_breaks, start, &mut end)?;
        while self.mark.column == indent && !self.is_end() {
            trailing_blank = is_blank(self.byte(0));
            let foldable =
                !literal && !after_blank && !trailing_blank && leading_break.starts_with('\n');
            if foldable {
                if trailing_breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(&leading_break);
            }
            leading_break.clear();
            text.push_str(&trailing_breaks);
            trailing_breaks.clear();
            leading_blank = is_blank(self.byte(0));
            while !self.is_breakz(0) {
                self.read(&mut text);
                text.push_str(self.run(is_printable));
            }
            self.read_line(&mut leading_break);
            self.scan_block_breaks(&mut indent, &mut trailing_breaks, start, &mut end)?;
            after_blank = leading_blank;
        }
        if chomping != Chomping::Strip {
            text.push_str(&leading_break);
        }
        if chomping == Chomping::Keep {
            text.push_str(&trailing_breaks);
        }
        let style = if literal {
            ScalarStyle::Literal
        } else {
            ScalarStyle::Folded
        };
        Ok(Self::scalar(text, style, start, end))
    }

    /// What stands behind `|` or `>`.
    fn scan_block_header(&mut self, start: Mark) -> Scan<(Chomping, usize)> {
        let mut chomping = Chomping::Clip;
        let mut increment = 0;
        for _ in 0..2 {
            match self.byte(0) {
                sign @ (b'+' | b'-') if chomping == Chomping::Clip => {
                    chomping = if sign == b'+' {
                        Chomping::Keep
                    } else {
                        Chomping::Strip
                    };
                    self.skip();
                }
                b'0' if increment == 0 => {
                    return self.problem(start, "found an indentation indicator equal to 0");
                }
                digit @ b'1'..=b'9' if increment == 0 => {
                    increment = usize::from(digit - b'0');
                    self.skip();
                }
                _ => break,
            }
        }
        while is_blank(self.byte(0)) {
            self.skip();
        }
        if self.byte(0) == b'#' {
            while !self.is_breakz(0) {
                self.skip();
            }
        }
        if !self.is_breakz(0) {
            return self.problem(start, "did not find expected comment or line break");
        }
        if self.is_break(0) {
            self.skip_line();
        }
        Ok((chomping, increment))
    }

    /// Empty lines; without an indent given, they and the first line decide on it.
    fn scan_block_breaks(
        &mut self,
        indent: &mut usize,
        breaks: &mut String,
        start: Mark,
        end: &mut Mark,
    ) -> Scan<()> {
        *end = self.mark;
        let mut deepest = 0;
        loop {
            while (*indent == 0 || self.mark.column < *indent) && self.byte(0) == b' ' {
                self.skip();
            }
            deepest = deepest.max(self.mark.column);
            if (*indent == 0 || self.mark.column < *indent) && self.byte(0) == b'\t' {
                return self.problem(
                    start,
                    "found a tab character where an indentation space is expected",
                );
            }
            if !self.is_break(0) {
                break;
            }
            self.read_line(breaks);
            *end = self.mark;
        }
        if *indent == 0 {
            *indent = deepest.max((self.indent + 1).max(1) as usize);
        }
        Ok(())
    }

    pub(super) fn scan_quoted(&mut self, single: bool) -> Scan<Token> {
        let start = self.mark;
        let quote = if single { b'\'' } else { b'"' };
        self.skip();
        let mut text = String::new();
        let mut gap = Gap::default();
        loop {
            if self.mark.column == 0 && self.is_document_marker() {
                return self.problem(start, "found unexpected document indicator");
            }
            if self.is_end() {
                return self.problem(start, "found unexpected end of stream");
            }
            gap.broken = false;
            while !self.is_blankz(0) {
                let b = self.byte(0);
                if single && b == quote && self.byte(1) == quote {
                    text.push('\'');
                    self.skip();
                    self.skip();
                } else if b == quote {
                    break;
                } else if !single && b == b'\\' && self.is_break(1) {
                    self.skip();
                    self.skip_line();
                    gap.broken = true;
                    break;
                } else if !single && b == b'\\' {
                    self.scan_escape(start, &mut text)?;
                } else {
                    self.read(&mut text);
                    text.push_str(self.run(|b| b > b' ' && b < 0x7f && b != quote && b != b'\\'));
                }
            }
            if self.byte(0) == quote {
                break;
            }
            self.scan_gap(&mut gap);
            gap.fold_into(&mut text);
        }
        self.skip();
        let style = if single {
            ScalarStyle::SingleQuoted
        } else {
            ScalarStyle::DoubleQuoted
        };
        Ok(Self::scalar(text, style, start, self.mark))
    }

    fn scan_gap(&mut self, gap: &mut Gap) {
        while is_blank(self.byte(0)) || self.is_break(0) {
            if is_blank(self.byte(0)) {
                if gap.broken {
                    self.skip();
                } else {
                    self.read(&mut gap.whitespace);
                }
            } else if gap.broken {
                self.read_line(&mut gap.trailing_breaks);
            } else {
                gap.whitespace.clear();
                self.read_line(&mut gap.leading_break);
                gap.broken = true;
            }
        }
    }

    fn scan_escape(&mut self, start: Mark, text: &mut String) -> Scan<()> {
        let digits = match self.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            plain => {
                text.push(match plain {
                    b'0' => '\0',
                    b'a' => '\u{7}',
                    b'b' => '\u{8}',
                    b't' | b'\t' => '\t',
                    b'n' => '\n',
                    b'v' => '\u{b}',
                    b'f' => '\u{c}',
                    b'r' => '\r',
                    b'e' => '\u{1b}',
                    b' ' => ' ',
                    b'"' => '"',
                    b'\'' => '\'',
                    b'\\' => '\\',
                    b'N' => '\u{85}',
                    b'_' => '\u{a0}',
                    b'L' => '\u{2028}',
                    b'P' => '\u{2029}',
                    _ => return self.problem(start, "found unknown escape character"),
                });
                self.skip();
                self.skip();
                return Ok(());
            }
        };
        self.skip();
        self.skip();
        let mut code = 0u32;
        for ahead in 0..digits {
            let Some(digit) = char::from(self.byte(ahead)).to_digit(16) else {
                return self.problem(start, "did not find expected hexdecimal number");
            };
            code = code.wrapping_shl(4) + digit;
        }
        let Some(c) = char::from_u32(code) else {
            return self.problem(start, "found invalid Unicode character escape code");
        };
        text.push(c);
        for _ in 0..digits {
            self.skip();
        }
        Ok(())
    }

    pub(super) fn scan_plain(&mut self) -> Scan<Token> {
        let start = self.mark;
        let mut end = self.mark;
        let indent = self.indent + 1;
        let mut text = String::new();
        let mut gap = Gap::default();
        if self.flow_level == 0 {
            text.push_str(self.plain_words());
            end = self.mark;
        }
        loop {
            if self.mark.column == 0 && self.is_document_marker() {
                break;
            }
            if self.byte(0) == b'#' {
                break;
            }
            while !self.is_blankz(0) {
                let b = self.byte(0);
                let ends_flow =
                    self.flow_level > 0 && matches!(b, b',' | b'?' | b'[' | b']' | b'{' | b'}');
                if ends_flow || (b == b':' && self.is_blankz(1)) {
                    break;
                }
                if gap.broken || !gap.whitespace.is_empty() {
                    gap.fold_into(&mut text);
                    gap.broken = false;
                }
                self.read_word(&mut text);
                end = self.mark;
            }
            if !(is_blank(self.byte(0)) || self.is_break(0)) {
                break;
            }
            while is_blank(self.byte(0)) || self.is_break(0) {
                if is_blank(self.byte(0)) {
                    let outside = (self.mark.column as i64) < indent;
                    if gap.broken && outside && self.byte(0) == b'\t' {
                        return self
                            .problem(start, "found a tab character that violates indentation");
                    }
                    if gap.broken {
                        self.skip();
                    } else {
                        self.read(&mut gap.whitespace);
                    }
                } else if gap.broken {
                    self.read_line(&mut gap.trailing_breaks);
                } else {
                    gap.whitespace.clear();
                    self.read_line(&mut gap.leading_break);
                    gap.broken = true;
                }
            }
            if self.flow_level == 0 && (self.mark.column as i64) < indent {
                break;
            }
        }
        if gap.broken {
            self.simple_key_allowed = true;
        }
        Ok(Self::scalar(text, ScalarStyle::Plain, start, end))
    }

    /// Passes the words of a line that are printable ASCII, up to what ends a scalar in a block. It is
    /// mostly all of it.
    fn plain_words(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let bytes = rest.as_bytes();
        let is_visible = |at: usize| matches!(bytes.get(at), Some(b'!'..=b'~'));
        let mut end = 0;
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b' ' => {}
                b':' if !is_visible(at + 1) => break,
                b'#' if at > end => break,
                b'!'..=b'~' => end = at + 1,
                _ => break,
            }
        }
        self.pass(end);
        &rest[..end]
    }

    /// Takes over a run of characters that mean nothing special; at least one.
    fn read_word(&mut self, text: &mut String) {
        match self.run(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/' | b'_')) {
            "" => self.read(text),
            word => text.push_str(word),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Clip,
    Strip,
    Keep,
}
