//! What a kustomization does to all objects it has gathered (kustomize's built-in transformers).

mod images;
mod labels;
mod names;
mod namespace;
mod patch;
mod patch_json6902;
mod patch_strategic_merge;
mod replacement;
mod replicas;
mod sort_order;
mod structured;
mod value_add;

pub(crate) use labels::set_entries;
pub(crate) use patch::{shown as shown_patch, shown_selector};
pub(crate) use sort_order::sort;

use weir_yaml::Value;

use crate::context::Context;
use crate::error::Result;
use crate::loader::Loader;
use crate::resmap::ResMap;
use crate::resource::Handle;

pub(crate) use images::ImageTagTransformer;
pub(crate) use labels::{AnnotationsTransformer, LabelTransformer};
pub(crate) use names::{PrefixTransformer, SuffixTransformer};
pub(crate) use namespace::NamespaceTransformer;
pub(crate) use patch::PatchTransformer;
pub(crate) use patch_json6902::PatchJson6902Transformer;
pub(crate) use patch_strategic_merge::PatchStrategicMergeTransformer;
pub(crate) use replacement::ReplacementTransformer;
pub(crate) use replicas::ReplicaCountTransformer;
pub(crate) use value_add::ValueAddTransformer;

/// A configured transformer.
pub(crate) enum Transformer {
    Annotations(AnnotationsTransformer),
    Hash,
    ImageTag(ImageTagTransformer),
    Label(LabelTransformer),
    Namespace(NamespaceTransformer),
    Patch(PatchTransformer),
    PatchJson6902(PatchJson6902Transformer),
    PatchStrategicMerge(PatchStrategicMergeTransformer),
    Prefix(PrefixTransformer),
    PrefixSuffix(PrefixTransformer, SuffixTransformer),
    Replacement(ReplacementTransformer),
    ReplicaCount(ReplicaCountTransformer),
    Suffix(SuffixTransformer),
    ValueAdd(ValueAddTransformer),
}

impl Transformer {
    /// From an object under `transformers`; `None` for a kind that is no transformer.
    pub(crate) fn configure(
        cx: &mut Context,
        loader: &Loader<'_>,
        kind: &str,
        config: &Value,
    ) -> Result<Option<Self>> {
        Ok(Some(match kind {
            "AnnotationsTransformer" => {
                Self::Annotations(AnnotationsTransformer::configure(config)?)
            }
            "HashTransformer" => Self::Hash,
            "ImageTagTransformer" => Self::ImageTag(ImageTagTransformer::configure(config)?),
            "LabelTransformer" => Self::Label(LabelTransformer::configure(config)?),
            "NamespaceTransformer" => Self::Namespace(NamespaceTransformer::configure(config)?),
            "PatchTransformer" => Self::Patch(PatchTransformer::configure(cx, loader, config)?),
            "PatchJson6902Transformer" => {
                Self::PatchJson6902(PatchJson6902Transformer::configure(loader, config)?)
            }
            "PatchStrategicMergeTransformer" => Self::PatchStrategicMerge(
                PatchStrategicMergeTransformer::configure(cx, loader, config)?,
            ),
            "PrefixSuffixTransformer" => Self::PrefixSuffix(
                PrefixTransformer::configure(config)?,
                SuffixTransformer::configure(config)?,
            ),
            "PrefixTransformer" => Self::Prefix(PrefixTransformer::configure(config)?),
            "ReplacementTransformer" => {
                Self::Replacement(ReplacementTransformer::configure(loader, config)?)
            }
            "ReplicaCountTransformer" => {
                Self::ReplicaCount(ReplicaCountTransformer::configure(config)?)
            }
            "SuffixTransformer" => Self::Suffix(SuffixTransformer::configure(config)?),
            "ValueAddTransformer" => {
                Self::ValueAdd(ValueAddTransformer::configure(loader, config)?)
            }
            _ => return Ok(None),
        }))
    }

    /// Works on all objects.
    pub(crate) fn transform(&self, cx: &mut Context, map: &mut ResMap) -> Result<()> {
        let outcome = match self {
            Self::Annotations(transformer) => transformer.transform(cx, map),
            Self::Hash => add_hashes(cx, map),
            Self::ImageTag(transformer) => transformer.transform(cx, map),
            Self::Label(transformer) => transformer.transform(cx, map),
            Self::Namespace(transformer) => transformer.transform(cx, map),
            Self::Patch(transformer) => transformer.transform(cx, map),
            Self::PatchJson6902(transformer) => transformer.transform(cx, map),
            Self::PatchStrategicMerge(transformer) => transformer.transform(cx, map),
            Self::Prefix(transformer) => transformer.transform(cx, map),
            Self::PrefixSuffix(prefix, suffix) => prefix
                .transform(cx, map)
                .and_then(|()| suffix.transform(cx, map)),
            Self::Replacement(transformer) => transformer.transform(cx, map),
            Self::ReplicaCount(transformer) => transformer.transform(cx, map),
            Self::Suffix(transformer) => transformer.transform(cx, map),
            Self::ValueAdd(transformer) => transformer.transform(cx, map),
        };
        map.touch();
        outcome
    }
}

/// Adds content hashes to the names of generated objects.
pub(crate) fn add_hashes(cx: &mut Context, map: &mut ResMap) -> Result<()> {
    for handle in map.list() {
        let Some(node) = cx.node(*handle) else {
            continue;
        };
        if !cx.is_enabled(*handle, crate::resource::annotation::NEEDS_HASH) {
            continue;
        }
        let hash = crate::hash::of(&cx.arena, node)?;
        cx.store_previous_id(*handle)?;
        let name = format!("{}-{hash}", cx.name(*handle));
        cx.set_name(*handle, &name)?;
    }
    map.touch();
    Ok(())
}

/// Objects that are still there.
fn present(cx: &Context, map: &ResMap) -> Vec<Handle> {
    map.list()
        .iter()
        .copied()
        .filter(|handle| cx.node(*handle).is_some())
        .collect()
}
