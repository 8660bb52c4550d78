//! What the engine does where it may not do everything, and against other managers.

use std::time::Duration;

use weir_apply::{Action, ApplyRequest, Engine, EngineOptions};

use crate::rig::{Rig, client_of, kubectl_with, mark};

const CONFIG: &str = "
apiVersion: v1
kind: ConfigMap
metadata: { name: a, namespace: NS }
data: { key: ours }
";

fn role(name: &str, verbs: &str) -> String {
    format!(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{ name: {name}, namespace: {name} }}
rules: [{{ apiGroups: [''], resources: [configmaps], verbs: [{verbs}] }}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{ name: {name}, namespace: {name} }}
roleRef: {{ apiGroup: rbac.authorization.k8s.io, kind: Role, name: {name} }}
subjects: [{{ apiGroup: rbac.authorization.k8s.io, kind: User, name: tenant }}]
"
    )
}

#[tokio::test]
async fn without_the_right_to_watch_every_run_asks_the_server() {
    let rig = Rig::new("limits-watch").await;
    kubectl_with(
        &["apply", "-f", "-"],
        &role(&rig.name, "get, create, patch, delete"),
    )
    .await;
    let options = EngineOptions {
        sync_timeout: Duration::from_millis(200),
        ..EngineOptions::default()
    };
    let engine = Engine::new(client_of("tenant", "limits-watch-tenant").await, options);
    let run = || engine.apply(ApplyRequest::new(rig.owner.clone(), rig.objects(CONFIG)));
    assert_eq!(run().await.unwrap().count(Action::Created), 1);
    rig.kubectl(&[
        "patch",
        "configmap",
        "a",
        "--field-manager=someone",
        "-p",
        r#"{"data":{"key":"theirs"}}"#,
    ])
    .await;
    // No watch has told, and still it is found and repaired.
    assert_eq!(run().await.unwrap().count(Action::Configured), 1);
    assert_eq!(
        rig.get("configmap", "a").await.unwrap()["data"]["key"],
        "ours"
    );
    let stale: Vec<_> = rig
        .objects(CONFIG)
        .iter()
        .map(weir_apply::Object::entry)
        .collect();
    let report = engine.prune(&rig.owner, &stale).await;
    assert_eq!(report.changes.count(Action::Deleted), 1, "{report:?}");
}

#[tokio::test]
async fn a_tenant_is_refused_what_it_may_not_do() {
    let rig = Rig::new("limits-tenant").await;
    let tenant = rig
        .engine
        .with_client(client_of("tenant", "limits-tenant").await);
    let error = tenant
        .apply(ApplyRequest::new(rig.owner.clone(), rig.objects(CONFIG)))
        .await
        .unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with("ConfigMap/limits-tenant/a dry-run failed (Forbidden): "),
        "{message}"
    );
    assert!(!error.is_retryable());
    // With the right to write, and the host's own watch.
    kubectl_with(&["apply", "-f", "-"], &role(&rig.name, "create, patch")).await;
    // Rights take a moment to reach the authorizer.
    let deadline = tokio::time::Instant::now() + crate::rig::PATIENCE;
    loop {
        let request = ApplyRequest::new(rig.owner.clone(), rig.objects(CONFIG));
        match tenant.apply(request).await {
            Ok(changes) => break assert_eq!(changes.count(Action::Created), 1),
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let since = mark();
    assert!(
        tenant
            .apply(ApplyRequest::new(rig.owner.clone(), rig.objects(CONFIG)))
            .await
            .unwrap()
            .is_noop()
    );
    rig.apply(&CONFIG.replace("ours", "new")).await;
    let tally = rig.requests(since, 1).await;
    assert_eq!(tally.total(), 1, "{tally}");
}

#[tokio::test]
async fn fields_of_another_applier_are_won_and_won_back() {
    let rig = Rig::new("limits-conflict").await;
    let theirs = CONFIG.replace("NS", &rig.name).replace("ours", "theirs");
    let apply = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=other",
        "-f",
        "-",
    ];
    kubectl_with(&apply, &theirs).await;
    assert_eq!(rig.apply(CONFIG).await.count(Action::Configured), 1);
    assert_eq!(
        rig.get("configmap", "a").await.unwrap()["data"]["key"],
        "ours"
    );
    // The same value is no conflict: both own it, and nothing of ours has changed.
    kubectl_with(&apply, &theirs.replace("theirs", "ours")).await;
    kubectl_with(&apply, &theirs).await;
    let event = rig.event().await;
    assert_eq!(event.id().name, "a");
    let object = rig.objects(CONFIG).remove(0);
    rig.engine.repair(&rig.owner, object).await.unwrap();
    assert_eq!(
        rig.get("configmap", "a").await.unwrap()["data"]["key"],
        "ours"
    );
}

#[tokio::test]
async fn a_run_that_takes_too_long_says_what_it_has_done() {
    let rig = Rig::new("limits-timeout").await;
    let mut request = rig.request(CONFIG);
    request.timeout = Duration::from_millis(1);
    let error = rig.engine.apply(request).await.unwrap_err();
    assert_eq!(error.to_string(), "apply did not end within 1ms");
    assert!(error.is_retryable());
    assert!(
        rig.apply(CONFIG).await.changes.len() == 1,
        "the next run is not disturbed"
    );
}
