//! JSON patches (`patchesJson6902`).

use weir_yaml::{Value, construct};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::json_patch::JsonPatch;
use crate::loader::Loader;
use crate::resmap::ResMap;
use crate::resource::Handle;
use crate::types::Selector;
use crate::types::decode::{self, Mode, decode_struct};

/// A JSON patch and what it applies to.
#[derive(Debug, Clone, Default)]
pub(crate) struct PatchJson6902Transformer {
    pub(crate) target: Option<Selector>,
    pub(crate) path: String,
    pub(crate) json_op: String,
    patch: JsonPatch,
}

decode_struct!(
    PatchJson6902Transformer,
    "PatchJson6902TransformerPlugin",
    "builtins.PatchJson6902TransformerPlugin",
    {
        "target" => target,
        "path" => path,
        "jsonOp" => json_op,
    }
);

impl PatchJson6902Transformer {
    pub(crate) fn new(target: Option<Selector>, path: &str, json_op: &str) -> Self {
        let (path, json_op) = (path.to_owned(), json_op.to_owned());
        Self {
            target,
            path,
            json_op,
            patch: JsonPatch::default(),
        }
    }

    pub(super) fn configure(loader: &Loader<'_>, config: &Value) -> Result<Self> {
        let made: Self = decode::decode(config, Mode::Lenient)?;
        made.load(loader)
    }

    /// Reads the patch.
    pub(crate) fn load(mut self, loader: &Loader<'_>) -> Result<Self> {
        if self
            .target
            .as_ref()
            .is_none_or(|target| target.id.name.is_empty())
        {
            return Err(Error::new("must specify the target name"));
        }
        match (self.path.is_empty(), self.json_op.is_empty()) {
            (true, true) => return Err(Error::new("empty file path and empty jsonOp")),
            (false, false) => {
                return Err(Error::new("must specify a file path or jsonOp, not both"));
            }
            (false, true) => {
                let content = loader.load(&self.path)?;
                self.json_op = weir_yaml::parse::decode_text(&content)?.into_owned();
                if self.json_op.is_empty() {
                    return Err(Error::new(format!(
                        "patch file '{}' empty seems to be empty",
                        self.path
                    )));
                }
            }
            (true, false) => {}
        }
        if !self.json_op.starts_with('[') {
            self.json_op = weir_yaml::json::to_string(&weir_yaml::from_yaml(&self.json_op)?)?;
        }
        self.patch = JsonPatch::parse(&self.json_op)
            .map_err(|err| err.context(format!("decoding {}", self.json_op)))?;
        if self.patch.is_empty() {
            return Err(Error::new(format!(
                "patch appears to be empty; file={}, JsonOp={}",
                self.path, self.json_op
            )));
        }
        Ok(self)
    }

    pub(super) fn transform(&self, cx: &mut Context, map: &ResMap) -> Result<()> {
        let Some(target) = &self.target else {
            return Err(Error::new(format!(
                "must specify a target for patch {}",
                self.json_op
            )));
        };
        for handle in map.select(cx, target)? {
            apply(cx, handle, &self.patch)?;
        }
        Ok(())
    }
}

/// Patches one object; what kustomize remembers in its annotations survives.
pub(super) fn apply(cx: &mut Context, handle: Handle, patch: &JsonPatch) -> Result<()> {
    let Some(node) = cx.node(handle) else {
        return Ok(());
    };
    let mut internal = cx.annotations(handle);
    internal.retain(|key, _| {
        key.starts_with("internal.config.kubernetes.io/")
            || matches!(
                key.as_str(),
                "config.kubernetes.io/path" | "config.kubernetes.io/index" | "config.k8s.io/id"
            )
    });
    let mut value = cx.to_value(handle)?;
    patch.apply(&mut value)?;
    let value = match value {
        Value::Object(_) => as_json_numbers(value),
        _ => {
            return Err(Error::new(
                "json: cannot unmarshal array into Go value of type map[string]interface {}",
            ));
        }
    };
    let made = construct::from_value(&mut cx.arena, &value);
    cx.arena.assign(node, made);
    let mut annotations = cx.annotations(handle);
    annotations.extend(internal);
    cx.set_annotations(handle, &annotations)
}

/// Every number is a float to Go's JSON.
fn as_json_numbers(value: Value) -> Value {
    match value {
        Value::Int(number) => Value::Float(number as f64),
        Value::Uint(number) => Value::Float(number as f64),
        Value::Array(items) => Value::Array(items.into_iter().map(as_json_numbers).collect()),
        Value::Object(mut object) => {
            for (_, value) in object.iter_mut() {
                *value = as_json_numbers(std::mem::take(value));
            }
            Value::Object(object)
        }
        other => other,
    }
}
