//! From text to nodes, as go-yaml v3 builds them.

use std::collections::HashMap;
use std::rc::Rc;

use libyaml_safer::{
    Encoding, ErrorKind, Event, EventData, MappingStyle, Parser, ScalarStyle, SequenceStyle,
};

use crate::error::Error;
use crate::node::{Arena, Kind, Node, NodeId, Style, Tag};
use crate::resolve::{self, Dialect};

/// Deepest nesting that is read. Bounds the stack of everything that walks a tree.
pub const MAX_DEPTH: usize = 512;

/// Reads the first document of `text` into `arena`; `None` if there is none.
///
/// Anything behind the first document is not looked at.
pub fn parse(arena: &mut Arena, text: &str, dialect: Dialect) -> Result<Option<NodeId>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let ended;
    let text = if text.ends_with('\n') {
        text
    } else {
        ended = format!("{text}\n");
        &ended
    };
    let mut bytes = text.as_bytes();
    let mut parser: Parser<&mut &[u8]> = Parser::new();
    parser.set_encoding(Encoding::Utf8);
    parser.set_input_string(&mut bytes);
    let mut composer =
        Composer { parser, arena, dialect, anchors: HashMap::new(), stack: Vec::new() };
    composer.document()
}

/// As [`parse`], for bytes: UTF-16 with a byte order mark is accepted as in libyaml.
pub fn decode_text(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, Error> {
    let utf16 = |read: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
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
            let line = bytes[..at].iter().filter(|b| **b == b'\n').count();
            Error::at(problem, line as u32 + 1, 0)
        }),
    }
}

struct Composer<'a, 'r, 'b> {
    parser: Parser<&'r mut &'b [u8]>,
    arena: &'a mut Arena,
    dialect: Dialect,
    anchors: HashMap<Rc<str>, NodeId>,
    /// Collections that are open.
    stack: Vec<NodeId>,
}

impl Composer<'_, '_, '_> {
    fn next(&mut self) -> Result<Event, Error> {
        self.parser.parse().map_err(|err| problem(&err, self.dialect))
    }

    fn document(&mut self) -> Result<Option<NodeId>, Error> {
        let mut root = None;
        loop {
            let event = self.next()?;
            let (line, column) = (
                event.start_mark.line as u32 + 1,
                event.start_mark.column as u32 + 1,
            );
            let made = match event.data {
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => continue,
                EventData::StreamEnd | EventData::DocumentEnd { .. } => return Ok(root),
                EventData::SequenceEnd | EventData::MappingEnd => {
                    self.stack.pop();
                    continue;
                }
                EventData::Alias { anchor } => self.alias(anchor)?,
                EventData::Scalar { anchor, tag, value, plain_implicit: _, style, .. } => {
                    let node = scalar(tag.as_deref(), value, style);
                    self.anchored(node, anchor)
                }
                EventData::SequenceStart { anchor, tag, style, .. } => {
                    let flow = style == SequenceStyle::Flow;
                    let node = collection(Kind::Sequence, Tag::Seq, tag.as_deref(), flow);
                    self.anchored(node, anchor)
                }
                EventData::MappingStart { anchor, tag, style, .. } => {
                    let flow = style == MappingStyle::Flow;
                    let node = collection(Kind::Mapping, Tag::Map, tag.as_deref(), flow);
                    self.anchored(node, anchor)
                }
            };
            self.arena[made].line = line;
            self.arena[made].column = column;
            match self.stack.last() {
                Some(parent) => self.arena[*parent].content.push(made),
                None => root = Some(made),
            }
            if matches!(self.arena[made].kind, Kind::Sequence | Kind::Mapping) {
                self.stack.push(made);
                if self.stack.len() > MAX_DEPTH {
                    return Err(Error::at(
                        format!("yaml: exceeded max depth of {MAX_DEPTH}"),
                        line,
                        column,
                    ));
                }
            }
        }
    }

    fn anchored(&mut self, mut node: Node, anchor: Option<String>) -> NodeId {
        let anchor: Option<Rc<str>> = anchor.map(Into::into);
        node.anchor.clone_from(&anchor);
        let id = self.arena.add(node);
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
        id
    }

    fn alias(&mut self, anchor: String) -> Result<NodeId, Error> {
        let Some(target) = self.anchors.get(anchor.as_str()).copied() else {
            return Err(Error::new(format!("yaml: unknown anchor '{anchor}' referenced")));
        };
        if self.stack.contains(&target) {
            return Err(Error::new(format!("yaml: anchor '{anchor}' value contains itself")));
        }
        Ok(self.arena.add(Node {
            kind: Kind::Alias,
            value: anchor,
            alias: Some(target),
            ..Node::default()
        }))
    }
}

fn explicit(tag: Option<&str>) -> Option<Tag> {
    tag.filter(|tag| !tag.is_empty() && *tag != "!").map(Tag::from_name)
}

fn scalar(tag: Option<&str>, value: String, style: ScalarStyle) -> Node {
    let style = match style {
        ScalarStyle::DoubleQuoted => Style::DOUBLE_QUOTED,
        ScalarStyle::SingleQuoted => Style::SINGLE_QUOTED,
        ScalarStyle::Literal => Style::LITERAL,
        ScalarStyle::Folded => Style::FOLDED,
        _ => Style::PLAIN,
    };
    let (tag, style) = match explicit(tag) {
        Some(tag) => (tag, style.with(Style::TAGGED)),
        None if style != Style::PLAIN => (Tag::Str, style),
        None if value == "<<" => (Tag::Merge, style),
        None => (resolve::plain(Dialect::V3, &value).tag(), style),
    };
    Node { kind: Kind::Scalar, tag, style, value, ..Node::default() }
}

fn collection(kind: Kind, default: Tag, tag: Option<&str>, flow: bool) -> Node {
    let flow = if flow { Style::FLOW } else { Style::PLAIN };
    let (tag, style) = match explicit(tag) {
        Some(tag) => (tag, Style::TAGGED.with(flow)),
        None => (default, flow),
    };
    Node { kind, tag, style, ..Node::default() }
}

/// The text that go-yaml gives for a syntax error, and its place.
fn problem(err: &libyaml_safer::Error, dialect: Dialect) -> Error {
    let message = match err.problem() {
        "" => "unknown problem parsing YAML content",
        problem => problem,
    };
    // go-yaml reports the mark as it is counted inside, from 0, and corrects that only for the
    // scanner; v3 prefers where the construct began.
    let bump = u64::from(err.kind() == ErrorKind::Scanner);
    let problem_line = err.problem_mark().map_or(0, |mark| mark.line);
    let context_line = err.context_mark().map_or(0, |mark| mark.line);
    let line = match dialect {
        Dialect::V3 if context_line != 0 => context_line + bump,
        Dialect::V3 | Dialect::V2 if problem_line != 0 => problem_line + bump,
        Dialect::V2 if context_line != 0 => context_line,
        _ => 0,
    };
    let text =
        if line == 0 { format!("yaml: {message}") } else { format!("yaml: line {line}: {message}") };
    match err.problem_mark().or_else(|| err.context_mark()) {
        Some(mark) => Error::at(text, mark.line as u32 + 1, mark.column as u32 + 1),
        None => Error::new(text),
    }
}
