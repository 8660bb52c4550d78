//! What the demo plays on: a cluster (its own or one it was given), a registry, a Git server, a
//! webhook receiver, and the host.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;
use weir_tests_support::parts::{Part, ensure};
use weir_tests_support::{
    AuditLog, AuditMark, Cluster, GitServer, Registry, Repo, Request, Webhook, Weir, WeirOptions,
    folders, kubectl, remove_folder, run_git, try_eventually,
};

use crate::report::Report;

/// How long anything may take before the demo gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The user that the host is on a cluster of the demo's own.
pub(crate) const USER: &str = "weir";

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Rig {
    // Ended in this order: the host before what it talks to.
    host: Option<Weir>,
    pub(crate) registry: Registry,
    pub(crate) git: GitServer,
    pub(crate) webhook: Webhook,
    pub(crate) repo: Repo,
    ground: Ground,
    /// A working copy of the quickstart repository.
    pub(crate) work: PathBuf,
    scratch: TempDir,
}

#[derive(Debug)]
enum Ground {
    Own(Box<Cluster>),
    Given {
        kubectl: PathBuf,
        kubeconfig: PathBuf,
    },
}

impl Rig {
    /// Starts all but the host.
    pub(crate) fn start(kubeconfig: Option<&Path>, report: &mut Report) -> Result<Self> {
        let scratch = tempfile::Builder::new().prefix("weir-demo-").tempdir()?;
        remove_folder(scratch.path());
        let ground = match kubeconfig {
            None => report.step(
                "start etcd, kube-apiserver, kube-controller-manager",
                || {
                    let cluster = Cluster::start()?;
                    println!("     {}", cluster.url());
                    Ok(Ground::Own(Box::new(cluster)))
                },
            )?,
            Some(kubeconfig) => report.step("look at the cluster that KUBECONFIG names", || {
                let ground = Ground::Given {
                    kubectl: ensure(&[Part::Kubectl])?.get(Part::Kubectl)?.to_path_buf(),
                    kubeconfig: kubeconfig.to_path_buf(),
                };
                ground.must_be_unused()?;
                let info = ground.kubectl(&["cluster-info"], "")?;
                println!("     {}", info.lines().next().unwrap_or_default());
                Ok(ground)
            })?,
        };
        let registry = report.step("start an OCI registry", || {
            let registry = Registry::start()?;
            println!("     {}", registry.host());
            Ok(registry)
        })?;
        let webhook = Webhook::start()?;
        let (git, repo, work) =
            report.step("start a Git server, push examples/quickstart", || {
                let git = GitServer::start()?;
                let repo = git.create_repo("quickstart")?;
                let work = scratch.path().join("quickstart");
                copy(&folders::workspace().join("examples/quickstart"), &work)?;
                point_at(&work, &repo, &webhook)?;
                for args in [
                    &["init", "-q", "--initial-branch=main", "."][..],
                    &["remote", "add", "origin", repo.url()],
                ] {
                    run_git(&work, args, b"")?;
                }
                commit_and_push(&work, "Quickstart")?;
                println!("     {}", repo.url());
                Ok((git, repo, work))
            })?;
        Ok(Self {
            host: None,
            registry,
            git,
            webhook,
            repo,
            ground,
            work,
            scratch,
        })
    }

    /// Runs kubectl with all rights.
    pub(crate) fn kubectl(&self, args: &[&str]) -> Result<String> {
        self.ground.kubectl(args, "")
    }

    /// Applies manifests with all rights.
    pub(crate) fn apply(&self, manifests: &str) -> Result<String> {
        self.ground
            .kubectl(&["apply", "--server-side", "-f", "-"], manifests)
    }

    /// The kubeconfig that has all rights.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        match &self.ground {
            Ground::Own(cluster) => cluster.kubeconfig(),
            Ground::Given { kubeconfig, .. } => kubeconfig.clone(),
        }
    }

    /// Whether the cluster is the demo's own, so that its requests can be counted.
    pub(crate) fn audit(&self) -> Option<AuditLog> {
        match &self.ground {
            Ground::Own(cluster) => Some(cluster.audit()),
            Ground::Given { .. } => None,
        }
    }

    /// Path of kubectl, to be shown.
    pub(crate) fn kubectl_path(&self) -> &Path {
        match &self.ground {
            Ground::Own(cluster) => cluster.kubectl_path(),
            Ground::Given { kubectl, .. } => kubectl,
        }
    }

    /// Starts the host.
    pub(crate) fn start_host(&mut self) -> Result<()> {
        let kubeconfig = match &self.ground {
            Ground::Own(cluster) => cluster.kubeconfig_of(USER),
            Ground::Given { kubeconfig, .. } => kubeconfig.clone(),
        };
        self.host = Some(Weir::start(&WeirOptions::new(kubeconfig))?);
        Ok(())
    }

    /// The running host.
    pub(crate) fn host(&self) -> Result<&Weir> {
        self.host.as_ref().context("the host does not run")
    }

    /// What the host logged last.
    pub(crate) fn host_log(&self, lines: usize) -> String {
        self.host
            .as_ref()
            .map(|host| host.log_tail(lines))
            .unwrap_or_default()
    }

    /// A folder of the demo's own for files.
    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// An object, if there is one of that name.
    pub(crate) fn object(&self, kind: &str, namespace: &str, name: &str) -> Result<Option<Value>> {
        let text = self.kubectl(&[
            "get",
            kind,
            name,
            "-n",
            namespace,
            "-o",
            "json",
            "--ignore-not-found",
        ])?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        Ok(Some(serde_json::from_str(&text)?))
    }

    /// Waits until an object is as it should be.
    pub(crate) fn wait(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let mut last = None;
        let found = try_eventually(
            &format!("{kind} {namespace}/{name} {what}"),
            PATIENCE,
            || {
                last = self.object(kind, namespace, name).ok().flatten();
                last.clone().filter(|object| wanted(object))
            },
        );
        found.with_context(|| match &last {
            Some(object) => format!("its conditions: {}", object["status"]["conditions"]),
            None => "it is not there".to_owned(),
        })
    }

    /// Waits until an object is ready for its current generation.
    pub(crate) fn wait_ready(&self, kind: &str, name: &str) -> Result<Value> {
        self.wait(kind, "flux-system", name, "is ready", is_ready)
    }

    /// Waits for a request of the host that was answered after a mark.
    pub(crate) fn wait_request(
        &self,
        mark: AuditMark,
        what: &str,
        wanted: impl Fn(&Request) -> bool,
    ) -> Result<Request> {
        let audit = self.audit().context("requests are not known here")?;
        try_eventually(what, PATIENCE, || {
            let requests = audit.of_user(USER, mark).ok()?;
            requests.into_iter().find(|request| wanted(request))
        })
    }

    /// Waits until the host has made no request for a while.
    pub(crate) fn wait_quiet(&self) -> Result<()> {
        let Some(audit) = self.audit() else {
            std::thread::sleep(Duration::from_secs(3));
            return Ok(());
        };
        let started = SystemTime::now();
        loop {
            let mark = audit.mark();
            std::thread::sleep(Duration::from_millis(800));
            if audit.of_user(USER, mark)?.is_empty() {
                return Ok(());
            }
            if started.elapsed().unwrap_or_default() > PATIENCE {
                bail!("the host makes requests without end");
            }
        }
    }

    /// On a cluster that was given, removes what the demo made there.
    pub(crate) fn clean_up(&mut self) -> Result<()> {
        if matches!(self.ground, Ground::Given { .. }) {
            println!("\nRemoving what the demo made on the cluster");
            // The host prunes what its objects applied, and takes their finalizers off.
            let kinds = "kustomizations.kustomize.toolkit.fluxcd.io,\
                         gitrepositories.source.toolkit.fluxcd.io,\
                         alerts.notification.toolkit.fluxcd.io,\
                         providers.notification.toolkit.fluxcd.io";
            self.kubectl(&[
                "delete",
                kinds,
                "--all",
                "-n",
                "flux-system",
                "--timeout=90s",
            ])?;
            self.kubectl(&["delete", "plugins.weir.dev", "--all", "--timeout=30s"])?;
            self.host = None;
            let namespaces = ["podinfo", "measured", "monorepo", "flux-system"];
            for name in namespaces {
                self.kubectl(&[
                    "delete",
                    "namespace",
                    name,
                    "--ignore-not-found",
                    "--wait=false",
                ])?;
            }
            let crds = Weir::command(&self.kubeconfig(), &["install", "--crds-only"])?;
            self.ground
                .kubectl(&["delete", "-f", "-", "--wait=false"], &crds)?;
        }
        self.host = None;
        Ok(())
    }
}

impl Ground {
    /// The demo removes CRDs and namespaces at its end: they must be its own.
    fn must_be_unused(&self) -> Result<()> {
        let found = self.kubectl(
            &[
                "get",
                "namespace",
                "flux-system",
                "podinfo",
                "-o",
                "name",
                "--ignore-not-found",
            ],
            "",
        )?;
        let crds = self.kubectl(&["get", "crd", "-o", "name"], "")?;
        let crds = crds
            .lines()
            .filter(|name| name.ends_with("toolkit.fluxcd.io"));
        let found: Vec<&str> = found.lines().chain(crds).collect();
        if !found.is_empty() {
            bail!(
                "that cluster is in use, and the demo would remove what it finds: {}",
                found.join(", ")
            );
        }
        Ok(())
    }

    fn kubectl(&self, args: &[&str], input: &str) -> Result<String> {
        match self {
            Self::Own(cluster) => cluster.kubectl_with(args, input),
            Self::Given {
                kubectl: program,
                kubeconfig,
            } => kubectl(program, kubeconfig, args, input),
        }
    }
}

/// Whether `Ready` is true of the generation that is there.
pub(crate) fn is_ready(object: &Value) -> bool {
    let current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
    let ready = object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    current && ready
}

/// Commits everything in a working copy and pushes it; returns when the push began.
pub(crate) fn commit_and_push(work: &Path, message: &str) -> Result<SystemTime> {
    run_git(work, &["add", "-A"], b"")?;
    run_git(work, &["commit", "-q", "-m", message], b"")?;
    let began = SystemTime::now();
    run_git(work, &["push", "-q", "-u", "origin", "main"], b"")?;
    Ok(began)
}

/// Replaces the two addresses of the quickstart by the demo's, and has it polled every second.
fn point_at(work: &Path, repo: &Repo, webhook: &Webhook) -> Result<()> {
    let source = work.join("clusters/demo/source.yaml");
    replace(
        &source,
        "https://git.example.com/quickstart.git",
        repo.url(),
    )?;
    replace(&source, "interval: 1m", "interval: 1s")?;
    replace(
        &work.join("clusters/demo/alerts.yaml"),
        "https://hooks.example.com",
        &webhook.url(),
    )
}

/// Replaces text that must be there.
pub(crate) fn replace(file: &Path, from: &str, to: &str) -> Result<()> {
    let text =
        fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
    if !text.contains(from) {
        bail!("{} does not hold `{from}`", file.display());
    }
    fs::write(file, text.replace(from, to))?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("failed to read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
