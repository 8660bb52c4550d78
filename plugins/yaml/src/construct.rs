//! From plain data to nodes, as if written by go-yaml v3 and read again (kyaml `FromMap`).

use crate::key_order;
use crate::node::{Arena, Kind, Node, NodeId, Style, Tag};
use crate::number;
use crate::resolve::{self, Dialect, Scalar};
use crate::value::Value;

/// Makes the nodes of `value`; keys are sorted.
pub fn from_value(arena: &mut Arena, value: &Value) -> NodeId {
    let node = match value {
        Value::Null => Node::tagged("null", Tag::Null),
        Value::Bool(value) => Node::tagged(value.to_string(), Tag::Bool),
        Value::Int(value) => Node::tagged(value.to_string(), Tag::Int),
        Value::Uint(value) => Node::tagged(value.to_string(), Tag::Int),
        Value::Float(value) => {
            let text = number::format_float(*value);
            let tag = resolve::plain(Dialect::V3, &text).tag();
            Node::tagged(text, tag)
        }
        Value::String(text) => string(text),
        Value::Array(items) => {
            let content = items
                .iter()
                .map(|item| from_value(arena, item))
                .collect::<Vec<_>>();
            let style = if content.is_empty() {
                Style::FLOW
            } else {
                Style::PLAIN
            };
            Node {
                kind: Kind::Sequence,
                tag: Tag::Seq,
                style,
                content,
                ..Node::default()
            }
        }
        Value::Object(object) => {
            let entries = key_order::sort(Dialect::V3, object.iter().collect());
            let mut content = Vec::with_capacity(entries.len() * 2);
            for (key, value) in entries {
                let key = string(key);
                content.push(arena.add(key));
                content.push(from_value(arena, value));
            }
            let style = if content.is_empty() {
                Style::FLOW
            } else {
                Style::PLAIN
            };
            Node {
                kind: Kind::Mapping,
                tag: Tag::Map,
                style,
                content,
                ..Node::default()
            }
        }
    };
    arena.add(node)
}

fn string(text: &str) -> Node {
    let plain = resolve::plain(Dialect::V3, text) == Scalar::Str
        && !resolve::is_base60(text)
        && !resolve::is_old_bool(text);
    let style = if text.contains('\n') {
        Style::LITERAL
    } else if plain {
        Style::PLAIN
    } else {
        Style::DOUBLE_QUOTED
    };
    Node {
        kind: Kind::Scalar,
        tag: Tag::Str,
        style,
        value: text.to_owned(),
        ..Node::default()
    }
}
