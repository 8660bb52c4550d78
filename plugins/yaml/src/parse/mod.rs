//! From text to nodes, as go-yaml builds them.
//!
//! The scanner and grammar are libyaml's with go-yaml v3's changes. It is our own rendering of
//! them because the port at hand panics on some texts, which must not happen to what other people
//! wrote, and because messages and accepted escapes have to be go-yaml's.

mod scan;
mod scan_scalar;
mod scan_tag;
mod token;

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use crate::error::Error;
use crate::node::{Arena, Kind, Node, NodeId, Style, Tag};
use crate::resolve::{self, Dialect};
use scan::{Scan, Scanner};
use token::{Mark, Problem, ScalarStyle, Token, TokenKind};

/// Deepest nesting that is read. Bounds the stack of everything that walks a tree.
pub const MAX_DEPTH: usize = 512;

/// Reads the first document of `text` into `arena`; `None` if there is none.
///
/// What follows the first document is not looked at.
pub fn parse(arena: &mut Arena, text: &str, dialect: Dialect) -> Result<Option<NodeId>, Error> {
    if has_forbidden(text) {
        return Err(Error::new("yaml: control characters are not allowed"));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut composer = Composer {
        scanner: Scanner::new(text, dialect),
        arena,
        anchors: HashMap::new(),
        tags: HashMap::new(),
        open: Vec::new(),
    };
    composer.document().map_err(|failure| match failure {
        Failure::Syntax(problem) => problem.into_error(dialect).within(text),
        Failure::Meaning(err) => err,
    })
}

/// Whether all is printable ASCII but for some other bytes, of which there are few.
pub(crate) fn is_plain(bytes: &[u8], others: impl Fn(u8) -> bool) -> bool {
    let plain = |b: &u8| scan::is_printable(*b) || others(*b);
    let (words, rest) = bytes.as_chunks::<8>();
    words
        .iter()
        .all(|word| is_printable_word(*word) || word.iter().all(plain))
        && rest.iter().all(plain)
}

/// Whether eight bytes are printable ASCII, without a look at each of them.
fn is_printable_word(word: [u8; 8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_ne_bytes(word);
    // Below a space a byte borrows, from a delete on it carries: both show in its highest bit.
    let outside = word.wrapping_sub(EACH * 0x20) | word.wrapping_add(EACH) | word;
    outside & (EACH * 0x80) == 0
}

/// Whether there is something in it that YAML lacks: controls, and what is no character.
fn has_forbidden(text: &str) -> bool {
    let bytes = text.as_bytes();
    let others = |byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x80..);
    let mut suspects = memchr::memchr2_iter(0xc2, 0xef, bytes);
    !is_plain(bytes, others)
        || suspects.any(|at| match bytes[at..] {
            [0xc2, second @ 0x80..=0x9f, ..] => second != 0x85,
            [0xef, 0xbf, 0xbe | 0xbf, ..] => true,
            _ => false,
        })
}

/// Bytes as text: UTF-16 with a byte order mark is accepted as in libyaml.
pub fn decode_text(bytes: &[u8]) -> Result<Cow<'_, str>, Error> {
    let utf16 = |read: fn([u8; 2]) -> u16| {
        let units = bytes[2..]
            .chunks_exact(2)
            .map(|pair| read([pair[0], pair[1]]));
        char::decode_utf16(units)
            .collect::<Result<String, _>>()
            .map_err(|_| Error::new("yaml: unexpected low surrogate area"))
    };
    match bytes {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes).map(Into::into),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes).map(Into::into),
        _ => std::str::from_utf8(bytes).map(Into::into).map_err(|err| {
            let at = err.valid_up_to();
            let bad = bytes.get(at).copied().unwrap_or_default();
            let problem = if err.error_len().is_none() {
                "yaml: incomplete UTF-8 octet sequence"
            } else if bad & 0xc0 == 0x80 || bad >= 0xf8 {
                "yaml: invalid leading UTF-8 octet"
            } else {
                "yaml: invalid trailing UTF-8 octet"
            };
            let line = bytes[..at].split(|b| *b == b'\n').count() - 1;
            Error::at(problem, line as u32 + 1, 0)
        }),
    }
}

enum Failure {
    Syntax(Problem),
    Meaning(Error),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Syntax(problem)
    }
}

type Composed<T> = Result<T, Failure>;

struct Composer<'a, 't> {
    scanner: Scanner<'t>,
    arena: &'a mut Arena,
    anchors: HashMap<Rc<str>, NodeId>,
    /// Prefixes of tag handles that directives define.
    tags: HashMap<String, String>,
    /// Collections that are being read.
    open: Vec<NodeId>,
}

impl Composer<'_, '_> {
    fn peek(&mut self) -> Scan<&TokenKind> {
        self.scanner.peek().map(|token| &token.kind)
    }

    fn start(&mut self) -> Scan<Mark> {
        self.scanner.peek().map(|token| token.start)
    }

    fn take(&mut self) -> Scan<Token> {
        self.scanner.take()
    }

    /// True if the next token is one of the kinds, which have no content.
    fn next_is(&mut self, kinds: &[TokenKind]) -> Scan<bool> {
        let next = self.peek()?;
        Ok(kinds.contains(next))
    }

    fn is_document_bound(kind: &TokenKind) -> bool {
        matches!(
            kind,
            TokenKind::VersionDirective
                | TokenKind::TagDirective(..)
                | TokenKind::DocumentStart
                | TokenKind::DocumentEnd
                | TokenKind::StreamEnd
        )
    }

    fn document(&mut self) -> Composed<Option<NodeId>> {
        let explicit = match self.peek()? {
            TokenKind::StreamEnd => return Ok(None),
            TokenKind::VersionDirective
            | TokenKind::TagDirective(..)
            | TokenKind::DocumentStart => true,
            _ => false,
        };
        if explicit {
            self.directives()?;
            if !self.next_is(&[TokenKind::DocumentStart])? {
                let place = self.start()?;
                let message = "did not find expected <document start>";
                return Err(Problem::parser(message, None, place).into());
            }
            self.take()?;
        }
        let root = if explicit && Self::is_document_bound(self.peek()?) {
            let mark = self.start()?;
            self.empty(mark)
        } else {
            self.node(true, false)?
        };
        // What comes next must be readable at least as far as to see that the document ends.
        self.peek()?;
        Ok(Some(root))
    }

    fn directives(&mut self) -> Composed<()> {
        let mut version = false;
        loop {
            let place = self.start()?;
            match self.peek()?.clone() {
                TokenKind::VersionDirective if version => {
                    let message = "found duplicate %YAML directive";
                    return Err(Problem::parser(message, None, place).into());
                }
                TokenKind::VersionDirective => version = true,
                TokenKind::TagDirective(handle, prefix) => {
                    if self.tags.insert(handle, prefix).is_some() {
                        let message = "found duplicate %TAG directive";
                        return Err(Problem::parser(message, None, place).into());
                    }
                }
                _ => return Ok(()),
            }
            self.take()?;
        }
    }

    fn add(&mut self, mut node: Node, mark: Mark, anchor: Option<String>) -> NodeId {
        node.line = mark.line as u32 + 1;
        node.column = mark.column as u32 + 1;
        let anchor: Option<Rc<str>> = anchor.map(Into::into);
        node.anchor.clone_from(&anchor);
        let id = self.arena.add(node);
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
        id
    }

    fn empty(&mut self, mark: Mark) -> NodeId {
        self.add(scalar(None, String::new(), ScalarStyle::Plain), mark, None)
    }

    fn resolve_tag(
        &self,
        handle: &str,
        suffix: String,
        start: Mark,
        mark: Mark,
    ) -> Composed<String> {
        if handle.is_empty() {
            return Ok(suffix);
        }
        let prefix = match (self.tags.get(handle), handle) {
            (Some(prefix), _) => prefix.as_str(),
            (None, "!") => "!",
            (None, "!!") => "tag:yaml.org,2002:",
            _ => {
                let message = "found undefined tag handle";
                return Err(Problem::parser(message, Some(start), mark).into());
            }
        };
        Ok(format!("{prefix}{suffix}"))
    }

    fn node(&mut self, block: bool, indentless: bool) -> Composed<NodeId> {
        let start = self.start()?;
        if let TokenKind::Alias(name) = self.peek()? {
            let name = name.clone();
            self.take()?;
            return self.alias(name, start);
        }
        let (mut anchor, mut tag) = (None, None);
        for _ in 0..2 {
            let wanted = match self.peek()? {
                TokenKind::Anchor(_) => anchor.is_none(),
                TokenKind::Tag(..) => tag.is_none(),
                _ => false,
            };
            if !wanted {
                break;
            }
            let token = self.take()?;
            match token.kind {
                TokenKind::Anchor(name) => anchor = Some(name),
                TokenKind::Tag(handle, suffix) => {
                    tag = Some(self.resolve_tag(&handle, suffix, start, token.start)?);
                }
                _ => {}
            }
        }
        let tag = tag.as_deref();
        let place = self.start()?;
        match self.peek()? {
            TokenKind::BlockEntry if indentless => {
                let id = self.add(collection(Kind::Sequence, tag, false), start, anchor);
                self.nested(id, start, Self::indentless_sequence)
            }
            TokenKind::Scalar(..) => match self.take()?.kind {
                TokenKind::Scalar(text, style) => {
                    Ok(self.add(scalar(tag, text, style), start, anchor))
                }
                _ => Ok(self.empty(start)),
            },
            TokenKind::FlowSequenceStart => {
                let id = self.add(collection(Kind::Sequence, tag, true), start, anchor);
                self.nested(id, start, Self::flow_sequence)
            }
            TokenKind::FlowMappingStart => {
                let id = self.add(collection(Kind::Mapping, tag, true), start, anchor);
                self.nested(id, start, Self::flow_mapping)
            }
            TokenKind::BlockSequenceStart if block => {
                let id = self.add(collection(Kind::Sequence, tag, false), start, anchor);
                self.nested(id, start, Self::block_sequence)
            }
            TokenKind::BlockMappingStart if block => {
                let id = self.add(collection(Kind::Mapping, tag, false), start, anchor);
                self.nested(id, start, Self::block_mapping)
            }
            _ if anchor.is_some() || tag.is_some() => Ok(self.add(
                scalar(tag, String::new(), ScalarStyle::Plain),
                start,
                anchor,
            )),
            _ => {
                let message = "did not find expected node content";
                Err(Problem::parser(message, Some(start), place).into())
            }
        }
    }

    fn nested(
        &mut self,
        id: NodeId,
        start: Mark,
        read: fn(&mut Self, NodeId) -> Composed<()>,
    ) -> Composed<NodeId> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("yaml: exceeded max depth of {MAX_DEPTH}");
            let (line, column) = (start.line as u32 + 1, start.column as u32 + 1);
            return Err(Failure::Meaning(Error::at(message, line, column)));
        }
        self.open.push(id);
        read(self, id)?;
        self.open.pop();
        Ok(id)
    }

    fn alias(&mut self, name: String, mark: Mark) -> Composed<NodeId> {
        let place = |message: String| {
            let (line, column) = (mark.line as u32 + 1, mark.column as u32 + 1);
            Failure::Meaning(Error::at(message, line, column))
        };
        let Some(target) = self.anchors.get(name.as_str()).copied() else {
            return Err(place(format!("yaml: unknown anchor '{name}' referenced")));
        };
        if self.open.contains(&target) {
            return Err(place(format!(
                "yaml: anchor '{name}' value contains itself"
            )));
        }
        let node = Node {
            kind: Kind::Alias,
            value: name,
            alias: Some(target),
            ..Node::default()
        };
        Ok(self.add(node, mark, None))
    }

    fn push(&mut self, parent: NodeId, child: NodeId) {
        self.arena[parent].content.push(child);
    }

    /// A node, or an empty scalar if one of the kinds comes next.
    fn node_unless(
        &mut self,
        kinds: &[TokenKind],
        mark: Mark,
        block: bool,
        indentless: bool,
    ) -> Composed<NodeId> {
        if self.next_is(kinds)? {
            Ok(self.empty(mark))
        } else {
            self.node(block, indentless)
        }
    }

    fn block_sequence(&mut self, id: NodeId) -> Composed<()> {
        use TokenKind::{BlockEnd, BlockEntry};
        let opened = self.take()?.start;
        loop {
            let place = self.start()?;
            match self.peek()? {
                BlockEntry => {
                    let mark = self.take()?.end;
                    let item = self.node_unless(&[BlockEntry, BlockEnd], mark, true, false)?;
                    self.push(id, item);
                }
                BlockEnd => {
                    self.take()?;
                    return Ok(());
                }
                _ => {
                    let message = "did not find expected '-' indicator";
                    return Err(Problem::parser(message, Some(opened), place).into());
                }
            }
        }
    }

    fn indentless_sequence(&mut self, id: NodeId) -> Composed<()> {
        use TokenKind::{BlockEnd, BlockEntry, Key, Value};
        while self.next_is(&[BlockEntry])? {
            let mark = self.take()?.end;
            let item = self.node_unless(&[BlockEntry, Key, Value, BlockEnd], mark, true, false)?;
            self.push(id, item);
        }
        Ok(())
    }

    fn block_mapping(&mut self, id: NodeId) -> Composed<()> {
        use TokenKind::{BlockEnd, Key, Value};
        let opened = self.take()?.start;
        loop {
            let place = self.start()?;
            match self.peek()? {
                Key => {
                    let mark = self.take()?.end;
                    let key = self.node_unless(&[Key, Value, BlockEnd], mark, true, true)?;
                    self.push(id, key);
                    let value = if self.next_is(&[Value])? {
                        let mark = self.take()?.end;
                        self.node_unless(&[Key, Value, BlockEnd], mark, true, true)?
                    } else {
                        let mark = self.start()?;
                        self.empty(mark)
                    };
                    self.push(id, value);
                }
                BlockEnd => {
                    self.take()?;
                    return Ok(());
                }
                _ => {
                    let message = "did not find expected key";
                    return Err(Problem::parser(message, Some(opened), place).into());
                }
            }
        }
    }

    fn flow_sequence(&mut self, id: NodeId) -> Composed<()> {
        use TokenKind::{FlowEntry, FlowSequenceEnd, Key};
        let opened = self.take()?.start;
        let mut first = true;
        loop {
            if self.next_is(&[FlowSequenceEnd])? {
                break;
            }
            if !first {
                if !self.next_is(&[FlowEntry])? {
                    let place = self.start()?;
                    let message = "did not find expected ',' or ']'";
                    return Err(Problem::parser(message, Some(opened), place).into());
                }
                self.take()?;
            }
            first = false;
            if self.next_is(&[Key])? {
                let item = self.single_pair()?;
                self.push(id, item);
            } else if self.next_is(&[FlowSequenceEnd])? {
                break;
            } else {
                let item = self.node(false, false)?;
                self.push(id, item);
            }
        }
        self.take()?;
        Ok(())
    }

    /// `key: value` inside of a flow sequence: a mapping of its own.
    fn single_pair(&mut self) -> Composed<NodeId> {
        use TokenKind::{FlowEntry, FlowSequenceEnd, Value};
        let token = self.take()?;
        let id = self.add(collection(Kind::Mapping, None, true), token.start, None);
        let key = self.node_unless(
            &[Value, FlowEntry, FlowSequenceEnd],
            token.end,
            false,
            false,
        )?;
        self.push(id, key);
        let value = if self.next_is(&[Value])? {
            let mark = self.take()?.end;
            self.node_unless(&[FlowEntry, FlowSequenceEnd], mark, false, false)?
        } else {
            let mark = self.start()?;
            self.empty(mark)
        };
        self.push(id, value);
        Ok(id)
    }

    fn flow_mapping(&mut self, id: NodeId) -> Composed<()> {
        use TokenKind::{FlowEntry, FlowMappingEnd, Key, Value};
        let opened = self.take()?.start;
        let mut first = true;
        loop {
            if self.next_is(&[FlowMappingEnd])? {
                break;
            }
            if !first {
                if !self.next_is(&[FlowEntry])? {
                    let place = self.start()?;
                    let message = "did not find expected ',' or '}'";
                    return Err(Problem::parser(message, Some(opened), place).into());
                }
                self.take()?;
            }
            first = false;
            if self.next_is(&[FlowMappingEnd])? {
                break;
            }
            let (key, has_value) = if self.next_is(&[Key])? {
                self.take()?;
                let mark = self.start()?;
                let stops = [Value, FlowEntry, FlowMappingEnd];
                (self.node_unless(&stops, mark, false, false)?, true)
            } else {
                (self.node(false, false)?, false)
            };
            self.push(id, key);
            let value = if has_value && self.next_is(&[Value])? {
                let mark = self.take()?.end;
                self.node_unless(&[FlowEntry, FlowMappingEnd], mark, false, false)?
            } else {
                let mark = self.start()?;
                self.empty(mark)
            };
            self.push(id, value);
        }
        self.take()?;
        Ok(())
    }
}

fn explicit(tag: Option<&str>) -> Option<Tag> {
    tag.filter(|tag| !tag.is_empty() && *tag != "!")
        .map(Tag::from_name)
}

fn scalar(tag: Option<&str>, value: String, style: ScalarStyle) -> Node {
    let style = match style {
        ScalarStyle::DoubleQuoted => Style::DOUBLE_QUOTED,
        ScalarStyle::SingleQuoted => Style::SINGLE_QUOTED,
        ScalarStyle::Literal => Style::LITERAL,
        ScalarStyle::Folded => Style::FOLDED,
        ScalarStyle::Plain => Style::PLAIN,
    };
    let (tag, style) = match explicit(tag) {
        Some(tag) => (tag, style.with(Style::TAGGED)),
        None if style != Style::PLAIN => (Tag::Str, style),
        None if value == "<<" => (Tag::Merge, style),
        None => (resolve::plain(Dialect::V3, &value).tag(), style),
    };
    Node {
        kind: Kind::Scalar,
        tag,
        style,
        value,
        ..Node::default()
    }
}

fn collection(kind: Kind, tag: Option<&str>, flow: bool) -> Node {
    let flow = if flow { Style::FLOW } else { Style::PLAIN };
    let default = if kind == Kind::Mapping {
        Tag::Map
    } else {
        Tag::Seq
    };
    let (tag, style) = match explicit(tag) {
        Some(tag) => (tag, Style::TAGGED.with(flow)),
        None => (default, flow),
    };
    Node {
        kind,
        style,
        tag,
        ..Node::default()
    }
}
