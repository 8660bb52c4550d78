//! Faults of the API server: whatever it answers, the host stays up, what was applied stays, and
//! what was asked for meanwhile is there once the server is well again.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use weir_tests_cluster::{HOST_USER, PATIENCE, Rig, Tenant, config_map, kustomization};
use weir_tests_support::http::Incoming;
use weir_tests_support::{FaultProxy, Verdict, Weir, WeirOptions, eventually};

/// What one fault does to requests, and how many of them it has to meet.
struct Fault {
    name: &'static str,
    rule: fn(&Incoming) -> Verdict,
    meets: u64,
    /// The commit is applied although the fault stays.
    is_survived: bool,
}

fn is_watch(request: &Incoming) -> bool {
    request.query.contains("watch=true") || request.query.contains("watch=1")
}

fn is_write_of(request: &Incoming, resource: &str) -> bool {
    let resource = format!("/{resource}/");
    request.path.contains(&resource) && !matches!(&*request.method, "GET" | "HEAD")
}

const FAULTS: [Fault; 9] = [
    Fault {
        name: "connections end without an answer",
        rule: |_| Verdict::Close,
        meets: 4,
        is_survived: false,
    },
    Fault {
        name: "every answer is 500",
        rule: |_| Verdict::refusal(500, "InternalError", "etcdserver: leader changed"),
        meets: 4,
        is_survived: false,
    },
    Fault {
        name: "every answer is 503",
        rule: |_| Verdict::refusal(503, "ServiceUnavailable", "apiserver is shutting down"),
        meets: 4,
        is_survived: false,
    },
    Fault {
        name: "429 with Retry-After",
        rule: |request| {
            Verdict::refusal(429, "TooManyRequests", "too many requests")
                .with_header("Retry-After", "1")
                .only_if(!is_watch(request))
        },
        meets: 2,
        is_survived: false,
    },
    Fault {
        name: "every write of a ConfigMap is a conflict",
        rule: |request| {
            Verdict::refusal(
                409,
                "Conflict",
                "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; \
                 please apply your changes to the latest version and try again",
            )
            .only_if(is_write_of(request, "configmaps"))
        },
        meets: 2,
        is_survived: false,
    },
    Fault {
        name: "status cannot be written",
        rule: |request| {
            Verdict::refusal(500, "InternalError", "no").only_if(request.path.ends_with("/status"))
        },
        meets: 2,
        is_survived: false,
    },
    Fault {
        name: "each answer takes two seconds",
        rule: |request| Verdict::Delay(Duration::from_secs(2)).only_if(!is_watch(request)),
        meets: 3,
        is_survived: true,
    },
    Fault {
        name: "watches are cut after half a second",
        rule: |request| Verdict::Cut(Duration::from_millis(500)).only_if(is_watch(request)),
        meets: 10,
        is_survived: true,
    },
    Fault {
        name: "watches tell that their history has expired",
        rule: |request| Verdict::expired().only_if(is_watch(request)),
        meets: 10,
        is_survived: false,
    },
];

/// ConfigMaps of the Kustomization as the cluster has them: uid and value by name.
fn applied(tenant: &Tenant<'_>) -> BTreeMap<String, (String, String)> {
    let selector = "kustomize.toolkit.fluxcd.io/name=app";
    let text = tenant
        .kubectl(&["get", "configmaps", "-l", selector, "-o", "json"])
        .unwrap();
    let list: Value = serde_json::from_str(&text).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| {
            let metadata = &object["metadata"];
            let value = (text(&metadata["uid"]), text(&object["data"]["key"]));
            (text(&metadata["name"]), value)
        })
        .collect()
}

fn assert_up(rig: &Rig, fault: &str) {
    assert_eq!(rig.weir.health("/healthz").unwrap().status, 200, "{fault}");
}

/// A Kustomization at its first commit: the ConfigMaps a and b.
fn begin<'r>(rig: &'r Rig, hint: &str) -> Tenant<'r> {
    let tenant = rig.tenant(hint).unwrap();
    let files = [
        ("a.yaml", Some(&*config_map("a", "one"))),
        ("b.yaml", Some(&*config_map("b", "one"))),
    ];
    let commit = tenant.repo.commit(&files, "one").unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    tenant.follow("./", &fields).unwrap();
    tenant.wait_applied("app", &commit).unwrap();
    tenant
}

/// The second commit changes a, removes b and adds c.
fn change(tenant: &Tenant<'_>) -> String {
    let files = [
        ("a.yaml", Some(&*config_map("a", "two"))),
        ("b.yaml", None),
        ("c.yaml", Some(&*config_map("c", "two"))),
    ];
    tenant.repo.commit(&files, "two").unwrap()
}

fn assert_changed(tenant: &Tenant<'_>, before: &BTreeMap<String, (String, String)>, fault: &str) {
    let after = applied(tenant);
    let values: Vec<(&str, &str)> = after
        .iter()
        .map(|(name, (_, value))| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(values, [("a", "two"), ("c", "two")], "{fault}");
    assert_eq!(after["a"].0, before["a"].0, "{fault}: a was made anew");
    let object = tenant.get("kustomization", "app").unwrap();
    let inventory = object["status"]["inventory"]["entries"].as_array().unwrap();
    assert_eq!(inventory.len(), 2, "{fault}: {object:#}");
}

fn survives(rig: &Rig, proxy: &FaultProxy, fault: &Fault) {
    let tenant = begin(rig, "fault");
    let before = applied(&tenant);
    proxy.set(fault.rule);
    let second = change(&tenant);
    if fault.is_survived {
        tenant.wait_applied("app", &second).unwrap();
    }
    eventually(fault.name, PATIENCE, || {
        (proxy.hurt() >= fault.meets).then_some(())
    });
    assert_up(rig, fault.name);
    if !fault.is_survived {
        let during = applied(&tenant);
        assert_eq!(during["a"].0, before["a"].0, "{}", fault.name);
    }
    let hurt = proxy.heal();
    tenant.wait_applied("app", &second).unwrap();
    assert_changed(&tenant, &before, fault.name);
    // Drift is still seen: the watches stand again.
    tenant
        .kubectl(&["patch", "configmap", "a", "-p", r#"{"data":{"key":"x"}}"#])
        .unwrap();
    eventually("the edit repaired", PATIENCE, || {
        (applied(&tenant)["a"].1 == "two").then_some(())
    });
    tenant.kubectl(&["delete", "kustomization", "app"]).unwrap();
    tenant.kubectl(&["delete", "gitrepository", "app"]).unwrap();
    eventually("all of it gone", PATIENCE, || {
        applied(&tenant).is_empty().then_some(())
    });
    println!("{}: {hurt} requests met it, survived", fault.name);
}

#[test]
fn the_host_outlives_what_the_api_server_answers() {
    let (rig, proxy) = Rig::start_behind_proxy().unwrap();
    for fault in &FAULTS {
        survives(&rig, &proxy, fault);
    }
}

#[test]
fn what_is_forbidden_is_told_and_costs_nobody_else_anything() {
    let (rig, proxy) = Rig::start_behind_proxy().unwrap();
    let tenant = begin(&rig, "forbidden");
    let before = applied(&tenant);
    let namespace = format!("/namespaces/{}/", tenant.namespace);
    proxy.set(move |request| {
        if request.path.contains(&namespace) && is_write_of(request, "configmaps") {
            let why = "configmaps \"a\" is forbidden: User \"weir\" cannot patch resource \
                       \"configmaps\" in API group \"\"";
            Verdict::refusal(403, "Forbidden", why)
        } else {
            Verdict::Pass
        }
    });
    let second = change(&tenant);
    let told = tenant
        .wait_condition("kustomization", "app", "Ready", "False", "is forbidden")
        .unwrap();
    let message = told.to_string();
    assert!(message.contains("ConfigMap/"), "{message}");
    assert!(
        tenant
            .events("Kustomization", "app")
            .unwrap()
            .iter()
            .any(|(_, message)| message.contains("is forbidden"))
    );
    assert_eq!(applied(&tenant), before, "what was applied stays");

    let other = begin(&rig, "allowed");
    let other_before = applied(&other);
    let commit = change(&other);
    other.wait_applied("app", &commit).unwrap();
    assert_changed(&other, &other_before, "another one");

    assert!(proxy.heal() > 0);
    tenant.wait_applied("app", &second).unwrap();
    assert_changed(&tenant, &before, "403");
}

/// An apply that fails half-way has created something; the commit that would repair it never comes,
/// another takes all of it back.
#[test]
fn what_a_failed_apply_created_is_pruned() {
    let (rig, proxy) = Rig::start_behind_proxy().unwrap();
    let tenant = begin(&rig, "half");
    let before = applied(&tenant);
    proxy.set(|request| {
        let is_second = request.method == "PATCH" && request.path.ends_with("/configmaps/y");
        Verdict::refusal(500, "InternalError", "not now")
            .only_if(is_second && !request.query.contains("dryRun"))
    });
    let added = ["x", "y"].map(|name| (format!("{name}.yaml"), config_map(name, "new")));
    let added: Vec<(&str, Option<&str>)> = added
        .iter()
        .map(|(path, text)| (path.as_str(), Some(text.as_str())))
        .collect();
    tenant.repo.commit(&added, "two more").unwrap();
    tenant
        .wait_condition("kustomization", "app", "Ready", "False", "not now")
        .unwrap();
    let during = applied(&tenant);
    assert!(during.contains_key("x") && !during.contains_key("y"));
    let object = tenant.get("kustomization", "app").unwrap();
    let inventory = object["status"]["inventory"].to_string();
    assert!(inventory.contains("_x_"), "{inventory}");

    let removed: Vec<(&str, Option<&str>)> = added.iter().map(|(path, _)| (*path, None)).collect();
    let third = tenant.repo.commit(&removed, "neither").unwrap();
    tenant.wait_applied("app", &third).unwrap();
    assert_eq!(applied(&tenant), before);
}

/// Kustomizations that a restart of the API server meets.
const LOAD: usize = 24;

#[test]
fn a_restart_of_the_api_server_under_load_loses_nothing() {
    let mut rig = Rig::start(&[]).unwrap();
    let (namespace, commit) = {
        let tenant = rig.tenant("restart").unwrap();
        let commit = commit_all(&tenant, "one");
        let fields = format!("  targetNamespace: {}\n", tenant.namespace);
        tenant
            .apply(&weir_tests_cluster::source(tenant.repo.url(), ""))
            .unwrap();
        let all: Vec<String> = (0..LOAD)
            .map(|n| kustomization(&format!("app-{n}"), &format!("./{n}"), &fields))
            .collect();
        tenant.apply(&all.join("---\n")).unwrap();
        tenant.wait_applied("app-0", &commit).unwrap();
        (tenant.namespace.clone(), commit_all(&tenant, "two"))
    };
    // In the middle of it, most likely: some of the first commit and all of the second is to do.
    rig.cluster.stop_api().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert_up(&rig, "the API server is down");
    rig.cluster.start_api().unwrap();
    eventually("all of the second commit", PATIENCE, || {
        let arguments = ["get", "kustomizations", "-o", "json", "-n", &namespace];
        let list: Value = serde_json::from_str(&rig.cluster.kubectl(&arguments).ok()?).ok()?;
        let done = list["items"].as_array()?.iter().filter(|object| {
            let revision = object["status"]["lastAppliedRevision"].as_str();
            revision.is_some_and(|revision| revision.ends_with(&commit))
        });
        (done.count() == LOAD).then_some(())
    });
    let arguments = ["get", "configmaps", "-o", "json", "-n", &namespace];
    let list: Value = serde_json::from_str(&rig.cluster.kubectl(&arguments).unwrap()).unwrap();
    let two = list["items"].as_array().unwrap().iter();
    let two = two.filter(|object| object["data"]["key"] == "two");
    assert_eq!(two.count(), LOAD);
    assert_up(&rig, "after the restart");
}

fn commit_all(tenant: &Tenant<'_>, value: &str) -> String {
    let files: Vec<(String, String)> = (0..LOAD)
        .map(|n| (format!("{n}/a.yaml"), config_map(&format!("c{n}"), value)))
        .collect();
    let files: Vec<(&str, Option<&str>)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), Some(text.as_str())))
        .collect();
    tenant.repo.commit(&files, value).unwrap()
}

#[test]
fn a_host_that_starts_before_the_api_server_waits_for_it() {
    let mut rig = Rig::start(&[]).unwrap();
    rig.weir.process().stop().unwrap();
    let (namespace, commit) = {
        let tenant = rig.tenant("early").unwrap();
        let files = [("a.yaml", Some(&*config_map("a", "one")))];
        let commit = tenant.repo.commit(&files, "one").unwrap();
        let fields = format!("  targetNamespace: {}\n", tenant.namespace);
        tenant.follow("./", &fields).unwrap();
        (tenant.namespace.clone(), commit)
    };
    rig.cluster.stop_api().unwrap();
    let mut options = WeirOptions::new(rig.cluster.kubeconfig_of(HOST_USER));
    options.stands_by = true;
    rig.weir = Weir::start(&options).unwrap();
    eventually("it says what it misses", PATIENCE, || {
        let log = rig.weir.log().unwrap();
        log.contains("Connection refused").then_some(())
    });
    assert_up(&rig, "no API server yet");
    assert_ne!(rig.weir.health("/readyz").unwrap().status, 200);
    rig.cluster.start_api().unwrap();
    eventually("ready", PATIENCE, || {
        (rig.weir.health("/readyz").ok()?.status == 200).then_some(())
    });
    eventually("applied", PATIENCE, || {
        let arguments = [
            "get",
            "kustomization",
            "app",
            "-o",
            "json",
            "-n",
            &namespace,
        ];
        let object: Value = serde_json::from_str(&rig.cluster.kubectl(&arguments).ok()?).ok()?;
        let revision = object["status"]["lastAppliedRevision"].as_str()?.to_owned();
        revision.ends_with(&commit).then_some(())
    });
}
