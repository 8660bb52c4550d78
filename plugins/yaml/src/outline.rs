//! Reading a few fields of a document without making data of the rest.
//!
//! Nearly all that is rendered for a cluster is written in the plainest YAML: a line is `key: value`
//! or `- value`, and what is further in stands on the lines below. Such a document is read here line
//! by line. Anything else in it, or anything wrong, and there is no outline: the parser then reads it
//! as a whole, and says what is wrong.

mod text;

use self::text::{
    double_quoted, has_colon, is_nothing, meaning_of_key, plain, single_quoted, spaces, split_key,
    without_comment,
};
use crate::parse::is_plain;
use crate::value::{Object, Value};

/// Deeper documents are left to the parser, which has a limit of its own.
const MAX_DEPTH: usize = 64;
/// Larger maps are left to the parser, which finds their keys by hash.
const MAX_FIELDS: usize = 256;

/// What is read of a value. Fields are found whatever their case, as `encoding/json` does.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// All of it.
    All,
    /// These fields, if it is a map; anything else whole.
    Fields(&'a [(&'a str, Wanted<'a>)]),
}

impl Wanted<'_> {
    fn field(&self, key: &str) -> Option<&Self> {
        match self {
            Self::All => Some(self),
            Self::Fields(fields) => {
                let mut fields = fields.iter();
                let found = fields.find(|(name, _)| name.eq_ignore_ascii_case(key));
                found.map(|(_, wanted)| wanted)
            }
        }
    }
}

/// Reads what is wanted of a map, of which more may be there; nothing if the parser has to look.
pub(crate) fn read(text: &str, wanted: &Wanted<'_>) -> Option<Value> {
    if !is_plain(text.as_bytes(), |byte| byte == b'\n') {
        return None;
    }
    let mut reader = Reader {
        left: text,
        line: "",
        column: 0,
        depth: 0,
    };
    reader.advance();
    let value = reader.mapping(Some(wanted))?;
    reader.is_at_end().then_some(value)
}

struct Reader<'a> {
    /// The lines that follow.
    left: &'a str,
    /// What is left of the line, without white space around it; empty at the end.
    line: &'a str,
    /// Where that begins.
    column: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn next_line(&mut self) -> Option<&'a str> {
        if self.left.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.left.as_bytes()).unwrap_or(self.left.len());
        let line = &self.left[..end];
        self.left = self.left.get(end + 1..).unwrap_or_default();
        Some(line)
    }

    /// Goes to the next line that says something.
    fn advance(&mut self) {
        (self.line, self.column) = ("", 0);
        while let Some(line) = self.next_line() {
            let column = spaces(line);
            let text = line[column..].trim_end_matches(' ');
            if !text.is_empty() && !text.starts_with('#') {
                (self.line, self.column) = (text, column);
                return;
            }
        }
    }

    fn is_at_end(&self) -> bool {
        self.line.is_empty()
    }

    /// Whether the line is an item of a list.
    fn is_item(&self) -> bool {
        self.line == "-" || self.line.starts_with("- ")
    }

    /// Whether what was read at `column` goes on there: false if it ends, nothing if what stands here
    /// belongs nowhere.
    fn goes_on(&self, column: usize) -> Option<bool> {
        if self.is_at_end() || self.column < column {
            return Some(false);
        }
        (self.column == column).then_some(true)
    }

    /// What begins here, further in than `column`, where its key or item stands.
    fn value(&mut self, column: usize, wanted: Option<&Wanted<'_>>) -> Option<Value> {
        if self.is_item() {
            self.list(false, wanted)
        } else if split_key(self.line).is_some() {
            self.mapping(wanted)
        } else {
            self.scalar(self.line, column, wanted)
        }
    }

    fn mapping(&mut self, wanted: Option<&Wanted<'_>>) -> Option<Value> {
        self.enter()?;
        let column = self.column;
        let mut object = Object::new();
        loop {
            let (key, value) = split_key(self.line)?;
            let name = meaning_of_key(key)?;
            let wanted = wanted.and_then(|wanted| wanted.field(name));
            let value = if is_nothing(value) {
                self.advance();
                match self.goes_on(column) {
                    None => self.value(column, wanted)?,
                    Some(true) if self.is_item() => self.list(true, wanted)?,
                    Some(_) => Value::Null,
                }
            } else {
                self.scalar(value, column, wanted)?
            };
            if wanted.is_some() {
                object.set(name, value);
                if object.len() > MAX_FIELDS {
                    return None;
                }
            }
            if !self.goes_on(column)? {
                self.depth -= 1;
                return Some(Value::Object(object));
            }
        }
    }

    /// A list; one that is the value of a key may stand where the key does.
    fn list(&mut self, below_key: bool, wanted: Option<&Wanted<'_>>) -> Option<Value> {
        self.enter()?;
        if wanted.is_some() {
            return None;
        }
        let column = self.column;
        loop {
            let item = self.line[1..].trim_start_matches(' ');
            if is_nothing(item) {
                self.advance();
                if self.goes_on(column).is_none() {
                    self.value(column, None)?;
                }
            } else {
                self.column += self.line.len() - item.len();
                self.line = item;
                self.value(column, None)?;
            }
            let goes_on = self.goes_on(column)?;
            if !goes_on || !self.is_item() {
                self.depth -= 1;
                return (!goes_on || below_key).then_some(Value::Null);
            }
        }
    }

    fn enter(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth < MAX_DEPTH).then_some(())
    }

    /// Text, or a collection that is empty; null for text that is not wanted.
    fn scalar(
        &mut self,
        text: &'a str,
        column: usize,
        wanted: Option<&Wanted<'_>>,
    ) -> Option<Value> {
        let wanted = wanted.is_some();
        let value = match text.as_bytes() {
            b"|" | b"|-" | b"|+" | b">" | b">-" | b">+" if !wanted => {
                self.skip_block(column)?;
                Value::Null
            }
            b"[]" => Value::Array(Vec::new()),
            b"{}" => Value::Object(Object::new()),
            [b'"', ..] => double_quoted(text, wanted)?,
            [b'\'', ..] => single_quoted(text, wanted)?,
            _ => {
                let words = without_comment(text);
                if !wanted && words.len() == text.len() {
                    self.skip_words(column)?;
                }
                plain(words, wanted)?
            }
        };
        self.advance();
        Some(value)
    }

    /// Passes the lines on which text without quotes goes on, which are further in than `column`.
    fn skip_words(&mut self, column: usize) -> Option<()> {
        loop {
            let before = self.left;
            let Some(line) = self.next_line() else {
                return Some(());
            };
            let here = spaces(line);
            let text = line[here..].trim_end_matches(' ');
            if !text.is_empty() && here <= column {
                self.left = before;
                return Some(());
            }
            if has_colon(text) || without_comment(text).len() < text.len() {
                return None;
            }
        }
    }

    /// Passes the lines of a text in a block, which are further in than `column`.
    fn skip_block(&mut self, column: usize) -> Option<()> {
        let (mut indent, mut widest) = (0, 0);
        loop {
            let before = self.left;
            let Some(line) = self.next_line() else {
                return Some(());
            };
            let here = spaces(line);
            if here == line.len() {
                widest = widest.max(here);
            } else if indent == 0 && here > column {
                // The first text decides how far in the block is, unless more spaces came before.
                if widest > here {
                    return None;
                }
                indent = here;
            } else if here < indent.max(column + 1) {
                self.left = before;
                return Some(());
            }
        }
    }
}
