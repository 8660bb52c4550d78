//! Remote bases: taken from where the operator allows it, refused from everywhere else.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use weir_tests_cluster::{Rig, Tenant, config_map};
use weir_tests_support::{GitServer, Repo};

/// Commits a base with one ConfigMap.
fn commit_base(repo: &Repo, value: &str) -> String {
    let files = [
        ("base/kustomization.yaml", Some("resources: [map.yaml]\n")),
        ("base/map.yaml", Some(&*config_map("settings", value))),
    ];
    repo.commit(&files, value).unwrap()
}

/// Follows a kustomization of the base at a reference, under a prefix.
fn follow(tenant: &Tenant<'_>, base: &Repo, reference: &str) -> String {
    let kustomization = format!(
        "namePrefix: x-\nresources: ['{}//base?ref={reference}']\n",
        base.url()
    );
    let files = [("kustomization.yaml", Some(&*kustomization))];
    let commit = tenant.repo.commit(&files, reference).unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    tenant.follow("./", &fields).unwrap();
    commit
}

fn wait_value(tenant: &Tenant<'_>, value: &str) {
    tenant
        .wait_for("the base's value", "configmap", "x-settings", |object| {
            object["data"]["key"] == value
        })
        .unwrap();
}

#[test]
fn a_remote_base_is_fetched_from_where_the_operator_allows_it() {
    let (upstream, elsewhere) = (GitServer::start().unwrap(), GitServer::start().unwrap());
    let base = upstream.create_repo("base").unwrap();
    let first = commit_base(&base, "one");
    let rig = Rig::start(&["--allow-remote-bases", &upstream.url()]).unwrap();

    // A branch is followed: whenever the object is reconciled.
    let tenant = rig.tenant("branch").unwrap();
    let commit = follow(&tenant, &base, "main");
    tenant.wait_applied("app", &commit).unwrap();
    wait_value(&tenant, "one");
    commit_base(&base, "two");
    let request = "reconcile.fluxcd.io/requestedAt=now";
    tenant
        .kubectl(&["annotate", "kustomization", "app", request])
        .unwrap();
    wait_value(&tenant, "two");

    // A commit stays what it is.
    let pinned = rig.tenant("pinned").unwrap();
    let commit = follow(&pinned, &base, &first);
    pinned.wait_applied("app", &commit).unwrap();
    wait_value(&pinned, "one");

    // The server next door is another origin.
    let refused = rig.tenant("refused").unwrap();
    let other = elsewhere.create_repo("base").unwrap();
    commit_base(&other, "three");
    follow(&refused, &other, "main");
    let text = format!("`{}` is not granted", elsewhere.url());
    refused
        .wait_condition("kustomization", "app", "Ready", "False", &text)
        .unwrap();
    assert!(refused.get("configmap", "x-settings").is_none());
}

#[test]
fn no_remote_base_is_fetched_unless_the_operator_says_so() {
    let rig = Rig::shared();
    let tenant = rig.tenant("remote").unwrap();
    let base = rig.git.create_repo("remote-base").unwrap();
    commit_base(&base, "one");
    follow(&tenant, &base, "main");
    let object = tenant
        .wait_condition("kustomization", "app", "Ready", "False", "is not granted")
        .unwrap();
    let message = object["status"]["conditions"].to_string();
    assert!(message.contains("--allow-remote-bases"), "{message}");
    assert!(tenant.get("configmap", "x-settings").is_none());
}
