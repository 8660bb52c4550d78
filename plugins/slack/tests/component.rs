//! The component in the host's runtime, against a real HTTP server.

use serde_json::{Value, json};
use weir_sdk_testing::{Answer, Component, FailureClass, Peer};

fn component() -> Component {
    Component::build_with_profile(env!("CARGO_MANIFEST_DIR"), "component")
}

fn event(severity: &str) -> Value {
    json!({
        "involvedObject": { "kind": "Kustomization", "namespace": "flux-system", "name": "apps" },
        "severity": severity,
        "timestamp": "2026-01-01T00:00:00Z",
        "message": "health check failed",
        "reason": "HealthCheckFailed",
        "metadata": { "revision": "main@sha1:0000" },
        "reportingController": "kustomize-controller",
    })
}

#[test]
fn a_webhook_whose_address_is_secret() {
    let peer = Peer::start().on("POST", "/services/T0/B0/x", Answer::body("ok"));
    component()
        .test()
        .settings(json!({ "type": "slack", "channel": "ops", "secretRef": { "name": "slack" } }))
        // With a line end, as `kubectl create secret --from-file` leaves it.
        .secret(
            "default",
            [("address", format!("{}\n", peer.url("/services/T0/B0/x")))],
        )
        .peer(&peer)
        .notify("1", &event("error"))
        .ok();
    let [request] = peer.requests().try_into().expect("one request");
    let body = request.json();
    assert_eq!(body["channel"], "ops");
    assert_eq!(body["username"], "kustomize-controller");
    assert_eq!(body["attachments"][0]["color"], "danger");
    assert_eq!(
        body["attachments"][0]["author_name"],
        "kustomization/apps.flux-system"
    );
    assert_eq!(body["attachments"][0]["fields"][0]["title"], "revision");
    assert_eq!(request.header("authorization"), None);
}

#[test]
fn a_bot_with_a_token() {
    let answers = [r#"{"ok":true}"#, r#"{"ok":false,"error":"not_in_channel"}"#];
    let mut peer = Peer::start();
    for answer in answers {
        peer = peer.on("POST", "/api/chat.postMessage", Answer::body(answer));
    }
    let notify = || {
        component()
            .test()
            .settings(json!({
                "type": "slack",
                "channel": "ops",
                "address": peer.url("/api/chat.postMessage"),
                "secretRef": { "name": "slack" },
            }))
            .secret("default", [("token", "xoxb-1")])
            .peer(&peer)
            .notify("1", &event("info"))
    };
    notify().ok();
    assert_eq!(
        peer.requests()[0].header("authorization"),
        Some("Bearer xoxb-1")
    );

    let failure = notify().failure();
    assert_eq!(failure.class, FailureClass::InvalidSettings);
    assert_eq!(
        failure.message,
        "postMessage failed: Slack responded with error: not_in_channel"
    );
}

#[test]
fn examples_are_valid() {
    let component = component();
    for example in &component.info().examples {
        assert!(component.check_settings(example).is_empty(), "{example}");
    }
}
