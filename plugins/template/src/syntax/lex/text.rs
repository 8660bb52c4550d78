//! What is between actions: text and comments.

use super::{LEFT, Lexer, RIGHT, TRIM_MARKER, count_spaces};
use crate::syntax::token::{Token, TokenKind};

impl Lexer<'_> {
    /// A text, or what comes instead; nothing for a comment.
    pub(super) fn text(&mut self) -> Option<Token> {
        self.spaced = false;
        let rest = self.bytes();
        let Some(at) = pair_in(rest, *LEFT) else {
            let kind = if rest.is_empty() {
                TokenKind::Eof
            } else {
                TokenKind::Text
            };
            return Some(self.take(rest.len(), kind));
        };
        let end = if has_left_trim(&rest[at + LEFT.len()..]) {
            at - count_spaces_behind(&rest[..at])
        } else {
            at
        };
        let token = self.take(end, TokenKind::Text);
        self.pos += at - end;
        self.start = self.pos;
        if end > 0 {
            return Some(token);
        }
        self.left_delim()
    }

    fn left_delim(&mut self) -> Option<Token> {
        let inside = &self.bytes()[LEFT.len()..];
        let marker = if has_left_trim(inside) {
            TRIM_MARKER
        } else {
            0
        };
        if inside[marker..].starts_with(b"/*") {
            self.pos += LEFT.len() + marker;
            self.start = self.pos;
            return self.comment();
        }
        let token = self.take(LEFT.len(), TokenKind::LeftDelim);
        self.pos += marker;
        self.inside_action = true;
        self.paren_depth = 0;
        Some(token)
    }

    /// Comments are dropped.
    fn comment(&mut self) -> Option<Token> {
        let Some(at) = pair_in(&self.bytes()[2..], *b"*/") else {
            return Some(self.error("unclosed comment"));
        };
        self.pos += 2 + at + 2;
        let trims = match self.bytes() {
            [b'}', b'}', ..] => false,
            [b' ' | b'\t' | b'\r' | b'\n', b'-', b'}', b'}', ..] => true,
            _ => return Some(self.error("comment ends before closing delimiter")),
        };
        if trims {
            self.pos += TRIM_MARKER + RIGHT.len();
            self.skip_spaces();
        } else {
            self.pos += RIGHT.len();
            self.start = self.pos;
        }
        None
    }
}

/// Where two bytes stand. Searching a text for a text sets up more than most stretches are long.
fn pair_in(bytes: &[u8], [first, second]: [u8; 2]) -> Option<usize> {
    memchr::memchr_iter(first, bytes).find(|at| bytes.get(at + 1) == Some(&second))
}

fn has_left_trim(inside: &[u8]) -> bool {
    inside.first() == Some(&b'-') && count_spaces(inside.get(1..2).unwrap_or_default()) > 0
}

fn count_spaces_behind(text: &[u8]) -> usize {
    let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    text.iter().rev().take_while(is_space).count()
}
