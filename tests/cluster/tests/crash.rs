//! The host killed at every step that has a name: what Git says is reached all the same, nothing
//! is orphaned, made twice or half-written.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use weir_failpoint::Step;
use weir_tests_cluster::{HOST_USER, PATIENCE, Rig, Tenant, config_map};
use weir_tests_support::{Registry, Weir, WeirOptions, eventually, folders, net};

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  \
    replicas: 0\n  selector: {matchLabels: {app: web}}\n  template:\n    \
    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: web:1}]}\n";

/// Objects of the Kustomization as the cluster has them: uid by kind and name.
fn applied(tenant: &Tenant<'_>) -> BTreeMap<String, String> {
    let selector = "kustomize.toolkit.fluxcd.io/name=app";
    let text = tenant
        .kubectl(&[
            "get",
            "configmaps,deployments",
            "-l",
            selector,
            "-o",
            "json",
        ])
        .unwrap();
    let list: Value = serde_json::from_str(&text).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| {
            let metadata = &object["metadata"];
            let name = format!("{}/{}", text(&object["kind"]), text(&metadata["name"]));
            (name, text(&metadata["uid"]))
        })
        .collect()
}

fn is_at(tenant: &Tenant<'_>, commit: &str) -> bool {
    let object = tenant.get("kustomization", "app").unwrap_or_default();
    let revision = object["status"]["lastAppliedRevision"].as_str();
    revision.is_some_and(|revision| revision.ends_with(commit))
        && weir_tests_cluster::condition(&object, "Ready").is_some_and(|r| r["status"] == "True")
}

/// Waits until the host dies, or is done with a commit and what follows it.
fn dies_before(host: &mut Weir, tenant: &Tenant<'_>, commit: &str) -> bool {
    let mut is_done = false;
    eventually("the host dies or is done", PATIENCE, || {
        if host.process().poll().unwrap().is_some() {
            return Some(true);
        }
        // Once more after it is done: an event is written after the status.
        (std::mem::replace(&mut is_done, is_at(tenant, commit)) && is_done).then_some(false)
    })
}

/// The artifact that the source's status names can be read to its end.
fn assert_served(tenant: &Tenant<'_>) {
    let source = tenant.get("gitrepository", "app").unwrap();
    let url = source["status"]["artifact"]["url"].as_str().unwrap();
    let (address, path) = url["http://".len()..].split_once('/').unwrap();
    let answer = net::get(address.parse().unwrap(), &format!("/{path}")).unwrap();
    assert_eq!(answer.status, 200, "{url}");
    let mut tar = Command::new("tar")
        .args(["-tzf", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    tar.stdin.take().unwrap().write_all(&answer.bytes).unwrap();
    assert!(tar.wait().unwrap().success(), "{url} is no whole archive");
}

fn survives(rig: &Rig, registry: &Registry, step: Step) {
    let tenant = rig.tenant("crash").unwrap();
    let storage = tempfile::tempdir().unwrap();
    let mut options = WeirOptions::new(rig.cluster.kubeconfig_of(HOST_USER));
    options.storage = Some(storage.path().to_owned());
    let mut failing = options.clone();
    failing
        .env
        .push(("WEIR_FAILPOINT".into(), step.name().into()));
    let mut host = Weir::start(&failing).unwrap();

    let plugin = format!(
        "apiVersion: weir.dev/v1alpha1\nkind: Plugin\nmetadata:\n  name: {}\n\
         spec:\n  image: {}\n  insecure: true\n",
        tenant.namespace,
        registry.oci("echo:v1")
    );
    tenant.apply(&plugin).unwrap();
    let files = [
        ("a.yaml", Some(&*config_map("a", "one"))),
        ("b.yaml", Some(&*config_map("b", "one"))),
        ("web.yaml", Some(DEPLOYMENT)),
    ];
    let first = tenant.repo.commit(&files, "one").unwrap();
    let fields = format!("  targetNamespace: {}\n  wait: true\n", tenant.namespace);
    tenant.follow("./", &fields).unwrap();
    let died_early = dies_before(&mut host, &tenant, &first);
    let before = applied(&tenant);
    let files = [
        ("a.yaml", Some(&*config_map("a", "two"))),
        ("b.yaml", None),
        ("c.yaml", Some(&*config_map("c", "two"))),
    ];
    let second = tenant.repo.commit(&files, "two").unwrap();
    assert!(
        died_early || dies_before(&mut host, &tenant, &second),
        "{step} was never hit"
    );

    let mut host = Weir::start(&options).unwrap();
    eventually(&format!("{step}: the second commit"), PATIENCE, || {
        is_at(&tenant, &second).then_some(())
    });
    tenant
        .wait_condition("plugin", &tenant.namespace, "Ready", "True", "serving")
        .unwrap();
    let after = applied(&tenant);
    let names: Vec<&str> = after.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["ConfigMap/a", "ConfigMap/c", "Deployment/web"],
        "{step}"
    );
    assert_eq!(tenant.get("configmap", "a").unwrap()["data"]["key"], "two");
    for (name, uid) in before.iter().filter(|(name, _)| *name != "ConfigMap/b") {
        assert_eq!(&after[name], uid, "{step}: {name} was made anew");
    }
    let object = tenant.get("kustomization", "app").unwrap();
    let inventory = object["status"]["inventory"]["entries"].as_array().unwrap();
    assert_eq!(inventory.len(), 3, "{step}: {object:#}");
    assert_served(&tenant);

    // Deletion works after all that, and clears the stage for the next step.
    for (kind, name) in [
        ("kustomization", "app"),
        ("gitrepository", "app"),
        ("plugin", &*tenant.namespace),
    ] {
        tenant.kubectl(&["delete", kind, name]).unwrap();
    }
    eventually("all of it gone", PATIENCE, || {
        applied(&tenant).is_empty().then_some(())
    });
    host.process().stop().unwrap();
    println!("{step}: survived");
}

#[test]
fn the_host_survives_being_killed_at_every_step() {
    let mut rig = Rig::start(&[]).unwrap();
    rig.weir.process().stop().unwrap();
    let registry = Registry::start().unwrap();
    let guest = folders::guests().join("echo.wasm");
    let image = registry.oci("echo:v1");
    let arguments = [
        "plugin",
        "push",
        "--insecure",
        guest.to_str().unwrap(),
        &image,
    ];
    Weir::command(&rig.cluster.kubeconfig(), &arguments).unwrap();
    for step in Step::ALL {
        survives(&rig, &registry, *step);
    }
    println!("{} steps", Step::ALL.len());
}
