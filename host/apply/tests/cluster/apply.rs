//! Create, change, leave alone; what each costs; what stops a run before it has changed anything.

use weir_apply::{Action, ApplyError, Stage};

use crate::rig::{Rig, kubectl_with, lines, mark};

const FOUR: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: NS }
spec:
  replicas: 0
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: 'web:1' }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: NS }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: web, namespace: NS }
data: { greeting: hello }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: web, namespace: NS }
";

#[tokio::test]
async fn objects_are_created_in_order_and_a_second_run_costs_nothing() {
    let rig = Rig::new("apply-create").await;
    let since = mark();
    let changes = rig.apply(FOUR).await;
    assert_eq!(
        lines(&changes),
        [
            "ServiceAccount/apply-create/web created",
            "ConfigMap/apply-create/web created",
            "Service/apply-create/web created",
            "Deployment/apply-create/web created",
        ]
    );
    let tally = rig.requests(since, 10).await;
    // Discovery is asked once in the life of the process.
    assert_eq!(tally.get("get /api") + tally.get("get /apis"), 2, "{tally}");
    assert_eq!(
        tally.total(),
        2 + 4 + 4,
        "one dry run and one write per object: {tally}"
    );
    assert_eq!(tally.watches(), 4, "{tally}");

    let since = mark();
    let changes = rig.apply(FOUR).await;
    assert_eq!(changes.count(Action::Unchanged), 4);
    let changes = rig.apply(&FOUR.replace("hello", "welcome")).await;
    assert_eq!(changes.summary(), "ConfigMap/apply-create/web configured");
    // The second run made none: this one request is the first since the mark.
    let tally = rig.requests(since, 1).await;
    assert_eq!(
        (tally.total(), tally.get("patch configmaps")),
        (1, 1),
        "{tally}"
    );

    let since = mark();
    let two = FOUR.replace("hello", "bye").replace("port: 80", "port: 81");
    assert_eq!(rig.apply(&two).await.count(Action::Configured), 2);
    let tally = rig.requests(since, 4).await;
    assert_eq!(tally.total(), 4, "{tally}");
    assert_eq!(tally.get("patch services (dry run)"), 1, "{tally}");

    let config = rig.get("configmap", "web").await.unwrap();
    assert_eq!(config["data"]["greeting"], "bye");
    assert_eq!(
        config["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"],
        "apply-create"
    );
    assert_eq!(
        config["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/namespace"],
        "flux-system"
    );
}

#[tokio::test]
async fn a_restart_with_known_state_costs_discovery_only_and_without_it_dry_runs() {
    let rig = Rig::new("apply-restart").await;
    rig.apply(FOUR).await;
    let known = rig.engine.known(&rig.owner);
    assert_eq!(known.objects.len(), 4);
    let text = serde_json::to_string(&known).unwrap();

    let rig = rig.restarted().await;
    rig.engine
        .adopt(&rig.owner, &serde_json::from_str(&text).unwrap());
    let since = mark();
    assert_eq!(rig.apply(FOUR).await.count(Action::Unchanged), 4);
    let tally = rig.requests(since, 2).await;
    assert_eq!(tally.total(), 2, "{tally}");

    // The dry run tells that nothing would change, by stamps that are older than it.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let rig = rig.restarted().await;
    let since = mark();
    assert_eq!(rig.apply(FOUR).await.count(Action::Unchanged), 4);
    let tally = rig.requests(since, 6).await;
    assert_eq!(tally.total(), 2 + 4, "{tally}");
    // And the next run knows.
    let since = mark();
    rig.apply(FOUR).await;
    rig.apply(&FOUR.replace("hello", "again")).await;
    let tally = rig.requests(since, 1).await;
    assert_eq!(tally.total(), 1, "{tally}");
}

#[tokio::test]
async fn a_mistake_stops_the_stage_before_anything_is_written() {
    let rig = Rig::new("apply-invalid").await;
    let wrong = FOUR.replace("port: 80", "port: 80000");
    let error = rig.try_apply(&wrong).await.unwrap_err();
    let ApplyError::Stage {
        stage,
        failures,
        done,
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!((*stage, failures.len()), (Stage::Rest, 1));
    assert!(done.is_noop());
    let message = error.to_string();
    assert!(
        message.starts_with("Service/apply-invalid/web dry-run failed (Invalid): "),
        "{message}"
    );
    assert!(message.contains("spec.ports[0].port"), "{message}");
    assert!(!error.is_retryable());
    assert!(
        rig.get("serviceaccount", "web").await.is_none(),
        "nothing was written"
    );
    assert!(
        rig.get("configmap", "web").await.is_none(),
        "nothing was written"
    );
}

#[tokio::test]
async fn unknown_kinds_missing_namespaces_and_encrypted_secrets_are_named() {
    let rig = Rig::new("apply-refused").await;
    let error = rig
        .try_apply("{apiVersion: example.com/v1, kind: Gadget, metadata: {name: a, namespace: NS}}")
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Gadget/apply-refused/a failed: no matches for kind \"Gadget\" in version \"example.com/v1\""
    );
    assert!(error.is_retryable());
    let error = rig
        .try_apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("ConfigMap/a"), "{error}");
    assert!(
        error.to_string().contains("namespace not specified"),
        "{error}"
    );
    let error = rig
        .try_apply(
            "{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: NS}, sops: {mac: x}}",
        )
        .await
        .unwrap_err();
    assert!(matches!(error, ApplyError::Encrypted { .. }), "{error}");
    let twice = "
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: NS}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: NS}}
";
    let error = rig.try_apply(twice).await.unwrap_err();
    assert!(error.to_string().contains("more than once"), "{error}");
}

#[tokio::test]
async fn the_hook_is_called_before_the_first_write_and_only_then() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let rig = Rig::new("apply-hook").await;
    let calls = Arc::new(AtomicUsize::new(0));
    let mut request = rig.request(FOUR);
    request.before_write = Some(Box::new({
        let calls = calls.clone();
        move |entries| {
            calls.fetch_add(entries.len(), Ordering::SeqCst);
            Box::pin(async { Err("disk is full".to_owned()) })
        }
    }));
    let error = rig.engine.apply(request).await.unwrap_err();
    assert!(error.to_string().contains("disk is full"), "{error}");
    assert_eq!(calls.load(Ordering::SeqCst), 4);
    assert!(
        rig.get("serviceaccount", "web").await.is_none(),
        "nothing was written"
    );
    rig.apply(FOUR).await;
    let mut request = rig.request(FOUR);
    request.before_write = Some(Box::new(|_| {
        Box::pin(async { Err("not called".to_owned()) })
    }));
    assert!(rig.engine.apply(request).await.unwrap().is_noop());
}

#[tokio::test]
async fn immutable_fields_need_force_and_a_mistake_does_not_cost_the_object() {
    let rig = Rig::new("apply-force").await;
    rig.apply(FOUR).await;
    let uid = |object: serde_json::Value| object["metadata"]["uid"].as_str().unwrap().to_owned();
    let before = uid(rig.get("deployment", "web").await.unwrap());
    let other = FOUR.replace("app: web", "app: other");
    let error = rig.try_apply(&other).await.unwrap_err();
    assert!(error.to_string().contains("field is immutable"), "{error}");

    let mut request = rig.request(&other);
    request.force = true;
    let changes = rig.engine.apply(request).await.unwrap();
    assert!(
        lines(&changes).contains(&"Deployment/apply-force/web created".to_owned()),
        "{changes:?}"
    );
    let after = uid(rig.get("deployment", "web").await.unwrap());
    assert_ne!(before, after);

    // Not immutable, just wrong: the one that works stays.
    let wrong = other.replace("replicas: 0", "replicas: -1");
    let mut request = rig.request(&wrong);
    request.force = true;
    let error = rig.engine.apply(request).await.unwrap_err();
    assert!(error.to_string().contains("spec.replicas"), "{error}");
    assert_eq!(uid(rig.get("deployment", "web").await.unwrap()), after);

    // By annotation of the object.
    let annotated = FOUR.replace(
        "metadata: { name: web, namespace: NS }\nspec:\n",
        "metadata: { name: web, namespace: NS, annotations: \
         { kustomize.toolkit.fluxcd.io/force: Enabled } }\nspec:\n",
    );
    rig.apply(&annotated).await;
    assert_ne!(uid(rig.get("deployment", "web").await.unwrap()), after);
}

#[tokio::test]
async fn annotations_keep_the_engine_off() {
    let rig = Rig::new("apply-annotations").await;
    let manifest = |annotation: &str, value: &str| {
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a, namespace: NS, annotations: \
             {{kustomize.toolkit.fluxcd.io/{annotation}}}}}, data: {{key: {value}}}}}"
        )
    };
    let once = |value: &str| manifest("ssa: IfNotPresent", value);
    assert_eq!(rig.apply(&once("first")).await.count(Action::Created), 1);
    assert_eq!(rig.apply(&once("second")).await.count(Action::Skipped), 1);
    assert_eq!(
        rig.get("configmap", "a").await.unwrap()["data"]["key"],
        "first"
    );
    for keep_off in ["reconcile: disabled", "reconcile: Disabled", "ssa: Ignore"] {
        let changes = rig.apply(&manifest(keep_off, "third")).await;
        assert_eq!(changes.count(Action::Skipped), 1, "{keep_off}");
        assert_eq!(
            changes.inventory().entries.len(),
            1,
            "skipped objects stay in the inventory"
        );
    }
    // On the live object, which has none of our labels.
    let plain =
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: NS}, data: {key: x}}";
    let live = plain.replace("NS", &rig.name).replace(
        "name: b,",
        "name: b, annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled},",
    );
    kubectl_with(
        &["create", "-f", "-"],
        &live.replace("key: x", "key: theirs"),
    )
    .await;
    assert_eq!(rig.apply(plain).await.count(Action::Skipped), 1);
    assert_eq!(
        rig.get("configmap", "b").await.unwrap()["data"]["key"],
        "theirs"
    );
}

#[tokio::test]
async fn many_objects_are_applied_at_once() {
    let rig = Rig::new("apply-many").await;
    let manifests: Vec<String> = (0..120)
        .map(|n| {
            format!(
                "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c{n}, namespace: NS}}, data: {{n: '{n}'}}}}"
            )
        })
        .collect();
    let manifests = manifests.join("\n---\n");
    assert_eq!(rig.apply(&manifests).await.count(Action::Created), 120);
    assert!(rig.apply(&manifests).await.is_noop());
}
