//! In which order objects are applied and deleted: stages, and ranks within a stage
//! (fluxcd/pkg ssa/sort.go, ssa/manager_apply.go).

use std::cmp::Ordering;

use weir_api::inventory::ObjectId;

/// Stages, in order. All of a stage is dry-run before the first of it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Definitions, namespaces and cluster roles: what other objects need to exist. Waited for.
    Definitions,
    /// Kinds that end in `Class`. Waited for.
    Classes,
    /// Kinds that the operator wants before the rest.
    Custom,
    /// Everything else.
    Rest,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 4] = [Self::Definitions, Self::Classes, Self::Custom, Self::Rest];

    /// The stage of an object. `custom` lists `group/Kind` (the kind alone for the core group).
    pub fn of(id: &ObjectId, custom: &[String]) -> Self {
        match (id.group.as_str(), id.kind.as_str()) {
            ("apiextensions.k8s.io", "CustomResourceDefinition")
            | ("", "Namespace")
            | ("rbac.authorization.k8s.io", "ClusterRole") => Self::Definitions,
            (_, kind) if kind.ends_with("Class") => Self::Classes,
            (group, kind) => {
                let listed = custom.iter().any(|entry| match entry.rsplit_once('/') {
                    Some((g, k)) => g == group && k == kind,
                    None => group.is_empty() && entry == kind,
                });
                if listed { Self::Custom } else { Self::Rest }
            }
        }
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Definitions => "definitions",
            Self::Classes => "classes",
            Self::Custom => "custom kinds",
            Self::Rest => "objects",
        })
    }
}

const FIRST: [&str; 23] = [
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

const LAST: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Position of a kind. Kinds of equal rank do not need each other and are applied concurrently.
pub fn rank(kind: &str) -> usize {
    if let Some(position) = FIRST.iter().position(|known| *known == kind) {
        return position;
    }
    let rest = FIRST.len();
    LAST.iter()
        .position(|known| *known == kind)
        .map_or(rest, |position| rest + 1 + position)
}

/// Order of two objects: rank, then group and kind, namespace, name.
pub fn compare(a: &ObjectId, b: &ObjectId) -> Ordering {
    rank(&a.kind)
        .cmp(&rank(&b.kind))
        .then_with(|| a.kind.cmp(&b.kind))
        .then_with(|| a.group.cmp(&b.group))
        .then_with(|| a.namespace.cmp(&b.namespace))
        .then_with(|| a.name.cmp(&b.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(group: &str, kind: &str, name: &str) -> ObjectId {
        ObjectId::new("", name, group, kind)
    }

    #[test]
    fn objects_follow_flux_order() {
        let mut objects = [
            id(
                "admissionregistration.k8s.io",
                "ValidatingWebhookConfiguration",
                "a",
            ),
            id("example.com", "Widget", "a"),
            id("apps", "Deployment", "b"),
            id("apps", "Deployment", "a"),
            id("", "Namespace", "a"),
            id("networking.k8s.io", "Ingress", "a"),
            id("", "Service", "a"),
            id("apiextensions.k8s.io", "CustomResourceDefinition", "a"),
            id(
                "admissionregistration.k8s.io",
                "MutatingWebhookConfiguration",
                "a",
            ),
        ];
        objects.sort_by(compare);
        let kinds: Vec<_> = objects
            .iter()
            .map(|o| format!("{}/{}", o.kind, o.name))
            .collect();
        assert_eq!(
            kinds,
            [
                "CustomResourceDefinition/a",
                "Namespace/a",
                "Service/a",
                "Deployment/a",
                "Deployment/b",
                "Ingress/a",
                "Widget/a",
                "MutatingWebhookConfiguration/a",
                "ValidatingWebhookConfiguration/a",
            ]
        );
    }

    #[test]
    fn stages() {
        let custom = ["example.com/Widget".to_owned(), "Secret".to_owned()];
        let check = |group: &str, kind: &str, stage: Stage| {
            assert_eq!(Stage::of(&id(group, kind, "a"), &custom), stage, "{kind}");
        };
        check(
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            Stage::Definitions,
        );
        check("", "Namespace", Stage::Definitions);
        check(
            "rbac.authorization.k8s.io",
            "ClusterRole",
            Stage::Definitions,
        );
        check("storage.k8s.io", "StorageClass", Stage::Classes);
        check("gateway.networking.k8s.io", "GatewayClass", Stage::Classes);
        check("example.com", "Widget", Stage::Custom);
        check("other.com", "Widget", Stage::Rest);
        check("", "Secret", Stage::Custom);
        check("apps", "Deployment", Stage::Rest);
    }
}
