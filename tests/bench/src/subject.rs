//! Who is measured: weir, or Flux's controllers as one.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use weir_tests_support::{
    Cluster, Process, ProcessOptions, Usage, Weir, WeirOptions, folders, net,
};

/// The user that the subject is on the cluster, by which its requests are told apart.
pub(crate) const USER: &str = "weir";

/// What can be measured.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Weir,
    /// The folder that holds the controllers' binaries.
    Flux(PathBuf),
}

impl Kind {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Weir => "weir",
            Self::Flux(_) => "Flux",
        }
    }
}

/// What is running.
#[derive(Debug)]
pub(crate) enum Subject {
    Weir(Weir),
    Flux {
        source: Process,
        kustomize: Process,
        _folder: TempDir,
    },
}

impl Subject {
    /// Starts a subject for `count` objects.
    pub(crate) fn start(kind: &Kind, cluster: &Cluster, count: usize) -> Result<Self> {
        let kubeconfig = cluster.kubeconfig_of(USER);
        match kind {
            Kind::Weir => Weir::start(&WeirOptions::new(kubeconfig)).map(Self::Weir),
            Kind::Flux(folder) => flux(folder, &kubeconfig, count),
        }
    }

    /// What its processes used so far: memory peaks are added up.
    pub(crate) fn usage(&self) -> Result<Usage> {
        let processes = match self {
            Self::Weir(weir) => vec![weir.usage()?],
            Self::Flux {
                source, kustomize, ..
            } => vec![Usage::of(source.id())?, Usage::of(kustomize.id())?],
        };
        let mut sum = Usage::default();
        for usage in processes {
            sum.cpu += usage.cpu;
            sum.peak_memory += usage.peak_memory;
        }
        Ok(sum)
    }

    /// What it logged last.
    pub(crate) fn log_tail(&self) -> String {
        match self {
            Self::Weir(weir) => weir.log_tail(15),
            Self::Flux { kustomize, .. } => kustomize.log_tail(15),
        }
    }
}

/// Definitions of the kinds that Flux's controllers insist on watching, beside those that weir has:
/// without a schema, for nothing of these kinds is made.
pub(crate) fn add_definitions(cluster: &Cluster) -> Result<()> {
    const KINDS: [(&str, &str); 5] = [
        ("Bucket", "buckets"),
        ("ExternalArtifact", "externalartifacts"),
        ("HelmChart", "helmcharts"),
        ("HelmRepository", "helmrepositories"),
        ("OCIRepository", "ocirepositories"),
    ];
    let there = cluster.kubectl(&["get", "crd", "-o", "name"])?;
    for (kind, plural) in KINDS {
        let name = format!("{plural}.source.toolkit.fluxcd.io");
        if there.contains(&name) {
            continue;
        }
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": name},
            "spec": {
                "group": "source.toolkit.fluxcd.io",
                "scope": "Namespaced",
                "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase()},
                "versions": [{
                    "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {
                        "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                    }},
                }],
            },
        });
        cluster.apply(&definition.to_string())?;
    }
    cluster.kubectl(&[
        "wait",
        "--for=condition=Established",
        "crd",
        "--all",
        "--timeout=60s",
    ])?;
    Ok(())
}

/// Flux's controllers as its own benchmark runs them: one of each, concurrency raised, and from
/// 1,000 objects on without the client's limit of requests.
fn flux(binaries: &Path, kubeconfig: &Path, count: usize) -> Result<Subject> {
    let folder = tempfile::Builder::new().prefix("weir-bench-").tempdir()?;
    let mut limit: Vec<OsString> = Vec::new();
    if count >= 1000 {
        limit.push("--kube-api-qps=5000".into());
        limit.push("--kube-api-burst=5000".into());
    }
    let artifacts = SocketAddr::from((Ipv4Addr::LOCALHOST, net::free_port()?));
    let source_args = [
        format!("--storage-path={}", folder.path().display()),
        format!("--storage-addr={artifacts}"),
        format!("--storage-adv-addr={artifacts}"),
        "--concurrent=10".to_owned(),
    ];
    let kustomize_args = [
        "--concurrent=20".to_owned(),
        "--requeue-dependency=5s".to_owned(),
    ];
    let start = |name: &str, args: &[String]| -> Result<Process> {
        let program = binaries.join(name);
        ensure!(
            folders::is_executable(&program),
            "{} is no program",
            program.display()
        );
        let health = SocketAddr::from((Ipv4Addr::LOCALHOST, net::free_port()?));
        let mut options =
            ProcessOptions::new(name, program, folder.path().join(format!("{name}.log")))
                .env("KUBECONFIG", kubeconfig)
                .env("RUNTIME_NAMESPACE", "flux-system")
                // Their scratch space: archives are unpacked below it.
                .env("TMPDIR", folder.path())
                .arg("--enable-leader-election=false")
                .arg("--log-level=error")
                .arg("--events-addr=")
                .arg(format!("--health-addr={health}"))
                .arg(format!("--metrics-addr=127.0.0.1:{}", net::free_port()?));
        options.args.extend(args.iter().map(OsString::from));
        options.args.extend(limit.iter().cloned());
        options.grace = Duration::from_secs(2);
        Process::start(&options, || {
            net::get(health, "/readyz").is_ok_and(|answer| answer.status == 200)
        })
        .with_context(|| format!("{name} does not run"))
    };
    Ok(Subject::Flux {
        source: start("source-controller", &source_args)?,
        kustomize: start("kustomize-controller", &kustomize_args)?,
        _folder: folder,
    })
}
