//! The monorepo load in its phases.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use kube::Client;
use serde_json::{Value, json};
use weir_tests_support::{
    AuditLog, AuditMark, Cluster, GitServer, Repo, Request, Tally, Usage, Weir, monorepo,
};

use crate::load::{self, Board};
use crate::subject::{self, Kind, Subject, USER};
use crate::table::{self, Phase, Run};

/// How the load is to be.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) count: usize,
    /// Of one phase.
    pub(crate) timeout: Duration,
}

/// Measures each subject on a cluster of its own, and prints them side by side.
pub(crate) fn compare(kinds: &[Kind], options: &Options) -> Result<()> {
    let mut runs = Vec::new();
    for (index, kind) in kinds.iter().enumerate() {
        eprintln!("[{}/{}] {}", index + 1, kinds.len(), kind.name());
        // One that cannot be run must not take the figures of the other with it.
        runs.push(measure(kind, options).unwrap_or_else(|error| Run {
            subject: kind.name(),
            phases: Vec::new(),
            stopped: Some(format!("{error:#}")),
        }));
    }
    table::print(options.count, &runs);
    for run in &runs {
        ensure!(
            run.subject != Kind::Weir.name() || run.stopped.is_none(),
            "weir did not finish"
        );
    }
    Ok(())
}

fn measure(kind: &Kind, options: &Options) -> Result<Run> {
    let cluster = Cluster::start()?;
    prepare(&cluster)?;
    if matches!(kind, Kind::Flux(_)) {
        subject::add_definitions(&cluster)?;
    }
    let git = GitServer::start()?;
    let repo = git.create_repo("monorepo")?;
    let files = monorepo::files(options.count);
    let files: Vec<(&str, Option<&str>)> = files
        .iter()
        .map(|(path, content)| (path.as_str(), Some(content.as_str())))
        .collect();
    repo.commit(&files, "All folders")?;
    let subject = Subject::start(kind, &cluster, options.count)?;

    let runtime = tokio::runtime::Runtime::new()?;
    let mut run = Run {
        subject: kind.name(),
        phases: Vec::new(),
        stopped: None,
    };
    let outcome = runtime.block_on(async {
        let client = load::client(&cluster.kubeconfig()).await?;
        let mut bench = Bench {
            board: Board::start(&client),
            client,
            repo,
            subject,
            audit: cluster.audit(),
            options,
        };
        bench.all(&mut run.phases).await
    });
    run.stopped = outcome.err().map(|error| format!("{error:#}"));
    Ok(run)
}

/// CRDs, namespaces, rights.
fn prepare(cluster: &Cluster) -> Result<()> {
    cluster.apply(&Weir::command(
        &cluster.kubeconfig(),
        &["install", "--crds-only"],
    )?)?;
    cluster.kubectl(&[
        "wait",
        "--for=condition=Established",
        "crd",
        "--all",
        "--timeout=60s",
    ])?;
    cluster.kubectl(&[
        "create",
        "clusterrolebinding",
        "subject",
        "--clusterrole=cluster-admin",
        &format!("--user={USER}"),
    ])?;
    for namespace in monorepo::namespaces() {
        cluster.apply(&namespace.to_string())?;
    }
    Ok(())
}

struct Bench<'a> {
    client: Client,
    board: Board,
    repo: Repo,
    subject: Subject,
    audit: AuditLog,
    options: &'a Options,
}

/// What there was when a phase began.
struct Began {
    at: Instant,
    clock: SystemTime,
    mark: AuditMark,
    usage: Usage,
}

impl Bench<'_> {
    async fn all(&mut self, phases: &mut Vec<Phase>) -> Result<()> {
        phases.push(self.install().await.context("install")?);
        phases.push(self.upgrade().await.context("upgrade")?);
        phases.push(self.commit().await.context("one-file commit")?);
        phases.push(self.no_op().await.context("no-op")?);
        Ok(())
    }

    async fn install(&mut self) -> Result<Phase> {
        let objects: Vec<Value> = (0..self.options.count)
            .map(|index| monorepo::kustomization(index, "20m"))
            .collect();
        let source = monorepo::source(self.repo.url(), "1h");
        let began = self.begin("install")?;
        load::create(&load::sources(&self.client), vec![source]).await?;
        load::create(&load::kustomizations(&self.client), objects).await?;
        self.wait("install", |seen| seen.ready).await?;
        self.end("install", began).await
    }

    async fn upgrade(&mut self) -> Result<Phase> {
        let patch = json!({"spec": {"patches": monorepo::patches("30m")}});
        let began = self.begin("upgrade")?;
        load::merge(&load::kustomizations(&self.client), self.names(), &patch).await?;
        self.wait("upgrade", |seen| seen.ready && seen.generation > 1)
            .await?;
        self.end("upgrade", began).await
    }

    /// The commit is announced, as a webhook would, so that no polling interval is measured.
    async fn commit(&mut self) -> Result<Phase> {
        let index = self.options.count / 2;
        let service = monorepo::service(&monorepo::name(index), 81);
        let file = monorepo::service_file(index);
        let began = self.begin("commit")?;
        let commit = self.repo.commit(&[(&file, Some(&service))], "One file")?;
        let names = vec![monorepo::SOURCE.to_owned()];
        load::merge(
            &load::sources(&self.client),
            names,
            &requested(began.clock)?,
        )
        .await?;
        self.wait("commit", |seen| {
            seen.ready && seen.revision.ends_with(&commit)
        })
        .await?;
        let (mark, clock) = (began.mark, began.clock);
        let mut phase = self.end("commit", began).await?;
        let written = |request: &&Request| {
            request.verb == "patch" && request.resource == "services" && !request.dry_run
        };
        let requests = self.audit.of_user(USER, mark)?;
        phase.first_write = requests
            .iter()
            .find(written)
            .and_then(|request| request.answered.duration_since(clock).ok());
        Ok(phase)
    }

    async fn no_op(&mut self) -> Result<Phase> {
        let began = self.begin("no-op")?;
        let patch = requested(began.clock)?;
        let token = patch["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"].clone();
        load::merge(&load::kustomizations(&self.client), self.names(), &patch).await?;
        self.wait("no-op", |seen| seen.ready && seen.handled == token)
            .await?;
        self.end("no-op", began).await
    }

    fn names(&self) -> Vec<String> {
        (0..self.options.count).map(monorepo::name).collect()
    }

    async fn wait(&mut self, what: &str, wanted: impl Fn(&load::Seen) -> bool) -> Result<()> {
        let waited = self
            .board
            .wait(what, self.options.count, self.options.timeout, wanted)
            .await;
        if waited.is_err() {
            eprintln!("{}", self.subject.log_tail());
        }
        waited
    }

    fn begin(&self, what: &str) -> Result<Began> {
        eprintln!("  {what}");
        Ok(Began {
            usage: self.subject.usage()?,
            mark: self.audit.mark(),
            clock: SystemTime::now(),
            at: Instant::now(),
        })
    }

    /// The seconds are those up to now; what it does after that (a last status, events) is
    /// still counted to the phase.
    async fn end(&self, name: &'static str, began: Began) -> Result<Phase> {
        let elapsed = began.at.elapsed();
        self.wait_quiet().await?;
        let usage = self.subject.usage()?;
        let requests = self.audit.of_user(USER, began.mark)?;
        Ok(Phase {
            name,
            elapsed,
            first_write: None,
            requests: Tally::by_verb(&requests),
            cpu: usage.cpu.saturating_sub(began.usage.cpu),
            peak_memory: usage.peak_memory,
        })
    }

    /// Until nothing was asked for two seconds, half a minute at most.
    async fn wait_quiet(&self) -> Result<()> {
        for _ in 0..15 {
            let mark = self.audit.mark();
            tokio::time::sleep(Duration::from_secs(2)).await;
            if self.audit.of_user(USER, mark)?.is_empty() {
                break;
            }
        }
        Ok(())
    }
}

/// The annotation that asks for a reconcile.
fn requested(at: SystemTime) -> Result<Value> {
    let token = at.duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
    Ok(json!({"metadata": {"annotations": {
        "reconcile.fluxcd.io/requestedAt": token.to_string(),
    }}}))
}
