//! Sources: the artifact under construction, and Git through the host.

use std::sync::Arc;

use async_trait::async_trait;
use weir_plugin::{
    Call, CallError, Called, Checkout, Commit, Failure, FailureClass, Git, Grants, Input, Limit,
    Limits, Reference, Remote, Revision, Wanted,
};

use crate::support::{Sink, call, load, tree};

async fn pour(settings: &str, limits: Limits) -> (Called<Option<Revision>>, Sink) {
    let upstream = Input {
        name: "upstream".into(),
        revision: "v1".into(),
        tree: tree(&[
            ("d/x.yaml", "x"),
            ("d/e/y.yaml", "yy"),
            ("chart.tgz", "tgz"),
        ]),
    };
    let call = Call {
        inputs: vec![upstream],
        limits,
        ..call(settings, &[])
    };
    load("pour")
        .await
        .pull(call, Some("v0".into()), Sink::default())
        .await
}

fn failure(called: Called<Option<Revision>>) -> Failure {
    match called.result {
        Err(CallError::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_artifact_is_filled_in_each_way() {
    let settings = r#"{"put":"a/b.txt","write":400,"copy":"d"}"#;
    let (called, sink) = pour(settings, Limits::default()).await;
    let revision = called.result.unwrap().unwrap();
    assert_eq!(
        (revision.id.as_str(), revision.token.as_str()),
        ("main@sha1:abc", "v1")
    );
    assert_eq!(revision.summary.as_deref(), Some("a subject"));
    assert_eq!(
        revision.metadata,
        [("ignored".into(), "[true, false]".into())]
    );
    assert_eq!(sink.text("a/b.txt"), "put");
    assert_eq!(sink.files["written"], vec![b'w'; 400 << 10]);
    assert_eq!(
        (sink.text("copied/x.yaml"), sink.text("copied/e/y.yaml")),
        ("x".into(), "yy".into())
    );
}

#[tokio::test]
async fn an_artifact_can_be_one_blob() {
    let (called, sink) = pour(r#"{"store":"chart.tgz"}"#, Limits::default()).await;
    assert!(called.result.is_ok());
    assert_eq!(
        sink.stored,
        Some((b"tgz".to_vec(), Some("stored.tgz".into())))
    );
}

#[tokio::test]
async fn nothing_new_is_no_revision() {
    let plugin = load("pour").await;
    let upstream = Input {
        name: "upstream".into(),
        revision: "v1".into(),
        tree: tree(&[]),
    };
    let call = Call {
        inputs: vec![upstream],
        ..call("{}", &[])
    };
    let (called, _) = plugin.pull(call, Some("v1".into()), Sink::default()).await;
    assert_eq!(called.result.unwrap(), None);
}

#[tokio::test]
async fn paths_outside_the_artifact_are_refused() {
    for path in ["../x", "", "a/../../x"] {
        let (called, sink) = pour(&format!(r#"{{"put":"{path}"}}"#), Limits::default()).await;
        assert_eq!(failure(called).code, "InvalidPath", "{path}");
        assert!(sink.files.is_empty());
    }
    assert_eq!(
        failure(pour(r#"{"copy":"../x"}"#, Limits::default()).await.0).code,
        "NotFound"
    );
}

#[tokio::test]
async fn what_goes_into_an_artifact_is_bounded() {
    let limits = Limits {
        output_bytes: 100 << 10,
        output_count: 1,
        ..Limits::default()
    };
    for (settings, expected) in [
        (r#"{"write":1000}"#, Limit::OutputBytes),
        (r#"{"copy":"d"}"#, Limit::OutputCount),
    ] {
        match pour(settings, limits).await.0.result {
            Err(CallError::LimitReached { limit, .. }) => assert_eq!(limit, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_revision_without_an_id_is_the_plugins_fault() {
    let failure = failure(pour(r#"{"id":""}"#, Limits::default()).await.0);
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (FailureClass::Internal, "InvalidAnswer")
    );
}

/// One commit at every URL.
struct OneCommit;

#[async_trait]
impl Git for OneCommit {
    async fn list_references(
        &self,
        remote: Remote,
        prefixes: Vec<String>,
    ) -> Result<Vec<Reference>, Failure> {
        assert_eq!(prefixes, ["refs/heads/"]);
        if remote.url.ends_with("slow") {
            std::future::pending::<()>().await;
        }
        if remote.url.ends_with("private") {
            let message = format!("refused {:?}", remote.credentials);
            return Err(Failure::new(
                FailureClass::Unauthorized,
                "AuthenticationFailed",
                message,
            ));
        }
        let target = "abc".to_owned();
        Ok(vec![Reference {
            name: "refs/heads/main".into(),
            target,
            peeled: None,
        }])
    }

    async fn fetch(&self, _: Remote, wanted: Wanted) -> Result<Checkout, Failure> {
        assert_eq!(wanted.reference.as_deref(), Some("refs/heads/main"));
        Ok(Checkout {
            commit: Commit {
                id: wanted.commit,
                time: 0,
                message: "Subject\n\nbody".into(),
                signature: None,
            },
            tag_signature: None,
            files: tree(&[("app/a.yaml", "kind: A")]),
        })
    }
}

async fn checkout(url: &str, limits: Limits) -> (Called<Option<Revision>>, Sink) {
    let mut call = call(&format!(r#"{{"url":"{url}"}}"#), &[]);
    call.limits = limits;
    call.grants = Arc::new(Grants {
        hosts: vec!["https://*.example.com".into()],
        ..Grants::default()
    });
    call.services.git = Some(Arc::new(OneCommit));
    load("checkout")
        .await
        .pull(call, None, Sink::default())
        .await
}

#[tokio::test]
async fn a_commit_is_fetched_by_the_host_without_entering_the_guest() {
    let (called, sink) = checkout("https://git.example.com/shop", Limits::default()).await;
    let revision = called.result.unwrap().unwrap();
    assert_eq!(
        (revision.id.as_str(), revision.summary.as_deref()),
        ("main@sha1:abc", Some("Subject"))
    );
    assert_eq!(sink.text("app/a.yaml"), "kind: A");
}

#[tokio::test]
async fn a_remote_has_to_be_granted() {
    let failure = failure(
        checkout("https://example.org/shop", Limits::default())
            .await
            .0,
    );
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (FailureClass::Denied, "NotGranted")
    );
}

#[tokio::test]
async fn the_hosts_own_failure_reaches_the_guest_whole() {
    let failure = failure(
        checkout("https://git.example.com/private", Limits::default())
            .await
            .0,
    );
    assert_eq!(failure.code, "AuthenticationFailed");
}

#[tokio::test]
async fn a_host_that_waits_ends_at_the_deadline_too() {
    let limits = Limits {
        time: std::time::Duration::from_millis(50),
        ..Limits::default()
    };
    let (called, _) = checkout("https://git.example.com/slow", limits).await;
    assert!(
        matches!(called.result, Err(CallError::DeadlineExceeded { .. })),
        "{called:?}"
    );
}

#[tokio::test]
async fn git_that_is_not_hosted_answers_unsupported() {
    let mut call = call(r#"{"url":"https://example.com/x"}"#, &[]);
    call.grants = Arc::new(Grants {
        hosts: vec!["*".into()],
        ..Grants::default()
    });
    let (called, _) = load("checkout")
        .await
        .pull(call, None, Sink::default())
        .await;
    assert_eq!(failure(called).class, FailureClass::Unsupported);
}
