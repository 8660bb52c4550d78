//! Health is told by the watches.

use weir_apply::{Event, State};

use crate::rig::Rig;

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: NS }
spec:
  replicas: REPLICAS
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: 'web:1' }] }
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: web, namespace: NS}}
";

#[tokio::test]
async fn a_deployment_becomes_current_and_an_impossible_one_does_not() {
    let rig = Rig::new("health-deployment").await;
    let mut request = rig.request(&DEPLOYMENT.replace("REPLICAS", "0"));
    request.health = true;
    let changes = rig.engine.apply(request).await.unwrap();
    let ids: Vec<_> = changes.health_ids().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids.len(), 2);
    let deployment = ids.iter().find(|id| id.kind == "Deployment").unwrap();
    while !rig.engine.health(&ids).is_healthy() {
        let event = rig.event().await;
        assert!(
            matches!(&event, Event::HealthChanged { id, .. } if id == deployment),
            "{event:?}"
        );
    }
    // There are no nodes: a replica never becomes ready.
    let mut request = rig.request(&DEPLOYMENT.replace("REPLICAS", "1"));
    request.health = true;
    rig.engine.apply(request).await.unwrap();
    let report = rig.engine.health(&ids);
    assert!(
        !report.is_healthy(),
        "what was written is not healthy by old news"
    );
    assert_eq!(report.not_current[0].1.state, State::InProgress);
    assert_eq!(
        report.timeout_message(),
        "timeout waiting for: [Deployment/health-deployment/web status: 'InProgress']"
    );
}

#[tokio::test]
async fn health_of_what_was_applied_by_an_earlier_process() {
    let rig = Rig::new("health-restart").await;
    let inventory = rig
        .apply(&DEPLOYMENT.replace("REPLICAS", "0"))
        .await
        .inventory();
    let ids: Vec<_> = inventory
        .entries
        .iter()
        .map(|entry| entry.id.parse().unwrap())
        .collect();
    let rig = rig.restarted().await;
    rig.engine.watch_health(&inventory.entries).await.unwrap();
    rig.until("everything is current", |engine| {
        engine.health(&ids).is_healthy()
    })
    .await;
    rig.kubectl(&["delete", "configmap", "web"]).await;
    rig.until("the deletion is seen", |engine| {
        engine
            .health(&ids)
            .not_current
            .iter()
            .any(|(_, status)| status.state == State::NotFound)
    })
    .await;
}
