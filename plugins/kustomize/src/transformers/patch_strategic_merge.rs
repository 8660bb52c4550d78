//! Strategic merge patches (`patchesStrategicMerge`), and how any such patch is applied.

use std::collections::HashSet;

use weir_yaml::Value;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::loader::Loader;
use crate::merge;
use crate::resmap::ResMap;
use crate::resource::{Handle, annotation};
use crate::types::decode::{self, Mode, decode_struct};

/// Patches, each for the one object that has its identity.
#[derive(Debug, Clone, Default)]
pub(crate) struct PatchStrategicMergeTransformer {
    pub(crate) paths: Vec<String>,
    pub(crate) patches: String,
    loaded: Vec<Handle>,
}

decode_struct!(
    PatchStrategicMergeTransformer,
    "PatchStrategicMergeTransformerPlugin",
    "builtins.PatchStrategicMergeTransformerPlugin",
    {
        "paths" => paths,
        "patches" => patches,
    }
);

impl PatchStrategicMergeTransformer {
    pub(crate) fn new(paths: Vec<String>) -> Self {
        Self {
            paths,
            ..Self::default()
        }
    }

    pub(super) fn configure(cx: &mut Context, loader: &Loader<'_>, config: &Value) -> Result<Self> {
        let made: Self = decode::decode(config, Mode::Lenient)?;
        made.load(cx, loader)
    }

    /// Reads the patches.
    pub(crate) fn load(mut self, cx: &mut Context, loader: &Loader<'_>) -> Result<Self> {
        if self.paths.is_empty() && self.patches.is_empty() {
            return Err(Error::new("empty file path and empty patch content"));
        }
        for path in &self.paths {
            // What is no patch itself names a file.
            let found = if let Ok(found) = cx.resources_from_bytes(path.as_bytes()) {
                found
            } else {
                let content = loader.load(path)?;
                cx.resources_from_bytes(&content).map_err(|err| {
                    crate::target::in_file(err, path).at_file(&loader.relative(path))
                })?
            };
            self.loaded.extend(found);
        }
        if !self.patches.is_empty() {
            self.loaded
                .extend(cx.resources_from_bytes(self.patches.as_bytes())?);
        }
        if self.loaded.is_empty() {
            return Err(Error::new(format!(
                "patch appears to be empty; files=[{}], Patch={}",
                self.paths.join(" "),
                self.patches
            )));
        }
        Ok(self)
    }

    pub(super) fn transform(&self, cx: &mut Context, map: &mut ResMap) -> Result<()> {
        for patch in &self.loaded {
            let id = cx.org_id(*patch)?;
            let target = map.get_by_id(cx, &id)?;
            apply_to_selected(cx, map, &[target], *patch)?;
        }
        Ok(())
    }
}

/// Applies a copy of `patch` to each selected object, whatever the patch's own identity.
pub(super) fn apply_to_selected(
    cx: &mut Context,
    map: &mut ResMap,
    selected: &[Handle],
    patch: Handle,
) -> Result<()> {
    let ids: HashSet<_> = selected.iter().map(|handle| cx.cur_id(*handle)).collect();
    let mut kept = Vec::with_capacity(map.list().len());
    for handle in map.list().to_vec() {
        if ids.contains(&cx.cur_id(handle)) {
            let copy = cx.deep_copy(patch);
            cx.copy_merge_metadata(copy, patch)?;
            let gvk = cx.gvk(handle);
            cx.set_kind(copy, &gvk.kind)?;
            cx.set_api_version(copy, &gvk.api_version())?;
            let kind = cx.kind(patch).to_owned();
            cx.set_kind(copy, &kind)?;
            apply(cx, handle, copy)?;
        }
        if !cx.is_nil_or_empty(handle) {
            kept.push(handle);
        }
    }
    *map = ResMap::from_resources(cx, kept)?;
    Ok(())
}

/// Applies a patch to one object. Name, namespace and kind stay, unless the patch may change them.
pub(super) fn apply(cx: &mut Context, handle: Handle, patch: Handle) -> Result<()> {
    let (Some(node), Some(patch_node)) = (cx.node(handle), cx.node(patch)) else {
        return Ok(());
    };
    let name = cx.name(handle).to_owned();
    let namespace = cx.namespace(handle).to_owned();
    let kind = cx.kind(handle).to_owned();
    let name_may_change = cx.is_enabled(patch, annotation::ALLOW_NAME_CHANGE);
    let kind_may_change = cx.is_enabled(patch, annotation::ALLOW_KIND_CHANGE);
    if name_may_change || kind_may_change {
        cx.store_previous_id(handle)?;
    }
    let Context { arena, schemas, .. } = cx;
    if merge::merge(arena, schemas, node, patch_node)?.is_none() {
        cx.resources[handle.0].node = None;
    }
    if cx.is_nil_or_empty(handle) {
        return Ok(());
    }
    if !kind_may_change {
        cx.set_kind(handle, &kind)?;
    }
    if !name_may_change {
        cx.set_name(handle, &name)?;
    }
    cx.set_namespace(handle, &namespace)
}
