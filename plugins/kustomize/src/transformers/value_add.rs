//! Writes a value, or a part of a path, into fields (`ValueAddTransformer`).

use weir_yaml::{Kind, Node, Value};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::loader::Loader;
use crate::path;
use crate::resmap::ResMap;
use crate::rnode;
use crate::transformers::namespace::{self, NamespaceTransformer};
use crate::types::Selector;
use crate::types::decode::{self, Mode, decode_struct};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Target {
    selector: Option<Selector>,
    field_path: String,
    file_path_position: isize,
}

decode_struct!(Target, "Target", "builtins.Target", {
    "selector" => selector,
    "fieldPath" => field_path,
    "filePathPosition" => file_path_position,
});

#[derive(Debug, Default)]
struct Targets {
    targets: Vec<Target>,
}

decode_struct!(Targets, "", "struct { Targets []builtins.Target }", { "targets" => targets });

/// A value and where it goes.
#[derive(Debug, Clone, Default)]
pub(crate) struct ValueAddTransformer {
    value: String,
    targets: Vec<Target>,
    target_file_path: String,
}

decode_struct!(
    ValueAddTransformer,
    "ValueAddTransformerPlugin",
    "builtins.ValueAddTransformerPlugin",
    {
        "value" => value,
        "targets" => targets,
        "targetFilePath" => target_file_path,
    }
);

impl ValueAddTransformer {
    pub(super) fn configure(loader: &Loader<'_>, config: &Value) -> Result<Self> {
        let mut made: Self = decode::decode(config, Mode::Lenient)?;
        made.value = made.value.trim().to_owned();
        if made.value.is_empty() {
            path::base(loader.root()).clone_into(&mut made.value);
        }
        if !made.target_file_path.is_empty() {
            let content = loader.load(&made.target_file_path)?;
            let text = weir_yaml::parse::decode_text(&content)?;
            let more: Targets = decode::decode(&weir_yaml::from_yaml(&text)?, Mode::Lenient)?;
            made.targets.extend(more.targets);
        }
        if made.targets.is_empty() {
            return Err(Error::new("must specify at least one target"));
        }
        for target in &made.targets {
            if target.field_path.is_empty() {
                return Err(Error::new("fieldPath cannot be empty"));
            }
            if target.file_path_position < 0 {
                return Err(Error::new(format!(
                    "value of FilePathPosition ({}) cannot be negative",
                    target.file_path_position
                )));
            }
        }
        Ok(made)
    }

    pub(super) fn transform(&self, cx: &mut Context, map: &ResMap) -> Result<()> {
        for target in &self.targets {
            let selected = match &target.selector {
                Some(selector) => map.select(cx, selector)?,
                None => super::present(cx, map),
            };
            for handle in selected {
                let Some(node) = cx.node(handle) else {
                    continue;
                };
                if target.field_path == "metadata/namespace" {
                    let setter = NamespaceTransformer::new(&self.value, Vec::new());
                    let gvk = cx.gvk(handle);
                    namespace::set_namespace(
                        &mut cx.arena,
                        node,
                        &setter,
                        gvk.cluster_scoped,
                        &gvk.kind,
                    )?;
                    continue;
                }
                let parts = split(&target.field_path);
                let arena = &mut cx.arena;
                let Some(field) = rnode::lookup_create(arena, node, &parts, Kind::Scalar)? else {
                    continue;
                };
                rnode::expect_kind(arena, field, Kind::Scalar)?;
                let value = match usize::try_from(target.file_path_position) {
                    Ok(position) if position > 0 => {
                        insert_path_part(&arena[field].value, position - 1, &self.value)
                    }
                    _ => self.value.clone(),
                };
                let value = arena.add(Node::scalar(value));
                rnode::set_scalar(arena, field, value)?;
            }
        }
        Ok(())
    }
}

/// Splits at `/`; a backslash in front of one keeps it.
fn split(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('/') {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('/');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    parts
}

/// Puts a directory into a path (kyaml `filesys.InsertPathPart`).
fn insert_path_part(path: &str, position: usize, part: &str) -> String {
    if part.is_empty() {
        return path.to_owned();
    }
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let at = position.min(parts.len());
    parts.insert(at, part);
    let joined = parts.join("/");
    if rooted { format!("/{joined}") } else { joined }
}
