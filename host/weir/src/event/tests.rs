use http::{Request, Response};
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};
use weir_api::source::v1::GitRepository;

use super::*;

/// A recorder whose Kubernetes Events come out of the receiver.
pub(super) fn quiet_recorder() -> (Recorder, mpsc::Receiver<Happening>) {
    let (sender, receiver) = mpsc::channel(64);
    let metrics = Arc::new(Metrics::new());
    (
        Recorder {
            shards: vec![sender].into(),
            alerts: None,
            metrics,
        },
        receiver,
    )
}

/// What came out, `Kind/name Reason: message`.
pub(super) fn recorded(mut receiver: mpsc::Receiver<Happening>) -> Vec<String> {
    let mut all = Vec::new();
    while let Ok(happening) = receiver.try_recv() {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        all.push(format!(
            "{}/{} {}: {}",
            text(&happening.object.kind),
            text(&happening.object.name),
            happening.reason,
            happening.message
        ));
    }
    all
}

type Requests = Arc<Mutex<Vec<(String, String, Value)>>>;

/// An API server that takes every Event but those named in `gone` when they are patched.
fn api_server(gone: bool) -> (Client, Requests) {
    let requests = Requests::default();
    let seen = Arc::clone(&requests);
    let service = tower::service_fn(move |request: Request<Body>| {
        let seen = Arc::clone(&seen);
        async move {
            let (parts, body) = request.into_parts();
            let body: Value = serde_json::from_slice(&body.collect_bytes().await?)?;
            let method = parts.method.to_string();
            let is_gone = gone && method == "PATCH";
            seen.lock()
                .push((method, parts.uri.path().to_owned(), body.clone()));
            let (status, answer) = if is_gone {
                (
                    404,
                    json!({ "kind": "Status", "code": 404, "reason": "NotFound", "message": "" }),
                )
            } else {
                let object = json!({ "kind": "GitRepository" });
                (
                    200,
                    json!({ "metadata": { "name": "x" }, "involvedObject": object }),
                )
            };
            let body = Body::from(answer.to_string().into_bytes());
            Ok::<_, tower::BoxError>(Response::builder().status(status).body(body)?)
        }
    });
    (Client::new(service, "default"), requests)
}

fn repository() -> GitRepository {
    let spec = json!({ "url": "https://example.com/x", "interval": "1m" });
    let mut object = GitRepository::new("web", serde_json::from_value(spec).unwrap());
    object.metadata.namespace = Some("apps".into());
    object.metadata.uid = Some("uid-1".into());
    object.metadata.resource_version = Some("7".into());
    object
}

async fn write(gone: bool, happenings: Vec<Happening>) -> Vec<(String, String, Value)> {
    let (client, requests) = api_server(gone);
    let writer = kubernetes::Writer::new(client, Arc::default(), "host-1".into());
    let (sender, receiver) = mpsc::channel(16);
    for happening in happenings {
        sender.send(happening).await.unwrap();
    }
    drop(sender);
    writer.run(receiver, CancellationToken::new()).await;
    std::mem::take(&mut *requests.lock())
}

#[tokio::test]
async fn a_kubernetes_event_is_as_fluxs_controllers_write_it() {
    let happening = Happening::new(&repository(), Severity::Info, "NewArtifact", "stored")
        .metadata(vec![
            (meta::META_REVISION.into(), "main@sha1:1".into()),
            (meta::META_ORIGIN_REVISION.into(), String::new()),
        ]);
    let requests = write(false, vec![happening]).await;
    let [(method, path, event)] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    assert_eq!(
        (method.as_str(), path.as_str()),
        ("POST", "/api/v1/namespaces/apps/events")
    );
    assert!(
        event["metadata"]["name"]
            .as_str()
            .unwrap()
            .starts_with("web.")
    );
    assert_eq!(
        event["metadata"]["annotations"],
        json!({ "source.toolkit.fluxcd.io/revision": "main@sha1:1" })
    );
    assert_eq!(
        event["involvedObject"],
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "namespace": "apps", "name": "web", "uid": "uid-1", "resourceVersion": "7",
        })
    );
    assert_eq!(event["type"], "Normal");
    assert_eq!(event["reason"], "NewArtifact");
    assert_eq!(event["message"], "stored");
    assert_eq!(event["count"], 1);
    assert_eq!(event["source"]["component"], "source-controller");
    assert_eq!(event["reportingComponent"], "source-controller");
    assert_eq!(event["reportingInstance"], "host-1");
    assert_eq!(event["firstTimestamp"], event["lastTimestamp"]);
}

#[tokio::test]
async fn the_same_event_again_counts_up_the_first() {
    let failed = |message: &str| {
        Happening::new(
            &repository(),
            Severity::Error,
            "GitOperationFailed",
            message,
        )
    };
    let requests = write(
        false,
        vec![failed("no route"), failed("no route"), failed("other")],
    )
    .await;
    let [(_, _, first), (method, path, patch), (_, _, other)] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    assert_eq!(first["type"], "Warning");
    assert_eq!(method, "PATCH");
    assert_eq!(
        *path,
        format!(
            "/api/v1/namespaces/apps/events/{}",
            first["metadata"]["name"].as_str().unwrap()
        )
    );
    assert_eq!(patch["count"], 2);
    assert_ne!(first["metadata"]["name"], other["metadata"]["name"]);
}

#[tokio::test]
async fn an_event_that_has_expired_is_written_anew() {
    let failed = || Happening::new(&repository(), Severity::Error, "Failed", "no route");
    let requests = write(true, vec![failed(), failed()]).await;
    let methods: Vec<&str> = requests
        .iter()
        .map(|(method, _, _)| method.as_str())
        .collect();
    assert_eq!(methods, ["POST", "PATCH", "POST"]);
}

#[tokio::test]
async fn recording_never_waits_and_counts_what_is_lost() {
    let (sender, _receiver) = mpsc::channel(1);
    let metrics = Arc::new(Metrics::new());
    let recorder = Recorder {
        shards: vec![sender].into(),
        alerts: None,
        metrics: Arc::clone(&metrics),
    };
    for _ in 0..3 {
        recorder.record(Happening::new(&repository(), Severity::Trace, "R", "m"));
    }
    recorder.record(Happening::new(&repository(), Severity::Info, "R", "m").alerts_only());
    assert!(metrics.encode().contains("weir_events_dropped_total 2"));
}

#[test]
fn an_event_names_the_controller_that_flux_has_for_the_kind() {
    assert_eq!(controller("Kustomization"), "kustomize-controller");
    assert_eq!(controller("Plugin"), "weir");
}
