use std::collections::BTreeMap;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Instant;
use weir_api::kustomize::v1::{Kustomization, KustomizationSpec};
use weir_api::meta;

use super::*;
use crate::event::delivery::Undelivered;
use crate::event::tests::{quiet_recorder, recorded};

/// Notes what it is given, and answers as told.
#[derive(Default)]
struct Fake {
    attempts: Mutex<Vec<(Instant, String, Value)>>,
    answers: Mutex<Vec<Undelivered>>,
}

#[async_trait]
impl Deliver for Fake {
    async fn deliver(&self, provider: &Provider, id: &str, event: &str) -> Result<(), Undelivered> {
        let mut event: Value = serde_json::from_str(event).unwrap();
        event["provider"] = provider.metadata.name.clone().into();
        self.attempts
            .lock()
            .push((Instant::now(), id.to_owned(), event));
        self.answers.lock().pop().map_or(Ok(()), Err)
    }
}

struct Rig {
    dispatcher: Dispatcher<Fake>,
    fake: Arc<Fake>,
    warnings: mpsc::Receiver<Happening>,
}

fn rig() -> Rig {
    let (recorder, warnings) = quiet_recorder();
    let fake = Arc::new(Fake::default());
    let dispatcher = Dispatcher {
        alerts: Arc::default(),
        providers: Arc::default(),
        delivery: Arc::clone(&fake),
        recorder,
        instance: "host-1".into(),
        no_cross_namespace_refs: false,
    };
    Rig {
        dispatcher,
        fake,
        warnings,
    }
}

impl Rig {
    fn alert(&self, name: &str, provider: &str, more: Value) {
        let mut spec = json!({
            "providerRef": { "name": provider },
            "eventSources": [{ "kind": "Kustomization", "name": "*" }],
        });
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let mut alert = Alert::new(name, serde_json::from_value(spec).unwrap());
        alert.metadata.namespace = Some("ns".into());
        alert.metadata.uid = Some(name.into());
        self.dispatcher.alerts.offer(alert);
    }

    fn provider(&self, name: &str, spec: Value) {
        let mut provider = Provider::new(name, serde_json::from_value(spec).unwrap());
        provider.metadata.namespace = Some("ns".into());
        self.dispatcher.providers.offer(provider);
    }

    /// Dispatches all and returns what was attempted, with the warnings on Alerts.
    async fn run(self, happenings: Vec<Happening>) -> (Vec<(Instant, String, Value)>, Vec<String>) {
        let (sender, receiver) = mpsc::channel(64);
        for happening in happenings {
            sender.try_send(happening).unwrap();
        }
        let running = tokio::spawn(self.dispatcher.run(receiver, CancellationToken::new()));
        // Longer than all retries; the clock is paused.
        tokio::time::sleep(Duration::from_mins(10)).await;
        drop(sender);
        running.await.unwrap();
        let attempts = std::mem::take(&mut *self.fake.attempts.lock());
        (attempts, recorded(self.warnings))
    }
}

fn happening(message: &str, metadata: &[(&str, &str)]) -> Happening {
    let mut object = Kustomization::new("apps", KustomizationSpec::default());
    object.metadata.namespace = Some("ns".into());
    object.metadata.annotations = Some(BTreeMap::from([(
        "event.toolkit.fluxcd.io/cluster".into(),
        "blue".into(),
    )]));
    let metadata = metadata
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Happening::new(&object, Severity::Info, "Progressing", message).metadata(metadata)
}

#[tokio::test(start_paused = true)]
async fn every_matching_alert_gets_flux_event_with_its_own_metadata() {
    let rig = rig();
    rig.provider("hook", json!({ "type": "generic" }));
    rig.alert(
        "one",
        "hook",
        json!({ "eventMetadata": { "env": "prod" }, "summary": "Look" }),
    );
    rig.alert("two", "hook", json!({}));
    rig.alert(
        "other",
        "hook",
        json!({ "eventSources": [{ "kind": "Bucket", "name": "*" }] }),
    );
    let all = [
        (meta::META_REVISION, "main@sha1:1"),
        (meta::META_DIGEST, "sha256:2"),
        ("token", "t"),
    ];
    let (mut attempts, warnings) = rig.run(vec![happening("Deployment/x created", &all)]).await;
    assert_eq!(warnings, Vec::<String>::new());
    attempts.sort_by_key(|(_, _, event)| event["metadata"]["env"].is_null());
    let [(_, first_id, first), (_, second_id, second)] = attempts.as_slice() else {
        panic!("{attempts:?}")
    };
    assert_ne!(first_id, second_id);
    assert_eq!(
        first["metadata"],
        json!({ "cluster": "blue", "env": "prod", "revision": "main@sha1:1", "summary": "Look" })
    );
    assert_eq!(
        second["metadata"],
        json!({ "cluster": "blue", "revision": "main@sha1:1" })
    );
    assert_eq!(first["involvedObject"]["kind"], "Kustomization");
    assert_eq!(
        first["involvedObject"]["apiVersion"],
        "kustomize.toolkit.fluxcd.io/v1"
    );
    assert_eq!(first["severity"], "info");
    assert_eq!(first["reason"], "Progressing");
    assert_eq!(first["message"], "Deployment/x created");
    assert_eq!(first["reportingController"], "kustomize-controller");
    assert_eq!(first["reportingInstance"], "host-1");
    assert!(first["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test(start_paused = true)]
async fn commit_status_updates_go_to_forwarders_only() {
    let rig = rig();
    rig.provider("hook", json!({ "type": "generic-hmac" }));
    rig.provider("chat", json!({ "type": "slack" }));
    rig.alert("one", "hook", json!({}));
    rig.alert("two", "chat", json!({}));
    let update = happening("finished", &[(meta::META_COMMIT_STATUS, "update")]);
    let (attempts, _) = rig.run(vec![update, happening("created", &[])]).await;
    let mut told: Vec<(String, String)> = attempts
        .iter()
        .map(|(_, _, event)| (event["provider"].to_string(), event["message"].to_string()))
        .collect();
    told.sort();
    let expected = [
        ("chat", "created"),
        ("hook", "created"),
        ("hook", "finished"),
    ]
    .map(|(provider, message)| (format!("{provider:?}"), format!("{message:?}")));
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_down_is_tried_again_and_then_told_of() {
    let down = |after| Undelivered {
        message: "connection refused".into(),
        retry_after: Some(Duration::from_secs(after)),
    };
    let rig = rig();
    rig.provider("hook", json!({ "type": "generic" }));
    rig.alert("one", "hook", json!({}));
    rig.fake.answers.lock().extend((0..5).map(|_| down(0)));
    let (attempts, warnings) = rig.run(vec![happening("created", &[])]).await;
    assert_eq!(attempts.len(), 5, "once and four times again");
    assert!(
        attempts.iter().all(|(_, id, _)| *id == attempts[0].1),
        "one id for all attempts"
    );
    let waited = attempts[4].0 - attempts[0].0;
    assert!(
        waited >= Duration::from_secs(26) && waited <= Duration::from_secs(31),
        "{waited:?}"
    );
    assert_eq!(
        warnings,
        ["Alert/one NotificationDispatchFailed: connection refused"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_will_not_help_is_not_tried_again() {
    let rig = rig();
    rig.provider("hook", json!({ "type": "generic" }));
    rig.alert("one", "hook", json!({}));
    rig.fake.answers.lock().push(Undelivered {
        message: "no such host".into(),
        retry_after: None,
    });
    let (attempts, warnings) = rig.run(vec![happening("created", &[])]).await;
    assert_eq!(attempts.len(), 1);
    assert_eq!(
        warnings,
        ["Alert/one NotificationDispatchFailed: no such host"]
    );
}

#[tokio::test(start_paused = true)]
async fn suspension_absence_and_doubled_keys() {
    let rig = rig();
    rig.provider("paused", json!({ "type": "generic", "suspend": true }));
    rig.provider("hook", json!({ "type": "generic" }));
    rig.alert("paused", "paused", json!({}));
    rig.alert("lost", "gone", json!({}));
    rig.alert(
        "doubled",
        "hook",
        json!({ "eventMetadata": { "cluster": "green" } }),
    );
    let (attempts, mut warnings) = rig.run(vec![happening("created", &[])]).await;
    assert_eq!(attempts.len(), 1);
    assert_eq!(
        attempts[0].2["metadata"]["cluster"], "green",
        "the Alert's own wins"
    );
    warnings.sort();
    assert_eq!(
        warnings,
        [
            "Alert/doubled MetadataAppendFailed: metadata keys have more than one source, the last \
             one wins: cluster",
            "Alert/lost NotificationDispatchFailed: the Provider 'ns/gone' does not exist",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_recorded_before_the_end_is_still_sent() {
    let rig = rig();
    rig.provider("hook", json!({ "type": "generic" }));
    rig.alert("one", "hook", json!({}));
    let (sender, receiver) = mpsc::channel(64);
    for message in ["a", "b", "c"] {
        sender.try_send(happening(message, &[])).unwrap();
    }
    let stop = CancellationToken::new();
    stop.cancel();
    rig.dispatcher.run(receiver, stop).await;
    assert_eq!(rig.fake.attempts.lock().len(), 3);
}
