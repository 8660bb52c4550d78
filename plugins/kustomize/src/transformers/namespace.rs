//! The namespace of objects, and of what they say about service accounts.

use weir_yaml::{Arena, Kind, NodeId, Tag, Value};

use crate::context::Context;
use crate::error::{Context as _, Error, Result};
use crate::filters::field_spec::{self, Create};
use crate::filters::setters::EntrySetter;
use crate::resmap::ResMap;
use crate::resource::annotation;
use crate::rnode;
use crate::types::decode::{self, Mode, decode_struct};
use crate::types::{FieldSpec, Metadata};

const SUBJECTS_NAMESPACE: &str = "subjects/namespace";

/// Sets the namespace.
#[derive(Debug, Clone, Default)]
pub(crate) struct NamespaceTransformer {
    pub(crate) metadata: Metadata,
    pub(crate) field_specs: Vec<FieldSpec>,
    unset_only: bool,
    set_role_binding_subjects: String,
}

decode_struct!(
    NamespaceTransformer,
    "NamespaceTransformerPlugin",
    "builtins.NamespaceTransformerPlugin",
    {
        "metadata" => metadata,
        "fieldSpecs" => field_specs,
        "unsetOnly" => unset_only,
        "setRoleBindingSubjects" => set_role_binding_subjects,
    }
);

impl NamespaceTransformer {
    pub(crate) fn new(namespace: &str, field_specs: Vec<FieldSpec>) -> Self {
        let metadata = Metadata {
            namespace: namespace.to_owned(),
            ..Metadata::default()
        };
        Self {
            metadata,
            field_specs,
            ..Self::default()
        }
    }

    pub(super) fn configure(config: &Value) -> Result<Self> {
        let made: Self = decode::decode(config, Mode::Lenient)
            .context("unmarshalling NamespaceTransformer config")?;
        match made.set_role_binding_subjects.as_str() {
            "" | "allServiceAccounts" | "defaultOnly" | "none" => Ok(made),
            other => Err(Error::new(format!(
                "invalid value {other:?} for setRoleBindingSubjects: must be one of \
                 \"defaultOnly\", \"none\" or \"allServiceAccounts\""
            ))),
        }
    }

    pub(super) fn transform(&self, cx: &mut Context, map: &mut ResMap) -> Result<()> {
        if self.metadata.namespace.is_empty() {
            return Ok(());
        }
        let resources = super::present(cx, map);
        let mut conflicts = Vec::new();
        // Identities of those that are done and those still to come, as kustomize would see them
        // after each step.
        let mut counts = std::collections::HashMap::<String, u32>::new();
        for handle in &resources {
            *counts.entry(cx.cur_id(*handle).key()).or_default() += 1;
        }
        for handle in &resources {
            let generated = cx.annotation(*handle, annotation::HELM_GENERATED) == Some("true");
            if cx.is_nil_or_empty(*handle) || generated {
                continue;
            }
            let before = cx.cur_id(*handle).key();
            cx.store_previous_id(*handle)?;
            self.apply(cx, *handle)?;
            let after = cx.cur_id(*handle);
            if let Some(count) = counts.get_mut(&before) {
                *count -= 1;
            }
            let count = counts.entry(after.key()).or_default();
            *count += 1;
            if *count != 1 {
                conflicts.push(after);
                break;
            }
        }
        let Some(id) = conflicts.first() else {
            return Ok(());
        };
        let shown: Vec<_> = resources
            .iter()
            .filter(|handle| cx.cur_id(**handle).equals(id))
            .map(|handle| cx.to_json(*handle))
            .collect();
        Err(Error::new(format!(
            "namespace transformation produces ID conflict: [{}]",
            shown.join(" ")
        )))
    }

    fn apply(&self, cx: &mut Context, handle: crate::resource::Handle) -> Result<()> {
        let Some(node) = cx.node(handle) else {
            return Ok(());
        };
        let gvk = cx.gvk(handle);
        set_namespace(&mut cx.arena, node, self, gvk.cluster_scoped, &gvk.kind)
    }

    fn write(&self, arena: &mut Arena, setter: &EntrySetter, target: NodeId) -> Result<()> {
        if self.unset_only {
            setter.set_if_empty(arena, target)
        } else {
            setter.set(arena, target)
        }
    }

    fn setter(&self, arena: &mut Arena) -> EntrySetter {
        EntrySetter::new(arena, "", &self.metadata.namespace, Tag::Str)
    }

    /// Service accounts that a role binding names.
    fn role_binding_subjects(&self, arena: &mut Arena, node: NodeId) -> Result<()> {
        let (field, wanted) = match self.set_role_binding_subjects.as_str() {
            "none" => return Ok(()),
            "allServiceAccounts" => ("kind", "ServiceAccount"),
            _ => ("name", "default"),
        };
        let Some(subjects) = rnode::lookup(arena, node, &["subjects"])? else {
            return Ok(());
        };
        if arena.is_null(subjects) {
            return Ok(());
        }
        rnode::expect_kind(arena, subjects, Kind::Sequence)?;
        let setter = self.setter(arena);
        for subject in arena[subjects].content.clone() {
            let matches = match rnode::lookup(arena, subject, &[field])? {
                Some(found) => {
                    rnode::expect_kind(arena, found, Kind::Scalar)?;
                    arena.text(found) == wanted && !arena.is_null(found)
                }
                None => false,
            };
            if !matches {
                continue;
            }
            let target = rnode::lookup_create(arena, subject, &["namespace"], Kind::Scalar)?;
            if let Some(target) = target {
                self.write(arena, &setter, target)
                    .context("setting namespace on (cluster)role binding subjects")?;
            }
        }
        Ok(())
    }
}

/// Sets the namespace of one object.
pub(super) fn set_namespace(
    arena: &mut Arena,
    node: NodeId,
    transformer: &NamespaceTransformer,
    cluster_scoped: bool,
    kind: &str,
) -> Result<()> {
    let api_version = rnode::top_text(arena, node, "apiVersion").to_owned();
    if !cluster_scoped {
        let spec = FieldSpec::of_all("metadata/namespace", true);
        let setter = transformer.setter(arena);
        field_spec::apply(
            arena,
            node,
            &spec,
            &Create::scalar(Tag::Empty),
            &mut |arena, target| transformer.write(arena, &setter, target),
        )?;
    }
    let is_role_binding = |kind: &str| matches!(kind, "RoleBinding" | "ClusterRoleBinding");
    let binding = is_role_binding(kind);
    if binding {
        transformer.role_binding_subjects(arena, node)?;
    }
    let specs: Vec<FieldSpec> = transformer
        .field_specs
        .iter()
        .filter(|spec| {
            spec.path != "metadata/namespace"
                && (api_version == "v1" || spec.path != "metadata/name")
                && !(binding && is_role_binding(&spec.gvk.kind) && spec.path == SUBJECTS_NAMESPACE)
        })
        .cloned()
        .collect();
    let setter = transformer.setter(arena);
    field_spec::apply_all(
        arena,
        node,
        &specs,
        &Create::scalar(Tag::Str),
        &mut |arena, target| transformer.write(arena, &setter, target),
    )
    .map_err(|err| {
        let wrong_kind = err
            .message()
            .contains("wrong node kind: expected ScalarNode");
        let what = if wrong_kind {
            "namespace field specs must target scalar nodes"
        } else {
            "namespace transformation failed"
        };
        err.context(what)
    })
}
