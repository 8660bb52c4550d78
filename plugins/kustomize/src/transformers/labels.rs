//! Labels and annotations.

use std::collections::BTreeMap;

use weir_yaml::{Tag, Value};

use crate::context::Context;
use crate::error::Result;
use crate::filters::field_spec::{self, Create};
use crate::filters::setters::EntrySetter;
use crate::resmap::ResMap;
use crate::types::FieldSpec;
use crate::types::decode::{self, Mode, decode_struct};

/// Sets labels.
#[derive(Debug, Clone, Default)]
pub(crate) struct LabelTransformer {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) field_specs: Vec<FieldSpec>,
}

decode_struct!(LabelTransformer, "LabelTransformerPlugin", "builtins.LabelTransformerPlugin", {
    "labels" => labels,
    "fieldSpecs" => field_specs,
});

/// Sets annotations.
#[derive(Debug, Clone, Default)]
pub(crate) struct AnnotationsTransformer {
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) field_specs: Vec<FieldSpec>,
}

decode_struct!(
    AnnotationsTransformer,
    "AnnotationsTransformerPlugin",
    "builtins.AnnotationsTransformerPlugin",
    {
        "annotations" => annotations,
        "fieldSpecs" => field_specs,
    }
);

impl LabelTransformer {
    pub(super) fn configure(config: &Value) -> Result<Self> {
        decode::decode(config, Mode::Lenient)
    }

    pub(crate) fn transform(&self, cx: &mut Context, map: &ResMap) -> Result<()> {
        set_entries(cx, map, &self.labels, &self.field_specs)
    }
}

impl AnnotationsTransformer {
    pub(super) fn configure(config: &Value) -> Result<Self> {
        decode::decode(config, Mode::Lenient)
    }

    pub(super) fn transform(&self, cx: &mut Context, map: &ResMap) -> Result<()> {
        set_entries(cx, map, &self.annotations, &self.field_specs)
    }
}

/// Sets entries of the maps at the given fields of all objects.
pub(crate) fn set_entries(
    cx: &mut Context,
    map: &ResMap,
    entries: &BTreeMap<String, String>,
    specs: &[FieldSpec],
) -> Result<()> {
    for handle in super::present(cx, map) {
        let Some(node) = cx.node(handle) else {
            continue;
        };
        for (key, value) in entries {
            let setter = EntrySetter::new(&mut cx.arena, key, value, Tag::Str);
            field_spec::apply_all(
                &mut cx.arena,
                node,
                specs,
                &Create::map(),
                &mut |arena, target| setter.set(arena, target),
            )?;
        }
    }
    Ok(())
}
