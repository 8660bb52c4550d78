//! What is shown, act by act.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::Value;
use weir_tests_support::{Weir, folders, try_eventually};

use crate::report::{Report, block};
use crate::rig::{PATIENCE, Rig, USER, commit_and_push, is_ready, replace};

/// The plugins that the demo's host takes from the registry. What each may do is what the
/// built-in of its name may.
const PLUGINS: [(&str, &str); 4] = [
    ("git", "{hosts: ['*'], privateNetworks: true, slots: ['*']}"),
    ("kustomize", "{}"),
    (
        "slack",
        "{hosts: ['*'], privateNetworks: true, slots: ['*']}",
    ),
    (
        "webhook",
        "{hosts: ['*'], privateNetworks: true, slots: ['*'], secrets: [default]}",
    ),
];

/// CRDs, components in the registry, the host, its plugins.
pub(crate) fn install(rig: &mut Rig, report: &mut Report) -> Result<()> {
    report.step("install the CRDs (weir install --crds-only)", || {
        let crds = Weir::command(&rig.kubeconfig(), &["install", "--crds-only"])?;
        block(&rig.apply(&crds)?);
        rig.kubectl(&[
            "wait",
            "--for=condition=Established",
            "crd",
            "--all",
            "--timeout=60s",
        ])?;
        rig.apply("{apiVersion: v1, kind: Namespace, metadata: {name: flux-system}}")?;
        if rig.audit().is_some() {
            rig.kubectl(&[
                "create",
                "clusterrolebinding",
                "weir",
                "--clusterrole=cluster-admin",
                &format!("--user={USER}"),
            ])?;
        }
        Ok(())
    })?;
    report.step(
        "push the components to the registry (weir plugin push)",
        || {
            for (name, _) in PLUGINS {
                let answer = push(rig, &component(name)?, name, "0.1")?;
                block(&answer);
            }
            Ok(())
        },
    )?;
    report.step("start the host (weir run)", || rig.start_host())?;
    report.step(
        "name the components in Plugin objects, wait until they serve",
        || {
            let mut manifests = String::new();
            for (name, grants) in PLUGINS {
                let image = rig.registry.oci(&format!("weir/{name}:0.1"));
                writeln!(
                    manifests,
                    "apiVersion: weir.dev/v1alpha1\nkind: Plugin\nmetadata: {{name: {name}}}\n\
                 spec: {{image: '{image}', interval: 1s, insecure: true, grants: {grants}}}\n---"
                )?;
            }
            rig.apply(&manifests)?;
            for (name, _) in PLUGINS {
                rig.wait("plugins.weir.dev", "", name, "serves", is_ready)?;
            }
            block(&rig.kubectl(&["get", "plugins.weir.dev"])?);
            Ok(())
        },
    )
}

/// The component of a plugin, as `cargo xtask components` staged it.
pub(crate) fn component(name: &str) -> Result<PathBuf> {
    let folder = std::env::var_os("WEIR_COMPONENTS")
        .map_or_else(|| folders::target().join("components"), PathBuf::from);
    let file = folder.join(format!("{name}.wasm"));
    file.exists().then_some(file).with_context(|| {
        format!(
            "no {name}.wasm in {}: run `cargo xtask components`",
            folder.display()
        )
    })
}

fn push(rig: &Rig, file: &Path, name: &str, tag: &str) -> Result<String> {
    let file = file.display().to_string();
    let image = rig.registry.oci(&format!("weir/{name}:{tag}"));
    Weir::command(
        &rig.kubeconfig(),
        &["plugin", "push", &file, &image, "--insecure"],
    )
}

/// One file is applied by hand; the rest of the repository follows.
pub(crate) fn first_commit(rig: &Rig, report: &mut Report) -> Result<()> {
    report.step(
        "apply clusters/demo/source.yaml, wait for all of the repository",
        || {
            let source = fs::read_to_string(rig.work.join("clusters/demo/source.yaml"))?;
            block(&rig.apply(&source)?);
            for name in ["quickstart", "infrastructure", "apps"] {
                rig.wait_ready("kustomizations", name)?;
            }
            println!();
            block(&rig.kubectl(&["get", "gitrepositories,kustomizations", "-n", "flux-system"])?);
            println!();
            block(&rig.kubectl(&[
                "get",
                "deployment,service,configmap,serviceaccount,networkpolicy",
                "-n",
                "podinfo",
                "-l",
                "kustomize.toolkit.fluxcd.io/name=apps",
            ])?);
            Ok(())
        },
    )
}

/// An image tag changes, an object goes.
pub(crate) fn second_commit(rig: &Rig, report: &mut Report) -> Result<()> {
    report.step(
        "push a commit: image 6.9.0 becomes 6.9.1, the NetworkPolicy goes",
        || {
            let mark = rig.audit().map(|audit| audit.mark());
            let overlay = rig.work.join("apps/demo/kustomization.yaml");
            replace(&overlay, "newTag: 6.9.0", "newTag: 6.9.1")?;
            let base = rig.work.join("apps/base/podinfo");
            replace(&base.join("kustomization.yaml"), "  - policy.yaml\n", "")?;
            fs::remove_file(base.join("policy.yaml"))?;
            let pushed = commit_and_push(&rig.work, "podinfo 6.9.1, without its NetworkPolicy")?;
            let has_image =
                |object: &Value| image(object) == Some("ghcr.io/stefanprodan/podinfo:6.9.1");
            rig.wait(
                "deployment",
                "podinfo",
                "podinfo",
                "has the new image",
                has_image,
            )?;
            if let Some(mark) = mark {
                let request = rig.wait_request(mark, "the Deployment is patched", |request| {
                    request.verb == "patch" && request.resource == "deployments" && !request.dry_run
                })?;
                println!(
                    "     updated {} ms after the push",
                    millis(pushed, request.answered)
                );
            }
            try_eventually("the NetworkPolicy is pruned", PATIENCE, || {
                let policy = rig.object("networkpolicy", "podinfo", "podinfo").ok()?;
                policy.is_none().then_some(())
            })?;
            if let Some(mark) = mark {
                let request =
                    rig.wait_request(mark, "the NetworkPolicy is deleted", |request| {
                        request.verb == "delete" && request.resource == "networkpolicies"
                    })?;
                println!(
                    "     pruned  {} ms after the push",
                    millis(pushed, request.answered)
                );
            }
            block(&rig.kubectl(&["get", "kustomizations", "apps", "-n", "flux-system"])?);
            Ok(())
        },
    )
}

/// Somebody edits an applied object.
pub(crate) fn edit_by_hand(rig: &Rig, report: &mut Report) -> Result<()> {
    report.step(
        "edit the Deployment's image by hand, see it repaired",
        || {
            let repaired = drift(
                rig,
                "ghcr.io/stefanprodan/podinfo:6.9.1",
                "example.com/intruder:1",
            )?;
            if let Some(repaired) = repaired {
                println!("     repaired {repaired} ms after the edit");
            }
            block(&rig.kubectl(&[
                "get",
                "events",
                "-n",
                "flux-system",
                "--field-selector=involvedObject.name=apps",
            ])?);
            Ok(())
        },
    )
}

/// Sets the Deployment's image and waits until it is `desired` again. The milliseconds between the
/// API server's answers to the edit and to the repair, where they are known.
pub(crate) fn drift(rig: &Rig, desired: &str, other: &str) -> Result<Option<u128>> {
    let mark = rig.audit().map(|audit| audit.mark());
    rig.kubectl(&[
        "set",
        "image",
        "deployment/podinfo",
        &format!("podinfo={other}"),
        "-n",
        "podinfo",
    ])?;
    if let (Some(mark), Some(audit)) = (mark, rig.audit()) {
        let repair = rig.wait_request(mark, "the Deployment is repaired", |request| {
            request.verb == "patch" && request.resource == "deployments" && !request.dry_run
        })?;
        let requests = audit.since(mark)?;
        let edit = requests
            .iter()
            .find(|request| {
                request.user != USER && request.verb == "patch" && request.resource == "deployments"
            })
            .context("the edit is not in the audit log")?;
        let after = millis(edit.answered, repair.answered);
        rig.wait(
            "deployment",
            "podinfo",
            "podinfo",
            "is repaired",
            |object| image(object) == Some(desired),
        )?;
        return Ok(Some(after));
    }
    rig.wait(
        "deployment",
        "podinfo",
        "podinfo",
        "is repaired",
        |object| image(object) == Some(desired),
    )?;
    Ok(None)
}

/// A new digest under the same tag takes over.
pub(crate) fn new_component(rig: &Rig, report: &mut Report) -> Result<()> {
    report.step(
        "push a new version of the kustomize component, see the host swap",
        || {
            let before = rig
                .object("plugins.weir.dev", "", "kustomize")?
                .context("the Plugin is gone")?;
            let before = before["status"]["digest"].clone();
            // The same code under another digest: a component may end in sections that mean nothing.
            let mut bytes = fs::read(component("kustomize")?)?;
            bytes.extend(custom_section("weir-demo", b"a new build"));
            let file = rig.scratch().join("kustomize.wasm");
            fs::write(&file, bytes)?;
            block(&push(rig, &file, "kustomize", "0.1")?);
            let pushed = SystemTime::now();
            let after = rig.wait(
                "plugins.weir.dev",
                "",
                "kustomize",
                "serves the new digest",
                |object| object["status"]["digest"] != before && is_ready(object),
            )?;
            println!("     was {before}\n     is  {}", after["status"]["digest"]);
            println!(
                "     {} ms after the push",
                millis(pushed, SystemTime::now())
            );

            let overlay = rig.work.join("apps/demo/kustomization.yaml");
            replace(&overlay, "newTag: 6.9.1", "newTag: 6.9.2")?;
            commit_and_push(&rig.work, "podinfo 6.9.2")?;
            rig.wait(
                "deployment",
                "podinfo",
                "podinfo",
                "has the image that the new one rendered",
                |object| image(object) == Some("ghcr.io/stefanprodan/podinfo:6.9.2"),
            )?;
            println!("     and renders");
            Ok(())
        },
    )
}

/// What the webhook receiver got for the second commit.
pub(crate) fn alert(rig: &Rig, report: &mut Report) -> Result<()> {
    report.step("look at what the webhook receiver got", || {
        let alert = rig.webhook.wait_for(Duration::from_secs(30), |request| {
            serde_json::from_slice::<Value>(&request.body).is_ok_and(|event| {
                event["involvedObject"]["name"] == "apps"
                    && event["message"]
                        .as_str()
                        .is_some_and(|text| text.contains("deleted"))
            })
        });
        let alert = match alert {
            Ok(alert) => alert,
            // Whatever it was told of the Kustomization will do to show that alerts arrive.
            Err(_) => rig.webhook.wait_for(Duration::from_secs(1), |request| {
                String::from_utf8_lossy(&request.body).contains("\"apps\"")
            })?,
        };
        let event: Value = serde_json::from_slice(&alert.body)?;
        println!("     POST {}", alert.path);
        block(&serde_json::to_string_pretty(&event)?);
        println!("     one of {}", rig.webhook.received().len());
        Ok(())
    })
}

fn image(deployment: &Value) -> Option<&str> {
    deployment["spec"]["template"]["spec"]["containers"][0]["image"].as_str()
}

/// Whole milliseconds between two points in time; 0 if they are the other way round.
pub(crate) fn millis(from: SystemTime, to: SystemTime) -> u128 {
    to.duration_since(from).unwrap_or_default().as_millis()
}

/// A section that engines skip, appended to a component.
fn custom_section(name: &str, content: &[u8]) -> Vec<u8> {
    // Both lengths are below 128 and thus one byte in LEB128.
    let mut body = vec![name.len() as u8];
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(content);
    let mut section = vec![0, body.len() as u8];
    section.extend(body);
    section
}
