//! Content hashes in the names of generated objects (kustomize `api/hasher`).

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use weir_yaml::{Arena, Kind, NodeId, Value, decode, json};

use crate::error::Result;
use crate::rnode;

/// The hash of an object, ten characters that make no words.
pub(crate) fn of(arena: &Arena, node: NodeId) -> Result<String> {
    let kind = rnode::top_text(arena, node, "kind");
    let encoded = match kind {
        "ConfigMap" => {
            let mut fields = vec![
                ("kind", Value::from("ConfigMap")),
                ("name", text_of(arena, node)),
                ("data", field(arena, node, "data")?),
            ];
            fields.extend(optional(arena, node, "binaryData")?);
            encode(fields)?
        }
        "Secret" => {
            let mut fields = vec![
                ("kind", Value::from("Secret")),
                ("type", field(arena, node, "type")?),
                ("name", text_of(arena, node)),
                ("data", field(arena, node, "data")?),
            ];
            fields.extend(optional(arena, node, "stringData")?);
            encode(fields)?
        }
        _ => node_json(arena, node)?,
    };
    let digest = Sha256::digest(encoded.as_bytes());
    let mut hash = String::with_capacity(10);
    for byte in digest.iter().take(5) {
        for nibble in [byte >> 4, byte & 15] {
            let digit = char::from_digit(u32::from(nibble), 16).unwrap_or('0');
            hash.push(match digit {
                '0' => 'g',
                '1' => 'h',
                '3' => 'k',
                'a' => 'm',
                'e' => 't',
                other => other,
            });
        }
    }
    Ok(hash)
}

fn encode(fields: Vec<(&str, Value)>) -> Result<String> {
    let object = fields
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    Ok(json::to_string(&Value::Object(object))?)
}

/// kustomize looks for a field of the name `metadata/name`, which there is not: the name never
/// counts.
fn text_of(arena: &Arena, node: NodeId) -> Value {
    let text = arena
        .field(node, "metadata/name")
        .map_or("", |name| &arena[name].value);
    Value::from(text)
}

fn field(arena: &Arena, node: NodeId, name: &str) -> Result<Value> {
    let Some(found) = rnode::get(arena, node, name)? else {
        return Ok(Value::from(""));
    };
    if arena[found].kind == Kind::Scalar {
        return Ok(Value::from(arena[found].value.as_str()));
    }
    let value = decode::marshal_json(arena, found)?;
    Ok(if value.as_object().is_some() {
        through_floats(value)
    } else {
        Value::Null
    })
}

fn optional(
    arena: &Arena,
    node: NodeId,
    name: &'static str,
) -> Result<Option<(&'static str, Value)>> {
    let value = field(arena, node, name)?;
    Ok(value.as_object().is_some().then_some((name, value)))
}

/// Go reads every JSON number as a float.
fn through_floats(value: Value) -> Value {
    match value {
        Value::Int(value) => Value::Float(value as f64),
        Value::Uint(value) => Value::Float(value as f64),
        Value::Array(items) => Value::Array(items.into_iter().map(through_floats).collect()),
        Value::Object(mut object) => {
            for (_, value) in object.iter_mut() {
                *value = through_floats(std::mem::take(value));
            }
            Value::Object(object)
        }
        other => other,
    }
}

/// The node itself as JSON, down to lines and columns: what kustomize hashes for other kinds.
fn node_json(arena: &Arena, id: NodeId) -> Result<String> {
    let node = &arena[id];
    let kind = match node.kind {
        Kind::Zero => 0,
        Kind::Sequence => 2,
        Kind::Mapping => 4,
        Kind::Scalar => 8,
        Kind::Alias => 16,
    };
    let mut text = format!("{{\"Kind\":{kind},\"Style\":{},\"Tag\":", node.style.bits());
    json::write_string(&mut text, node.tag.name());
    text.push_str(",\"Value\":");
    json::write_string(&mut text, &node.value);
    text.push_str(",\"Anchor\":\"\",\"Alias\":null,\"Content\":");
    if node.content.is_empty() {
        text.push_str("null");
    } else {
        text.push('[');
        for (i, child) in node.content.iter().enumerate() {
            if i > 0 {
                text.push(',');
            }
            text.push_str(&node_json(arena, *child)?);
        }
        text.push(']');
    }
    let comments = node.comments.as_deref().cloned().unwrap_or_default();
    for (name, comment) in [
        ("Head", comments.head),
        ("Line", comments.line),
        ("Foot", comments.foot),
    ] {
        let _ = write!(text, ",\"{name}Comment\":");
        json::write_string(&mut text, &comment);
    }
    let _ = write!(text, ",\"Line\":{},\"Column\":{}}}", node.line, node.column);
    Ok(text)
}
