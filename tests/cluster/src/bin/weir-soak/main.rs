//! `cargo xtask soak`: a host under random commits, edits, deletions and faults for as long as one
//! likes. At the end the cluster must equal what the repositories say, object for object, and the
//! host must not have grown.

mod growth;
mod model;
mod trouble;

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use weir_tests_cluster::{Rig, config_map};
use weir_tests_support::{FaultProxy, Repo, try_eventually};

use growth::Growth;
use model::{Model, Place, Random};
use trouble::Trouble;

/// Folders of one repository, each with a Kustomization.
const FOLDERS: usize = 30;
/// ConfigMaps in a folder, at most.
const FILES: usize = 4;
/// Between two things that happen.
const PACE: Duration = Duration::from_millis(250);
/// How long everything may take to be as it should once all is well.
const CALM: Duration = Duration::from_mins(5);

struct Options {
    minutes: u64,
    kustomizations: usize,
    seed: u64,
}

fn main() -> ExitCode {
    match options().and_then(|options| soak(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options> {
    let mut options = Options {
        minutes: 60,
        kustomizations: 300,
        seed: std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)?
            .as_secs(),
    };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args
            .next()
            .and_then(|value| value.parse::<u64>().ok())
            .with_context(
                || "usage: cargo xtask soak [--minutes N] [--kustomizations N] [--seed N]",
            )?;
        match flag.as_str() {
            "--minutes" => options.minutes = value,
            "--kustomizations" => options.kustomizations = value as usize,
            "--seed" => options.seed = value,
            other => anyhow::bail!("unknown flag {other}"),
        }
    }
    Ok(options)
}

/// Everything that runs.
struct Scene {
    rig: Rig,
    repos: Vec<Repo>,
    model: Model,
    random: Random,
}

fn soak(options: &Options) -> Result<()> {
    println!("seed {}", options.seed);
    let (rig, api) = Rig::start_behind_proxy()?;
    let address = rig.git.url();
    let address = address.strip_prefix("http://").context("no plain URL")?;
    let git = FaultProxy::before(address.parse()?)?;
    let mut scene = Scene {
        repos: Vec::new(),
        model: Model::default(),
        random: Random(options.seed),
        rig,
    };
    scene.install(options.kustomizations, &git)?;
    let started = Instant::now();
    scene.settle("installed")?;
    println!(
        "{} Kustomizations, {} objects, after {:.0} s",
        options.kustomizations,
        scene.model.objects(),
        started.elapsed().as_secs_f64()
    );

    let length = Duration::from_mins(options.minutes);
    let started = Instant::now();
    let mut growth = Growth::default();
    let mut trouble = Trouble::new(api, git);
    let mut told = Duration::ZERO;
    let mut counts = [0_usize; 4];
    while started.elapsed() < length {
        let next = Instant::now() + PACE;
        counts[scene.something(&mut trouble)?] += 1;
        trouble.pass();
        growth.sample(scene.rig.weir.id(), started.elapsed())?;
        if started.elapsed() > told {
            told += Duration::from_mins(1);
            println!(
                "{:>4} min: {} commits, {} edits, {} deletions, {} faults; {}",
                started.elapsed().as_secs() / 60,
                counts[0],
                counts[1],
                counts[2],
                counts[3],
                growth.last()
            );
        }
        ensure!(
            scene.rig.weir.process().poll()?.is_none(),
            "the host has ended:\n{}",
            scene.rig.weir.log_tail(40)
        );
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    trouble.end();
    scene.settle("the end")?;
    growth.sample(scene.rig.weir.id(), length)?;
    println!(
        "the cluster equals the repositories, {} objects; {}",
        scene.model.objects(),
        growth.last()
    );
    growth.check(length)
}

impl Scene {
    fn namespace(repo: usize) -> String {
        format!("soak-{repo}")
    }

    /// Repositories of [`FOLDERS`] folders, a source each by way of the proxy, a Kustomization
    /// for each folder.
    fn install(&mut self, count: usize, git: &FaultProxy) -> Result<()> {
        let direct = self.rig.git.url();
        for repo in 0..count.div_ceil(FOLDERS) {
            let namespace = Self::namespace(repo);
            self.rig
                .cluster
                .kubectl(&["create", "namespace", &namespace])?;
            let made = self.rig.git.create_repo(&namespace)?;
            let folders = FOLDERS.min(count - repo * FOLDERS);
            let mut files = Vec::new();
            for folder in 0..folders {
                for file in 0..2 {
                    let place = Place { repo, folder, file };
                    let value = self.random.below(1_000_000).to_string();
                    files.push((place.path(), config_map(&place.name(), &value)));
                    self.model.set(place, value);
                }
            }
            commit(&made, &files, &[])?;
            let url = made
                .url()
                .replace(&direct, &format!("http://{}", git.address()));
            let mut manifests = format!(
                "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  \
                 name: app\nspec:\n  interval: 2s\n  timeout: 10s\n  url: {url}\n  \
                 ref: {{branch: main}}\n"
            );
            for folder in 0..folders {
                let _ = write!(
                    manifests,
                    "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n\
                     metadata:\n  name: app-{folder}\nspec:\n  interval: 1m\n  \
                     retryInterval: 2s\n  timeout: 30s\n  prune: true\n  path: ./{folder}\n  \
                     targetNamespace: {namespace}\n  \
                     sourceRef: {{kind: GitRepository, name: app}}\n"
                );
            }
            let arguments = ["apply", "--server-side", "-n", &namespace, "-f", "-"];
            self.rig.cluster.kubectl_with(&arguments, &manifests)?;
            self.repos.push(made);
        }
        Ok(())
    }

    /// One thing that happens; returns which kind.
    fn something(&mut self, trouble: &mut Trouble) -> Result<usize> {
        match self.random.below(100) {
            0..=59 => self.commit().map(|()| 0),
            60..=79 => {
                self.edit();
                Ok(1)
            }
            80..=94 => self.delete().map(|()| 2),
            _ => {
                trouble.begin(&mut self.random);
                Ok(3)
            }
        }
    }

    /// Changes, adds and removes some files of one repository.
    fn commit(&mut self) -> Result<()> {
        let repo = self.random.below(self.repos.len());
        let folders = self.model.folders(repo);
        let (mut files, mut gone) = (Vec::new(), Vec::new());
        for _ in 0..=self.random.below(5) {
            let folder = self.random.below(folders);
            // The first file stays: an empty folder is no Kustomization.
            let file = self.random.below(FILES);
            let place = Place { repo, folder, file };
            if files.iter().any(|(path, _)| *path == place.path()) || gone.contains(&place.path()) {
                continue;
            }
            if file > 0 && self.model.get(place).is_some() && self.random.below(3) == 0 {
                self.model.remove(place);
                gone.push(place.path());
            } else {
                let value = self.random.below(1_000_000).to_string();
                files.push((place.path(), config_map(&place.name(), &value)));
                self.model.set(place, value);
            }
        }
        let repo = self.repos.get(repo).context("no such repository")?;
        commit(repo, &files, &gone)
    }

    /// Edits an object by hand; it may be gone, or not there yet.
    fn edit(&mut self) {
        let (namespace, name) = self.any();
        let patch = r#"{"data":{"key":"by hand","other":"by hand"}}"#;
        let arguments = ["patch", "configmap", &name, "-n", &namespace, "-p", patch];
        let _ = self.rig.cluster.kubectl(&arguments);
    }

    /// Deletes an object by hand.
    fn delete(&mut self) -> Result<()> {
        let (namespace, name) = self.any();
        let arguments = [
            "delete",
            "configmap",
            &name,
            "-n",
            &namespace,
            "--ignore-not-found",
        ];
        self.rig.cluster.kubectl(&arguments).map(drop)
    }

    fn any(&mut self) -> (String, String) {
        let repo = self.random.below(self.repos.len());
        let folder = self.random.below(self.model.folders(repo));
        let file = self.random.below(FILES);
        let place = Place { repo, folder, file };
        (Self::namespace(repo), place.name())
    }

    /// Waits until the cluster holds what the repositories say, and nothing else of theirs.
    fn settle(&self, when: &str) -> Result<()> {
        for repo in 0..self.repos.len() {
            let wanted = self.model.of(repo);
            let namespace = Self::namespace(repo);
            let found = || -> Option<Vec<(String, String)>> {
                let text = "jsonpath={range .items[*]}{.metadata.name}={.data}{\"\\n\"}{end}";
                let label = "kustomize.toolkit.fluxcd.io/name";
                let arguments = [
                    "get",
                    "configmaps",
                    "-n",
                    &namespace,
                    "-l",
                    label,
                    "-o",
                    text,
                ];
                let text = self.rig.cluster.kubectl(&arguments).ok()?;
                let pairs = text.lines().filter_map(|line| line.split_once('='));
                Some(pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect())
            };
            try_eventually(&format!("{when}: {namespace} as committed"), CALM, || {
                (found()? == wanted).then_some(())
            })
            .with_context(|| {
                let found = found().unwrap_or_default();
                let differs = |list: &[(String, String)], other: &[(String, String)]| {
                    let differing = list.iter().filter(|pair| !other.contains(pair));
                    format!("{:?}", differing.collect::<Vec<_>>())
                };
                format!(
                    "missing or other: {}; too much or other: {}\n{}",
                    differs(&wanted, &found),
                    differs(&found, &wanted),
                    self.rig.weir.log_tail(30)
                )
            })?;
        }
        Ok(())
    }
}

fn commit(repo: &Repo, files: &[(String, String)], gone: &[String]) -> Result<()> {
    let changed = files
        .iter()
        .map(|(path, text)| (path.as_str(), Some(text.as_str())));
    let removed = gone.iter().map(|path| (path.as_str(), None));
    let all: Vec<(&str, Option<&str>)> = changed.chain(removed).collect();
    if all.is_empty() {
        return Ok(());
    }
    repo.commit(&all, "soak").map(drop)
}
