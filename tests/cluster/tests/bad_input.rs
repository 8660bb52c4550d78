//! Bad input from every side: a clear condition that names what is wrong, the last good state
//! stays applied, and what is mended goes on.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fmt::Write as _;

use serde_json::Value;
use weir_tests_cluster::{Rig, Tenant, condition, config_map, kustomization};
use weir_tests_support::{Fault, GitAuth, GitServer, GitServerOptions};

/// A tenant whose first commit, with the ConfigMap `good`, is applied.
fn applied(hint: &str) -> (Tenant<'static>, String) {
    let tenant = Rig::shared().tenant(hint).unwrap();
    let files = [("good.yaml", Some(&*config_map("good", "one")))];
    let commit = tenant.repo.commit(&files, "good").unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    tenant.follow("./", &fields).unwrap();
    tenant.wait_applied("app", &commit).unwrap();
    (tenant, commit)
}

/// A GitRepository `app` that is tried every second; `spec` with two spaces of indentation.
fn source(spec: &str) -> String {
    format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  name: app\n\
         spec:\n  interval: 1s\n  timeout: 5s\n{spec}"
    )
}

fn reason(object: &Value) -> &str {
    condition(object, "Ready").unwrap()["reason"]
        .as_str()
        .unwrap()
}

#[test]
fn a_source_that_cannot_be_fetched_says_why_and_keeps_its_artifact() {
    let (tenant, commit) = applied("source");
    let url = tenant.repo.url().to_owned();
    let good = tenant.get("gitrepository", "app").unwrap();
    let artifact = good["status"]["artifact"].clone();
    let empty = tenant.rig.git.create_repo("empty").unwrap();
    let private = GitServer::start_with(GitServerOptions {
        auth: GitAuth::Basic("user".into(), "right".into()),
        tls: false,
    })
    .unwrap();
    let private_repo = private.create_repo("private").unwrap();
    let own_ca = GitServer::start_with(GitServerOptions {
        tls: true,
        ..GitServerOptions::default()
    })
    .unwrap();
    let own_ca_repo = own_ca.create_repo("tls").unwrap();
    let moving = GitServer::start().unwrap();
    let moved = moving.create_repo("moved").unwrap();
    moving.set_fault(Fault::Status(500));
    tenant
        .kubectl(&[
            "create",
            "secret",
            "generic",
            "wrong",
            "--from-literal=username=user",
            "--from-literal=password=wrong",
        ])
        .unwrap();

    let main = "  ref: {branch: main}\n";
    let at = |url: &str, rest: &str| format!("  url: {url}\n{rest}");
    let none = "0123456789012345678901234567890123456789";
    for (spec, expected, named) in [
        (
            at("http://weir.invalid/a.git", main),
            "GitOperationFailed",
            "weir.invalid",
        ),
        (
            at("http://127.0.0.1:1/a.git", main),
            "GitOperationFailed",
            "127.0.0.1:1",
        ),
        (
            at(own_ca_repo.url(), main),
            "GitOperationFailed",
            "certificate",
        ),
        (
            at(private_repo.url(), main),
            "AuthenticationFailed",
            "private.git",
        ),
        (
            at(
                private_repo.url(),
                &format!("{main}  secretRef: {{name: wrong}}\n"),
            ),
            "AuthenticationFailed",
            "private.git",
        ),
        (
            at(
                private_repo.url(),
                &format!("{main}  secretRef: {{name: missing}}\n"),
            ),
            "AuthenticationFailed",
            "missing",
        ),
        (
            at(&url, "  ref: {branch: nowhere}\n"),
            "GitOperationFailed",
            "nowhere",
        ),
        (at(&url, "  ref: {tag: v9}\n"), "GitOperationFailed", "v9"),
        (
            at(&url, "  ref: {semver: '>=7.0.0'}\n"),
            "GitOperationFailed",
            ">=7.0.0",
        ),
        (
            at(&url, &format!("  ref: {{commit: '{none}'}}\n")),
            "GitOperationFailed",
            none,
        ),
        (
            at(&url, "  ref: {semver: 'x y z'}\n"),
            "GitOperationFailed",
            "x y z",
        ),
        (at(empty.url(), main), "EmptyGitRepository", "is empty"),
        (at(moved.url(), main), "GitOperationFailed", "500"),
        (
            at(&format!("{url}.nowhere"), main),
            "GitOperationFailed",
            "nowhere",
        ),
    ] {
        tenant.apply(&source(&spec)).unwrap();
        let object = tenant
            .wait_for(named, "gitrepository", "app", |object| {
                let ready = condition(object, "Ready");
                ready.is_some_and(|ready| {
                    ready["status"] == "False"
                        && ready["observedGeneration"] == object["metadata"]["generation"]
                        && ready["message"]
                            .as_str()
                            .is_some_and(|text| text.contains(named))
                })
            })
            .unwrap();
        assert_eq!(reason(&object), expected, "{spec}");
        assert_eq!(object["status"]["artifact"], artifact, "{spec}");
        let app = tenant.get("kustomization", "app").unwrap();
        let revision = app["status"]["lastAppliedRevision"].as_str().unwrap();
        assert!(revision.ends_with(&commit), "{spec}");
    }
    assert!(tenant.get("configmap", "good").is_some());
    let events = tenant.events("GitRepository", "app").unwrap();
    let told = |named: &str| events.iter().any(|(_, text)| text.contains(named));
    assert!(told("weir.invalid") && told("nowhere"), "{events:?}");

    tenant.apply(&source(&at(&url, main))).unwrap();
    let files = [("good.yaml", Some(&*config_map("good", "two")))];
    let next = tenant.repo.commit(&files, "next").unwrap();
    tenant.wait_applied("app", &next).unwrap();
    assert_eq!(
        tenant.get("configmap", "good").unwrap()["data"]["key"],
        "two"
    );
}

/// Each in a tree of its own beside the good object; the message must hold all the words.
#[test]
fn a_tree_that_cannot_be_applied_names_file_object_or_field() {
    let (tenant, _) = applied("tree");
    let immutable = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fixed}\nimmutable: true\n\
                     data: {key: \"VALUE\"}\n";
    let with_fixed = [("fixed.yaml", Some(&*immutable.replace("VALUE", "1")))];
    let mut good = tenant.repo.commit(&with_fixed, "fixed").unwrap();
    tenant.wait_applied("app", &good).unwrap();

    let mut bomb = String::from("a: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        writeln!(bomb, "a{level}: &a{level} [{before}]").unwrap();
    }
    let huge = config_map("huge", &"x".repeat(3 << 20));
    let twice = format!(
        "{}---\n{}",
        config_map("twice", "1"),
        config_map("twice", "2")
    );
    for (what, content, words) in [
        ("no YAML", "kind: ConfigMap\ndata: [1\n".to_owned(), &["bad.yaml"][..]),
        ("a bomb of aliases", bomb, &["bad.yaml"]),
        (
            "a key twice",
            "apiVersion: v1\nkind: ConfigMap\nkind: Secret\nmetadata: {name: bad}\n".to_owned(),
            &["bad.yaml", "kind"],
        ),
        (
            "no name",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n".to_owned(),
            &["name"],
        ),
        ("the same object twice", twice, &["twice"]),
        (
            "an unknown kind",
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: bad}\n".to_owned(),
            &["Thing", "example.com/v1"],
        ),
        (
            "a field that the API server refuses",
            "apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 99999}]}\n"
                .to_owned(),
            &["Service/", "spec.ports[0].port"],
        ),
        (
            "an immutable field",
            immutable.replace("VALUE", "2"),
            &["ConfigMap/", "fixed", "immutable"],
        ),
        ("3 MiB", huge, &["huge"]),
    ] {
        let file = if what == "an immutable field" {
            "fixed.yaml"
        } else {
            "bad.yaml"
        };
        let changed = config_map("good", what);
        let files = [("good.yaml", Some(&*changed)), (file, Some(&*content))];
        tenant.repo.commit(&files, what).unwrap();
        let object = tenant
            .wait_for(what, "kustomization", "app", |object| {
                condition(object, "Ready").is_some_and(|ready| {
                    let message = ready["message"].as_str().unwrap_or_default();
                    ready["status"] == "False" && words.iter().all(|word| message.contains(word))
                })
            })
            .unwrap();
        let revision = object["status"]["lastAppliedRevision"].as_str().unwrap();
        assert!(revision.ends_with(&good), "{what}: {revision}");
        assert_eq!(
            tenant.get("configmap", "good").unwrap()["data"]["key"],
            "one",
            "{what}: nothing of a refused stage is written"
        );
        let restored = immutable.replace("VALUE", "1");
        let files = [
            ("good.yaml", Some(&*config_map("good", "one"))),
            ("fixed.yaml", Some(&*restored)),
            ("bad.yaml", None),
        ];
        let mended = tenant.repo.commit(&files, "mended").unwrap();
        tenant.wait_applied("app", &mended).unwrap();
        good = mended;
    }
}

#[test]
fn a_path_that_is_not_there_and_a_namespace_that_goes_away() {
    let (tenant, _) = applied("place");
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    tenant
        .apply(&kustomization("app", "./not/there", &fields))
        .unwrap();
    let object = tenant
        .wait_condition("kustomization", "app", "Ready", "False", "not/there")
        .unwrap();
    assert_eq!(reason(&object), "ArtifactFailed");
    assert!(tenant.get("configmap", "good").is_some());

    // A namespace that is terminating refuses what is to be created in it.
    let doomed = format!("{}-doomed", tenant.namespace);
    let manifest =
        format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {doomed}\n  finalizers: []\n");
    tenant.apply(&manifest).unwrap();
    let held = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: held\n  namespace: {doomed}\n  \
         finalizers: [example.com/held]\n"
    );
    let cluster = &tenant.rig.cluster;
    cluster.apply(&held).unwrap();
    cluster
        .kubectl(&["delete", "namespace", &doomed, "--wait=false"])
        .unwrap();
    let fields = format!("  targetNamespace: {doomed}\n");
    tenant.apply(&kustomization("late", "./", &fields)).unwrap();
    let object = tenant
        .wait_condition("kustomization", "late", "Ready", "False", "terminated")
        .unwrap();
    let message = condition(&object, "Ready").unwrap()["message"].as_str();
    assert!(message.unwrap().contains("ConfigMap/"), "{object:#}");
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    cluster
        .kubectl(&[
            "patch",
            "configmap",
            "held",
            "-n",
            &doomed,
            "--type=merge",
            "-p",
            patch,
        ])
        .unwrap();
}
