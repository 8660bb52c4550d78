//! What the lexer finds, and how errors name it.

use super::ast::Span;
use super::quote::quote;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    /// Fields, one within the other.
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    String,
    Text,
    Variable,
    // Keywords from here on.
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl TokenKind {
    /// What a word is that is not a name.
    pub(super) fn keyword(word: &str) -> Option<Self> {
        Some(match word {
            "true" | "false" => Self::Bool,
            "block" => Self::Block,
            "break" => Self::Break,
            "continue" => Self::Continue,
            "define" => Self::Define,
            "else" => Self::Else,
            "end" => Self::End,
            "if" => Self::If,
            "range" => Self::Range,
            "nil" => Self::Nil,
            "template" => Self::Template,
            "with" => Self::With,
            _ => return None,
        })
    }

    fn is_keyword(self) -> bool {
        matches!(
            self,
            Self::Block
                | Self::Break
                | Self::Continue
                | Self::Dot
                | Self::Define
                | Self::Else
                | Self::End
                | Self::If
                | Self::Nil
                | Self::Range
                | Self::Template
                | Self::With
        )
    }
}

/// A piece of the source. That of an error is empty: the lexer keeps its message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// Whether white space of the action stands before it.
    pub(super) spaced: bool,
    /// Where it begins, in bytes.
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Token {
    /// Where it is in the source.
    pub(super) fn span(self) -> Span {
        Span {
            start: self.start,
            end: self.end,
        }
    }

    /// How an error message names it.
    pub(super) fn describe(self, source: &str) -> String {
        let text = self.span().of(source);
        match self.kind {
            TokenKind::Eof => "EOF".to_owned(),
            kind if kind.is_keyword() => format!("<{text}>"),
            // To Go each field is a token.
            TokenKind::Field => shortened(first_field(text)),
            _ => shortened(text),
        }
    }
}

/// To Go each field is a token.
fn first_field(fields: &str) -> &str {
    let mut periods = fields.match_indices('.');
    let second = periods.nth(1).map_or(fields.len(), |(at, _)| at);
    &fields[..second]
}

fn shortened(text: &str) -> String {
    if text.len() > 10 {
        let head: String = text.chars().take(10).collect();
        format!("{}...", quote(&head))
    } else {
        quote(text)
    }
}
