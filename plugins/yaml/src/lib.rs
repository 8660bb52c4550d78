//! YAML as the Go tools around Kubernetes read and write it.
//!
//! Two libraries shape what users see: go-yaml v3, in which kyaml edits resources, and go-yaml v2
//! below `sigs.k8s.io/yaml`, which reads configuration and prints results. This crate has their
//! node tree ([`node`]), their rules for what a scalar means ([`resolve`]), their way to plain data
//! ([`decode`]) and back ([`construct`]), and their printers ([`emit`]). Parsing ([`parse`]) is
//! libyaml's as go-yaml changed it.
//!
//! Bounded by [`parse::MAX_DEPTH`] for nesting and by go-yaml's own ratio for aliases.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests"
    )
)]

pub mod construct;
pub mod decode;
pub mod emit;
mod error;
mod go_syntax;
pub mod json;
pub mod key_order;
pub mod node;
pub mod number;
mod outline;
pub mod parse;
pub mod resolve;
mod timestamp;
pub mod value;

pub use error::Error;
pub use node::{Arena, Kind, Node, NodeId, Style, Tag};
pub use outline::Wanted;
pub use value::{Object, Value};

/// Reads text as `sigs.k8s.io/yaml` does; an empty document is null.
pub fn from_yaml(text: &str) -> Result<Value, Error> {
    read(text, false)
}

/// As [`from_yaml`]; no key may stand twice in a map.
pub fn from_yaml_strict(text: &str) -> Result<Value, Error> {
    read(text, true)
}

/// As [`from_yaml`], for one who looks at a few fields only: others may be missing.
pub fn fields_from_yaml(text: &str, wanted: &Wanted<'_>) -> Result<Value, Error> {
    match outline::read(text, wanted) {
        Some(value) => Ok(value),
        None => from_yaml(text),
    }
}

fn read(text: &str, strict: bool) -> Result<Value, Error> {
    let mut arena = Arena::new();
    match parse::parse(&mut arena, text, resolve::Dialect::V2)? {
        Some(root) => decode::yaml_to_json(&arena, root, strict),
        None => Ok(Value::Null),
    }
}

/// Prints data as `sigs.k8s.io/yaml` does.
pub fn to_yaml(value: &Value) -> String {
    emit::value_to_string(value)
}

/// Prints data as go-yaml v3 does on its own: two spaces, lists indented below their key, long lines
/// left alone.
pub fn to_yaml_indented(value: &Value) -> Result<String, Error> {
    let mut arena = Arena::new();
    let root = construct::from_value(&mut arena, value);
    emit::node_to_string_indented(&arena, root)
}
