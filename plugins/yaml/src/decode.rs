//! From nodes to plain data, in the two ways that kustomize takes.

use std::collections::{HashMap, HashSet};

use base64::Engine;

use crate::emit::{self, Presented, present, scalar::Form, scalar::Place};
use crate::error::Error;
use crate::go_syntax;
use crate::node::{Arena, Kind, NodeId, Style, Tag};
use crate::number;
use crate::parse;
use crate::resolve::{self, Dialect, Scalar};
use crate::value::{Object, Value};

/// What a tree means once it has been written and read again by go-yaml v3 and passed on as JSON
/// (kyaml `RNode.MarshalJSON`): times become RFC 3339 text, keys must be unique strings.
pub fn marshal_json(arena: &Arena, id: NodeId) -> Result<Value, Error> {
    let mut decoder = V3 {
        arena,
        duplicates: false,
        unsupported: false,
    };
    let value = decoder.value(id, false, true)?;
    if decoder.duplicates {
        return Err(duplicate_keys(arena, id));
    }
    if decoder.unsupported {
        return Err(Error::new(
            "json: unsupported type: map[interface {}]interface {}",
        ));
    }
    Ok(value)
}

struct V3<'a> {
    arena: &'a Arena,
    duplicates: bool,
    unsupported: bool,
}

impl V3<'_> {
    fn scalar(&self, id: NodeId, place: Place) -> Result<Value, Error> {
        let node = &self.arena[id];
        // Most scalars are strings, of which the form does not matter.
        if node.tag == Tag::Str && !node.style.has(Style::TAGGED) {
            return Ok(Value::String(node.value.clone()));
        }
        let Presented { tag, form, text } = present(node, place);
        if tag == Tag::Empty {
            if form != Form::Plain {
                return Ok(Value::String(text.into_owned()));
            }
            return Ok(plain_value(resolve::plain(Dialect::V3, &text), &text));
        }
        explicit(Dialect::V3, &tag, &text)
    }

    fn value(&mut self, id: NodeId, in_flow: bool, top: bool) -> Result<Value, Error> {
        let node = &self.arena[id];
        let flow = in_flow || node.style.has(Style::FLOW);
        match node.kind {
            Kind::Zero => Ok(Value::Null),
            Kind::Scalar => self.scalar(
                id,
                Place {
                    flow: in_flow,
                    key: false,
                },
            ),
            Kind::Alias => match node.alias {
                Some(target) => self.value(target, in_flow, top),
                None => Ok(Value::Null),
            },
            Kind::Sequence => {
                let items = node.content.iter();
                items
                    .map(|item| self.value(*item, flow, false))
                    .collect::<Result<_, _>>()
                    .map(Value::Array)
            }
            Kind::Mapping => self.mapping(id, flow, top),
        }
    }

    fn mapping(&mut self, id: NodeId, flow: bool, top: bool) -> Result<Value, Error> {
        if has_duplicates(self.arena, id) {
            self.duplicates = true;
            return Ok(Value::Null);
        }
        let mut object = Object::new();
        let mut merged = None;
        for (key, value) in self.arena.fields(id) {
            let node = &self.arena[key];
            if node.kind == Kind::Scalar && node.value == "<<" && node.tag == Tag::Merge {
                merged = Some(value);
                continue;
            }
            let name = match self.scalar(key, Place { flow, key: true })? {
                Value::String(name) => name,
                Value::Null if top => continue,
                _ if top && node.kind == Kind::Scalar => node.value.clone(),
                _ => {
                    self.unsupported = true;
                    continue;
                }
            };
            let value = self.value(value, flow, false)?;
            object.push(name, value);
        }
        if let Some(source) = merged {
            self.merge(source, flow, &mut object)?;
        }
        Ok(Value::Object(object))
    }

    fn merge(&mut self, source: NodeId, flow: bool, into: &mut Object) -> Result<(), Error> {
        let sources = match self.arena[source].kind {
            Kind::Sequence => self.arena[source].content.clone(),
            _ => vec![source],
        };
        for source in sources {
            let Value::Object(fields) = self.value(source, flow, false)? else {
                return Err(want_map());
            };
            for (key, value) in fields.iter() {
                if into.get(key).is_none() {
                    into.set(key, value.clone());
                }
            }
        }
        Ok(())
    }
}

fn want_map() -> Error {
    Error::new("yaml: map merge requires map or sequence of maps as the value")
}

fn plain_value(scalar: Scalar, text: &str) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => Value::Bool(value),
        Scalar::Int(value) => Value::Int(value),
        Scalar::Uint(value) => Value::Uint(value),
        Scalar::Float(value) => Value::Float(value),
        Scalar::Timestamp(time) => Value::String(time),
        Scalar::Str => Value::String(text.to_owned()),
    }
}

fn explicit(dialect: Dialect, tag: &Tag, text: &str) -> Result<Value, Error> {
    if *tag == Tag::Binary {
        return base64::engine::general_purpose::STANDARD
            .decode(text.replace(['\n', '\r'], ""))
            .map(|bytes| Value::String(String::from_utf8_lossy(&bytes).into_owned()))
            .map_err(|_| Error::new("yaml: !!binary value contains invalid base64 data"));
    }
    let scalar = resolve::tagged(dialect, tag, text)?;
    Ok(match scalar {
        Scalar::Timestamp(_) if dialect == Dialect::V2 => Value::String(text.to_owned()),
        scalar => plain_value(scalar, text),
    })
}

/// True if two keys of a mapping are written the same.
fn has_duplicates(arena: &Arena, id: NodeId) -> bool {
    let content = &arena[id].content;
    let keys = || content.iter().step_by(2).map(|key| &arena[*key]);
    if content.len() > 32 {
        let mut seen = HashSet::new();
        return keys().any(|key| !seen.insert((key.kind == Kind::Scalar, key.value.as_str())));
    }
    keys().enumerate().any(|(i, key)| {
        keys()
            .skip(i + 1)
            .any(|other| key.kind == other.kind && key.value == other.value)
    })
}

/// go-yaml's message for keys that stand twice; its lines are those of the text as kyaml prints it.
fn duplicate_keys(arena: &Arena, id: NodeId) -> Error {
    let mut problems = Vec::new();
    let mut copy = Arena::new();
    let text = match emit::node_to_string(arena, id) {
        Ok(text) => text,
        Err(err) => return err,
    };
    if let Ok(Some(root)) = parse::parse(&mut copy, &text, Dialect::V3) {
        collect_duplicates(&copy, root, &mut problems);
    }
    Error::new(format!(
        "yaml: unmarshal errors:\n  {}",
        problems.join("\n  ")
    ))
}

fn collect_duplicates(arena: &Arena, id: NodeId, problems: &mut Vec<String>) {
    let before = problems.len();
    if arena[id].kind == Kind::Mapping {
        let mut first: HashMap<(bool, &str), u32> = HashMap::new();
        for (key, _) in arena.fields(id) {
            let node = &arena[key];
            let known = (node.kind == Kind::Scalar, node.value.as_str());
            if let Some(line) = first.get(&known) {
                problems.push(format!(
                    "line {}: mapping key {:?} already defined at line {line}",
                    node.line, node.value
                ));
            } else {
                first.insert(known, node.line);
            }
        }
    }
    if problems.len() == before {
        for child in &arena[id].content {
            collect_duplicates(arena, *child, problems);
        }
    }
}

/// What a document means to `sigs.k8s.io/yaml` (`YAMLToJSON`): YAML 1.1 by go-yaml v2, times stay
/// text, keys become strings, whole floats become integers. `strict`: no key may stand twice.
pub fn yaml_to_json(arena: &Arena, id: NodeId, strict: bool) -> Result<Value, Error> {
    let mut decoder = V2 {
        arena,
        strict,
        problems: Vec::new(),
        has_no_json: false,
        decoded: 0,
        aliased: 0,
        depth: 0,
    };
    let value = decoder.value(id)?;
    if !decoder.problems.is_empty() {
        let problems = decoder.problems.join("\n  ");
        return Err(Error::new(format!("yaml: unmarshal errors:\n  {problems}")));
    }
    if decoder.has_no_json
        && let Some(number) = without_json(&value)
    {
        return Err(unsupported(number));
    }
    Ok(value)
}

/// The first number that JSON cannot have, as `encoding/json` comes upon it: by the order of keys.
fn without_json(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) if !number.is_finite() => Some(*number),
        Value::Array(items) => items.iter().find_map(without_json),
        Value::Object(object) => {
            let mut fields: Vec<_> = object.iter().collect();
            fields.sort_unstable_by_key(|(key, _)| *key);
            fields.iter().find_map(|(_, value)| without_json(value))
        }
        _ => None,
    }
}

fn unsupported(number: f64) -> Error {
    let name = number::format_float(number);
    Error::new(format!("json: unsupported value: {name}"))
}

struct V2<'a> {
    arena: &'a Arena,
    strict: bool,
    problems: Vec<String>,
    /// A number was met that JSON cannot have; the rest of the document may be wrong, too.
    has_no_json: bool,
    decoded: u64,
    aliased: u64,
    /// Aliases being followed.
    depth: u32,
}

impl V2<'_> {
    fn value(&mut self, id: NodeId) -> Result<Value, Error> {
        self.decoded += 1;
        self.aliased += u64::from(self.depth > 0);
        self.check_aliases()?;
        let node = &self.arena[id];
        match node.kind {
            Kind::Zero => Ok(Value::Null),
            Kind::Scalar => self.scalar(id),
            Kind::Alias => {
                self.depth += 1;
                let value = node
                    .alias
                    .map_or(Ok(Value::Null), |target| self.value(target));
                self.depth -= 1;
                value
            }
            Kind::Sequence => {
                let items = node.content.iter();
                items
                    .map(|item| self.value(*item))
                    .collect::<Result<_, _>>()
                    .map(Value::Array)
            }
            Kind::Mapping => {
                let mut object = Object::new();
                self.mapping(id, &mut object)?;
                Ok(Value::Object(object))
            }
        }
    }

    /// go-yaml's guard against documents that are little but aliases.
    fn check_aliases(&self) -> Result<(), Error> {
        const LOW: f64 = 400_000.0;
        const HIGH: f64 = 4_000_000.0;
        if self.aliased <= 100 || self.decoded <= 1000 {
            return Ok(());
        }
        let decoded = self.decoded as f64;
        let allowed = if decoded <= LOW {
            0.99
        } else if decoded >= HIGH {
            0.10
        } else {
            0.99 - 0.89 * ((decoded - LOW) / (HIGH - LOW))
        };
        if self.aliased as f64 / decoded > allowed {
            return Err(Error::new("yaml: document contains excessive aliasing"));
        }
        Ok(())
    }

    fn scalar(&mut self, id: NodeId) -> Result<Value, Error> {
        let node = &self.arena[id];
        let value = if node.style.has(Style::TAGGED) {
            explicit(Dialect::V2, &node.tag, &node.value)?
        } else if node.style.has(Style::STRING) {
            return Ok(Value::String(node.value.clone()));
        } else {
            plain_text(&node.value)
        };
        self.has_no_json |= matches!(value, Value::Float(number) if !number.is_finite());
        as_json(value)
    }

    fn mapping(&mut self, id: NodeId, object: &mut Object) -> Result<(), Error> {
        let arena = self.arena;
        let mut keys = Keys::default();
        for (key, value) in arena.fields(id) {
            let node = &self.arena[key];
            if node.kind == Kind::Scalar && node.value == "<<" && node.tag == Tag::Merge {
                self.merge(value, object)?;
                continue;
            }
            let line = self.arena[value].line;
            let name = match self.value(key)? {
                Value::String(name) => name,
                Value::Int(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                Value::Float(number) => number::format_float(number),
                key @ Value::Uint(_) => return Err(self.bad_key("uint64", &key, value)),
                Value::Null => return Err(self.bad_key("%!s(<nil>)", &Value::Null, value)),
                key @ (Value::Array(_) | Value::Object(_)) => {
                    let key = go_syntax::expression(&key);
                    return Err(Error::new(format!("yaml: invalid map key: {key}")));
                }
            };
            let value = self.value(value)?;
            if keys.add(object, &name) {
                object.push(name, value);
            } else if self.strict {
                self.problems
                    .push(format!("line {line}: key {name:?} already set in map"));
            } else {
                object.set(name, value);
            }
        }
        Ok(())
    }

    /// The error for a key that JSON cannot have; it shows the value, too.
    fn bad_key(&mut self, kind: &str, key: &Value, value: NodeId) -> Error {
        let value = match self.value(value) {
            Ok(value) => go_syntax::expression(&value),
            Err(err) => return err,
        };
        let key = go_syntax::expression(key);
        Error::new(format!(
            "unsupported map key of type: {kind}, key: {key}, value: {value}"
        ))
    }

    fn merge(&mut self, source: NodeId, into: &mut Object) -> Result<(), Error> {
        let target = self.arena[source].alias.unwrap_or(source);
        match self.arena[target].kind {
            Kind::Mapping => self.mapping(target, into),
            Kind::Sequence if target == source => {
                for item in self.arena[source].content.iter().rev() {
                    let item = self.arena[*item].alias.unwrap_or(*item);
                    if self.arena[item].kind != Kind::Mapping {
                        return Err(want_map());
                    }
                    self.mapping(item, into)?;
                }
                Ok(())
            }
            _ => Err(want_map()),
        }
    }
}

/// What plain text means; times stay text.
pub(crate) fn plain_text(text: &str) -> Value {
    match resolve::plain(Dialect::V2, text) {
        Scalar::Timestamp(_) => Value::from(text),
        scalar => plain_value(scalar, text),
    }
}

/// A scalar as JSON has it. Numbers that JSON lacks stay, for the rest may be wrong, too.
pub(crate) fn as_json(value: Value) -> Result<Value, Error> {
    match value {
        // JSON has a negative zero, and it is a float.
        Value::Float(number) if number == 0.0 && number.is_sign_negative() => Ok(value),
        Value::Float(number) if number.is_finite() => through_json(number),
        value => Ok(value),
    }
}

/// The keys of an object that is being filled. Few are found by looking at all; that would take too
/// long in the largest ConfigMaps.
#[derive(Default)]
struct Keys {
    /// The first keys of the object, once there are many.
    known: HashSet<String>,
    count: usize,
}

impl Keys {
    const FEW: usize = 16;

    /// Whether the object lacks a key, which is added to it then.
    fn add(&mut self, object: &Object, name: &str) -> bool {
        if object.len() < Self::FEW {
            return object.get(name).is_none();
        }
        let new = object.iter().skip(self.count);
        self.known.extend(new.map(|(key, _)| key.to_owned()));
        self.count = object.len();
        !self.known.contains(name)
    }
}

/// A float as JSON text read by go-yaml v2: whole numbers become integers.
fn through_json(value: f64) -> Result<Value, Error> {
    let text = number::format_json(value).ok_or_else(|| unsupported(value))?;
    Ok(plain_value(resolve::plain(Dialect::V2, &text), &text))
}

/// What data becomes on its way through JSON into go-yaml v2, which prints it: whole floats become
/// integers, and what that parser cannot read in a JSON string is refused.
pub fn for_printing(value: Value) -> Result<Value, Error> {
    Ok(match value {
        Value::Float(number) => through_json(number)?,
        Value::String(text) => Value::String(string_for_printing(text)?),
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .map(for_printing)
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(mut object) => {
            for (key, value) in object.iter_mut() {
                if !key.is_ascii() || key.contains('\u{7f}') {
                    string_for_printing(key.to_owned())?;
                }
                *value = for_printing(std::mem::take(value))?;
            }
            Value::Object(object)
        }
        other => other,
    })
}

fn string_for_printing(text: String) -> Result<String, Error> {
    let forbidden =
        |c: char| matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    if text.bytes().all(|b| b.is_ascii() && b != 0x7f) {
        return Ok(text);
    }
    if text.contains(forbidden) {
        return Err(Error::new("yaml: control characters are not allowed"));
    }
    if !text.contains('\u{85}') {
        return Ok(text);
    }
    // A next-line character is a line break to the parser, and is folded as one.
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\u{85}') {
        out.push_str(rest[..at].trim_end_matches(' '));
        let after = rest[at..].trim_start_matches([' ', '\u{85}']);
        let breaks = rest[at..rest.len() - after.len()].matches('\u{85}').count();
        if breaks == 1 {
            out.push(' ');
        } else {
            out.push_str(&"\n".repeat(breaks - 1));
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
