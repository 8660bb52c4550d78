//! Remote files and repositories: what the grants allow, which commit a reference stands for, and
//! that nothing of it is cached.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use weir_plugin::{Call, Checkout, Commit, Failure, Git, Grants, Reference, Remote, Wanted};

use crate::network::Peer;
use crate::support::{Asked, ask, call, load, target, tree};

/// A repository whose branch moves on with every look, and whose files say which commit they are
/// of and under which name it was found.
#[derive(Default)]
struct Moving {
    looks: AtomicUsize,
}

#[async_trait]
impl Git for Moving {
    async fn list_references(
        &self,
        remote: Remote,
        prefixes: Vec<String>,
    ) -> Result<Vec<Reference>, Failure> {
        assert!(remote.credentials.is_none());
        let look = self.looks.fetch_add(1, Ordering::Relaxed);
        let reference = |name: &str, target: String, peeled: Option<&str>| Reference {
            name: name.into(),
            target,
            peeled: peeled.map(Into::into),
        };
        let all = [
            reference("HEAD", format!("head{look}"), None),
            reference("refs/heads/main", format!("main{look}"), None),
            reference("refs/heads/main-2", "other".into(), None),
            reference("refs/heads/both", "branch".into(), None),
            reference("refs/tags/both", "tag".into(), Some("peeled")),
        ];
        let wanted = |known: &Reference| prefixes.iter().any(|at| known.name.starts_with(at));
        Ok(all.into_iter().filter(wanted).collect())
    }

    async fn fetch(&self, _: Remote, wanted: Wanted) -> Result<Checkout, Failure> {
        let under = wanted.reference.as_deref().unwrap_or("nothing");
        let content = format!("{} under {under}", wanted.commit);
        Ok(Checkout {
            commit: Commit {
                id: wanted.commit,
                time: 0,
                message: String::new(),
                signature: None,
            },
            tag_signature: None,
            files: tree(&[("base/a.yaml", content.as_str())]),
        })
    }
}

fn granted(origin: &str) -> Call {
    let mut call = call("", &[]);
    call.grants = Arc::new(Grants {
        hosts: vec![origin.to_owned()],
        ..Grants::default()
    });
    call.services.git = Some(Arc::new(Moving::default()));
    call
}

async fn asked(questions: &str, call: &Call) -> Asked {
    let plugin = load("ask").await;
    ask(&plugin, questions, call, &target()).await
}

#[tokio::test]
async fn a_reference_stands_for_one_commit_to_the_end_of_a_call() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let at = |reference: &str| format!(r#"["repository","https://example.com/r"{reference}]"#);
    let main = at(r#","main""#);
    let questions = [
        main.clone(),
        main.clone(),
        at(r#","refs/heads/main""#),
        at(""),
        at(r#","both""#),
        at(&format!(r#","{commit}""#)),
        at(r#","gone""#),
    ];
    let questions = format!("[{}]", questions.join(","));
    let asked = asked(&questions, &granted("https://example.com")).await;
    assert_eq!(
        asked.answers,
        [
            "main0 under refs/heads/main",
            "main0 under refs/heads/main",
            "main1 under refs/heads/main",
            "head2 under nothing",
            "peeled under refs/tags/both",
            &format!("{commit} under nothing"),
            "FailureClass::NotFound NotFound",
        ]
        .map(|text| if text.contains("::") {
            text.to_owned()
        } else {
            format!("{text:?}")
        })
    );
    assert!(asked.called.trace.impurity.remote);
    assert!(!asked.called.trace.holds(&asked.call, &target()));
}

#[tokio::test]
async fn what_is_not_granted_is_refused_and_not_remembered() {
    let questions = r#"[["repository","https://example.com/r","main"],
        ["repository","file:///srv/r"],["repository","no url"],
        ["remote","https://example.com/a.yaml"]]"#;
    let asked = asked(questions, &granted("https://example.org")).await;
    assert_eq!(
        asked.answers,
        [
            "FailureClass::Denied NotGranted",
            "FailureClass::Denied NotGranted",
            "FailureClass::InvalidInput InvalidURL",
            "FailureClass::Denied NotGranted",
        ]
    );
    assert!(!asked.called.trace.impurity.is_pure());
}

#[tokio::test]
async fn a_repository_needs_a_host_that_has_git() {
    let mut call = granted("*");
    call.services.git = None;
    let asked = asked(r#"[["repository","https://example.com/r"]]"#, &call).await;
    assert_eq!(asked.answers, ["FailureClass::Unsupported Unsupported"]);
}

#[tokio::test]
async fn a_file_is_what_the_server_answers() {
    let peer = Peer::start().await;
    let questions = format!(
        r#"[["remote","{}"],["remote","{}"],["remote","{}"]]"#,
        peer.url("/echo"),
        peer.url("/nothing"),
        peer.url("/teapot")
    );
    let asked = asked(&questions, &granted(&peer.url(""))).await;
    assert_eq!(
        asked.answers,
        [
            r#""answer""#,
            "FailureClass::NotFound HTTPError",
            "FailureClass::Unavailable HTTPError",
        ]
    );
    assert!(peer.last().header("authorization").is_none());
}
