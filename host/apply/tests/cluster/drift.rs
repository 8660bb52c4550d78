//! What others do to applied objects is told, and repaired with one request.

use weir_apply::{Action, Event};

use crate::rig::{Rig, kubectl, mark};

const CONFIG: &str = "
apiVersion: v1
kind: ConfigMap
metadata: { name: a, namespace: NS, labels: { app: a } }
data: { key: ours }
";
const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: NS }
spec:
  replicas: 0
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: 'web:1' }] }
";

#[tokio::test]
async fn an_edit_is_told_and_repaired_with_one_request() {
    let rig = Rig::new("drift-edit").await;
    rig.apply(CONFIG).await;
    rig.kubectl(&[
        "patch",
        "configmap",
        "a",
        "-p",
        r#"{"data":{"key":"theirs"}}"#,
    ])
    .await;
    let event = rig.event().await;
    let Event::Drifted { owner, id, times } = &event else {
        panic!("{event:?}")
    };
    assert_eq!((owner, id.name.as_str(), *times), (&rig.owner, "a", 1));

    let object = rig.objects(CONFIG).remove(0);
    let change = rig.engine.repair(&rig.owner, object.clone()).await.unwrap();
    assert_eq!(change.action, Action::Configured);
    assert_eq!(
        rig.get("configmap", "a").await.unwrap()["data"]["key"],
        "ours"
    );
    // Settled: nothing to do for either.
    let change = rig.engine.repair(&rig.owner, object).await.unwrap();
    assert_eq!(change.action, Action::Unchanged);
    assert!(rig.apply(CONFIG).await.is_noop());
}

#[tokio::test]
async fn a_repair_is_one_request() {
    let rig = Rig::new("drift-cost").await;
    rig.apply(CONFIG).await;
    // Another manager than kubectl: nothing to take over.
    rig.kubectl(&[
        "patch",
        "configmap",
        "a",
        "--field-manager=someone",
        "-p",
        r#"{"data":{"key":"theirs"}}"#,
    ])
    .await;
    rig.event().await;
    let since = mark();
    let object = rig.objects(CONFIG).remove(0);
    rig.engine.repair(&rig.owner, object).await.unwrap();
    let tally = rig.requests(since, 1).await;
    assert_eq!(
        (tally.total(), tally.get("patch configmaps")),
        (1, 1),
        "{tally}"
    );
}

#[tokio::test]
async fn a_deletion_is_told_and_repaired() {
    let rig = Rig::new("drift-delete").await;
    rig.apply(CONFIG).await;
    rig.kubectl(&["delete", "configmap", "a"]).await;
    let event = rig.event().await;
    assert!(matches!(event, Event::Deleted { .. }), "{event:?}");
    let object = rig.objects(CONFIG).remove(0);
    let change = rig.engine.repair(&rig.owner, object).await.unwrap();
    assert_eq!(change.action, Action::Created);
}

#[tokio::test]
async fn a_removed_owner_label_is_told() {
    let rig = Rig::new("drift-label").await;
    rig.apply(CONFIG).await;
    rig.kubectl(&[
        "label",
        "configmap",
        "a",
        "kustomize.toolkit.fluxcd.io/name-",
    ])
    .await;
    let event = rig.event().await;
    assert_eq!(event.id().name, "a");
    rig.apply(CONFIG).await;
    let labels = &rig.get("configmap", "a").await.unwrap()["metadata"]["labels"];
    assert_eq!(labels["kustomize.toolkit.fluxcd.io/name"], "drift-label");
}

#[tokio::test]
async fn what_is_not_ours_is_no_drift() {
    let rig = Rig::new("drift-foreign").await;
    rig.apply(&format!("{CONFIG}---{DEPLOYMENT}")).await;
    // Status by the controller manager comes by itself; then a label and a field of another
    // manager, and the scale of a Deployment by its subresource, which is ours to repair.
    for args in [
        [
            "annotate",
            "deployment",
            "web",
            "note=x",
            "--field-manager=someone",
        ],
        [
            "label",
            "configmap",
            "a",
            "theirs=yes",
            "--field-manager=someone",
        ],
    ] {
        rig.kubectl(&args).await;
    }
    rig.kubectl(&[
        "patch",
        "configmap",
        "a",
        "--field-manager=someone",
        "-p",
        r#"{"data":{"other":"x"}}"#,
    ])
    .await;
    rig.kubectl(&["scale", "deployment", "web", "--replicas=1"])
        .await;
    // Events come in the order of what caused them, so nothing was told of the others.
    let event = rig.event().await;
    assert!(
        matches!(&event, Event::Drifted { id, .. } if id.kind == "Deployment"),
        "{event:?}"
    );
    let changes = rig.apply(&format!("{CONFIG}---{DEPLOYMENT}")).await;
    assert_eq!(changes.summary(), "Deployment/drift-foreign/web configured");
    let config = rig.get("configmap", "a").await.unwrap();
    assert_eq!(config["data"]["other"], "x", "fields of others survive");
    assert_eq!(config["metadata"]["labels"]["theirs"], "yes");
    assert_eq!(
        rig.get("deployment", "web").await.unwrap()["spec"]["replicas"],
        0
    );
}

#[tokio::test]
async fn an_object_that_moves_to_another_owner_is_left_to_it() {
    let one = Rig::new("drift-move").await;
    one.apply(CONFIG).await;
    let other = Rig::without_namespace("drift-move-other").await;
    let manifest = CONFIG.replace("NS", &one.name);
    other.apply(&manifest).await;
    // The first one's watch sees the new owner; its prune skips the object.
    one.until("the new owner is seen", |engine| {
        engine.known(&one.owner).objects.is_empty()
    })
    .await;
    let inventory: Vec<_> = one
        .objects(CONFIG)
        .iter()
        .map(weir_apply::Object::entry)
        .collect();
    let report = one.engine.prune(&one.owner, &inventory).await;
    assert!(report.failed.is_empty());
    assert_eq!(report.changes.count(Action::Skipped), 1);
    assert!(one.get("configmap", "a").await.is_some());
    kubectl(&["delete", "configmap", "a", "-n", &one.name]).await;
}
