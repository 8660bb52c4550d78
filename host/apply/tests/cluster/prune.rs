//! Deleting what is no longer wanted, and nothing else.

use std::time::Duration;

use weir_api::inventory::{Entry, Inventory, ObjectId};
use weir_apply::Action;

use crate::rig::{PATIENCE, Rig, lines, mark};

fn config(name: &str) -> String {
    format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: NS}}}}\n---\n")
}

fn stale(old: &Inventory, new: &Inventory) -> Vec<Entry> {
    old.stale(new).into_iter().cloned().collect()
}

#[tokio::test]
async fn what_is_gone_from_the_set_is_deleted_with_one_request_each() {
    let rig = Rig::new("prune-stale").await;
    let old = rig
        .apply(&(config("a") + &config("b") + &config("c")))
        .await
        .inventory();
    let new = rig.apply(&config("b")).await.inventory();
    let since = mark();
    let report = rig.engine.prune(&rig.owner, &stale(&old, &new)).await;
    assert!(report.failed.is_empty(), "{report:?}");
    assert_eq!(
        lines(&report.changes),
        [
            "ConfigMap/prune-stale/c deleted",
            "ConfigMap/prune-stale/a deleted"
        ],
        "in reverse order"
    );
    let tally = rig.requests(since, 2).await;
    assert_eq!(
        (tally.total(), tally.get("delete configmaps")),
        (2, 2),
        "{tally}"
    );
    assert!(rig.get("configmap", "a").await.is_none());
    assert!(rig.get("configmap", "b").await.is_some());
    // Our own deletions are no events: the next one is of a deletion by hand.
    rig.kubectl(&["delete", "configmap", "b"]).await;
    assert_eq!(rig.event().await.id().name, "b");
}

#[tokio::test]
async fn gone_forbidden_and_foreign_objects_are_left() {
    let rig = Rig::new("prune-left").await;
    let set = config("gone") + &config("kept") + &config("disowned");
    let old = rig.apply(&set).await.inventory();
    rig.kubectl(&["delete", "configmap", "gone"]).await;
    rig.kubectl(&[
        "annotate",
        "configmap",
        "kept",
        "kustomize.toolkit.fluxcd.io/prune=Disabled",
    ])
    .await;
    rig.kubectl(&[
        "label",
        "configmap",
        "disowned",
        "kustomize.toolkit.fluxcd.io/name-",
    ])
    .await;
    let unknown_kind = Entry::new(
        &ObjectId::new("prune-left", "x", "example.com", "Vanished"),
        "v1",
    );
    let mut entries = old.entries.clone();
    entries.push(unknown_kind);
    // The watch may not have seen the annotation yet: the deletion is for what was seen only.
    let report = rig.engine.prune(&rig.owner, &entries).await;
    assert!(report.failed.is_empty(), "{report:?}");
    assert!(rig.get("configmap", "kept").await.is_some());
    let action = |name: &str| {
        report
            .changes
            .changes
            .iter()
            .find(|change| change.id.name == name)
            .unwrap()
            .action
    };
    assert_eq!(action("gone"), Action::Deleted);
    assert_eq!(action("kept"), Action::Skipped);
    assert_eq!(action("disowned"), Action::Skipped);
    assert_eq!(
        action("x"),
        Action::Deleted,
        "the kind is gone, and the object with it"
    );
    assert!(rig.get("configmap", "disowned").await.is_some());
}

#[tokio::test]
async fn without_any_knowledge_the_live_object_is_asked() {
    let rig = Rig::new("prune-cold").await;
    let old = rig.apply(&(config("a") + &config("b"))).await.inventory();
    let rig = rig.restarted().await;
    let report = rig.engine.prune(&rig.owner, &old.entries).await;
    assert_eq!(report.changes.count(Action::Deleted), 2, "{report:?}");
    let left = rig.engine.wait_gone(&old.entries, PATIENCE).await;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn waiting_for_an_end_that_does_not_come_tells_what_is_left() {
    let rig = Rig::new("prune-finalizer").await;
    let set = "{apiVersion: v1, kind: ConfigMap, metadata: \
               {name: a, namespace: NS, finalizers: [example.com/wait]}}";
    let old = rig.apply(set).await.inventory();
    let report = rig.engine.prune(&rig.owner, &old.entries).await;
    assert_eq!(report.changes.count(Action::Deleted), 1);
    let left = rig
        .engine
        .wait_gone(&old.entries, Duration::from_millis(300))
        .await;
    assert_eq!(left.len(), 1);
    rig.kubectl(&[
        "patch",
        "configmap",
        "a",
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":null}}"#,
    ])
    .await;
    assert!(
        rig.engine
            .wait_gone(&old.entries, PATIENCE)
            .await
            .is_empty()
    );
}
