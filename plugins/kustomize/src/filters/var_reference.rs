//! `$(NAME)` in the fields where variables may stand (kustomize `filters/refvar`).

use std::collections::HashMap;

use weir_yaml::{Arena, Kind, NodeId, Style, Tag, number};

use crate::error::{Error, Result};
use crate::filters::field_spec::{self, Create};
use crate::types::FieldSpec;

/// Value of a variable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum VarValue {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// A list or a map, which cannot stand inside a text.
    Other,
}

/// Values by name.
pub(crate) type VarValues = HashMap<String, VarValue>;

/// Replaces variables in one field of an object.
pub(crate) fn apply(
    arena: &mut Arena,
    object: NodeId,
    spec: &FieldSpec,
    values: &VarValues,
) -> Result<()> {
    field_spec::apply(arena, object, spec, &Create::NOTHING, &mut |arena, node| {
        set(arena, node, values)
    })
}

fn set(arena: &mut Arena, node: NodeId, values: &VarValues) -> Result<()> {
    if arena.is_null(node) {
        return Ok(());
    }
    match arena[node].kind {
        Kind::Scalar => {
            if arena[node].is_string() {
                replace(arena, node, values);
            }
        }
        Kind::Mapping => {
            let fields: Vec<_> = arena.fields(node).collect();
            for (key, value) in fields {
                if !arena[key].is_string() {
                    return Err(Error::new(format!(
                        "invalid map key: value='{}', tag='{}'",
                        arena[key].value,
                        arena[key].tag.name()
                    )));
                }
                if arena[value].is_string() {
                    replace(arena, value, values);
                }
            }
        }
        Kind::Sequence => {
            for item in arena[node].content.clone() {
                if !arena[item].is_string() {
                    return Err(Error::new("invalid value type expect a string"));
                }
                replace(arena, item, values);
            }
        }
        _ => return Err(Error::new("invalid type encountered 0")),
    }
    Ok(())
}

fn replace(arena: &mut Arena, node: NodeId, values: &VarValues) {
    let (text, tag) = match expand(&arena[node].value, values) {
        VarValue::Text(text) => (text, Tag::Str),
        VarValue::Int(value) => (value.to_string(), Tag::Int),
        VarValue::Float(value) => (format!("{value}"), Tag::Float),
        VarValue::Bool(value) => (value.to_string(), Tag::Bool),
        VarValue::Other => return,
    };
    let node = &mut arena[node];
    node.value = text;
    node.tag = tag;
    node.style = Style::PLAIN;
}

/// A text with its variables replaced; one variable alone keeps its type.
fn expand(input: &str, values: &VarValues) -> VarValue {
    let mut out = String::new();
    let mut rest = input;
    while let Some(at) = rest.find('$') {
        let Some(next) = rest[at + 1..].chars().next() else {
            break;
        };
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        match next {
            '$' => {
                out.push('$');
                rest = &behind[1..];
            }
            '(' => {
                if let Some(end) = behind.find(')') {
                    let name = &behind[1..end];
                    let whole = input.len() == name.len() + 3;
                    match values.get(name) {
                        Some(VarValue::Other) | None => {
                            out.push_str("$(");
                            out.push_str(name);
                            out.push(')');
                        }
                        Some(value) if whole => return value.clone(),
                        Some(value) => out.push_str(&as_text(value)),
                    }
                    rest = &behind[end + 1..];
                } else {
                    out.push_str("$(");
                    rest = &behind[1..];
                }
            }
            other => {
                out.push('$');
                out.push(other);
                rest = &behind[other.len_utf8()..];
            }
        }
    }
    out.push_str(rest);
    VarValue::Text(out)
}

fn as_text(value: &VarValue) -> String {
    match value {
        VarValue::Text(text) => text.clone(),
        VarValue::Int(value) => value.to_string(),
        VarValue::Float(value) => number::format_float(*value),
        VarValue::Bool(value) => value.to_string(),
        VarValue::Other => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_handled_as_in_kubernetes() {
        let values = VarValues::from([
            ("A".to_owned(), VarValue::Text("x".to_owned())),
            ("N".to_owned(), VarValue::Int(3)),
        ]);
        let text = |input| match expand(input, &values) {
            VarValue::Text(text) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(text("a$(A)b"), "axb");
        assert_eq!(text("$$(A)"), "$(A)");
        assert_eq!(text("$(B) $(A"), "$(B) $(A");
        assert_eq!(text("$A$"), "$A$");
        assert_eq!(expand("$(N)", &values), VarValue::Int(3));
        assert_eq!(text("n=$(N)"), "n=3");
    }
}
