//! Data as Go prints it with `%#v`, for messages.

use std::fmt::Write as _;

use weir_yaml::resolve::{self, Dialect, Scalar};
use weir_yaml::{Arena, Kind, NodeId, Style, Tag, number};

/// A top-level object: a map with text keys. A map with a key that stands twice cannot be read.
pub(crate) fn of(arena: &Arena, node: NodeId) -> String {
    if has_duplicates(arena, node) {
        return "map[string]interface {}(nil)".to_owned();
    }
    value(arena, node, true)
}

fn has_duplicates(arena: &Arena, id: NodeId) -> bool {
    let mut seen = std::collections::HashSet::new();
    let own = arena
        .fields(id)
        .any(|(key, _)| !seen.insert(arena[key].value.as_str()));
    own || arena[id]
        .content
        .iter()
        .any(|child| has_duplicates(arena, *child))
}

fn value(arena: &Arena, id: NodeId, top: bool) -> String {
    match arena[id].kind {
        Kind::Mapping => mapping(arena, id, top),
        Kind::Sequence => {
            let items: Vec<_> = arena[id]
                .content
                .iter()
                .map(|item| value(arena, *item, false))
                .collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        _ => scalar(arena, id),
    }
}

fn is_text(arena: &Arena, id: NodeId) -> bool {
    arena[id].tag == Tag::Str || (arena[id].tag == Tag::Empty && scalar(arena, id).starts_with('"'))
}

fn mapping(arena: &Arena, id: NodeId, top: bool) -> String {
    let all_text = top || arena.fields(id).all(|(key, _)| is_text(arena, key));
    let mut entries: Vec<_> = arena
        .fields(id)
        .map(|(key, item)| {
            let name = &arena[key].value;
            let text = is_text(arena, key);
            let shown = if all_text || text {
                quote(name)
            } else {
                scalar(arena, key)
            };
            (
                !text,
                name.clone(),
                format!("{shown}:{}", value(arena, item, false)),
            )
        })
        .collect();
    entries.sort();
    let kind = if all_text { "string" } else { "interface {}" };
    let entries: Vec<_> = entries.into_iter().map(|(_, _, entry)| entry).collect();
    format!("map[{kind}]interface {{}}{{{}}}", entries.join(", "))
}

fn scalar(arena: &Arena, id: NodeId) -> String {
    let node = &arena[id];
    if node.tag == Tag::Str || node.style.has(Style::STRING) {
        return quote(&node.value);
    }
    match resolve::plain(Dialect::V3, &node.value) {
        Scalar::Null => "interface {}(nil)".to_owned(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Uint(value) => format!("0x{value:x}"),
        Scalar::Float(value) => number::format_float(value),
        Scalar::Timestamp(_) | Scalar::Str => quote(&node.value),
    }
}

/// `strconv.Quote`.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\0'..='\u{1f}' | '\u{7f}' => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            '\u{80}'..='\u{a0}'
            | '\u{ad}'
            | '\u{feff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{e000}'..='\u{f8ff}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
