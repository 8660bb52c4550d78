//! `lookup` in charts: what the operator grants is seen, the rest is empty as without a cluster.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::LazyLock;

use serde_json::Value;
use weir_tests_cluster::{Rig, Tenant, config_map, kustomization, source};
use weir_tests_support::{Registry, Weir, folders};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::start().unwrap());

/// A ConfigMap that holds what was found.
fn chart(tenant: &Tenant<'_>) -> [(&'static str, Option<String>); 2] {
    let namespace = &tenant.namespace;
    let found = format!(
        r#"apiVersion: v1
kind: ConfigMap
metadata: {{name: found, namespace: {namespace}}}
data:
  one: {{{{ dig "data" "key" "" (lookup "v1" "ConfigMap" "{namespace}" "seen") | quote }}}}
  count: {{{{ (lookup "v1" "Namespace" "" "").items | default list | len | quote }}}}
  none: {{{{ lookup "v1" "ConfigMap" "{namespace}" "nope" | toJson | quote }}}}
  kind: {{{{ lookup "example.com/v1" "Nope" "" "x" | toJson | quote }}}}
  secret: {{{{ lookup "v1" "Secret" "{namespace}" "hidden" | toJson | quote }}}}
"#
    );
    let metadata = "apiVersion: v2\nname: c\nversion: 0.1.0\n".to_owned();
    [
        ("Chart.yaml", Some(metadata)),
        ("templates/found.yaml", Some(found)),
    ]
}

/// Makes the component a plugin of that name with these grants.
fn install(tenant: &Tenant<'_>, name: &str, grants: &str) {
    let image = REGISTRY.oci(&format!("{name}:v1"));
    let folder = std::env::var_os("WEIR_COMPONENTS")
        .map_or_else(|| folders::target().join("components"), Into::into);
    let file = folder.join("helm.wasm");
    let arguments = [
        "plugin",
        "push",
        "--insecure",
        file.to_str().unwrap(),
        &image,
    ];
    Weir::command(&tenant.rig.cluster.kubeconfig(), &arguments).unwrap();
    let plugin = format!(
        "apiVersion: weir.dev/v1alpha1\nkind: Plugin\nmetadata:\n  name: {name}\n\
         spec:\n  image: {image}\n  insecure: true\n  grants: {grants}\n"
    );
    tenant.apply(&plugin).unwrap();
    tenant
        .wait_condition("plugin", name, "Ready", "True", "serving")
        .unwrap();
}

fn found(hint: &str, grants: &str) -> Value {
    let tenant = Rig::shared().tenant(hint).unwrap();
    let name = &tenant.namespace;
    install(&tenant, name, grants);
    tenant.apply(&config_map("seen", "here")).unwrap();
    tenant
        .kubectl(&[
            "create",
            "secret",
            "generic",
            "hidden",
            "--from-literal=a=b",
        ])
        .unwrap();
    let files = chart(&tenant);
    let files: Vec<(&str, Option<&str>)> = files
        .iter()
        .map(|(path, content)| (*path, content.as_deref()))
        .collect();
    let commit = tenant.repo.commit(&files, "chart").unwrap();
    tenant.apply(&source(tenant.repo.url(), "")).unwrap();
    let annotation = format!("metadata:\n  annotations:\n    weir.dev/renderer: {name}\n");
    let app = kustomization("app", "./", "").replacen("metadata:\n", &annotation, 1);
    tenant.apply(&app).unwrap();
    tenant.wait_applied("app", &commit).unwrap();
    let found = tenant.get("configmap", "found").unwrap()["data"].clone();
    tenant.kubectl(&["delete", "plugin", name]).unwrap();
    found
}

#[test]
fn what_is_granted_is_found() {
    let data = found(
        "granted",
        "{cluster: [v1/ConfigMap, v1/Namespace, example.com/v1/*]}",
    );
    assert_eq!(data["one"], "here");
    let count: u32 = data["count"].as_str().unwrap().parse().unwrap();
    assert!(count >= 4, "{data}");
    assert_eq!(data["none"], "{}");
    assert_eq!(data["kind"], "{}");
    assert_eq!(data["secret"], "{}");
}

#[test]
fn without_a_grant_there_is_nothing() {
    let data = found("ungranted", "{}");
    assert_eq!(data["one"], "");
    assert_eq!(data["count"], "0");
    assert_eq!(data["secret"], "{}");
}
