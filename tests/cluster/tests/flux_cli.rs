//! The unmodified `flux` and `kubectl` as clients of a running host.

use std::process::Command;

use weir_tests_cluster::{Rig, config_map};
use weir_tests_support::parts::{Part, ensure};

/// Runs the real `flux` in a namespace; what it printed on both streams.
fn flux(rig: &Rig, namespace: &str, args: &[&str]) -> anyhow::Result<String> {
    let paths = ensure(&[Part::Flux])?;
    let output = Command::new(paths.get(Part::Flux)?)
        .args(args)
        .args(["--namespace", namespace])
        .env("KUBECONFIG", rig.cluster.kubeconfig())
        .env("NO_COLOR", "1")
        .output()?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    anyhow::ensure!(output.status.success(), "flux {args:?}: {text}");
    Ok(text)
}

#[test]
fn flux_gets_reconciles_suspends_and_shows_trees_and_events() {
    let rig = Rig::shared();
    let tenant = rig.tenant("fluxcli").unwrap();
    let namespace = tenant.namespace.clone();
    let fields = format!("  targetNamespace: {namespace}\n");
    let commit = tenant
        .repo
        .commit(&[("a.yaml", Some(&config_map("a", "one")))], "first")
        .unwrap();
    tenant.follow("./", &fields).unwrap();
    tenant.wait_applied("app", &commit).unwrap();
    let short = format!("main@sha1:{}", &commit[..8]);
    let flux = |args: &[&str]| flux(rig, &namespace, args).unwrap();

    let sources = flux(&["get", "sources", "git"]);
    assert!(
        sources.contains(&short) && sources.contains("stored artifact"),
        "{sources}"
    );
    let kustomizations = flux(&["get", "kustomizations"]);
    assert!(
        kustomizations.contains("Applied revision"),
        "{kustomizations}"
    );

    let reconciled = flux(&["reconcile", "kustomization", "app", "--with-source"]);
    assert!(
        reconciled.contains(&format!("applied revision main@sha1:{commit}")),
        "{reconciled}"
    );

    flux(&["suspend", "kustomization", "app"]);
    let suspended = flux(&["get", "kustomizations", "app"]);
    assert!(suspended.contains("True"), "{suspended}");
    assert_eq!(
        tenant.get("kustomization", "app").unwrap()["spec"]["suspend"],
        true
    );
    let resumed = flux(&["resume", "kustomization", "app"]);
    assert!(resumed.contains("applied revision"), "{resumed}");

    let tree = flux(&["tree", "kustomization", "app"]);
    assert!(tree.contains(&format!("ConfigMap/{namespace}/a")), "{tree}");
    let events = flux(&["events", "--for", "Kustomization/app"]);
    assert!(
        events.contains("ReconciliationSucceeded") && events.contains("NewArtifact"),
        "{events}"
    );
}
