//! What a user reads when a remote does not do what it should, and that the client is well
//! afterwards.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use common::proxy::{self, Way};
use common::{Client, remote, secret, texts, wanted};
use weir_plugin::{Failure, FailureClass, Git as _, Remote};
use weir_tests_support::{Fault, GitAuth, GitServer, GitServerOptions};

const MAIN: &str = "refs/heads/main";

async fn list(client: &Client, remote: Remote) -> Result<usize, Failure> {
    client
        .git
        .list_references(remote, vec![MAIN.to_owned()])
        .await
        .map(|all| all.len())
}

/// The failure says what was done on which address, and all of the words.
fn says(failure: &Failure, class: FailureClass, code: &str, words: &[&str]) {
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (class, code),
        "{failure:?}"
    );
    for word in words {
        assert!(
            failure.message.contains(word),
            "{word}: {}",
            failure.message
        );
    }
}

#[tokio::test]
async fn credentials_right_wrong_and_missing() {
    for (auth, right, wrong) in [
        (
            GitAuth::Basic("ada".into(), "pässword".into()),
            secret(&[("username", "ada"), ("password", "pässword")]),
            secret(&[("username", "ada"), ("password", "guess")]),
        ),
        (
            GitAuth::Bearer("token".into()),
            secret(&[("bearerToken", "token\n")]),
            secret(&[("bearerToken", "other")]),
        ),
    ] {
        let server = GitServer::start_with(GitServerOptions { auth, tls: false }).unwrap();
        let repo = server.create_repo("private").unwrap();
        let commit = repo.commit(&[("a", Some("1"))], "one").unwrap();
        let client = Client::new();
        let with = |credentials: Option<&Arc<_>>| Remote {
            credentials: credentials.cloned(),
            ..remote(repo.url())
        };
        assert_eq!(list(&client, with(Some(&right))).await.unwrap(), 1);
        let checkout = client
            .git
            .fetch(with(Some(&right)), wanted(&commit, Some(MAIN)))
            .await
            .unwrap();
        assert_eq!(common::files(&*checkout.files), texts(&[("a", "1")]));

        let failure = list(&client, with(Some(&wrong))).await.unwrap_err();
        says(
            &failure,
            FailureClass::Unauthorized,
            "AuthenticationFailed",
            &[
                "list references of",
                repo.url(),
                "does not accept the credentials",
                "401",
            ],
        );
        let failure = list(&client, with(None)).await.unwrap_err();
        says(
            &failure,
            FailureClass::Unauthorized,
            "AuthenticationFailed",
            &["authentication required", "names no credentials"],
        );
        // Who has no access does not get at the copy that another's credentials brought here.
        let stolen = client
            .git
            .fetch(with(Some(&wrong)), wanted(&commit, Some(MAIN)))
            .await;
        assert_eq!(stolen.err().unwrap().code, "AuthenticationFailed");
    }
}

#[tokio::test]
async fn passwords_in_the_address_work_and_are_never_shown() {
    let auth = GitAuth::Basic("ada".into(), "s3cret".into());
    let server = GitServer::start_with(GitServerOptions { auth, tls: false }).unwrap();
    let repo = server.create_repo("private").unwrap();
    repo.commit(&[("a", Some("1"))], "one").unwrap();
    let client = Client::new();
    let at = |user: &str| remote(&repo.url().replace("http://", &format!("http://{user}@")));
    assert_eq!(list(&client, at("ada:s3cret")).await.unwrap(), 1);
    let failure = list(&client, at("ada:s3cret-not")).await.unwrap_err();
    assert!(!failure.message.contains("s3cret"), "{}", failure.message);
    for entry in client.repositories() {
        let url = std::fs::read_to_string(entry.join("url")).unwrap();
        assert!(!url.contains("s3cret"));
    }
}

#[tokio::test]
async fn tls_with_an_own_authority() {
    let options = GitServerOptions {
        auth: GitAuth::None,
        tls: true,
    };
    let server = GitServer::start_with(options).unwrap();
    let repo = server.create_repo("app").unwrap();
    let commit = repo.commit(&[("a", Some("1"))], "one").unwrap();
    let client = Client::new();
    let failure = list(&client, remote(repo.url())).await.unwrap_err();
    says(
        &failure,
        FailureClass::Unavailable,
        "GitOperationFailed",
        &[
            repo.url(),
            "TLS",
            "not signed by a known authority",
            "ca.crt",
        ],
    );
    let trusting = Remote {
        ca_certificate: Some(server.ca().unwrap().as_bytes().to_vec()),
        ..remote(repo.url())
    };
    assert_eq!(list(&client, trusting.clone()).await.unwrap(), 1);
    client
        .git
        .fetch(trusting, wanted(&commit, Some(MAIN)))
        .await
        .unwrap();

    let other = GitServer::start_with(GitServerOptions {
        auth: GitAuth::None,
        tls: true,
    })
    .unwrap();
    let wrong = Remote {
        ca_certificate: Some(other.ca().unwrap().as_bytes().to_vec()),
        ..remote(repo.url())
    };
    let failure = list(&client, wrong).await.unwrap_err();
    says(
        &failure,
        FailureClass::Unavailable,
        "GitOperationFailed",
        &["TLS with 127.0.0.1"],
    );
    let nonsense = Remote {
        ca_certificate: Some(b"no pem".to_vec()),
        ..remote(repo.url())
    };
    let failure = list(&client, nonsense).await.unwrap_err();
    says(
        &failure,
        FailureClass::Unauthorized,
        "AuthenticationFailed",
        &["'ca.crt'"],
    );
}

#[tokio::test]
async fn redirects_are_followed_without_credentials() {
    let auth = GitAuth::Basic("ada".into(), "s3cret".into());
    let private = GitServer::start_with(GitServerOptions { auth, tls: false }).unwrap();
    let public = GitServer::start().unwrap();
    let mut commit = String::new();
    for server in [&private, &public] {
        let repo = server.create_repo("app").unwrap();
        commit = repo.commit(&[("a", Some("1"))], "one").unwrap();
    }
    let door = GitServer::start().unwrap();
    let here = || remote(&format!("{}/app.git", door.url()));
    door.set_fault(Fault::Redirect(public.url()));
    let client = Client::new();
    assert_eq!(list(&client, here()).await.unwrap(), 1);
    let checkout = client
        .git
        .fetch(here(), wanted(&commit, Some(MAIN)))
        .await
        .unwrap();
    assert_eq!(common::files(&*checkout.files), texts(&[("a", "1")]));

    door.set_fault(Fault::Redirect(private.url()));
    let client = Client::new();
    let with = Remote {
        credentials: Some(secret(&[("username", "ada"), ("password", "s3cret")])),
        ..here()
    };
    let failure = list(&client, with).await.unwrap_err();
    says(
        &failure,
        FailureClass::Unauthorized,
        "AuthenticationFailed",
        &[&private.url(), "credentials are not sent to another origin"],
    );

    door.set_fault(Fault::Redirect(door.url()));
    let failure = list(&Client::new(), here()).await.unwrap_err();
    says(
        &failure,
        FailureClass::Unavailable,
        "GitOperationFailed",
        &["more than 10 redirects"],
    );

    let client = Client::with(|config| config.foreign_origins = false);
    door.set_fault(Fault::Redirect(public.url()));
    let failure = list(&client, here()).await.unwrap_err();
    says(
        &failure,
        FailureClass::Denied,
        "GitOperationFailed",
        &["another origin"],
    );
}

#[tokio::test]
async fn answers_that_are_errors() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let commit = repo.commit(&[("a", Some("1"))], "one").unwrap();
    let client = Client::new();
    assert_eq!(list(&client, remote(repo.url())).await.unwrap(), 1);
    // With and without a remembered handshake.
    for client in [client, Client::new()] {
        for (status, class, code, word) in [
            (500, FailureClass::Unavailable, "GitOperationFailed", "500"),
            (503, FailureClass::Unavailable, "GitOperationFailed", "503"),
            (
                403,
                FailureClass::Unauthorized,
                "AuthenticationFailed",
                "access denied",
            ),
            (
                404,
                FailureClass::NotFound,
                "GitOperationFailed",
                "repository not found",
            ),
        ] {
            server.set_fault(Fault::Status(status));
            let failure = list(&client, remote(repo.url())).await.unwrap_err();
            says(&failure, class, code, &[repo.url(), word, "told to fail"]);
            let failure = client
                .fetch(&repo, &commit, Some(MAIN))
                .await
                .err()
                .unwrap();
            says(&failure, class, code, &[word, &commit, MAIN]);
        }
        server.set_fault(Fault::Close);
        let failure = list(&client, remote(repo.url())).await.unwrap_err();
        says(
            &failure,
            FailureClass::Unavailable,
            "GitOperationFailed",
            &["127.0.0.1"],
        );
        server.set_fault(Fault::None);
        assert_eq!(client.files(&repo, &commit).await, texts(&[("a", "1")]));
    }
    let failure = list(
        &Client::new(),
        remote(&format!("{}/none.git", server.url())),
    )
    .await;
    says(
        &failure.unwrap_err(),
        FailureClass::NotFound,
        "GitOperationFailed",
        &["not found"],
    );
}

#[tokio::test]
async fn peers_that_cannot_be_reached() {
    let client = Client::new();
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let failure = list(&client, remote(&format!("http://{free}/a.git")))
        .await
        .unwrap_err();
    says(
        &failure,
        FailureClass::Unavailable,
        "GitOperationFailed",
        &["cannot connect to", &free.to_string(), "refused"],
    );
    let failure = list(&client, remote("https://git.invalid/a.git"))
        .await
        .unwrap_err();
    says(
        &failure,
        FailureClass::Unavailable,
        "GitOperationFailed",
        &["cannot connect to git.invalid:443"],
    );
    let failure = list(&client, remote("ssh://git@git.example/a.git"))
        .await
        .unwrap_err();
    says(
        &failure,
        FailureClass::Unsupported,
        "GitOperationFailed",
        &["ssh://"],
    );
    let failure = list(&client, remote("http//x")).await.unwrap_err();
    says(
        &failure,
        FailureClass::InvalidSettings,
        "URLInvalid",
        &["no valid address"],
    );
}

#[tokio::test]
async fn a_server_that_hangs_costs_the_timeout_and_says_where() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let commit = repo.commit(&[("a", Some("1"))], "one").unwrap();
    let client = Client::with(|config| config.timeout = Duration::from_millis(300));
    server.set_fault(Fault::Hang);
    let failure = list(&client, remote(repo.url())).await.unwrap_err();
    says(
        &failure,
        FailureClass::Unavailable,
        "GitOperationFailed",
        &["timed out after 0.3s", "connecting"],
    );
    let failure = client
        .fetch(&repo, &commit, Some(MAIN))
        .await
        .err()
        .unwrap();
    says(
        &failure,
        FailureClass::Unavailable,
        "GitOperationFailed",
        &["timed out"],
    );
    server.set_fault(Fault::None);
    let client = client.restart();
    assert_eq!(client.files(&repo, &commit).await, texts(&[("a", "1")]));
}

#[tokio::test]
async fn an_answer_that_ends_early_leaves_nothing_wrong_behind() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let noise: String = (0..40_000_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_string())
        .collect();
    let first = repo
        .commit(&[("big", Some(&noise)), ("a", Some("1"))], "one")
        .unwrap();
    for after in [0, 10, 300, 2_000, 20_000, 100_000] {
        let client = Client::new();
        let cut = remote(&format!(
            "{}/app.git",
            proxy::start(
                &server,
                Way {
                    cut: Some(after),
                    ..Way::default()
                }
            )
        ));
        let failure = client
            .git
            .fetch(cut, wanted(&first, Some(MAIN)))
            .await
            .err()
            .unwrap();
        assert_eq!(
            failure.class,
            FailureClass::Unavailable,
            "{after}: {failure:?}"
        );
        assert!(
            !failure.message.contains("makes no sense"),
            "{after}: {}",
            failure.message
        );
        let found = client.files(&repo, &first).await;
        assert_eq!(found.len(), 2, "{after}");
    }
}

#[tokio::test]
async fn an_operation_that_nobody_waits_for_frees_its_repository() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("app").unwrap();
    let commit = repo.commit(&[("a", Some("1"))], "one").unwrap();
    let client = Client::new();
    server.set_fault(Fault::Hang);
    let hanging = client.fetch(&repo, &commit, Some(MAIN));
    let gone = tokio::time::timeout(Duration::from_millis(200), hanging).await;
    assert!(gone.is_err());
    server.set_fault(Fault::None);
    assert_eq!(client.files(&repo, &commit).await, texts(&[("a", "1")]));
}
