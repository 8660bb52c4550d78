//! The clock of the host's own machine jumps: it goes on as if nothing had been.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use weir_tests_cluster::{HOST_USER, PATIENCE, Rig, TERMS, condition, config_map};
use weir_tests_support::{Weir, WeirOptions, eventually};

const HOUR: i64 = 3600;

/// What `clock.c` says, as a library that the host is started with. `cc` is there: without it
/// nothing of this was linked.
fn library(folder: &Path) -> PathBuf {
    let library = folder.join("clock.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clock.c");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .status()
        .unwrap();
    assert!(made.success());
    library
}

/// Seconds since 1970 of a time as Kubernetes writes it.
fn seconds(time: &Value) -> i64 {
    let made = Command::new("date")
        .args(["-u", "+%s", "-d", time.as_str().unwrap()])
        .output()
        .unwrap();
    String::from_utf8(made.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

#[test]
fn a_clock_that_jumps_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let jump = folder.path().join("jump");
    let set = |seconds: i64| {
        // Never half written: the host looks at any time.
        let next = folder.path().join("next");
        fs::write(&next, seconds.to_string()).unwrap();
        fs::rename(&next, &jump).unwrap();
    };
    set(0);

    let mut rig = Rig::start(&[]).unwrap();
    rig.weir.process().stop().unwrap();
    let mut options = WeirOptions::new(rig.cluster.kubeconfig_of(HOST_USER));
    options.args = TERMS.iter().map(Into::into).collect();
    let second_options = WeirOptions {
        stands_by: true,
        ..options.clone()
    };
    options.env = vec![
        ("LD_PRELOAD".to_owned(), library(folder.path()).into()),
        ("CLOCK_JUMP".to_owned(), jump.clone().into()),
    ];
    rig.weir = Weir::start(&options).unwrap();
    // Another host with the right time would take over from one that seems to be dead.
    let second = Weir::start(&second_options).unwrap();

    let tenant = rig.tenant("clock").unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    let commit = |value: &str| {
        let files = [("a.yaml", Some(&*config_map("a", value)))];
        tenant.repo.commit(&files, value).unwrap()
    };
    let before = commit("before");
    tenant.follow("./", &fields).unwrap();
    let object = tenant.wait_applied("app", &before).unwrap();
    let start = seconds(&condition(&object, "Ready").unwrap()["lastTransitionTime"]);

    for (number, hours) in [30 * 24, 0, -1, 2].into_iter().enumerate() {
        // Certificates of an API server reach an hour back, and a year ahead.
        set(hours * HOUR * 9 / 10);

        // What is asked for and what is polled for both come to pass,
        let value = format!("after-{number}");
        let revision = commit(&value);
        tenant.wait_applied("app", &revision).unwrap();
        // drift is repaired,
        let patch = "{\"data\":{\"key\":\"edited\"}}";
        tenant
            .kubectl(&["patch", "configmap", "a", "--type=merge", "-p", patch])
            .unwrap();
        eventually("the edit repaired", PATIENCE, || {
            (tenant.get("configmap", "a")?["data"]["key"] == *value).then_some(())
        });
        // and a request is handled.
        let request = format!("reconcile.fluxcd.io/requestedAt={value}");
        tenant
            .kubectl(&["annotate", "kustomization", "app", "--overwrite", &request])
            .unwrap();
        eventually("the request handled", PATIENCE, || {
            let object = tenant.get("kustomization", "app")?;
            (object["status"]["lastHandledReconcileAt"] == *value).then_some(())
        });
    }

    // The times that it tells are those of its clock: the test would not notice a clock that
    // never jumped.
    let arguments = "get lease weir-leader-election -n flux-system -o json";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let lease = rig.cluster.kubectl(&arguments).unwrap();
    let lease: Value = serde_json::from_str(&lease).unwrap();
    let renewed = seconds(&lease["spec"]["renewTime"]) - start;
    assert!(renewed > HOUR, "{renewed}");
    // Nobody took over.
    assert_eq!(lease["spec"]["leaseTransitions"], 0, "{lease}");
    assert_ne!(second.health("/readyz").unwrap().status, 200);
}
