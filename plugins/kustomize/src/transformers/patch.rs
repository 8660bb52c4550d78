//! `patches`: strategic merge or JSON patches, told apart by what they are.

use weir_yaml::{Object, Value};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::go_syntax::quote;
use crate::json_patch::JsonPatch;
use crate::loader::Loader;
use crate::resmap::ResMap;
use crate::resource::{Handle, annotation};
use crate::transformers::{patch_json6902, patch_strategic_merge};
use crate::types::Patch;
use crate::types::decode::{self, Mode};

/// A patch and what it applies to.
#[derive(Debug, Clone)]
pub(crate) struct PatchTransformer {
    config: Patch,
    /// How messages name the patch.
    source: String,
    merges: Option<Vec<Handle>>,
    json: Option<JsonPatch>,
}

impl PatchTransformer {
    pub(super) fn configure(cx: &mut Context, loader: &Loader<'_>, config: &Value) -> Result<Self> {
        Self::load(cx, loader, decode::decode(config, Mode::Lenient)?, config)
    }

    /// Reads the patch. `shown`: the configuration for messages.
    pub(crate) fn load(
        cx: &mut Context,
        loader: &Loader<'_>,
        mut config: Patch,
        shown: &Value,
    ) -> Result<Self> {
        let trimmed = config.patch.trim().to_owned();
        config.patch = trimmed;
        let content;
        let (text, source): (&[u8], String) =
            match (config.patch.is_empty(), config.path.is_empty()) {
                (true, true) => {
                    let shown = weir_yaml::to_yaml(shown);
                    return Err(Error::new(format!(
                        "must specify one of patch and path in\n{shown}"
                    )));
                }
                (false, false) => {
                    let shown = weir_yaml::to_yaml(shown);
                    return Err(Error::new(format!(
                        "patch and path can't be set at the same time\n{shown}"
                    )));
                }
                (false, true) => (
                    config.patch.as_bytes(),
                    format!("[patch: {}]", quote(&config.patch)),
                ),
                (true, false) => {
                    content = loader.load(&config.path).map_err(|err| {
                        err.context(format!(
                            "failed to get the patch file from path({})",
                            config.path
                        ))
                    })?;
                    (
                        content.as_slice(),
                        format!("[path: {}]", quote(&config.path)),
                    )
                }
            };
        let merges = cx.resources_from_bytes(text);
        let json = match weir_yaml::parse::decode_text(text) {
            Ok(text) if text.is_empty() => Err(Error::new("empty json patch operations")),
            Ok(text) => JsonPatch::parse(&text),
            Err(err) => Err(err.into()),
        };
        let is_merge = merges.as_ref().is_ok_and(|found| !found.is_empty());
        let is_json = json.as_ref().is_ok_and(|patch| !patch.is_empty());
        if is_merge && is_json {
            return Err(Error::new(format!(
                "illegally qualifies as both an SM and JSON patch: {source}"
            )));
        }
        let (merges, json) = match (merges, json) {
            (Err(err), Err(_)) => {
                let mut problem =
                    err.reworded(|_| format!("unable to parse SM or JSON patch from {source}"));
                if !config.path.is_empty() {
                    problem = problem.at_file(&loader.relative(&config.path));
                }
                return Err(problem);
            }
            (Ok(merges), _) => (Some(merges), None),
            (Err(_), Ok(json)) => (None, Some(json)),
        };
        if let Some(options) = &config.options {
            for patch in merges.iter().flatten() {
                if options.allow_name_change {
                    cx.put_annotation(*patch, annotation::ALLOW_NAME_CHANGE, annotation::ENABLED)?;
                }
                if options.allow_kind_change {
                    cx.put_annotation(*patch, annotation::ALLOW_KIND_CHANGE, annotation::ENABLED)?;
                }
            }
        }
        Ok(Self {
            config,
            source,
            merges,
            json,
        })
    }

    pub(super) fn transform(&self, cx: &mut Context, map: &mut ResMap) -> Result<()> {
        if let Some(merges) = self.merges.as_ref().filter(|merges| !merges.is_empty()) {
            return self.merge(cx, map, merges);
        }
        match &self.json {
            Some(patch) => self.patch_json(cx, map, patch),
            None => Ok(()),
        }
    }

    fn merge(&self, cx: &mut Context, map: &mut ResMap, patches: &[Handle]) -> Result<()> {
        if let (Some(target), [first, more @ ..]) = (&self.config.target, patches) {
            if !more.is_empty() {
                return Err(Error::new(format!(
                    "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to \
                     set `patches.target` field: {}",
                    self.source
                )));
            }
            let selected = map.select(cx, target).map_err(|err| {
                err.context(format!(
                    "unable to find patch target {} in `resources`",
                    quote(&target.to_string())
                ))
            })?;
            return patch_strategic_merge::apply_to_selected(cx, map, &selected, *first);
        }
        for patch in patches {
            let id = cx.org_id(*patch)?;
            let target = map.get_by_id(cx, &id).map_err(|err| {
                err.context(format!(
                    "no resource matches strategic merge patch {}",
                    quote(&id.to_string())
                ))
            })?;
            patch_strategic_merge::apply(cx, target, *patch)?;
            map.touch();
        }
        Ok(())
    }

    fn patch_json(&self, cx: &mut Context, map: &ResMap, patch: &JsonPatch) -> Result<()> {
        let Some(target) = &self.config.target else {
            return Err(Error::new(format!(
                "must specify a target for JSON patch {}",
                self.source
            )));
        };
        for handle in map.select(cx, target)? {
            cx.store_previous_id(handle)?;
            patch_json6902::apply(cx, handle, patch)?;
        }
        Ok(())
    }
}

/// A patch's configuration as data, for messages.
pub(crate) fn shown(patch: &Patch) -> Value {
    let mut object = Object::new();
    let put = |object: &mut Object, key: &str, text: &str| {
        if !text.is_empty() {
            object.set(key, Value::from(text));
        }
    };
    put(&mut object, "path", &patch.path);
    put(&mut object, "patch", &patch.patch);
    if let Some(target) = &patch.target {
        object.set("target", shown_selector(target));
    }
    if let Some(options) = &patch.options {
        let mut shown = Object::new();
        if options.allow_name_change {
            shown.set("allowNameChange", Value::Bool(true));
        }
        if options.allow_kind_change {
            shown.set("allowKindChange", Value::Bool(true));
        }
        object.set("options", Value::Object(shown));
    }
    Value::Object(object)
}

/// A selector as data, for messages.
pub(crate) fn shown_selector(selector: &crate::types::Selector) -> Value {
    let fields = [
        ("group", &selector.id.gvk.group),
        ("version", &selector.id.gvk.version),
        ("kind", &selector.id.gvk.kind),
        ("name", &selector.id.name),
        ("namespace", &selector.id.namespace),
        ("annotationSelector", &selector.annotation_selector),
        ("labelSelector", &selector.label_selector),
    ];
    Value::Object(
        fields
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(key, text)| (key.to_owned(), Value::from(text.as_str())))
            .collect(),
    )
}
