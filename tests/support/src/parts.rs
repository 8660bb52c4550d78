//! The real programs that tests run against, found or built.
//!
//! A part of the right version on `PATH` or in `KUBEBUILDER_ASSETS` is used as it is. Otherwise it
//! is built by its recipe (mostly from Go modules pinned in `tests/parts`) into the user's cache
//! folder, one folder per part and version, so that a second checkout builds nothing again.
//! A build goes to a temporary folder and is renamed when it is complete, below a file lock: a
//! half-built part is never seen, and two processes do not build the same one twice.

mod build;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};

use crate::folders;
use crate::progress::seconds;

/// A program that tests, the demo or the benches run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The store of the API server.
    Etcd,
    /// The API server.
    KubeApiserver,
    /// Built-in controllers: garbage collection, namespaces, Deployments.
    KubeControllerManager,
    /// The command line of Kubernetes.
    Kubectl,
    /// The CNCF distribution registry.
    Registry,
    /// The command line of Flux.
    Flux,
    /// The command line of Kustomize, the reference for our renderer.
    Kustomize,
    /// The command line of Helm, the reference for our renderer.
    Helm,
    /// The command line of the Wasm package tools, which pushes components to registries.
    Wkg,
    /// The ORAS command line.
    Oras,
}

/// How a part is made where it is not installed.
enum Recipe {
    /// `go build` of a package in a module folder of `tests/parts`.
    Go {
        module: &'static str,
        package: &'static str,
        ldflags: &'static str,
    },
    /// The Flux CLI, whose main embeds files that its module lacks.
    Flux,
    /// `cargo install` of a published crate.
    Crate { name: &'static str },
    /// The program of that name in a package of a newer Debian, unpacked and not installed.
    Debian {
        package: &'static str,
        suite: &'static str,
    },
}

struct Spec {
    name: &'static str,
    version: &'static str,
    /// What it is asked for its version with, and what the answer holds when it will do.
    ask: &'static [&'static str],
    accept: &'static str,
    recipe: Recipe,
    /// A cold build on two cores.
    takes: &'static str,
}

const KUBERNETES_LDFLAGS: &str = "-X k8s.io/component-base/version.gitVersion=v1.35.4 \
     -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=35";

/// The Kubernetes version is what `helm template` assumes without a cluster: the release's own
/// build sets it to that of its client library.
const HELM_LDFLAGS: &str = "-X helm.sh/helm/v3/internal/version.version=v3.17.3 \
     -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 \
     -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=32";

impl Part {
    /// What the demo and every cluster test need.
    pub const CLUSTER: [Self; 5] = [
        Self::Etcd,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::Kubectl,
        Self::Registry,
    ];

    /// What the tests need on top of [`Part::CLUSTER`].
    pub const TESTS: [Self; 8] = [
        Self::Etcd,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::Kubectl,
        Self::Registry,
        Self::Flux,
        Self::Kustomize,
        Self::Helm,
    ];

    /// Other people's tools for OCI artifacts. Their tests say so and are skipped where they
    /// cannot be had.
    pub const OPTIONAL: [Self; 2] = [Self::Wkg, Self::Oras];

    fn spec(self) -> Spec {
        let kubernetes = |name, package, ask, accept, takes| Spec {
            name,
            version: "1.35.4",
            ask,
            accept,
            recipe: Recipe::Go {
                module: "kubernetes",
                package,
                ldflags: KUBERNETES_LDFLAGS,
            },
            takes,
        };
        match self {
            Self::Etcd => Spec {
                name: "etcd",
                version: "3.6.16",
                ask: &["--version"],
                accept: "etcd Version: 3.6.",
                recipe: Recipe::Go {
                    module: "etcd",
                    package: ".",
                    ldflags: "",
                },
                takes: "1 min",
            },
            Self::KubeApiserver => kubernetes(
                "kube-apiserver",
                "k8s.io/kubernetes/cmd/kube-apiserver",
                &["--version"],
                "v1.35.",
                "6 min",
            ),
            Self::KubeControllerManager => kubernetes(
                "kube-controller-manager",
                "k8s.io/kubernetes/cmd/kube-controller-manager",
                &["--version"],
                "v1.35.",
                "1 min",
            ),
            Self::Kubectl => kubernetes(
                "kubectl",
                "k8s.io/kubernetes/cmd/kubectl",
                &["version", "--client"],
                "Client Version: v1.35.",
                "1 min",
            ),
            Self::Registry => Spec {
                name: "registry",
                version: "3.1.2",
                ask: &["--version"],
                accept: "distribution/v3 ",
                recipe: Recipe::Go {
                    module: "registry",
                    package: "github.com/distribution/distribution/v3/cmd/registry",
                    ldflags: "-X github.com/distribution/distribution/v3/version.version=v3.1.2",
                },
                takes: "2 min",
            },
            Self::Flux => Spec {
                name: "flux",
                version: "2.9.5",
                ask: &["--version"],
                accept: "2.9.5",
                recipe: Recipe::Flux,
                takes: "2 min",
            },
            Self::Kustomize => Spec {
                name: "kustomize",
                version: "5.8.1",
                ask: &["version"],
                accept: "v5.8.1",
                recipe: Recipe::Go {
                    module: "kustomize",
                    package: "sigs.k8s.io/kustomize/kustomize/v5",
                    ldflags: "-X sigs.k8s.io/kustomize/api/provenance.version=v5.8.1",
                },
                takes: "20 s",
            },
            Self::Helm => Spec {
                name: "helm",
                version: "3.17.3",
                ask: &["version", "--short"],
                accept: "v3.17.3",
                recipe: Recipe::Go {
                    module: "helm",
                    package: "helm.sh/helm/v3/cmd/helm",
                    ldflags: HELM_LDFLAGS,
                },
                takes: "1 min",
            },
            Self::Wkg => Spec {
                name: "wkg",
                version: "0.16.1",
                ask: &["--version"],
                accept: "wkg 0.16.",
                recipe: Recipe::Crate { name: "wkg" },
                takes: "4 min",
            },
            Self::Oras => Spec {
                name: "oras",
                version: "1.2.0",
                ask: &["version"],
                accept: "Version:",
                recipe: Recipe::Debian {
                    package: "oras",
                    suite: "trixie",
                },
                takes: "10 s",
            },
        }
    }

    /// The program's name.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The program, if it is installed or was built before. Builds nothing.
    pub fn find(self) -> Option<PathBuf> {
        let spec = self.spec();
        let cached = spec.cached();
        if folders::is_executable(&cached) {
            return Some(cached);
        }
        let assets = std::env::var_os("KUBEBUILDER_ASSETS")
            .map(|folder| PathBuf::from(folder).join(spec.name))
            .filter(|file| folders::is_executable(file));
        assets
            .into_iter()
            .chain(folders::on_path(spec.name))
            .find(|file| spec.accepts(file))
    }
}

impl Spec {
    fn folder(&self) -> PathBuf {
        folders::cache()
            .join("parts")
            .join(format!("{}-{}", self.name, self.version))
    }

    fn cached(&self) -> PathBuf {
        self.folder().join(self.name)
    }

    fn accepts(&self, file: &Path) -> bool {
        Command::new(file)
            .args(self.ask)
            .stdin(Stdio::null())
            .output()
            .is_ok_and(|answer| String::from_utf8_lossy(&answer.stdout).contains(self.accept))
    }
}

/// Where the parts are that were asked for.
#[derive(Clone, Debug, Default)]
pub struct Paths(BTreeMap<Part, PathBuf>);

impl Paths {
    /// The program of a part that was among those asked for.
    pub fn get(&self, part: Part) -> Result<&Path> {
        self.0
            .get(&part)
            .map(PathBuf::as_path)
            .ok_or_else(|| anyhow!("{} was not asked for", part.name()))
    }
}

/// Finds each part, and builds what is missing, saying so on standard error.
pub fn ensure(parts: &[Part]) -> Result<Paths> {
    let mut paths = Paths::default();
    let mut missing = Vec::new();
    for part in parts {
        match part.find() {
            Some(path) => {
                paths.0.insert(*part, path);
            }
            None => missing.push(*part),
        }
    }
    for (index, part) in missing.iter().enumerate() {
        let label = format!("  part {} of {}", index + 1, missing.len());
        let path =
            make(*part, &label).with_context(|| format!("{} could not be made", part.name()))?;
        paths.0.insert(*part, path);
    }
    Ok(paths)
}

fn make(part: Part, label: &str) -> Result<PathBuf> {
    let spec = part.spec();
    let parts = folders::cache().join("parts");
    fs::create_dir_all(&parts).with_context(|| format!("failed to create {}", parts.display()))?;
    let label = format!("{label}, {} {}", spec.name, spec.version);

    let lock_file = parts.join(format!(".{}-{}.lock", spec.name, spec.version));
    let lock = fs::File::create(&lock_file)
        .with_context(|| format!("failed to create {}", lock_file.display()))?;
    if lock.try_lock().is_err() {
        eprintln!("{label}: another process builds it, waiting");
        lock.lock().context("failed to lock")?;
    }
    let cached = spec.cached();
    if folders::is_executable(&cached) {
        return Ok(cached);
    }

    eprintln!("{label}: building, about {} on two cores", spec.takes);
    let started = Instant::now();
    let scratch = tempfile::Builder::new()
        .prefix(&format!(".{}-", spec.name))
        .tempdir_in(&parts)
        .context("failed to create a folder to build in")?;
    let complete = scratch.path().join("complete");
    fs::create_dir(&complete)?;
    build::run(&spec, scratch.path(), &complete.join(spec.name), &label)?;
    let _ = fs::remove_dir_all(spec.folder());
    fs::rename(&complete, spec.folder()).context("failed to move the built part into place")?;
    eprintln!("{label}: built in {}", seconds(started.elapsed()));
    Ok(cached)
}
