//! HTTP through the host: grants, credentials, redirects, bounds, and what stays masked.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Query;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use serde_json::{Value, json};
use weir_plugin::{
    Call, CallError, Called, Credentials, Failure, FailureClass, Grants, Limits, Revision,
};

use crate::support::{Sink, call, load};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    method: String,
    uri: String,
    headers: HeaderMap,
    body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// An HTTP server that keeps what it is sent.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Peer {
    pub(crate) async fn start() -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = received.clone();
        let echo = async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            log.lock().unwrap().push(Received {
                method: method.to_string(),
                uri: uri.to_string(),
                headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            });
            "answer"
        };
        let redirect = async |Query(query): Query<BTreeMap<String, String>>| {
            let status: u16 = query["status"].parse().unwrap();
            (
                StatusCode::from_u16(status).unwrap(),
                [(header::LOCATION, query["to"].clone())],
            )
        };
        let app = Router::new()
            .route("/echo", any(echo))
            .route("/redirect", any(redirect))
            .route(
                "/loop",
                get(async || (StatusCode::FOUND, [(header::LOCATION, "/loop")])),
            )
            .route("/teapot", get(async || (StatusCode::IM_A_TEAPOT, "short")))
            .route("/big", get(async || vec![b'x'; 2 << 20]))
            .route(
                "/zipped",
                get(async || {
                    let headers = [(header::CONTENT_ENCODING, "gzip")];
                    (headers, gzip(&vec![0; 2 << 20])).into_response()
                }),
            )
            .route("/archive", get(async || archive()))
            .route("/slow", get(async || std::future::pending::<()>().await));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, received }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn last(&self) -> Received {
        self.received
            .lock()
            .unwrap()
            .last()
            .expect("a request arrived")
            .clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn archive() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(7);
    header.set_mode(0o644);
    builder
        .append_data(&mut header, "app/a.yaml", &b"kind: A"[..])
        .unwrap();
    gzip(&builder.into_inner().unwrap())
}

/// One Secret in the slot `default`, for one origin or for any.
pub(crate) struct OneSecret {
    values: Arc<BTreeMap<String, Vec<u8>>>,
    origin: Option<String>,
}

#[async_trait]
impl Credentials for OneSecret {
    async fn slot(&self, name: &str) -> Result<Option<Arc<BTreeMap<String, Vec<u8>>>>, Failure> {
        Ok((name == "default").then(|| self.values.clone()))
    }
    async fn is_bound_to(&self, _: &str, url: &url::Url) -> Result<bool, Failure> {
        let to = url.origin().ascii_serialization();
        Ok(self.origin.as_ref().is_none_or(|origin| *origin == to))
    }
    async fn ca_certificate(&self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(None)
    }
}

fn with_secret(call: Call, pairs: &[(&str, &str)]) -> Call {
    with_secret_for(call, pairs, None)
}

pub(crate) fn with_secret_for(
    mut call: Call,
    pairs: &[(&str, &str)],
    origin: Option<String>,
) -> Call {
    let pairs = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()));
    call.services.credentials = Some(Arc::new(OneSecret {
        values: Arc::new(pairs.collect()),
        origin,
    }));
    call
}

pub(crate) fn granted(settings: Value, hosts: &[&str]) -> Call {
    let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    let grants = Grants {
        hosts,
        slots: vec!["*".into()],
        ..Grants::default()
    };
    Call {
        grants: Arc::new(grants),
        ..call(&settings.to_string(), &[])
    }
}

/// Fetches, with the peer granted by its literal address.
async fn fetch(peer: &Peer, requests: Value) -> Sink {
    fetch_with(granted(json!({ "requests": requests }), &[&peer.url("")])).await
}

pub(crate) async fn fetch_with(call: Call) -> Sink {
    let (called, sink) = load("fetch").await.pull(call, None, Sink::default()).await;
    called.result.unwrap();
    sink
}

#[tokio::test]
async fn an_answer_of_any_status_arrives_whole() {
    let peer = Peer::start().await;
    let sink = fetch(
        &peer,
        json!([
            {"url": peer.url("/echo"), "method": "PUT", "body": "b", "headers": {"X-One": "1"}},
            {"url": peer.url("/teapot")},
        ]),
    )
    .await;
    assert_eq!(
        (sink.text("0").as_str(), sink.text("1").as_str()),
        ("answer", "short")
    );
    assert!(
        sink.text("1.txt").starts_with("418 "),
        "{}",
        sink.text("1.txt")
    );
    let received = peer.last();
    assert_eq!(
        (received.method.as_str(), received.body.as_str()),
        ("PUT", "b")
    );
    assert_eq!(received.header("x-one"), Some("1"));
    assert!(received.header("user-agent").unwrap().starts_with("weir/"));
}

#[tokio::test]
async fn many_are_fetched_at_once_and_keep_their_order() {
    let peer = Peer::start().await;
    let requests: Vec<Value> = (0..40)
        .map(|n| json!({"url": peer.url(if n % 2 == 0 { "/echo" } else { "/teapot" })}))
        .chain([json!({"url": "http://other.example/"})])
        .collect();
    let settings = json!({"by": "many", "requests": requests});
    let sink = fetch_with(granted(settings, &[&peer.url("")])).await;
    for n in 0..40 {
        let expected = if n % 2 == 0 { "answer" } else { "short" };
        assert_eq!(sink.text(&n.to_string()), expected);
    }
    assert!(
        sink.text("40.txt").contains("NotGranted"),
        "{}",
        sink.text("40.txt")
    );
}

#[tokio::test]
async fn an_archive_is_unpacked_without_entering_the_guest() {
    let peer = Peer::start().await;
    let sink = fetch(&peer, json!([{"url": peer.url("/archive")}])).await;
    assert_eq!(sink.text("0.d/app/a.yaml"), "kind: A");
}

#[tokio::test]
async fn only_granted_origins_are_reached() {
    let peer = Peer::start().await;
    let other = Peer::start().await;
    let sink = fetch(
        &peer,
        json!([
            {"url": other.url("/echo")},
            {"url": "ftp://127.0.0.1/"},
            {"url": peer.url(&format!("/redirect?status=302&to={}", other.url("/echo")))},
            {"url": format!("http://{}@{}/echo", peer.address, other.address)},
        ]),
    )
    .await;
    for index in [0, 2, 3] {
        let note = sink.text(&format!("{index}.txt"));
        assert!(note.contains("Denied NotGranted"), "{index}: {note}");
    }
    assert!(sink.text("1.txt").contains("InvalidURL"));
    assert_eq!((peer.count(), other.count()), (0, 0));
}

#[tokio::test]
async fn private_addresses_need_more_than_a_pattern() {
    let peer = Peer::start().await;
    let local = format!("http://localhost:{}/echo", peer.address.port());
    let settings = json!({"requests": [
        {"url": peer.url("/echo")},
        {"url": local},
        {"url": "http://169.254.169.254/latest/meta-data"},
        {"url": "http://[::ffff:127.0.0.1]/"},
        {"url": "http://2130706433/"},
    ]});
    let call = granted(settings.clone(), &["*", "http://*", "https://*"]);
    let sink = fetch_with(call).await;
    for index in 0..5 {
        let note = sink.text(&format!("{index}.txt"));
        assert!(note.contains("Denied AddressNotGranted"), "{index}: {note}");
    }
    assert_eq!(peer.count(), 0);

    let mut call = granted(json!({"requests": [{"url": peer.url("/echo")}]}), &["*"]);
    let grants = Grants {
        private_networks: true,
        ..Grants::clone(&call.grants)
    };
    call.grants = Arc::new(grants);
    assert_eq!(fetch_with(call).await.text("0"), "answer");

    let host = format!("http://localhost:{}", peer.address.port());
    let call = granted(json!({"requests": [{"url": local}]}), &[&host]);
    assert_eq!(fetch_with(call).await.text("0"), "answer");
}

#[tokio::test]
async fn credentials_follow_redirects_only_within_their_origin() {
    let peer = Peer::start().await;
    let other = Peer::start().await;
    let request = |to: &str| {
        let url = peer.url(&format!("/redirect?status=307&to={to}"));
        let headers = json!({"X-Token": "{{token}}", "Accept": "text/plain"});
        json!({"url": url, "slot": "default", "headers": headers})
    };
    let run = async |to: String| {
        let settings = json!({"requests": [request(&to)]});
        let call = granted(settings, &[&peer.url(""), &other.url("")]);
        fetch_with(with_secret(
            call,
            &[("username", "u"), ("password", "p"), ("token", "t0ken")],
        ))
        .await
    };
    run("/echo".into()).await;
    assert_eq!(peer.last().header("authorization"), Some("Basic dTpw"));
    assert_eq!(peer.last().header("x-token"), Some("t0ken"));
    run(other.url("/echo")).await;
    assert_eq!(other.last().header("authorization"), None);
    assert_eq!(other.last().header("x-token"), None);
    assert_eq!(other.last().header("accept"), Some("text/plain"));
}

#[tokio::test]
async fn redirects_do_not_go_on_forever() {
    let peer = Peer::start().await;
    let sink = fetch(&peer, json!([{"url": peer.url("/loop")}])).await;
    assert!(
        sink.text("0.txt").contains("TooManyRedirects"),
        "{}",
        sink.text("0.txt")
    );
}

#[tokio::test]
async fn a_request_cannot_be_made_to_look_like_two() {
    let peer = Peer::start().await;
    let headers = [
        json!({"Host": "other"}),
        json!({"Content-Length": "0"}),
        json!({"Transfer-Encoding": "chunked"}),
        json!({"Connection": "x"}),
        json!({"X": "a\r\nY: b"}),
        json!({"X\r\nY": "b"}),
        json!({"": "b"}),
    ];
    for headers in headers {
        let sink = fetch(
            &peer,
            json!([{"url": peer.url("/echo"), "headers": headers}]),
        )
        .await;
        assert!(sink.text("0.txt").contains("InvalidRequest"), "{headers}");
    }
    let settings = json!({"requests": [{"url": peer.url("/echo"), "method": "CONNECT"}]});
    let sink = fetch_with(granted(settings, &[&peer.url("")])).await;
    assert!(sink.text("0.txt").contains("InvalidRequest"));
    assert_eq!(peer.count(), 0);
}

#[tokio::test]
async fn answers_are_bounded() {
    let peer = Peer::start().await;
    // What is small on the wire counts by what it unpacks to.
    for path in ["/big", "/zipped"] {
        let settings = json!({"requests": [{"url": peer.url(path)}]});
        let call = granted(settings, &[&peer.url("")]);
        let limits = Limits {
            http_body: 1 << 20,
            ..call.limits
        };
        let sink = fetch_with(Call { limits, ..call }).await;
        assert!(
            sink.text("0.txt").contains("Denied TooLarge"),
            "{}",
            sink.text("0.txt")
        );
    }
    // All of one call together are bounded as well.
    let requests: Vec<Value> = (0..8).map(|_| json!({"url": peer.url("/big")})).collect();
    let call = granted(
        json!({"by": "many", "keep": "notes", "requests": requests}),
        &[&peer.url("")],
    );
    let limits = Limits {
        http_body: 3 << 20,
        output_bytes: 4 << 20,
        ..call.limits
    };
    let (_, sink) = load("fetch")
        .await
        .pull(Call { limits, ..call }, None, Sink::default())
        .await;
    let refused = |n: &usize| sink.text(&format!("{n}.txt")).contains("TooLarge");
    assert!((0..8).any(|n| refused(&n)));
}

#[tokio::test]
async fn a_peer_that_does_not_answer_ends_at_the_deadline() {
    let peer = Peer::start().await;
    let call = granted(
        json!({"requests": [{"url": peer.url("/slow")}]}),
        &[&peer.url("")],
    );
    let limits = Limits {
        time: Duration::from_millis(100),
        ..call.limits
    };
    let (called, _) = load("fetch")
        .await
        .pull(Call { limits, ..call }, None, Sink::default())
        .await;
    assert!(
        matches!(called.result, Err(CallError::DeadlineExceeded { .. })),
        "{called:?}"
    );
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let sink = fetch_with(granted(json!({"requests": [{"url": url}]}), &[&url])).await;
    assert!(
        sink.text("0.txt").contains("Unavailable ConnectionFailed"),
        "{}",
        sink.text("0.txt")
    );
}

async fn post(call: Call) -> Called<()> {
    load("post")
        .await
        .notify(call, "event-1".into(), r#"{"reason":"Progressing"}"#.into())
        .await
}

fn failure<T: std::fmt::Debug>(called: Called<T>) -> Failure {
    match called.result {
        Err(CallError::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_event_is_delivered_to_an_address_that_is_a_secret() {
    let peer = Peer::start().await;
    let settings = json!({"url": "{{address}}", "auth": "template", "template": true});
    let call = granted(settings, &[&peer.url("")]);
    let address = peer.url("/echo?key=s3cret");
    let call = with_secret(call, &[("address", &address), ("token", "t0ken")]);
    post(call).await.result.unwrap();
    let received = peer.last();
    assert_eq!(received.uri, "/echo?key=s3cret");
    assert_eq!(received.body, r#"{"reason":"Progressing"}"#);
    assert_eq!(received.header("x-id"), Some("event-1"));
    assert_eq!(received.header("x-token"), Some("token t0ken"));
    assert_eq!(received.header("x-keys"), Some("address,token"));
}

#[tokio::test]
async fn a_slot_has_to_be_granted_and_bound() {
    let peer = Peer::start().await;
    let settings = json!({"url": peer.url("/echo"), "auth": "bearer"});
    let call = granted(settings, &[&peer.url("")]);
    assert!(
        post(call.clone()).await.result.is_ok(),
        "an object without Secret goes without"
    );
    assert_eq!(peer.last().header("authorization"), None);

    let call = with_secret(call, &[("token", "t0ken")]);
    assert!(post(call.clone()).await.result.is_ok());
    assert_eq!(peer.last().header("authorization"), Some("Bearer t0ken"));

    let grants = Grants {
        slots: vec![],
        ..Grants::clone(&call.grants)
    };
    let failure = failure(
        post(Call {
            grants: Arc::new(grants),
            ..call
        })
        .await,
    );
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (FailureClass::Denied, "NotGranted")
    );
}

#[tokio::test]
async fn the_bytes_of_a_secret_need_their_own_grant() {
    let peer = Peer::start().await;
    let settings = json!({"url": peer.url("/echo"), "secret": "token"});
    let call = with_secret(granted(settings, &[&peer.url("")]), &[("token", "t0ken")]);
    let refused = failure(post(call.clone()).await);
    assert_eq!(
        (refused.class, refused.code.as_str()),
        (FailureClass::Denied, "NotGranted")
    );

    let grants = Grants {
        secrets: vec!["default".into()],
        ..Grants::clone(&call.grants)
    };
    let call = Call {
        grants: Arc::new(grants),
        ..call
    };
    assert!(post(call).await.result.is_ok());
    assert_eq!(peer.last().header("x-secret"), Some("t0ken"));
}

#[tokio::test]
async fn secrets_are_masked_in_failures() {
    let peer = Peer::start().await;
    // The peer answers with the secret, and the guest repeats it in its failure.
    let url = peer.url("/redirect?status=404&to=hunter22");
    let settings = json!({"url": "{{address}}", "auth": "template"});
    let call = granted(settings, &[&peer.url("")]);
    let failure = failure(post(with_secret(call, &[("address", &url)])).await);
    assert!(
        failure.message.starts_with("status 404"),
        "{}",
        failure.message
    );

    let settings = json!({"url": "http://{{token}}.example.com/", "auth": "template"});
    let call = with_secret(
        granted(settings, &[&peer.url("")]),
        &[("token", "hunter22")],
    );
    let failure = self::failure(post(call).await);
    assert_eq!(failure.code, "NotGranted");
    assert!(!failure.message.contains("hunter22"), "{}", failure.message);
}

#[tokio::test]
async fn tcp_answers_unsupported() {
    let failure = failure(post(call(r#"{"tcp":"x","url":"http://x"}"#, &[])).await);
    assert_eq!(failure.class, FailureClass::Unsupported);
}

#[tokio::test]
async fn send_brings_the_body_into_the_guest() {
    let peer = Peer::start().await;
    let settings = json!({"by": "send", "requests": [{"url": peer.url("/teapot")}]});
    let call = granted(settings, &[&peer.url("")]);
    let (called, sink): (Called<Option<Revision>>, _) =
        load("fetch").await.pull(call, None, Sink::default()).await;
    assert!(called.result.is_ok());
    assert_eq!(sink.text("0"), "short");
}
