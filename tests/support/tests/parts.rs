//! Each real part is started once and does what tests rely on.

use std::time::Duration;

use weir_tests_support::http::Outgoing;
use weir_tests_support::{
    Change, Cluster, Fault, GitAuth, GitServer, GitServerOptions, Registry, RegistryOptions, Tally,
    Webhook, eventually, net, run_git,
};

#[test]
fn cluster_serves_users_and_counts_their_requests() {
    let cluster = Cluster::start().unwrap();
    let audit = cluster.audit();
    let mark = audit.mark();
    cluster
        .apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}}")
        .unwrap();
    let requests = audit.of_agent("kubectl", mark).unwrap();
    let tally = Tally::of(&requests);
    assert_eq!(tally.get("patch configmaps"), 1, "{tally}");
    let patch = requests.iter().find(|request| request.verb == "patch");
    let patch = patch.unwrap();
    assert_eq!((patch.user.as_str(), patch.name.as_str()), ("admin", "a"));

    let denied = weir_tests_support::kubectl(
        cluster.kubectl_path(),
        &cluster.kubeconfig_of("weir"),
        &["get", "configmaps"],
        "",
    );
    assert!(denied.unwrap_err().to_string().contains("forbidden"));

    // The controller manager is what ends namespaces and rolls Deployments out.
    cluster.kubectl(&["create", "namespace", "short"]).unwrap();
    cluster
        .kubectl(&[
            "create",
            "deployment",
            "web",
            "--image=none",
            "--replicas=0",
            "-n",
            "short",
        ])
        .unwrap();
    cluster
        .kubectl(&[
            "rollout",
            "status",
            "deployment/web",
            "-n",
            "short",
            "--timeout=30s",
        ])
        .unwrap();
    cluster
        .kubectl(&["delete", "namespace", "short", "--timeout=60s"])
        .unwrap();
}

#[test]
fn git_server_serves_clones_fetches_and_pushes() {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("demo").unwrap();
    let first = repo
        .commit(&[("a/one", Some("1")), ("two", Some("2"))], "first\n\nbody")
        .unwrap();
    repo.annotated_tag("v1.0.0", "one").unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let clone = scratch.path().join("clone");
    run_git(scratch.path(), &["clone", "-q", repo.url(), "clone"], b"").unwrap();
    assert_eq!(
        run_git(&clone, &["rev-parse", "v1.0.0^{commit}"], b"").unwrap(),
        first
    );

    let changes = [
        Change::Remove("two".to_owned()),
        Change::Executable("run \"it\"".to_owned(), b"#!/bin/sh\n".to_vec()),
        Change::Symlink("link".to_owned(), "a/one".to_owned()),
    ];
    let second = repo.commit_on("main", &changes, "second").unwrap();
    run_git(&clone, &["pull", "-q", "--ff-only"], b"").unwrap();
    assert_eq!(
        run_git(&clone, &["rev-parse", "HEAD"], b"").unwrap(),
        second
    );
    assert!(!clone.join("two").exists() && clone.join("run \"it\"").exists());

    std::fs::write(clone.join("three"), "3").unwrap();
    run_git(&clone, &["add", "three"], b"").unwrap();
    run_git(&clone, &["commit", "-q", "-m", "third"], b"").unwrap();
    run_git(&clone, &["push", "-q"], b"").unwrap();
    assert_eq!(
        repo.resolve("main").unwrap(),
        run_git(&clone, &["rev-parse", "HEAD"], b"").unwrap()
    );
    assert!(
        server
            .requests()
            .iter()
            .any(|request| request == "POST /demo.git/git-receive-pack")
    );

    // What is not in the folder is gone from the commit.
    repo.push_dir(&clone.join("a"), "only a").unwrap();
    assert_eq!(
        repo.git(&["ls-tree", "-r", "--name-only", "main"]).unwrap(),
        "one"
    );
}

#[test]
fn git_server_asks_for_credentials_over_tls_and_fails_when_told() {
    let server = GitServer::start_with(GitServerOptions {
        auth: GitAuth::Basic("user".to_owned(), "secret".to_owned()),
        tls: true,
    })
    .unwrap();
    let repo = server.create_repo("private").unwrap();
    let commit = repo.commit(&[("file", Some("x"))], "first").unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let ca = scratch.path().join("ca.crt");
    std::fs::write(&ca, server.ca().unwrap()).unwrap();
    let trust = format!("http.sslCAInfo={}", ca.display());
    let list = |url: &str| {
        run_git(
            scratch.path(),
            &["-c", &trust, "ls-remote", url, "main"],
            b"",
        )
    };

    assert!(list(repo.url()).is_err());
    let with_password = repo.url().replace("https://", "https://user:secret@");
    assert!(list(&with_password).unwrap().starts_with(&commit));
    server.set_fault(Fault::Status(503));
    assert!(
        list(&with_password)
            .unwrap_err()
            .to_string()
            .contains("503")
    );
    server.set_fault(Fault::Close);
    assert!(list(&with_password).is_err());
    server.set_fault(Fault::None);
    assert!(list(&with_password).is_ok());
}

#[test]
fn registry_lets_in_those_who_should_be() {
    let registry = Registry::start().unwrap();
    let address = registry.host().parse().unwrap();
    assert_eq!(net::get(address, "/v2/").unwrap().status, 200);

    let registry = Registry::start_with(RegistryOptions { authenticate: true }).unwrap();
    let address = registry.host().parse().unwrap();
    assert_eq!(net::get(address, "/v2/").unwrap().status, 401);
    // weir:registry-password
    let credentials = [("Authorization", "Basic d2VpcjpyZWdpc3RyeS1wYXNzd29yZA==")];
    let answer = net::request(address, "GET", "/v2/", &credentials, b"").unwrap();
    assert_eq!(answer.status, 200);
}

#[test]
fn webhook_receiver_records_and_answers_as_told() {
    let webhook = Webhook::start().unwrap();
    webhook.set_answer(Outgoing::text(418, "no"));
    let address = webhook.url().trim_start_matches("http://").parse().unwrap();
    let answer = net::request(address, "POST", "/hook", &[("X-A", "b")], b"{}").unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (418, "no"));
    let request = webhook
        .wait_for(Duration::from_secs(5), |request| request.path == "/hook")
        .unwrap();
    assert_eq!(
        (request.header("x-a"), request.body.as_slice()),
        (Some("b"), b"{}".as_slice())
    );
}

#[test]
fn what_a_dead_process_started_is_ended() {
    // The watchdog is asked for by running this test binary again, as a process that is killed
    // while it holds a registry.
    if std::env::var_os("WEIR_TEST_DIE").is_some() {
        let registry = Registry::start().unwrap();
        println!("\naddress {}", registry.host());
        std::process::abort();
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "what_a_dead_process_started_is_ended",
            "--nocapture",
        ])
        .env("WEIR_TEST_DIE", "1")
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let address = output
        .lines()
        .find_map(|line| line.strip_prefix("address "));
    let address = address.unwrap().parse().unwrap();
    eventually("the registry is ended", Duration::from_secs(20), || {
        net::get(address, "/v2/").is_err().then_some(())
    });
}
