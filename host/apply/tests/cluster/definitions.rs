//! Definitions come before what they define, in one set.

use weir_apply::{Action, ApplyError, Stage};

use crate::rig::{Rig, lines, mark};

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: KINDs.apply.weir.dev }
spec:
  group: apply.weir.dev
  scope: Namespaced
  names: { kind: KIND, plural: KINDs, singular: KIND }
  versions:
  - name: v1
    served: true
    storage: true
    subresources: { status: {} }
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties: { size: { type: integer, minimum: 1 } }
          status:
            type: object
            x-kubernetes-preserve-unknown-fields: true
---
";
const CUSTOM: &str = "{apiVersion: apply.weir.dev/v1, kind: KIND, \
                      metadata: {name: a, namespace: NS}, spec: {size: 1}}";
const NAMESPACE: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: NS}}\n---\n";

#[tokio::test]
async fn namespace_definition_and_custom_object_in_one_set() {
    let rig = Rig::without_namespace("definitions-set").await;
    let set = (DEFINITION.to_owned() + NAMESPACE + CUSTOM).replace("KIND", "gizmo");
    let changes = rig.apply(&set).await;
    assert_eq!(
        lines(&changes),
        [
            "CustomResourceDefinition/gizmos.apply.weir.dev created",
            "Namespace/definitions-set created",
            "gizmo/definitions-set/a created",
        ]
    );
    assert!(rig.apply(&set).await.is_noop());
    // A change of the definition's own objects alone is one request.
    let since = mark();
    let changes = rig.apply(&set.replace("size: 1", "size: 2")).await;
    assert_eq!(changes.count(Action::Configured), 1);
    let tally = rig.requests(since, 1).await;
    assert_eq!(tally.total(), 1, "{tally}");
    // Health of a kind that came with the set.
    let mut request = rig.request(&set);
    request.health = true;
    let changes = rig.engine.apply(request).await.unwrap();
    let ids: Vec<_> = changes.health_ids().map(|(id, _)| id.clone()).collect();
    rig.until("everything is current", |engine| {
        engine.health(&ids).is_healthy()
    })
    .await;
    // Gone with its definition.
    let inventory = changes.inventory();
    let report = rig.engine.prune(&rig.owner, &inventory.entries).await;
    assert!(report.failed.is_empty(), "{report:?}");
    assert_eq!(report.changes.count(Action::Deleted), 3);
}

#[tokio::test]
async fn a_wrong_custom_object_is_told_after_its_definition_is_served() {
    let rig = Rig::new("definitions-wrong").await;
    let set = (DEFINITION.to_owned() + CUSTOM).replace("KIND", "widget");
    let error = rig
        .try_apply(&set.replace("size: 1", "size: 0"))
        .await
        .unwrap_err();
    let ApplyError::Stage { stage, done, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(*stage, Stage::Rest);
    assert_eq!(done.count(Action::Created), 1, "the definition");
    assert!(error.to_string().contains("spec.size"), "{error}");
    assert_eq!(rig.apply(&set).await.count(Action::Created), 1);
}
