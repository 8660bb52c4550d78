//! The network: where requests lead, and what goes along.

use std::sync::Arc;

use serde_json::{Value, json};
use weir_plugin::{Call, Checkout, Failure, FailureClass, Git, Grants, Reference, Remote, Wanted};

use super::{failed, limits};
use crate::network::{Peer, fetch_with, granted, with_secret_for};
use crate::support::{Sink, call, load};

#[tokio::test]
async fn redirects_to_what_is_not_public_are_not_followed() {
    let (peer, other) = (Peer::start().await, Peer::start().await);
    let port = other.address.port();
    let targets = [
        format!("http://localhost:{port}/echo"),
        format!("http://127.0.0.1:{port}/echo"),
        format!("http://127.1:{port}/echo"),
        format!("http://0x7f000001:{port}/echo"),
        format!("http://0.0.0.0:{port}/echo"),
        format!("http://[::1]:{port}/echo"),
        format!("http://[::ffff:127.0.0.1]:{port}/echo"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fe80::1]/".to_owned(),
        "http://10.0.0.1/".to_owned(),
    ];
    let requests: Vec<Value> = targets
        .iter()
        .map(|to| json!({"url": peer.url(&format!("/redirect?status=302&to={to}"))}))
        .collect();
    // The peer by its name, all others by a pattern.
    let call = granted(
        json!({ "requests": requests }),
        &[&peer.url(""), "http://*"],
    );
    let sink = fetch_with(call).await;
    for (n, target) in targets.iter().enumerate() {
        let note = sink.text(&format!("{n}.txt"));
        assert!(
            note.contains("Denied AddressNotGranted"),
            "{target}: {note}"
        );
    }
    assert_eq!(other.count(), 0);
}

#[tokio::test]
async fn redirects_to_other_schemes_are_not_followed() {
    let peer = Peer::start().await;
    let targets = [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1/",
        "data:,x",
    ];
    let requests: Vec<Value> = targets
        .iter()
        .map(|to| json!({"url": peer.url(&format!("/redirect?status=302&to={to}"))}))
        .collect();
    let sink = fetch_with(granted(
        json!({ "requests": requests }),
        &["*", &peer.url("")],
    ))
    .await;
    for (n, target) in targets.iter().enumerate() {
        let note = sink.text(&format!("{n}.txt"));
        assert!(note.contains("InvalidURL"), "{target}: {note}");
    }
}

#[tokio::test]
async fn a_credential_goes_to_the_address_of_its_object_only() {
    let (home, other) = (Peer::start().await, Peer::start().await);
    let request = |peer: &Peer| json!({"url": peer.url("/echo"), "slot": "default"});
    let settings = json!({"requests": [request(&home), request(&other)]});
    let call = granted(settings, &[&home.url(""), &other.url("")]);
    let pairs = [("username", "u"), ("password", "p")];
    fetch_with(with_secret_for(call, &pairs, Some(home.url("")))).await;
    assert_eq!(home.last().header("authorization"), Some("Basic dTpw"));
    // Granted as well, but nobody meant the Secret for it.
    assert_eq!(other.count(), 1);
    assert_eq!(other.last().header("authorization"), None);
}

#[tokio::test]
async fn a_placeholder_has_no_value_for_another_address() {
    let (home, other) = (Peer::start().await, Peer::start().await);
    let settings = json!({"requests": [
        {"url": format!("{}?{{{{password}}}}", other.url("/echo")), "slot": "default", "scheme": "template"},
        {"url": other.url("/echo"), "slot": "default", "scheme": "template",
            "headers": {"X-Token": "{{password}}"}},
        {"url": format!("{}?{{{{password}}}}", home.url("/echo")), "slot": "default", "scheme": "template"},
    ]});
    let call = granted(settings, &[&home.url(""), &other.url("")]);
    let call = with_secret_for(call, &[("password", "hunter22")], Some(home.url("")));
    let sink = fetch_with(call).await;
    for n in 0..2 {
        let note = sink.text(&format!("{n}.txt"));
        assert!(note.contains("Unauthorized MissingCredentials"), "{note}");
    }
    assert_eq!((home.count(), other.count()), (1, 0));
}

/// Remembers what it was asked for, and refuses it.
#[derive(Default)]
struct Asked(std::sync::Mutex<Vec<Remote>>);

#[async_trait::async_trait]
impl Git for Asked {
    async fn list_references(
        &self,
        remote: Remote,
        _: Vec<String>,
    ) -> Result<Vec<Reference>, Failure> {
        self.0.lock().unwrap().push(remote);
        Err(Failure::new(FailureClass::Unavailable, "Asked", "asked"))
    }
    async fn fetch(&self, _: Remote, _: Wanted) -> Result<Checkout, Failure> {
        Err(Failure::new(FailureClass::Unavailable, "Asked", "asked"))
    }
}

/// How a request for that repository fails, and what reached the host's Git.
async fn list(url: &str, home: &str) -> (String, Vec<Remote>) {
    let git = Arc::new(Asked::default());
    let mut call = Call {
        limits: limits(),
        ..call(&json!({ "url": url, "slot": "default" }).to_string(), &[])
    };
    call.grants = Arc::new(Grants {
        hosts: vec![
            "https://git.example.com".into(),
            "https://other.example.com".into(),
        ],
        slots: vec!["*".into()],
        ..Grants::default()
    });
    call.services.git = Some(git.clone());
    let call = with_secret_for(call, &[("password", "p")], Some(home.into()));
    let (called, _) = load("checkout")
        .await
        .pull(call, None, Sink::default())
        .await;
    let asked = git.0.lock().unwrap().clone();
    (failed(called).code, asked)
}

#[tokio::test]
async fn a_repository_is_read_from_the_host_that_was_granted() {
    const HOME: &str = "https://git.example.com";
    for url in [
        "https://evil.example.org/x",
        "https://git.example.com@evil.example.org/x",
        "https://git.example.com:x@evil.example.org/x",
        "https://evil.example.org\\@git.example.com/x",
        "https://evil.example.org#@git.example.com/x",
        "http://git.example.com/x",
        "ssh://git.example.com/x",
        "file:///etc",
        "ext::sh -c id",
        "-oProxyCommand=id",
        "git.example.com:x",
    ] {
        let (code, asked) = list(url, HOME).await;
        assert!(
            matches!(code.as_str(), "NotGranted" | "InvalidURL"),
            "{url}: {code}"
        );
        assert!(asked.is_empty(), "{url}");
    }
    // What two readers of addresses could take for two hosts arrives in one reading.
    let (code, asked) = list("https://git.example.com\\@evil.example.org/x", HOME).await;
    assert_eq!((code.as_str(), asked.len()), ("Asked", 1));
    assert_eq!(asked[0].url, "https://git.example.com/@evil.example.org/x");
}

#[tokio::test]
async fn a_repository_elsewhere_is_asked_without_credentials() {
    let (_, asked) = list("https://git.example.com/x", "https://git.example.com").await;
    assert!(asked[0].credentials.is_some());
    let (_, asked) = list("https://other.example.com/x", "https://git.example.com").await;
    assert!(asked[0].credentials.is_none());
}
