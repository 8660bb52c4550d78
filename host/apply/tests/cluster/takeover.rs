//! What kubectl has set is taken over, what other managers have set is not.

use weir_apply::Action;

use crate::rig::{Rig, kubectl_with, mark};

const CONFIG: &str = "
apiVersion: v1
kind: ConfigMap
metadata: { name: a, namespace: NS }
data: { key: ours }
";

#[tokio::test]
async fn objects_of_kubectl_apply_become_ours_entirely() {
    let rig = Rig::new("takeover-kubectl").await;
    let theirs = CONFIG
        .replace("NS", &rig.name)
        .replace("key: ours", "key: theirs, extra: removed-from-git");
    kubectl_with(&["apply", "-f", "-"], &theirs).await;
    let changes = rig.apply(CONFIG).await;
    assert_eq!(changes.count(Action::Configured), 1);
    let config = rig.get("configmap", "a").await.unwrap();
    assert_eq!(config["data"], serde_json::json!({ "key": "ours" }));
    let annotations = &config["metadata"]["annotations"];
    assert!(annotations["kubectl.kubernetes.io/last-applied-configuration"].is_null());
    // Settled.
    let since = mark();
    assert!(rig.apply(CONFIG).await.is_noop());
    assert_eq!(
        rig.apply(&CONFIG.replace("ours", "new"))
            .await
            .count(Action::Configured),
        1
    );
    let tally = rig.requests(since, 1).await;
    assert_eq!(tally.total(), 1, "{tally}");
}

#[tokio::test]
async fn what_is_added_with_kubectl_edit_is_removed() {
    let rig = Rig::new("takeover-edit").await;
    rig.apply(CONFIG).await;
    rig.kubectl(&[
        "patch",
        "configmap",
        "a",
        "-p",
        r#"{"data":{"extra":"by hand"}}"#,
    ])
    .await;
    rig.event().await;
    let object = rig.objects(CONFIG).remove(0);
    let change = rig.engine.repair(&rig.owner, object).await.unwrap();
    assert_eq!(change.action, Action::Configured);
    let config = rig.get("configmap", "a").await.unwrap();
    assert_eq!(config["data"], serde_json::json!({ "key": "ours" }));
    assert!(rig.apply(CONFIG).await.is_noop());
}

#[tokio::test]
async fn merged_objects_keep_what_kubectl_added() {
    let rig = Rig::new("takeover-merge").await;
    let merged = CONFIG.replace(
        "namespace: NS",
        "namespace: NS, annotations: {kustomize.toolkit.fluxcd.io/ssa: Merge}",
    );
    rig.apply(&merged).await;
    rig.kubectl(&[
        "patch",
        "configmap",
        "a",
        "-p",
        r#"{"data":{"extra":"by hand"}}"#,
    ])
    .await;
    rig.event().await;
    rig.apply(&merged.replace("ours", "new")).await;
    let config = rig.get("configmap", "a").await.unwrap();
    assert_eq!(
        config["data"],
        serde_json::json!({ "key": "new", "extra": "by hand" })
    );
}
