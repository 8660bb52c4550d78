//! Looking things up in nodes and setting them, with the exact effects of kyaml's filters
//! (kyaml `yaml/fns.go`, `yaml/rnode.go`): what counts as missing, when a style is kept, what a
//! null does.

use std::collections::BTreeMap;

use weir_yaml::resolve::{self, Dialect, Scalar};
use weir_yaml::{Arena, Kind, Node, NodeId, Style, Tag, emit, parse};

use crate::error::{Error, Result};

/// String keys and values, sorted.
pub(crate) type StringMap = BTreeMap<String, String>;

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Zero => "",
        Kind::Scalar => "ScalarNode",
        Kind::Mapping => "MappingNode",
        Kind::Sequence => "SequenceNode",
        Kind::Alias => "AliasNode",
    }
}

/// Refuses a node of another kind; null passes (kyaml `ErrorIfInvalid`).
pub(crate) fn expect_kind(arena: &Arena, id: NodeId, kind: Kind) -> Result<()> {
    if arena.is_null(id) || arena[id].kind == kind {
        return Ok(());
    }
    let mut message = format!(
        "wrong node kind: expected {} but got {}",
        kind_name(kind),
        kind_name(arena[id].kind)
    );
    if let Ok(text) = emit::node_to_string(arena, id) {
        message.push_str(": node contents:\n");
        message.push_str(&text);
    }
    Err(Error::new(message))
}

/// Value of a field; `None` for a null or a missing field.
pub(crate) fn get(arena: &Arena, id: NodeId, name: &str) -> Result<Option<NodeId>> {
    if arena.is_null(id) {
        return Ok(None);
    }
    expect_kind(arena, id, Kind::Mapping)?;
    Ok(arena.field(id, name))
}

/// What is written at a node, as kyaml prints it.
pub(crate) fn to_text(arena: &Arena, id: NodeId) -> String {
    emit::node_to_string(arena, id).unwrap_or_default()
}

/// `[name=value]`
pub(crate) fn is_list_index(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

/// Splits `[name=value]`.
pub(crate) fn split_list_index(part: &str) -> Result<(&str, &str)> {
    let inner = part.strip_suffix(']').unwrap_or(part);
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    inner.split_once('=').ok_or_else(|| {
        Error::new("list path element must contain fieldName=fieldValue for element to match")
    })
}

/// A number as Go's `strconv.Atoi` accepts it.
pub(crate) fn parse_index(part: &str) -> Option<i64> {
    part.parse().ok()
}

fn part_kind(next: Option<&&str>, last: Kind) -> Kind {
    match next {
        None | Some(&"") => last,
        Some(next) if is_list_index(next) || parse_index(next).is_some_and(|i| i >= 0) => {
            Kind::Sequence
        }
        Some(_) => Kind::Mapping,
    }
}

/// Follows a path of field names, indexes, `-` and `[name=value]` (kyaml `Lookup`).
pub(crate) fn lookup<S: AsRef<str>>(
    arena: &mut Arena,
    id: NodeId,
    path: &[S],
) -> Result<Option<NodeId>> {
    walk(arena, id, path, None)
}

/// As [`lookup`]; what is missing is made, the last with `kind` (kyaml `LookupCreate`).
pub(crate) fn lookup_create<S: AsRef<str>>(
    arena: &mut Arena,
    id: NodeId,
    path: &[S],
    kind: Kind,
) -> Result<Option<NodeId>> {
    walk(arena, id, path, Some(kind))
}

fn walk<S: AsRef<str>>(
    arena: &mut Arena,
    id: NodeId,
    path: &[S],
    create: Option<Kind>,
) -> Result<Option<NodeId>> {
    let parts: Vec<&str> = path
        .iter()
        .map(|part| part.as_ref().trim())
        .filter(|part| !part.is_empty())
        .collect();
    let mut at = id;
    for (i, part) in parts.iter().enumerate() {
        let next = parts.get(i + 1);
        let found = if let Some(index) = parse_index(part) {
            if index < 0 {
                return Err(Error::new(format!(
                    "array index {index} cannot be negative"
                )));
            }
            expect_kind(arena, at, Kind::Sequence)?;
            arena[at].content.get(index as usize).copied()
        } else if *part == "-" {
            expect_kind(arena, at, Kind::Sequence)?;
            arena[at].content.last().copied()
        } else if *part == "*" {
            return Err(Error::new("wildcard is not supported in PathGetter"));
        } else if is_list_index(part) {
            list_element(arena, at, part, create)?
        } else {
            match (get(arena, at, part)?, create) {
                (None, Some(kind)) if !arena.is_null(at) => {
                    let kind = part_kind(next, kind);
                    let made = arena.add(Node::of_kind(kind));
                    Some(append_field(arena, at, part, made, Style::PLAIN))
                }
                (found, _) => found,
            }
        };
        match found {
            Some(found) => at = found,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

fn list_element(
    arena: &mut Arena,
    id: NodeId,
    part: &str,
    create: Option<Kind>,
) -> Result<Option<NodeId>> {
    let (name, value) = split_list_index(part)?;
    let found = match_element(arena, id, &[name], &[value])?;
    if found.is_some() || create.is_none() || arena.is_null(id) {
        return Ok(found);
    }
    let scalar = arena.add(Node::scalar(value));
    let made = if name.is_empty() {
        scalar
    } else {
        let key = arena.add(Node::scalar(name));
        let mut node = Node::of_kind(Kind::Mapping);
        node.content = vec![key, scalar];
        arena.add(node)
    };
    arena[id].content.push(made);
    Ok(Some(made))
}

/// The first element of a list whose fields have the values (kyaml `ElementMatcher`). Without
/// keys: the first scalar of the value.
pub(crate) fn match_element<S: AsRef<str>>(
    arena: &Arena,
    id: NodeId,
    keys: &[S],
    values: &[S],
) -> Result<Option<NodeId>> {
    if arena.is_null(id) {
        return Ok(None);
    }
    expect_kind(arena, id, Kind::Sequence)?;
    let content = &arena[id].content;
    if keys.first().is_none_or(|key| key.as_ref().is_empty()) {
        let wanted = values.first().map_or("", AsRef::as_ref);
        return Ok(content
            .iter()
            .copied()
            .find(|item| arena[*item].value == wanted));
    }
    if keys.len() != values.len() && content.iter().any(|i| arena[*i].kind == Kind::Mapping) {
        return Err(Error::new(
            "length of keys must equal length of values when MatchAnyValue is false",
        ));
    }
    let matches = |item: NodeId| {
        arena[item].kind == Kind::Mapping
            && keys.iter().zip(values).all(|(key, value)| {
                arena
                    .field(item, key.as_ref())
                    .is_some_and(|field| arena[field].value == value.as_ref())
            })
    };
    Ok(content.iter().copied().find(|item| matches(*item)))
}

/// Adds a field without looking for it.
pub(crate) fn append_field(
    arena: &mut Arena,
    map: NodeId,
    name: &str,
    value: NodeId,
    key_style: Style,
) -> NodeId {
    let mut key = Node::scalar(name);
    key.style = key_style;
    let key = arena.add(key);
    arena[map].content.extend([key, value]);
    value
}

/// Takes a field out.
pub(crate) fn clear(arena: &mut Arena, map: NodeId, name: &str) -> Result<()> {
    if arena.is_null(map) {
        return Ok(());
    }
    expect_kind(arena, map, Kind::Mapping)?;
    let at = arena
        .fields(map)
        .position(|(key, _)| arena[key].value == name);
    if let Some(at) = at {
        arena[map].content.drain(at * 2..at * 2 + 2);
    }
    Ok(())
}

/// True for a text that a YAML 1.1 reader would not take for a string.
pub(crate) fn is_value_non_string(text: &str) -> bool {
    if text.is_empty() || text.contains('\n') {
        return false;
    }
    let simple = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'/' | b'+');
    let first_simple = text
        .bytes()
        .next()
        .is_some_and(|b| simple(b) || b == b'-' || b == b'~');
    let rest_simple = text.bytes().skip(1).all(|b| simple(b) || b == b'-');
    if first_simple && rest_simple && text != "-" && !text.starts_with("--") {
        return !matches!(
            resolve::plain(Dialect::V2, text),
            Scalar::Str | Scalar::Timestamp(_)
        );
    }
    let mut scratch = Arena::new();
    match parse::parse(&mut scratch, text, Dialect::V2) {
        Ok(Some(root)) => weir_yaml::decode::yaml_to_json(&scratch, root, false)
            .is_ok_and(|value| !matches!(value, weir_yaml::Value::String(_))),
        Ok(None) => true,
        Err(_) => false,
    }
}

/// Quotes a string that YAML 1.1 would read as something else, unless a style is set already.
fn quote_if_needed(arena: &mut Arena, value: NodeId) {
    let node = &arena[value];
    if node.is_string() && node.style == Style::PLAIN && is_value_non_string(&node.value) {
        arena[value].style = Style::DOUBLE_QUOTED;
    }
}

/// Replaces a scalar in place; its style stays (kyaml `FieldSetter` without a name).
pub(crate) fn set_scalar(arena: &mut Arena, target: NodeId, value: NodeId) -> Result<()> {
    quote_if_needed(arena, value);
    expect_kind(arena, target, Kind::Scalar)?;
    if arena.is_null(value) {
        return Ok(());
    }
    arena[value].style = arena[target].style;
    arena.assign(target, value);
    Ok(())
}

/// Sets a field; null or nothing takes it out; the style of what was there stays
/// (kyaml `FieldSetter`).
pub(crate) fn set_field(
    arena: &mut Arena,
    map: NodeId,
    name: &str,
    value: Option<NodeId>,
) -> Result<Option<NodeId>> {
    set_field_styled(arena, map, name, value, Style::PLAIN, false)
}

/// As [`set_field`], with the style of a new key and whether a null is to stay.
pub(crate) fn set_field_styled(
    arena: &mut Arena,
    map: NodeId,
    name: &str,
    value: Option<NodeId>,
    key_style: Style,
    keep_null: bool,
) -> Result<Option<NodeId>> {
    let Some(value) = value else {
        clear(arena, map, name)?;
        return Ok(None);
    };
    quote_if_needed(arena, value);
    if name.is_empty() {
        set_scalar(arena, map, value)?;
        return Ok(Some(map));
    }
    if arena.is_null(value) && !keep_null {
        clear(arena, map, name)?;
        return Ok(None);
    }
    if let Some(field) = get(arena, map, name)? {
        arena[value].style = arena[field].style;
        arena.assign(field, value);
        return Ok(Some(field));
    }
    Ok(Some(append_field(arena, map, name, value, key_style)))
}

/// Sets a field below a path of maps, which are made as needed.
pub(crate) fn set_at(arena: &mut Arena, id: NodeId, path: &[&str], value: NodeId) -> Result<()> {
    let Some((name, parents)) = path.split_last() else {
        return Ok(());
    };
    match lookup_create(arena, id, parents, Kind::Mapping)? {
        Some(map) => set_field(arena, map, name, Some(value)).map(|_| ()),
        None => Ok(()),
    }
}

/// A string node as kyaml makes it: several lines are written as a block.
pub(crate) fn string_node(text: &str) -> Node {
    let mut node = Node::tagged(text, Tag::Str);
    if text.contains('\n') {
        node.style = Style::LITERAL;
    }
    node
}

/// `metadata`, if there is something in it.
pub(crate) fn metadata(arena: &Arena, id: NodeId) -> Option<NodeId> {
    if arena.is_null(id) {
        return None;
    }
    arena
        .field(id, "metadata")
        .filter(|meta| !arena[*meta].is_nil_or_empty())
}

/// A text field of `metadata`.
pub(crate) fn metadata_text<'a>(arena: &'a Arena, id: NodeId, name: &str) -> &'a str {
    metadata(arena, id)
        .and_then(|meta| arena.field(meta, name))
        .filter(|value| !arena[*value].is_nil_or_empty())
        .map_or("", |value| &arena[value].value)
}

/// A text field at the top.
pub(crate) fn top_text<'a>(arena: &'a Arena, id: NodeId, name: &str) -> &'a str {
    arena
        .field(id, name)
        .map_or("", |value| &arena[value].value)
}

/// One entry of a map in `metadata`.
pub(crate) fn meta_map_entry<'a>(
    arena: &'a Arena,
    id: NodeId,
    map: &str,
    key: &str,
) -> Option<&'a str> {
    let map = arena.field(metadata(arena, id)?, map)?;
    arena
        .field(map, key)
        .map(|value| arena[value].value.as_str())
}

/// A map in `metadata`: labels or annotations.
pub(crate) fn meta_map(arena: &Arena, id: NodeId, map: &str) -> StringMap {
    let Some(map) = metadata(arena, id).and_then(|meta| arena.field(meta, map)) else {
        return StringMap::new();
    };
    arena
        .fields(map)
        .map(|(key, value)| (arena[key].value.clone(), arena[value].value.clone()))
        .collect()
}

/// Replaces a map in `metadata`; every value becomes a string.
pub(crate) fn set_meta_map(
    arena: &mut Arena,
    id: NodeId,
    name: &str,
    entries: &StringMap,
) -> Result<()> {
    let Some(meta) = lookup_create(arena, id, &["metadata"], Kind::Mapping)? else {
        return Ok(());
    };
    clear(arena, meta, name)?;
    if entries.is_empty() {
        return Ok(());
    }
    let Some(map) = lookup_create(arena, meta, &[name], Kind::Mapping)? else {
        return Ok(());
    };
    for (key, value) in entries {
        let value = arena.add(string_node(value));
        quote_if_needed(arena, value);
        append_field(arena, map, key, value, Style::PLAIN);
    }
    Ok(())
}

/// Sets one annotation as kyaml's `SetAnnotation` does, dropping empty maps on the way.
pub(crate) fn set_annotation(arena: &mut Arena, id: NodeId, key: &str, value: &str) -> Result<()> {
    let drop_if_empty = |arena: &mut Arena, map: NodeId, name: &str| -> Result<()> {
        if arena.is_null(map) {
            return Ok(());
        }
        expect_kind(arena, map, Kind::Mapping)?;
        // Should the name stand there twice, it is the empty one that goes.
        let at = arena
            .fields(map)
            .position(|(key, value)| arena[key].value == name && arena[value].content.is_empty());
        if let Some(at) = at {
            arena[map].content.drain(at * 2..at * 2 + 2);
        }
        Ok(())
    };
    if let Some(meta) = get(arena, id, "metadata")? {
        drop_if_empty(arena, meta, "annotations")?;
    }
    drop_if_empty(arena, id, "metadata")?;
    set_meta_entry(arena, id, "annotations", key, value)
}

/// Sets one entry of a map in `metadata`, single-quoted.
pub(crate) fn set_meta_entry(
    arena: &mut Arena,
    id: NodeId,
    map: &str,
    key: &str,
    value: &str,
) -> Result<()> {
    let mut node = string_node(value);
    node.style = Style::SINGLE_QUOTED;
    let node = arena.add(node);
    match lookup_create(arena, id, &["metadata", map], Kind::Mapping)? {
        Some(map) => set_field(arena, map, key, Some(node)).map(|_| ()),
        None => Ok(()),
    }
}

/// Splits a path at a delimiter; a backslash in front of one keeps it (kyaml `PathSplitter`).
pub(crate) fn split_path(path: &str, delimiter: char) -> Vec<String> {
    let mut parts: Vec<&str> = path.split(delimiter).collect();
    if parts.len() > 1 && parts[0].is_empty() {
        parts.remove(0);
    }
    let mut result: Vec<String> = Vec::with_capacity(parts.len());
    for part in parts {
        match result.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(delimiter);
                last.push_str(part);
            }
            _ => result.push(part.to_owned()),
        }
    }
    result
}

/// As [`split_path`]; what stands in brackets stays together (kyaml `SmarterPathSplitter`).
pub(crate) fn split_path_smart(path: &str) -> Vec<String> {
    let mut result = Vec::new();
    let mut parts = split_path(path, '.').into_iter();
    while let Some(part) = parts.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            result.push(part);
            continue;
        }
        let mut bracketed = part;
        for more in parts.by_ref() {
            bracketed.push('.');
            bracketed.push_str(&more);
            if more.ends_with(']') {
                break;
            }
        }
        if bracketed.contains('=') {
            result.push(bracketed);
        } else {
            result.push(bracketed.trim_matches(['[', ']']).to_owned());
        }
    }
    result
}
