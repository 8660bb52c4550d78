//! The number of replicas of workloads by name.

use weir_yaml::{Tag, Value};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::filters::field_spec::{self, Create};
use crate::filters::setters::EntrySetter;
use crate::resmap::ResMap;
use crate::types::decode::{self, Mode, decode_struct};
use crate::types::{FieldSpec, Replica};

/// Sets the replicas of one name.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReplicaCountTransformer {
    pub(crate) replica: Replica,
    pub(crate) field_specs: Vec<FieldSpec>,
}

decode_struct!(
    ReplicaCountTransformer,
    "ReplicaCountTransformerPlugin",
    "builtins.ReplicaCountTransformerPlugin",
    {
        "replica" => replica,
        "fieldSpecs" => field_specs,
    }
);

impl ReplicaCountTransformer {
    pub(super) fn configure(config: &Value) -> Result<Self> {
        decode::decode(config, Mode::Lenient)
    }

    pub(super) fn transform(&self, cx: &mut Context, map: &ResMap) -> Result<()> {
        let mut found = false;
        for spec in &self.field_specs {
            let matching = map.matching_any(cx, |id| {
                id.name == self.replica.name && id.gvk.is_selected(&spec.gvk)
            })?;
            found |= !matching.is_empty();
            for handle in matching {
                let Some(node) = cx.node(handle) else {
                    continue;
                };
                let count = self.replica.count.to_string();
                let setter = EntrySetter::new(&mut cx.arena, "", &count, Tag::Int);
                field_spec::apply(
                    &mut cx.arena,
                    node,
                    spec,
                    &Create::scalar(Tag::Int),
                    &mut |arena, target| setter.set(arena, target),
                )?;
            }
        }
        if found {
            return Ok(());
        }
        let kinds: Vec<_> = self
            .field_specs
            .iter()
            .map(|spec| spec.gvk.to_string())
            .collect();
        Err(Error::new(format!(
            "resource with name {} does not match a config with the following GVK [{}]",
            self.replica.name,
            kinds.join(" ")
        )))
    }
}
