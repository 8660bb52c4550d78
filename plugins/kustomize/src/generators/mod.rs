//! Makes ConfigMaps, Secrets and service accounts (kustomize `internal/generators`, `kv`).

mod iam_policy;
mod key_values;

pub(crate) use iam_policy::IamPolicyGenerator;

use weir_yaml::{Arena, Node, NodeId, Style, Tag};

use crate::context::Context;
use crate::error::{Context as _, Error, Result};
use crate::loader::Loader;
use crate::resource::{Behavior, Handle, annotation};
use crate::rnode;
use crate::types::{GeneratorArgs, GeneratorOptions, SecretArgs};
use key_values::Pairs;

/// Base64 is broken into lines of this length, as kyaml breaks it.
const LINE: usize = 70;

/// Makes a ConfigMap.
pub(crate) fn config_map(
    cx: &mut Context,
    loader: &Loader<'_>,
    args: &GeneratorArgs,
) -> Result<Handle> {
    let node = base(&mut cx.arena, "ConfigMap", args)?;
    let pairs = key_values::load(loader, args)?;
    let (mut data, mut binary) = (Vec::new(), Vec::new());
    for (key, value) in pairs {
        match String::from_utf8(value) {
            Ok(text) => data.push((key, text)),
            Err(err) => binary.push((key, base64_lines(err.as_bytes()))),
        }
    }
    // Each map is made when its first key comes, and keys come sorted.
    let data_first = match (data.first(), binary.first()) {
        (Some((data, _)), Some((binary, _))) => data <= binary,
        _ => true,
    };
    let arena = &mut cx.arena;
    if data_first {
        text_map(arena, node, "data", &data);
        text_map(arena, node, "binaryData", &binary);
    } else {
        text_map(arena, node, "binaryData", &binary);
        text_map(arena, node, "data", &data);
    }
    finish(cx, node, args)
}

/// Makes a Secret.
pub(crate) fn secret(cx: &mut Context, loader: &Loader<'_>, args: &SecretArgs) -> Result<Handle> {
    let node = base(&mut cx.arena, "Secret", &args.args)?;
    let kind = if args.type_.is_empty() {
        "Opaque"
    } else {
        &args.type_
    };
    let kind = cx.arena.add(rnode::string_node(kind));
    rnode::set_field(&mut cx.arena, node, "type", Some(kind))?;
    let pairs: Pairs = key_values::load(loader, &args.args)?;
    let data: Vec<_> = pairs
        .into_iter()
        .map(|(key, value)| (key, base64_lines(&value)))
        .collect();
    if data.is_empty() {
        // Secrets get an empty map, ConfigMaps none.
        let empty = cx.arena.add(Node::of_kind(weir_yaml::Kind::Mapping));
        rnode::append_field(&mut cx.arena, node, "data", empty, Style::PLAIN);
    }
    text_map(&mut cx.arena, node, "data", &data);
    finish(cx, node, &args.args)
}

fn base64_lines(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    if text.len() < LINE {
        return text;
    }
    let mut out = String::with_capacity(text.len() + text.len() / LINE + 1);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out
}

fn base(arena: &mut Arena, kind: &str, args: &GeneratorArgs) -> Result<NodeId> {
    if args.name.is_empty() {
        return Err(Error::new("a configmap must have a name"));
    }
    let node = arena.add(Node {
        kind: weir_yaml::Kind::Mapping,
        tag: Tag::Map,
        ..Node::default()
    });
    for (name, text) in [("apiVersion", "v1"), ("kind", kind)] {
        let value = arena.add(Node::tagged(text, Tag::Str));
        rnode::append_field(arena, node, name, value, Style::PLAIN);
    }
    let name = arena.add(rnode::string_node(&args.name));
    rnode::set_at(arena, node, &["metadata", "name"], name)?;
    if !args.namespace.is_empty() {
        let namespace = arena.add(rnode::string_node(&args.namespace));
        rnode::set_at(arena, node, &["metadata", "namespace"], namespace)?;
    }
    Ok(node)
}

fn text_map(arena: &mut Arena, node: NodeId, name: &str, entries: &[(String, String)]) {
    if entries.is_empty() {
        return;
    }
    let map = arena.add(Node::of_kind(weir_yaml::Kind::Mapping));
    rnode::append_field(arena, node, name, map, Style::PLAIN);
    for (key, value) in entries {
        let value = arena.add(rnode::string_node(value));
        rnode::append_field(arena, map, key, value, Style::PLAIN);
    }
}

fn finish(cx: &mut Context, node: NodeId, args: &GeneratorArgs) -> Result<Handle> {
    if let Some(GeneratorOptions {
        labels,
        annotations,
        immutable,
        ..
    }) = &args.options
    {
        for (key, value) in labels {
            rnode::set_meta_entry(&mut cx.arena, node, "labels", key, value)?;
        }
        for (key, value) in annotations {
            rnode::set_annotation(&mut cx.arena, node, key, value)?;
        }
        if *immutable {
            let value = cx.arena.add(Node::tagged("true", Tag::Bool));
            rnode::set_field(&mut cx.arena, node, "immutable", Some(value))?;
        }
    }
    let handle = cx.add_resource(node);
    if args
        .options
        .as_ref()
        .is_none_or(|options| !options.disable_name_suffix_hash)
    {
        cx.put_annotation(handle, annotation::NEEDS_HASH, annotation::ENABLED)?;
    }
    let behavior = Behavior::parse(&args.behavior).name();
    cx.put_annotation(handle, annotation::BEHAVIOR, behavior)
        .context("setting the behavior of a generator")?;
    Ok(handle)
}

impl Context {
    /// Adds the data of the object that a generated one extends.
    pub(crate) fn merge_data(&mut self, handle: Handle, old: Handle) -> Result<()> {
        let Some(node) = self.node(handle) else {
            return Ok(());
        };
        for (field, binary) in [("data", false), ("binaryData", true)] {
            let mut merged = self.text_map(old, field);
            merged.extend(self.text_map(handle, field));
            rnode::clear(&mut self.arena, node, field)?;
            let entries: Vec<_> = merged.into_iter().collect();
            debug_assert!(!binary || field == "binaryData");
            text_map(&mut self.arena, node, field, &entries);
        }
        Ok(())
    }
}
