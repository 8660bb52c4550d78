//! Nodes as kyaml prints them (`RNode.String`, go-yaml v3): styles kept, two spaces, lists not
//! indented below their key.

use std::borrow::Cow;

use crate::emit::scalar::{Form, INDENT, Place, Writer, analyze, select};
use crate::error::Error;
use crate::node::{Arena, Kind, Node, NodeId, Style, Tag};
use crate::resolve::{self, Dialect};

/// One document, ending in a line break.
pub fn to_string(arena: &Arena, id: NodeId) -> Result<String, Error> {
    write(arena, id, true)
}

/// As [`to_string`], with lists indented below their key (`yaml.Encoder` without `CompactSeqIndent`).
pub fn to_string_indented(arena: &Arena, id: NodeId) -> Result<String, Error> {
    write(arena, id, false)
}

fn write(arena: &Arena, id: NodeId, compact_lists: bool) -> Result<String, Error> {
    let mut writer = Writer::new(Dialect::V3);
    let mut emitter = Emitter {
        arena,
        writer: &mut writer,
        flow: 0,
        compact_lists,
    };
    emitter.node(id, Context::default())?;
    writer.write_indent();
    Ok(writer.out)
}

/// What becomes of a scalar when it is written.
#[derive(Debug)]
pub(crate) struct Presented<'a> {
    /// The tag that is written; empty for none.
    pub(crate) tag: Tag,
    pub(crate) form: Form,
    pub(crate) text: Cow<'a, str>,
}

/// The tag and form in which a scalar is written (go-yaml v3 `encoder.node`).
pub(crate) fn present(node: &Node, place: Place) -> Presented<'_> {
    let mut tag = node.tag.clone();
    let mut force_quoting = false;
    if tag != Tag::Empty && !node.style.has(Style::TAGGED) {
        if tag == Tag::Str && node.style.has(Style::STRING) {
            tag = Tag::Empty;
        } else {
            let plain = resolve::plain(Dialect::V3, &node.value).tag();
            if plain == tag {
                tag = Tag::Empty;
            } else if tag == Tag::Str {
                tag = Tag::Empty;
                force_quoting = true;
            }
        }
    }
    let wanted = if node.style.has(Style::DOUBLE_QUOTED) {
        Form::DoubleQuoted
    } else if node.style.has(Style::SINGLE_QUOTED) {
        Form::SingleQuoted
    } else if node.style.has(Style::LITERAL) {
        Form::Literal
    } else if node.style.has(Style::FOLDED) {
        Form::Folded
    } else if node.value.contains('\n') {
        Form::Literal
    } else if force_quoting {
        Form::DoubleQuoted
    } else {
        Form::Plain
    };
    let analysis = analyze(Dialect::V3, &node.value);
    let form = select(wanted, analysis, node.value.is_empty(), place);
    Presented {
        tag,
        form,
        text: Cow::Borrowed(&node.value),
    }
}

#[derive(Clone, Copy, Default)]
struct Context {
    mapping: bool,
    key: bool,
    /// The node is an item of a block sequence.
    item: bool,
}

struct Emitter<'a> {
    arena: &'a Arena,
    writer: &'a mut Writer,
    flow: usize,
    /// Lists stand flush with their key.
    compact_lists: bool,
}

impl Emitter<'_> {
    fn node(&mut self, id: NodeId, context: Context) -> Result<(), Error> {
        let node = &self.arena[id];
        match node.kind {
            Kind::Zero if node.is_zero() => {
                self.scalar(&Node::scalar("null"), context);
                Ok(())
            }
            Kind::Zero => Err(Error::new("cannot encode node with unknown kind 0")),
            Kind::Scalar => {
                self.scalar(node, context);
                Ok(())
            }
            Kind::Alias => {
                self.writer.indicator("*", true, false, false);
                self.raw(&node.value);
                Ok(())
            }
            Kind::Sequence => self.sequence(node, context),
            Kind::Mapping => self.mapping(node, context),
        }
    }

    fn raw(&mut self, text: &str) {
        self.writer.indicator(text, false, false, false);
    }

    fn anchor_and_tag(&mut self, node: &Node, tag: &Tag) {
        if let Some(anchor) = &node.anchor {
            self.writer.indicator("&", true, false, false);
            self.raw(anchor);
        }
        if *tag != Tag::Empty {
            self.writer.indicator(tag.name(), true, false, false);
        }
    }

    fn increase_indent(&mut self, flow: bool, context: Context, compact: bool) -> i32 {
        let outer = self.writer.indent;
        self.writer.indent = if outer < 0 {
            if flow { INDENT } else { 0 }
        } else if context.item {
            outer + 2
        } else {
            let aligned = INDENT * ((outer + INDENT) / INDENT);
            if compact { aligned - 2 } else { aligned }
        };
        outer
    }

    fn scalar(&mut self, node: &Node, context: Context) {
        let place = Place {
            flow: self.flow > 0,
            key: context.key,
        };
        let presented = present(node, place);
        self.anchor_and_tag(node, &presented.tag);
        let outer = self.increase_indent(true, context, false);
        self.writer
            .scalar(&presented.text, presented.form, context.key);
        self.writer.indent = outer;
    }

    fn collection_tag(node: &Node) -> Tag {
        let implied = if node.kind == Kind::Mapping {
            Tag::Map
        } else {
            Tag::Seq
        };
        if node.tag == implied && !node.style.has(Style::TAGGED) {
            Tag::Empty
        } else {
            node.tag.clone()
        }
    }

    fn sequence(&mut self, node: &Node, context: Context) -> Result<(), Error> {
        self.anchor_and_tag(node, &Self::collection_tag(node));
        if self.flow > 0 || node.style.has(Style::FLOW) || node.content.is_empty() {
            return self.flow_sequence(node, context);
        }
        let compact = self.compact_lists
            && context.mapping
            && (self.writer.column == 0 || !self.writer.indention);
        let outer = self.increase_indent(false, context, compact);
        for item in &node.content {
            self.writer.write_indent();
            self.writer.indicator("-", true, false, true);
            self.node(
                *item,
                Context {
                    item: true,
                    ..Context::default()
                },
            )?;
        }
        self.writer.indent = outer;
        Ok(())
    }

    fn flow_sequence(&mut self, node: &Node, context: Context) -> Result<(), Error> {
        self.writer.indicator("[", true, true, false);
        let outer = self.increase_indent(true, context, false);
        self.flow += 1;
        for (i, item) in node.content.iter().enumerate() {
            if i > 0 {
                self.writer.indicator(",", false, false, false);
            }
            self.node(*item, Context::default())?;
        }
        self.flow -= 1;
        self.writer.indent = outer;
        self.writer.indicator("]", false, false, false);
        Ok(())
    }

    fn mapping(&mut self, node: &Node, context: Context) -> Result<(), Error> {
        self.anchor_and_tag(node, &Self::collection_tag(node));
        if self.flow > 0 || node.style.has(Style::FLOW) || node.content.is_empty() {
            return self.flow_mapping(node, context);
        }
        let outer = self.increase_indent(false, context, false);
        for pair in node.content.chunks_exact(2) {
            let [key, value] = pair else { continue };
            self.writer.write_indent();
            if self.is_simple_key(*key) {
                self.node(
                    *key,
                    Context {
                        mapping: true,
                        key: true,
                        item: false,
                    },
                )?;
                self.writer.indicator(":", false, false, false);
            } else {
                self.writer.indicator("?", true, false, true);
                self.node(
                    *key,
                    Context {
                        mapping: true,
                        ..Context::default()
                    },
                )?;
                self.writer.write_indent();
                self.writer.indicator(":", true, false, true);
            }
            self.node(
                *value,
                Context {
                    mapping: true,
                    ..Context::default()
                },
            )?;
        }
        self.writer.indent = outer;
        Ok(())
    }

    fn flow_mapping(&mut self, node: &Node, context: Context) -> Result<(), Error> {
        self.writer.indicator("{", true, true, false);
        let outer = self.increase_indent(true, context, false);
        self.flow += 1;
        for (i, pair) in node.content.chunks_exact(2).enumerate() {
            let [key, value] = pair else { continue };
            if i > 0 {
                self.writer.indicator(",", false, false, false);
            }
            if self.is_simple_key(*key) {
                self.node(
                    *key,
                    Context {
                        mapping: true,
                        key: true,
                        item: false,
                    },
                )?;
                self.writer.indicator(":", false, false, false);
            } else {
                self.writer.indicator("?", true, false, false);
                self.node(
                    *key,
                    Context {
                        mapping: true,
                        ..Context::default()
                    },
                )?;
                self.writer.indicator(":", true, false, false);
            }
            self.node(
                *value,
                Context {
                    mapping: true,
                    ..Context::default()
                },
            )?;
        }
        self.flow -= 1;
        self.writer.indent = outer;
        self.writer.indicator("}", false, false, false);
        Ok(())
    }

    fn is_simple_key(&self, id: NodeId) -> bool {
        let node = &self.arena[id];
        let extra = node.anchor.as_ref().map_or(0, |anchor| anchor.len());
        match node.kind {
            Kind::Scalar => {
                node.value.len() + extra <= 128 && !analyze(Dialect::V3, &node.value).multiline
            }
            Kind::Sequence | Kind::Mapping => node.content.is_empty(),
            Kind::Alias => node.value.len() <= 128,
            Kind::Zero => true,
        }
    }
}
