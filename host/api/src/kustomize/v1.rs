//! Kustomization (fluxcd/kustomize-controller api/v1/kustomization_types.go).

mod parts;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use parts::{
    BuildMetadata, CommonMetadata, CrossNamespaceSourceReference, CustomHealthCheck, Decryption,
    DecryptionProvider, DeletionPolicy, DependencyReference, IgnoreRule, Image, Json6902Op,
    Json6902Operation, Json6902Patch, KubeConfigReference, Patch, PostBuild, Selector, SourceKind,
    SubstituteKind, SubstituteReference, SubstituteStrategy,
};

use crate::history::Snapshot;
use crate::inventory::Inventory;
use crate::reference::NamespacedObjectKindReference;
use crate::unsupported::{Collect, Unsupported};
use crate::{Condition, Duration, is_false};

/// Least time that a run may take (`timeout`, or what follows from `interval`).
pub const MIN_TIMEOUT: Duration = Duration::from_secs(30);

/// What of a source is applied where, and how.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "kustomize.toolkit.fluxcd.io",
    version = "v1",
    kind = "Kustomization",
    namespaced,
    status = "KustomizationStatus",
    shortname = "ks",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-appliers",
    derive = "Default",
    derive = "PartialEq",
    doc = "Kustomization renders a path of a source and keeps the cluster as rendered.",
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Status","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct KustomizationSpec {
    /// Labels and annotations that every object gets; they replace those of the same key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_metadata: Option<CommonMetadata>,
    /// Other Kustomizations that must be ready first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<DependencyReference>,
    /// How encrypted content is decrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decryption: Option<Decryption>,
    /// How often the whole is reconciled.
    pub interval: Duration,
    /// How soon a failed run is repeated; `interval` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<Duration>,
    /// Kubeconfig of the cluster to apply to; this one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kube_config: Option<KubeConfigReference>,
    /// Directory in the artifact; its root when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Values for variables in the rendered objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_build: Option<PostBuild>,
    /// Deletes what is no longer rendered.
    pub prune: bool,
    /// What becomes of the objects when the Kustomization is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// Objects whose health is waited for; has no effect with `wait`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_checks: Vec<NamespacedObjectKindReference>,
    /// Prefix of every object's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub name_prefix: Option<String>,
    /// Suffix of every object's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub name_suffix: Option<String>,
    /// Patches, strategic merge or JSON6902.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
    /// Names, tags and digests that replace those of container images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// ServiceAccount in the same namespace in whose name objects are applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// The source whose artifact is rendered.
    pub source_ref: CrossNamespaceSourceReference,
    /// Leaves the object alone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
    /// Namespace that every object is put into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub target_namespace: Option<String>,
    /// Time that a run may take, health included; `interval` less 30 s when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// Recreates an object whose change the API server refuses.
    #[serde(default)]
    pub force: bool,
    /// Waits until every applied object is healthy.
    #[serde(default, skip_serializing_if = "is_false")]
    pub wait: bool,
    /// Directories of kustomize components, relative to `path`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// Leaves out components that do not exist.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ignore_missing_components: bool,
    /// Annotations that kustomize adds about an object's origin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub build_metadata: Vec<BuildMetadata>,
    /// Health of custom kinds in CEL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_check_exprs: Vec<CustomHealthCheck>,
    /// Fields whose drift is left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<IgnoreRule>,
    /// Strategic merge patches of v1beta1 and v1beta2, still honoured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "any_objects")]
    pub patches_strategic_merge: Vec<serde_json::Value>,
    /// JSON6902 patches of v1beta1 and v1beta2, still honoured.
    #[serde(
        rename = "patchesJson6902",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub patches_json6902: Vec<Json6902Patch>,
}

fn any_objects(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "array",
        "items": { "x-kubernetes-preserve-unknown-fields": true }
    })
}

/// What was observed of a Kustomization.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KustomizationStatus {
    /// Last generation that was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Revision that was applied last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied_revision: Option<String>,
    /// Origin revision of what was applied last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied_origin_revision: Option<String>,
    /// Revision that was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempted_revision: Option<String>,
    /// Last value of `reconcile.fluxcd.io/requestedAt` that was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// Objects that were applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<Inventory>,
    /// The last outcomes, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Snapshot>,
}

impl KustomizationSpec {
    /// Time that a run may take: `timeout`, else `interval` less 30 s, never below
    /// [`MIN_TIMEOUT`].
    pub fn timeout(&self) -> Duration {
        let timeout = self
            .timeout
            .unwrap_or_else(|| Duration(self.interval.0.saturating_sub(MIN_TIMEOUT.0)));
        timeout.max(MIN_TIMEOUT)
    }

    /// How soon a failed run is repeated.
    pub fn retry_interval(&self) -> Duration {
        self.retry_interval.unwrap_or(self.interval)
    }

    /// What happens to applied objects when the Kustomization is deleted, with `MirrorPrune`
    /// resolved to `Delete` or `Orphan`.
    pub fn deletion_policy(&self) -> DeletionPolicy {
        match &self.deletion_policy {
            None | Some(DeletionPolicy::MirrorPrune | DeletionPolicy::Other(_)) => {
                if self.prune {
                    DeletionPolicy::Delete
                } else {
                    DeletionPolicy::Orphan
                }
            }
            Some(policy) => policy.clone(),
        }
    }

    /// What is set and not acted on yet.
    pub fn unsupported(&self) -> Vec<Unsupported> {
        let ready_expr = self.depends_on.iter().any(|dep| dep.ready_expr.is_some());
        Collect::new()
            .refuse(
                "spec.sourceRef.kind",
                self.source_ref.kind != SourceKind::GitRepository,
            )
            .refuse("spec.kubeConfig", self.kube_config.is_some())
            .refuse(
                "spec.serviceAccountName",
                self.service_account_name.is_some(),
            )
            .refuse("spec.decryption", self.decryption.is_some())
            .refuse("spec.postBuild", self.post_build.is_some())
            .refuse("spec.dependsOn.readyExpr", ready_expr)
            .note(
                "spec.healthChecks",
                !self.wait && !self.health_checks.is_empty(),
            )
            .note("spec.healthCheckExprs", !self.health_check_exprs.is_empty())
            .note("spec.ignore", !self.ignore.is_empty())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeout_follows_the_interval_and_has_a_floor() {
        let timeout = |interval: &str, timeout: Option<&str>| {
            KustomizationSpec {
                interval: interval.parse().unwrap(),
                timeout: timeout.map(|text| text.parse().unwrap()),
                ..KustomizationSpec::default()
            }
            .timeout()
            .to_string()
        };
        assert_eq!(timeout("10m", None), "9m30s");
        assert_eq!(timeout("40s", None), "30s");
        assert_eq!(timeout("1s", None), "30s");
        assert_eq!(timeout("10m", Some("2m")), "2m0s");
        assert_eq!(timeout("10m", Some("5s")), "30s");
    }

    #[test]
    fn what_is_not_acted_on_is_told() {
        let mut spec = KustomizationSpec::default();
        assert!(spec.unsupported().is_empty());
        spec.service_account_name = Some("deployer".into());
        spec.ignore = vec![IgnoreRule::default()];
        let told: Vec<_> = spec
            .unsupported()
            .into_iter()
            .map(|u| (u.field, u.refuse))
            .collect();
        assert_eq!(
            told,
            [("spec.serviceAccountName", true), ("spec.ignore", false)]
        );
    }

    #[test]
    fn an_unknown_member_does_not_make_an_object_unreadable() {
        let kind: SourceKind = serde_json::from_str("\"FutureSource\"").unwrap();
        assert_eq!(kind, SourceKind::Other("FutureSource".into()));
        assert_eq!(serde_json::to_string(&kind).unwrap(), "\"FutureSource\"");
    }
}
