//! Access rights of the host, and what people get by the cluster's own roles.

use serde_json::{Value, json};
use weir_api::meta;

use super::labels;

/// ServiceAccount of the host.
pub(super) const ACCOUNT: &str = "weir";

pub(super) fn manifests(namespace: &str, is_cluster_admin: bool) -> Vec<Value> {
    let mut all = vec![
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": { "name": ACCOUNT, "namespace": namespace, "labels": labels(namespace) },
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": { "name": format!("weir-{namespace}"), "labels": labels(namespace) },
            "rules": own_rules(),
        }),
        binding(
            namespace,
            &format!("weir-{namespace}"),
            &format!("weir-{namespace}"),
        ),
    ];
    all.extend(election(namespace));
    if is_cluster_admin {
        // Kustomizations apply whatever their repositories hold. The name is Flux's.
        all.push(binding(
            namespace,
            &format!("cluster-reconciler-{namespace}"),
            "cluster-admin",
        ));
    }
    let write = ["create", "delete", "deletecollection", "patch", "update"];
    all.push(people(namespace, "flux-edit", &["admin", "edit"], &write));
    let read = ["get", "list", "watch"];
    all.push(people(
        namespace,
        "flux-view",
        &["admin", "edit", "view"],
        &read,
    ));
    all
}

/// What the host itself does, whatever it applies. `tests/cluster/tests/access.rs` holds this
/// against what it asks for.
fn own_rules() -> Value {
    let followed = ["list", "watch"];
    let owned = ["list", "watch", "patch"];
    json!([
        {
            "apiGroups": [meta::SOURCE_GROUP],
            "resources": ["gitrepositories"],
            "verbs": owned,
        },
        {
            "apiGroups": [meta::KUSTOMIZE_GROUP],
            "resources": ["kustomizations"],
            "verbs": owned,
        },
        {
            "apiGroups": [meta::NOTIFICATION_GROUP],
            "resources": ["alerts", "providers"],
            "verbs": followed,
        },
        { "apiGroups": [meta::WEIR_GROUP], "resources": ["plugins"], "verbs": followed },
        {
            "apiGroups": [meta::SOURCE_GROUP],
            "resources": ["gitrepositories/status"],
            "verbs": ["patch"],
        },
        {
            "apiGroups": [meta::KUSTOMIZE_GROUP],
            "resources": ["kustomizations/status"],
            "verbs": ["patch"],
        },
        { "apiGroups": [meta::WEIR_GROUP], "resources": ["plugins/status"], "verbs": ["patch"] },
        // Credentials of sources, providers and registries, in the namespaces of their objects.
        { "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] },
        { "apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"] },
    ])
}

/// The Lease by which one of several hosts leads, in their own namespace only.
fn election(namespace: &str) -> [Value; 2] {
    let metadata = json!({
        "name": format!("{ACCOUNT}-leader-election"),
        "namespace": namespace,
        "labels": labels(namespace),
    });
    [
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": metadata,
            "rules": [{
                "apiGroups": ["coordination.k8s.io"],
                "resources": ["leases"],
                "verbs": ["get", "create", "update"],
            }],
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "Role",
                "name": metadata["name"],
            },
            "subjects": [{ "kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace }],
        }),
    ]
}

fn binding(namespace: &str, name: &str, role: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": { "name": name, "labels": labels(namespace) },
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": role,
        },
        "subjects": [{ "kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace }],
    })
}

/// A role that roles of the cluster's own take in.
fn people(namespace: &str, name: &str, roles: &[&str], verbs: &[&str]) -> Value {
    let mut labels = labels(namespace);
    for role in roles {
        let key = format!("rbac.authorization.k8s.io/aggregate-to-{role}");
        labels.insert(key, "true".to_owned());
    }
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {
            "name": format!("{name}-{namespace}"),
            "labels": labels,
        },
        "rules": [{
            "apiGroups": [meta::SOURCE_GROUP, meta::KUSTOMIZE_GROUP, meta::NOTIFICATION_GROUP],
            "resources": ["*"],
            "verbs": verbs,
        }],
    })
}
