//! The watch against a server that is told what to answer: refusals, cut-off lists, expired
//! history, silence.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Body;
use futures::StreamExt as _;
use http::{Request, Response};
use kube::Client;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;
use weir_api::inventory::ObjectId;

use super::super::events::Queue;
use super::super::meta::Managers;
use super::super::table::Table;
use super::*;
use crate::object::{Gvk, TOOLKIT};

/// One answer of the server.
enum Answer {
    /// A stream of events that ends.
    Events(Vec<Value>),
    /// A stream of events that stays open.
    Open(Vec<Value>),
    /// A stream that ends within a line.
    CutOff(Vec<Value>),
    /// A refusal.
    Refuse(u16),
    /// A page of a list.
    Page(Value),
}

#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<String>>,
}

impl Script {
    fn answer(&self, uri: &str) -> Response<Body> {
        self.asked.lock().push(uri.to_owned());
        let lines = |events: &[Value]| {
            let lines: Vec<String> = events
                .iter()
                .map(|event| {
                    format!(
                        "{event}
"
                    )
                })
                .collect();
            lines.concat()
        };
        let response = |code: u16, text: String| {
            Response::builder()
                .status(code)
                .body(Body::from(text))
                .unwrap()
        };
        let open = |text: String| {
            let first = futures::stream::iter([Ok::<_, std::io::Error>(text)]);
            Response::new(Body::from_stream(first.chain(futures::stream::pending())))
        };
        match self.answers.lock().pop_front() {
            Some(Answer::Events(events)) => response(200, lines(&events)),
            Some(Answer::Open(events)) => open(lines(&events)),
            Some(Answer::CutOff(events)) => {
                response(200, lines(&events) + r#"{"type":"ADDED","obj"#)
            }
            Some(Answer::Refuse(code)) => {
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                    "message": "no", "reason": "Refused"
                });
                response(code, status.to_string())
            }
            Some(Answer::Page(page)) => response(200, page.to_string()),
            None => open(String::new()),
        }
    }
}

struct Rig {
    script: Arc<Script>,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn kind() -> GroupKind {
    GroupKind {
        group: String::new(),
        kind: "ConfigMap".into(),
    }
}

fn id(name: &str) -> ObjectId {
    ObjectId::new("ns", name, "", "ConfigMap")
}

impl Rig {
    fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let script = Arc::new(Script::default());
        script.answers.lock().extend(answers);
        let service = tower::service_fn({
            let script = script.clone();
            move |request: Request<kube::client::Body>| {
                let answer = script.answer(&request.uri().to_string());
                async move { Ok::<_, std::convert::Infallible>(answer) }
            }
        });
        let managers = Managers {
            own: "kustomize-controller".into(),
            overrides: Vec::new(),
        };
        let shared = Arc::new(Shared {
            table: Mutex::new(Table::new(TOOLKIT, managers)),
            queue: Queue::default(),
            changed: Notify::new(),
        });
        let watcher = Watcher {
            shared: shared.clone(),
            client: Client::new(service, "default"),
            resource: Resource {
                gvk: Gvk {
                    group: String::new(),
                    version: "v1".into(),
                    kind: "ConfigMap".into(),
                },
                plural: "configmaps".into(),
                namespaced: true,
            },
            kind: kind(),
            selector: "kustomize.toolkit.fluxcd.io/name".into(),
            full: false,
        };
        let task = tokio::spawn(watcher.run());
        Self {
            script,
            shared,
            task,
        }
    }

    /// Waits until the table is so; time is paused, so that waiting costs none.
    async fn until(&self, what: &str, holds: impl Fn(&Table) -> bool) {
        for _ in 0..100_000 {
            if self.shared.read(&holds) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("in vain: {what}; asked: {:#?}", self.script.asked.lock());
    }

    fn asked(&self) -> Vec<String> {
        self.script.asked.lock().clone()
    }
}

fn object(name: &str, version: u64) -> Value {
    json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
        "metadata": {
            "name": name, "namespace": "ns", "uid": format!("uid-{name}"),
            "resourceVersion": version.to_string(),
            "labels": { "kustomize.toolkit.fluxcd.io/name": "apps" }
        }
    })
}

fn event(kind: &str, name: &str, version: u64) -> Value {
    json!({ "type": kind, "object": object(name, version) })
}

fn bookmark(version: u64, ends_list: bool) -> Value {
    let annotations = if ends_list {
        json!({ INITIAL_END: "true" })
    } else {
        json!({})
    };
    json!({
        "type": "BOOKMARK",
        "object": { "metadata": { "resourceVersion": version.to_string(), "annotations": annotations } }
    })
}

fn names(table: &Table) -> Vec<&'static str> {
    ["a", "b", "c"]
        .into_iter()
        .filter(|name| table.view(&id(name)).live.is_some())
        .collect()
}

fn synced(table: &Table) -> bool {
    table.is_synced(&kind(), false)
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_is_one_request_and_goes_on_where_it_was() {
    let rig = Rig::start([
        Answer::Events(vec![
            event("ADDED", "a", 1),
            event("ADDED", "b", 2),
            bookmark(5, true),
            event("DELETED", "a", 6),
            bookmark(9, false),
        ]),
        Answer::Open(vec![event("ADDED", "c", 10)]),
    ]);
    rig.until("c is there", |table| {
        synced(table) && names(table) == ["b", "c"]
    })
    .await;
    let asked = rig.asked();
    assert_eq!(asked.len(), 2, "{asked:#?}");
    assert!(asked[0].contains("sendInitialEvents=true"), "{asked:#?}");
    assert!(
        asked[0].contains("labelSelector=kustomize.toolkit.fluxcd.io%2Fname"),
        "{asked:#?}"
    );
    assert!(
        !asked[0].contains("resourceVersion="),
        "what the server has now: {asked:#?}"
    );
    assert!(asked[1].ends_with("&resourceVersion=9"), "{asked:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_without_streaming_lists_is_listed_page_by_page() {
    for refusal in [400, 422] {
        let rig = Rig::start([
            Answer::Refuse(refusal),
            Answer::Page(json!({
                "metadata": { "resourceVersion": "7", "continue": "next" },
                "items": [object("a", 1)]
            })),
            Answer::Page(
                json!({ "metadata": { "resourceVersion": "7" }, "items": [object("b", 2)] }),
            ),
            Answer::Open(vec![event("ADDED", "c", 8)]),
        ]);
        rig.until("c is there", |table| {
            synced(table) && names(table) == ["a", "b", "c"]
        })
        .await;
        let asked = rig.asked();
        assert!(asked[2].contains("continue=next"), "{asked:#?}");
        assert!(asked[3].contains("watch=true") && asked[3].contains("resourceVersion=7"));
    }
}

#[tokio::test(start_paused = true)]
async fn expired_history_is_listed_anew_and_what_is_gone_is_told() {
    let gone = json!({ "type": "ERROR", "object": { "kind": "Status", "code": 410 } });
    let rig = Rig::start([
        Answer::Events(vec![
            event("ADDED", "a", 1),
            event("ADDED", "b", 2),
            bookmark(5, true),
        ]),
        Answer::Events(vec![gone]),
        Answer::Events(vec![event("ADDED", "b", 2), bookmark(20, true)]),
        Answer::Refuse(410),
        Answer::Open(vec![event("ADDED", "c", 30), bookmark(31, true)]),
    ]);
    rig.until("only c is there", |table| {
        synced(table) && names(table) == ["c"]
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_cut_off_concludes_nothing() {
    let rig = Rig::start([
        Answer::Events(vec![
            event("ADDED", "a", 1),
            event("ADDED", "b", 2),
            bookmark(5, true),
        ]),
        Answer::Refuse(410),
        Answer::CutOff(vec![event("ADDED", "a", 1)]),
        Answer::Refuse(500),
        Answer::Open(vec![
            event("ADDED", "a", 1),
            event("ADDED", "b", 2),
            bookmark(8, true),
        ]),
    ]);
    rig.until("the fifth answer is read", |table| {
        rig.script.answers.lock().is_empty() && synced(table)
    })
    .await;
    assert_eq!(rig.shared.read(names), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_broken_watch_is_known_to_be_broken_until_it_stands_again() {
    let mut answers = vec![
        Answer::Events(vec![event("ADDED", "a", 1), bookmark(5, true)]),
        Answer::Refuse(403),
    ];
    answers.extend((0..5).map(|_| Answer::Refuse(403)));
    answers.push(Answer::Open(vec![event("ADDED", "b", 6)]));
    let rig = Rig::start(answers);
    rig.until("it stands", synced).await;
    rig.until("it is broken", |table| !synced(table)).await;
    rig.until("it stands again", |table| {
        synced(table) && names(table) == ["a", "b"]
    })
    .await;
    let asked = rig.asked();
    assert!(
        asked[1..=7]
            .iter()
            .all(|uri| uri.ends_with("&resourceVersion=5")),
        "nothing is read twice: {asked:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn silence_beyond_its_time_is_a_dead_connection() {
    let rig = Rig::start([
        Answer::Open(vec![event("ADDED", "a", 1), bookmark(5, true)]),
        Answer::Open(vec![event("ADDED", "b", 6)]),
    ]);
    rig.until("the second connection is read", |table| {
        names(table) == ["a", "b"]
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_watch_of_a_kind_that_is_gone_ends_when_nothing_is_left_of_it() {
    let rig = Rig::start([
        Answer::Events(vec![
            event("ADDED", "a", 1),
            bookmark(5, true),
            event("DELETED", "a", 6),
        ]),
        Answer::Refuse(404),
    ]);
    for _ in 0..1_000 {
        if rig.task.is_finished() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the watch goes on");
}
