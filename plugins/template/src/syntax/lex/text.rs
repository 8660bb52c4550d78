//! What is between actions: text and comments.

use super::{LEFT, Lexer, RIGHT, Scanned, TRIM_MARKER, has_left_trim, is_space, newlines};
use crate::syntax::token::TokenKind;

impl<'s> Lexer<'s> {
    pub(super) fn text(&mut self) -> Scanned<'s> {
        let Some(at) = left_delim_in(self.rest()) else {
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

    pub(super) fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.pos += rest.len() - rest.trim_start_matches(is_space).len();
    }
}

/// Where an action begins. Searching a text for a text sets up more than most stretches are long.
fn left_delim_in(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'{', bytes).find(|at| bytes.get(at + 1) == Some(&b'{'))
}
