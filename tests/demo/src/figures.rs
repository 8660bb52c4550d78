//! The figures that weir promises, measured on the demo's own cluster: times and requests come
//! from the API server's audit log, memory from `/proc`.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use weir_tests_support::{AuditLog, Repo, Tally, monorepo, try_eventually};

use crate::acts::{drift, millis};
use crate::report::Report;
use crate::rig::{PATIENCE, Rig, USER, commit_and_push, is_ready, replace};

/// How often what varies is measured; the median counts.
const TIMES: usize = 5;

/// Kustomizations for which memory is measured.
const MANY: usize = 100;

/// All of them.
pub(crate) fn measure(rig: &Rig, report: &mut Report) -> Result<()> {
    let Some(audit) = rig.audit() else {
        println!("\nNo figures: they come from the audit log of a cluster of the demo's own.");
        return Ok(());
    };
    report.section("measure from push to applied", |report| pushes(rig, report))?;
    report.section("measure from edit to repair", |report| repairs(rig, report))?;
    report.section("measure requests", |report| {
        let repo = rig.git.create_repo("measured")?;
        install(rig, report, &audit, &repo)?;
        one_object(rig, report, &audit, &repo)?;
        no_op(rig, report, &audit)
    })?;
    report.section("measure memory", |report| memory(rig, report))
}

fn median(mut values: Vec<u128>) -> String {
    values.sort_unstable();
    let all: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!(
        "{} ms, median of {}",
        values[values.len() / 2],
        all.join(", ")
    )
}

fn pushes(rig: &Rig, report: &mut Report) -> Result<()> {
    let audit = rig.audit().context("no audit log")?;
    let overlay = rig.work.join("apps/demo/kustomization.yaml");
    let mut took = Vec::new();
    for round in 0..TIMES {
        let mark = audit.mark();
        let (from, to) = (tag(round), tag(round + 1));
        replace(&overlay, &from, &to)?;
        let pushed = commit_and_push(&rig.work, "Another image")?;
        let applied = rig.wait_request(mark, "the Deployment is patched", |request| {
            request.verb == "patch" && request.resource == "deployments" && !request.dry_run
        })?;
        took.push(millis(pushed, applied.answered));
        rig.wait_quiet()?;
    }
    replace(&overlay, &tag(TIMES), &tag(0))?;
    commit_and_push(&rig.work, "The first image again")?;
    rig.wait_quiet()?;
    report.figure("git push to applied, polled every second", median(took), "");
    Ok(())
}

fn tag(round: usize) -> String {
    format!("newTag: 6.9.{}", round + 2)
}

fn repairs(rig: &Rig, report: &mut Report) -> Result<()> {
    let mut took = Vec::new();
    for round in 0..TIMES {
        let other = format!("example.com/intruder:{round}");
        took.extend(drift(rig, "ghcr.io/stefanprodan/podinfo:6.9.2", &other)?);
        rig.wait_quiet()?;
    }
    report.figure("manual edit to repair", median(took), "");
    Ok(())
}

/// Objects of the Kustomization whose requests are counted.
const OBJECTS: usize = 4;

fn settings(value: usize) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  value: \"{value}\"\n"
    )
}

/// A source and a Kustomization of four objects, from nothing to ready.
fn install(rig: &Rig, report: &mut Report, audit: &AuditLog, repo: &Repo) -> Result<()> {
    let service = monorepo::service("one", 80);
    repo.commit(
        &[
            ("app/settings.yaml", Some(&settings(1))),
            ("app/service.yaml", Some(&service)),
            (
                "app/account.yaml",
                Some("apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: one\n"),
            ),
            (
                "app/role.yaml",
                Some("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: one\nrules: []\n"),
            ),
        ],
        "Four objects",
    )?;
    rig.apply("{apiVersion: v1, kind: Namespace, metadata: {name: measured}}")?;
    let source = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": "measured", "namespace": "flux-system"},
        "spec": {"url": repo.url(), "ref": {"branch": "main"}, "interval": "1s"},
    });
    let kustomization = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "measured", "namespace": "flux-system"},
        "spec": {
            "sourceRef": {"kind": "GitRepository", "name": "measured"},
            "path": "./app", "targetNamespace": "measured", "interval": "1s", "prune": true,
            "wait": true,
        },
    });
    rig.wait_quiet()?;
    let mark = audit.mark();
    rig.apply(&format!("{source}\n---\n{kustomization}"))?;
    rig.wait_ready("kustomizations", "measured")?;
    rig.wait_quiet()?;
    let tally = Tally::of(&audit.of_user(USER, mark)?);
    report.figure(
        &format!("requests, install of a source and a Kustomization of {OBJECTS} objects"),
        tally.to_string(),
        &format!("at most {}", 2 * OBJECTS + 7),
    );
    Ok(())
}

/// A commit that changes one object.
fn one_object(rig: &Rig, report: &mut Report, audit: &AuditLog, repo: &Repo) -> Result<()> {
    let mark = audit.mark();
    let commit = repo.commit(&[("app/settings.yaml", Some(&settings(2)))], "One object")?;
    wait_revision(rig, "measured", &commit)?;
    rig.wait_quiet()?;
    let tally = Tally::of(&audit.of_user(USER, mark)?);
    report.figure(
        "requests, change of one object",
        tally.to_string(),
        "at most 6",
    );
    Ok(())
}

/// Intervals that pass with nothing changed, then a reconcile that was asked for.
fn no_op(rig: &Rig, report: &mut Report, audit: &AuditLog) -> Result<()> {
    let mark = audit.mark();
    std::thread::sleep(Duration::from_secs(5));
    let tally = Tally::of(&audit.of_user(USER, mark)?);
    report.figure(
        "requests, 5 s of no-op reconciles, each every second",
        tally.to_string(),
        "0",
    );
    let mark = audit.mark();
    let token = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_nanos()
        .to_string();
    rig.kubectl(&[
        "annotate",
        "kustomization",
        "measured",
        "-n",
        "flux-system",
        "--overwrite",
        &format!("reconcile.fluxcd.io/requestedAt={token}"),
    ])?;
    rig.wait(
        "kustomizations",
        "flux-system",
        "measured",
        "has handled the request",
        |object| object["status"]["lastHandledReconcileAt"] == token.as_str(),
    )?;
    rig.wait_quiet()?;
    let tally = Tally::of(&audit.of_user(USER, mark)?);
    report.figure(
        "requests, no-op reconcile that was asked for",
        tally.to_string(),
        "1 status write",
    );
    Ok(())
}

fn wait_revision(rig: &Rig, name: &str, commit: &str) -> Result<Value> {
    rig.wait(
        "kustomizations",
        "flux-system",
        name,
        "has applied the commit",
        |object| {
            let revision = object["status"]["lastAppliedRevision"].as_str();
            revision.is_some_and(|revision| revision.ends_with(commit)) && is_ready(object)
        },
    )
}

/// Memory with many Kustomizations of one source.
fn memory(rig: &Rig, report: &mut Report) -> Result<()> {
    let repo = rig.git.create_repo("monorepo")?;
    let files = monorepo::files(MANY);
    let files: Vec<(&str, Option<&str>)> = files
        .iter()
        .map(|(path, content)| (path.as_str(), Some(content.as_str())))
        .collect();
    repo.commit(&files, "Many folders")?;
    let mut manifests = String::new();
    for namespace in monorepo::namespaces() {
        writeln!(manifests, "{namespace}\n---")?;
    }
    manifests.push_str(&monorepo::source(repo.url(), "10m").to_string());
    for index in 0..MANY {
        write!(
            manifests,
            "\n---\n{}",
            monorepo::kustomization(index, "20m")
        )?;
    }
    rig.apply(&manifests)?;
    try_eventually("all Kustomizations are ready", PATIENCE, || {
        let list = rig
            .kubectl(&["get", "kustomizations", "-n", "flux-system", "-o", "json"])
            .ok()?;
        let list: Value = serde_json::from_str(&list).ok()?;
        let items = list["items"].as_array()?;
        let ready = items.iter().filter(|item| is_ready(item)).count();
        (ready >= MANY && ready == items.len()).then_some(())
    })?;
    let usage = rig.host()?.usage()?;
    report.figure(
        &format!("peak memory of the host, with {MANY} Kustomizations of a monorepo and 4 others"),
        format!("{} MiB", usage.peak_memory >> 20),
        "",
    );
    report.figure(
        "CPU of the host in all",
        format!("{:.1} s", usage.cpu.as_secs_f64()),
        "",
    );
    println!("     call overhead and load times: cargo xtask bench plugin");
    Ok(())
}
