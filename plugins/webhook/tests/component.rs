//! The component in the host's runtime, against a real HTTP server.

use serde_json::{Value, json};
use weir_sdk_testing::{Answer, Component, FailureClass, Peer};

fn component() -> Component {
    Component::build_with_profile(env!("CARGO_MANIFEST_DIR"), "component")
}

fn event() -> Value {
    json!({
        "involvedObject": {
            "kind": "Kustomization",
            "namespace": "flux-system",
            "name": "apps",
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        },
        "severity": "info",
        "timestamp": "2026-01-01T00:00:00Z",
        "message": "Applied revision: main@sha1:0000",
        "reason": "ReconciliationSucceeded",
        "metadata": { "revision": "main@sha1:0000" },
        "reportingController": "kustomize-controller",
    })
}

#[test]
fn an_event_arrives_as_it_is() {
    let peer = Peer::start().on("POST", "/hook?a=b", Answer::status(202));
    component()
        .test()
        .settings(json!({ "type": "generic", "address": peer.url("/hook?a=b") }))
        .peer(&peer)
        .notify("1", &event())
        .ok();
    let [request] = peer.requests().try_into().expect("one request");
    assert_eq!(request.json(), event());
    assert_eq!(
        request.header("gotk-component"),
        Some("kustomize-controller")
    );
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("x-signature"), None);
}

#[test]
fn a_secret_brings_address_headers_and_key() {
    let peer = Peer::start().on("POST", "/secret", Answer::status(200));
    component()
        .test()
        .settings(json!({
            "type": "generic-hmac",
            "address": peer.url("/not-this"),
            "secretRef": { "name": "hook" },
        }))
        .secret(
            "default",
            [
                ("address", peer.url("/secret")),
                (
                    "headers",
                    "Authorization: Bearer abc\nX-Number: 5\n".to_owned(),
                ),
                ("token", "Jefe".to_owned()),
            ],
        )
        .peer(&peer)
        .notify("1", &event())
        .ok();
    let [request] = peer.requests().try_into().expect("one request");
    assert_eq!(request.path, "/secret");
    assert_eq!(request.header("authorization"), Some("Bearer abc"));
    assert_eq!(request.header("x-number"), Some("5"));
    let signature = request.header("x-signature").expect("a signature");
    // The signature itself is proved by a published vector in the unit tests.
    assert_eq!((&signature[..7], signature.len()), ("sha256=", 71));
}

#[test]
fn a_refusal_is_told_and_decides_what_is_next() {
    let peer = Peer::start()
        .on(
            "POST",
            "/busy",
            Answer::body("later\n")
                .with_status(429)
                .header("Retry-After", "7"),
        )
        .on("POST", "/gone", Answer::status(404));
    let notify = |path: &str| {
        component()
            .test()
            .settings(json!({ "type": "generic", "address": peer.url(path) }))
            .peer(&peer)
            .notify("1", &event())
            .failure()
    };
    let busy = notify("/busy");
    assert_eq!(
        (busy.class, busy.retry_after),
        (FailureClass::Unavailable, Some(7))
    );
    assert_eq!(
        busy.message,
        "postMessage failed: the server answered with status 429: later"
    );
    assert_eq!(notify("/gone").class, FailureClass::InvalidSettings);
}

#[test]
fn a_host_that_is_not_granted_is_not_reached() {
    let peer = Peer::start().on("POST", "/", Answer::status(200));
    let failure = component()
        .test()
        .settings(json!({ "type": "generic", "address": peer.url("/") }))
        .grant_host("https://example.com")
        .notify("1", &event())
        .failure();
    assert_eq!(failure.class, FailureClass::Denied, "{failure:?}");
    assert!(peer.requests().is_empty());
}
