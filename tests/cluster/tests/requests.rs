//! The API server is the expensive resource: what a reconcile costs, counted from its audit log.
//!
//! Watches are counted apart: each kind has one for the whole host, however many objects it has.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;

use weir_tests_cluster::{Rig, Tenant, config_map};
use weir_tests_support::{AuditMark, Request, Tally};

const OBJECTS: usize = 12;

fn files(value: &str, count: usize) -> Vec<(String, String)> {
    (0..count)
        .map(|n| {
            (
                format!("deploy/{n}.yaml"),
                config_map(&format!("config-{n}"), value),
            )
        })
        .collect()
}

fn commit(tenant: &Tenant<'_>, files: &[(String, String)], message: &str) -> String {
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), Some(text.as_str())))
        .collect();
    tenant.repo.commit(&files, message).unwrap()
}

/// Requests but for watches and the lists that begin them.
fn spent(rig: &Rig, mark: AuditMark) -> (usize, String) {
    let requests: Vec<Request> = rig
        .requests_since(mark)
        .unwrap()
        .into_iter()
        .filter(|request| request.verb != "watch" && request.verb != "list")
        .collect();
    let tally = Tally::of(&requests);
    let mut text = String::new();
    writeln!(text, "{tally}").unwrap();
    (tally.total(), text)
}

#[test]
fn an_install_an_update_and_a_reconcile_without_work_cost_what_is_promised() {
    let rig = Rig::start(&[]).unwrap();
    let tenant = rig.tenant("spent").unwrap();
    let fields = format!("  targetNamespace: {}\n", tenant.namespace);
    let first = commit(&tenant, &files("one", OBJECTS), "first");

    let mark = rig.cluster.audit().mark();
    tenant.follow("./deploy", &fields).unwrap();
    tenant.wait_applied("app", &first).unwrap();
    let (install, detail) = spent(&rig, mark);
    println!("install of {OBJECTS} objects: {install} requests\n{detail}");
    // A dry run and a write for each; finalizer, status and event of both; the intent.
    assert!(install <= 2 * OBJECTS + 7, "{install} requests:\n{detail}");

    let mark = rig.cluster.audit().mark();
    let second = commit(&tenant, &files("two", 1), "one object");
    tenant.wait_applied("app", &second).unwrap();
    let (update, detail) = spent(&rig, mark);
    println!("change of one object: {update} requests\n{detail}");
    assert!(update <= 6, "{update} requests:\n{detail}");

    // Twenty polls of the source find nothing.
    let mark = rig.cluster.audit().mark();
    std::thread::sleep(std::time::Duration::from_secs(20));
    let (idle, detail) = spent(&rig, mark);
    assert_eq!(idle, 0, "polls that find nothing:\n{detail}");

    let mark = rig.cluster.audit().mark();
    tenant
        .kubectl(&[
            "annotate",
            "kustomization",
            "app",
            "reconcile.fluxcd.io/requestedAt=now",
        ])
        .unwrap();
    tenant
        .wait_for("handled", "kustomization", "app", |o| {
            o["status"]["lastHandledReconcileAt"] == "now"
        })
        .unwrap();
    let (asked, detail) = spent(&rig, mark);
    println!("reconcile without work, asked for: {asked} requests\n{detail}");
    assert_eq!(
        asked, 1,
        "the status write that the annotation asks for:\n{detail}"
    );
}
