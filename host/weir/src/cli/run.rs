//! `weir run`: flags and environment become a [`Config`], and the host starts.

mod limits;

use std::path::PathBuf;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use weir_api::Duration;
use weir_plugin::RuntimeConfig;

use super::{Error, Exit};
use crate::cluster::Access;
use crate::config::{Config, Log, Pace, Storage, Watch};
use crate::leader::Terms;
use crate::server::Listen;
use crate::telemetry::{self, Encoding, Level, LevelHandle};
use limits::{ArtifactArgs, GitArgs, PluginArgs};

/// Run the host: reconcile the objects of a cluster until told to stop.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Kubeconfig file; without it $KUBECONFIG, ~/.kube/config, then the pod's ServiceAccount
    #[arg(long, value_name = "FILE", env = "WEIR_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, value_name = "NAME", env = "WEIR_CONTEXT")]
    context: Option<String>,
    /// Namespace the host runs in
    #[arg(
        long,
        value_name = "NAME",
        env = "RUNTIME_NAMESPACE",
        default_value = "flux-system"
    )]
    namespace: String,
    /// Handle the objects of all namespaces, not only those of --namespace
    #[arg(
        long,
        value_name = "BOOL",
        env = "WEIR_WATCH_ALL_NAMESPACES",
        default_value_t = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    watch_all_namespaces: bool,
    /// Handle only objects with these labels, such as sharding.fluxcd.io/key=shard1
    #[arg(long, value_name = "SELECTOR", env = "WEIR_WATCH_LABEL_SELECTOR")]
    watch_label_selector: Option<String>,
    /// Refuse references to objects in other namespaces
    #[arg(long, env = "WEIR_NO_CROSS_NAMESPACE_REFS")]
    no_cross_namespace_refs: bool,
    /// Where kustomizations may take remote bases and files from, such as https://github.com or
    /// https://*.example.com; nowhere if none is given
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "WEIR_ALLOW_REMOTE_BASES",
        value_delimiter = ','
    )]
    allow_remote_bases: Vec<String>,

    /// Folder for artifacts and compiled plugins
    #[arg(
        long,
        value_name = "DIR",
        env = "STORAGE_PATH",
        default_value = "/data"
    )]
    storage_path: PathBuf,
    /// Address of the artifact server
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "STORAGE_ADDRESS",
        default_value = ":9090"
    )]
    storage_addr: Listen,
    /// Host and port that artifact URLs are made of; without it this machine's name
    #[arg(long, value_name = "ADDRESS", env = "STORAGE_ADV_ADDR")]
    storage_adv_addr: Option<String>,
    /// Address of /metrics
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "WEIR_METRICS_ADDR",
        default_value = ":8080"
    )]
    metrics_addr: Listen,
    /// Address of /healthz and /readyz
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "WEIR_HEALTH_ADDR",
        default_value = ":9440"
    )]
    health_addr: Listen,

    /// Objects of one kind that are reconciled at a time
    #[arg(long, value_name = "N", env = "WEIR_CONCURRENT", default_value_t = 20)]
    concurrent: usize,
    /// Requests of one apply at a time
    #[arg(
        long,
        value_name = "N",
        env = "WEIR_CONCURRENT_SSA",
        default_value_t = 4
    )]
    concurrent_ssa: usize,
    /// How soon a dependency that is not ready is looked at again
    #[arg(
        long,
        value_name = "TIME",
        env = "WEIR_REQUEUE_DEPENDENCY",
        default_value = "30s"
    )]
    requeue_dependency: Duration,
    /// First delay after a failure; doubles with each
    #[arg(
        long,
        value_name = "TIME",
        env = "WEIR_MIN_RETRY_DELAY",
        default_value = "750ms"
    )]
    min_retry_delay: Duration,
    /// Longest delay after failures
    #[arg(
        long,
        value_name = "TIME",
        env = "WEIR_MAX_RETRY_DELAY",
        default_value = "15m"
    )]
    max_retry_delay: Duration,
    /// By how much intervals vary either way, so that objects spread over time
    #[arg(
        long,
        value_name = "PERCENT",
        env = "WEIR_INTERVAL_JITTER_PERCENTAGE",
        default_value_t = 5
    )]
    interval_jitter_percentage: u8,
    /// What running reconciles get on shutdown before they are abandoned
    #[arg(
        long,
        value_name = "TIME",
        env = "WEIR_GRACEFUL_SHUTDOWN_TIMEOUT",
        default_value = "30s"
    )]
    graceful_shutdown_timeout: Duration,

    /// Work only while holding a Lease in --namespace, so that a second host can stand by
    #[arg(long, env = "WEIR_ENABLE_LEADER_ELECTION")]
    enable_leader_election: bool,
    /// How long the others wait for a leader that does not renew its lease
    #[arg(
        long,
        value_name = "TIME",
        env = "WEIR_LEADER_ELECTION_LEASE_DURATION",
        default_value = "35s"
    )]
    leader_election_lease_duration: Duration,
    /// How long a leader tries to renew its lease before it stops
    #[arg(
        long,
        value_name = "TIME",
        env = "WEIR_LEADER_ELECTION_RENEW_DEADLINE",
        default_value = "30s"
    )]
    leader_election_renew_deadline: Duration,
    /// Time between attempts to take or renew the lease
    #[arg(
        long,
        value_name = "TIME",
        env = "WEIR_LEADER_ELECTION_RETRY_PERIOD",
        default_value = "5s"
    )]
    leader_election_retry_period: Duration,
    /// Give the lease back on shutdown, so that another host takes over at once
    #[arg(
        long,
        value_name = "BOOL",
        env = "WEIR_LEADER_ELECTION_RELEASE_ON_CANCEL",
        default_value_t = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    leader_election_release_on_cancel: bool,

    #[command(flatten)]
    artifacts: ArtifactArgs,

    #[command(flatten)]
    git: GitArgs,

    /// Folder for compiled plugins, if it is to outlive the storage path
    #[arg(long, env = "PLUGIN_CACHE", value_name = "DIR")]
    plugin_cache: Option<PathBuf>,
    #[command(flatten)]
    plugins: PluginArgs,

    /// Least level of log lines; the signal SIGUSR1 switches to debug and back
    #[arg(
        long,
        value_name = "LEVEL",
        env = "WEIR_LOG_LEVEL",
        value_enum,
        default_value_t
    )]
    log_level: Level,
    /// Form of log lines
    #[arg(
        long,
        value_name = "FORM",
        env = "WEIR_LOG_ENCODING",
        value_enum,
        default_value_t
    )]
    log_encoding: Encoding,
}

impl RunArgs {
    /// Checks what single flags cannot.
    fn config(self) -> Result<Config, Error> {
        let wrong = |message: &str| Err(Error::new(Exit::Usage, message));
        for (flag, value) in [
            ("--concurrent", self.concurrent),
            ("--concurrent-ssa", self.concurrent_ssa),
        ] {
            if value == 0 {
                return wrong(&format!("{flag} must be at least 1"));
            }
        }
        if let Some(origin) = self
            .allow_remote_bases
            .iter()
            .find(|origin| !origin.contains("://"))
        {
            return wrong(&format!(
                "--allow-remote-bases: `{origin}` is no origin such as https://github.com"
            ));
        }
        let zeros = [self.artifacts.zero(), self.git.zero(), self.plugins.zero()];
        if let Some(flag) = zeros.into_iter().flatten().next() {
            return wrong(&format!("{flag} must be more than 0"));
        }
        if self.interval_jitter_percentage > 100 {
            return wrong("--interval-jitter-percentage must be at most 100");
        }
        if self.min_retry_delay.0.is_zero() {
            return wrong("--min-retry-delay must be more than 0");
        }
        if self.min_retry_delay > self.max_retry_delay {
            return wrong("--min-retry-delay must not exceed --max-retry-delay");
        }
        let terms = Terms {
            lease: self.leader_election_lease_duration.0,
            renew_deadline: self.leader_election_renew_deadline.0,
            retry: self.leader_election_retry_period.0,
            release_on_cancel: self.leader_election_release_on_cancel,
        };
        // As client-go checks them: a leader must give up before the others take over, and try
        // more than once before that.
        if terms.lease <= terms.renew_deadline {
            return wrong(
                "--leader-election-lease-duration must exceed --leader-election-renew-deadline",
            );
        }
        if terms.retry.is_zero() || terms.renew_deadline <= terms.retry.mul_f64(1.2) {
            return wrong(
                "--leader-election-renew-deadline must exceed 1.2 times --leader-election-retry-period, which must be more than 0",
            );
        }
        let data = self.storage_path;
        Ok(Config {
            election: self.enable_leader_election.then_some(terms),
            access: Access {
                kubeconfig: self.kubeconfig,
                context: self.context,
            },
            watch: Watch {
                namespace: (!self.watch_all_namespaces).then(|| self.namespace.clone()),
                label_selector: self
                    .watch_label_selector
                    .filter(|selector| !selector.is_empty()),
            },
            namespace: self.namespace,
            storage: Storage {
                path: data.clone(),
                address: self.storage_addr,
                advertised: self.storage_adv_addr.filter(|address| !address.is_empty()),
                bounds: self.artifacts.bounds(),
                retention: self.artifacts.retention(),
            },
            metrics_address: self.metrics_addr,
            health_address: self.health_addr,
            pace: Pace {
                concurrent: self.concurrent,
                concurrent_ssa: self.concurrent_ssa,
                requeue_dependency: self.requeue_dependency.0,
                min_retry_delay: self.min_retry_delay.0,
                max_retry_delay: self.max_retry_delay.0,
                interval_jitter: self.interval_jitter_percentage,
            },
            git: self.git.config(&data.join("git")),
            runtime: RuntimeConfig {
                cache_dir: Some(self.plugin_cache.unwrap_or_else(|| data.join("plugins"))),
                ..self.plugins.runtime()
            },
            plugin_limits: self.plugins.limits(),
            registry_timeouts: self.plugins.timeouts(),
            no_cross_namespace_refs: self.no_cross_namespace_refs,
            remote_bases: self.allow_remote_bases,
            log: Log {
                level: self.log_level,
                encoding: self.log_encoding,
            },
            shutdown_timeout: self.graceful_shutdown_timeout.0,
        })
    }
}

/// Runs the host until a signal.
pub(super) async fn run(args: RunArgs) -> Result<(), Error> {
    let config = args.config()?;
    let level = telemetry::init(config.log.level, config.log.encoding)?;
    let stop = CancellationToken::new();
    let signals = tokio::spawn(signals(stop.clone(), level, config.log.level));
    let done = crate::run::run(config, stop).await;
    signals.abort();
    Ok(done?)
}

/// The first SIGTERM or SIGINT asks for a graceful end, the second one ends at once.
async fn signals(stop: CancellationToken, handle: LevelHandle, configured: Level) {
    let (Ok(mut terminate), Ok(mut interrupt), Ok(mut user)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
        signal(SignalKind::user_defined1()),
    ) else {
        tracing::error!("failed to listen for signals; stop the process by SIGKILL");
        return;
    };
    let mut is_debug = false;
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = user.recv() => {
                is_debug = !is_debug;
                let level = if is_debug { Level::Debug } else { configured };
                handle.set(level);
                tracing::info!(to = ?level, "changed the log level");
                continue;
            }
        }
        if stop.is_cancelled() {
            tracing::warn!("second signal, ending at once");
            std::process::exit(i32::from(Exit::Failed as u8));
        }
        tracing::info!("shutting down");
        stop.cancel();
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use weir_git::GitConfig;
    use weir_plugin::oci::Timeouts;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        run: RunArgs,
    }

    fn config(flags: &[&str]) -> Result<Config, String> {
        let all = ["weir"].iter().chain(flags);
        let parsed = Only::try_parse_from(all).map_err(|error| error.to_string())?;
        parsed.run.config().map_err(|error| {
            assert_eq!(error.code(), Exit::Usage);
            format!("{error:?}")
        })
    }

    #[test]
    fn defaults_are_fluxs() {
        let config = config(&[]).unwrap();
        assert_eq!(config.namespace, "flux-system");
        assert_eq!(config.watch, Watch::default(), "all namespaces, all labels");
        assert_eq!(config.storage.address.to_string(), ":9090");
        assert_eq!(config.metrics_address.to_string(), ":8080");
        assert_eq!(config.health_address.to_string(), ":9440");
        assert_eq!(config.pace.requeue_dependency.as_secs(), 30);
        assert_eq!(config.pace.min_retry_delay.as_millis(), 750);
        assert_eq!(config.storage.retention.records, 2);
        // One set of defaults, whoever uses the libraries.
        assert_eq!(config.plugin_limits, weir_plugin::Limits::default());
        assert_eq!(config.registry_timeouts, Timeouts::default());
        let git = format!("{:?}", config.git);
        assert_eq!(git, format!("{:?}", GitConfig::new("/data/git")));
        let (ours, theirs) = (config.runtime, RuntimeConfig::default());
        assert_eq!(ours.cache_bytes, theirs.cache_bytes);
        assert_eq!(ours.max_component_bytes, theirs.max_component_bytes);
        assert_eq!(ours.compile_jobs, theirs.compile_jobs);
        assert_eq!(ours.max_calls, theirs.max_calls);
        assert_eq!(ours.max_unpacked_bytes, theirs.max_unpacked_bytes);
        assert_eq!(ours.max_unpacked_files, theirs.max_unpacked_files);
        let pulled = weir_plugin::oci::PullOptions::default();
        assert_eq!(ours.max_component_bytes, pulled.max_bytes);
    }

    #[test]
    fn flags_are_checked_alone_and_together() {
        for (flags, problem) in [
            (
                &["--concurrent", "0"][..],
                "--concurrent must be at least 1",
            ),
            (&["--concurrent", "-1"], "unexpected argument"),
            (&["--interval-jitter-percentage", "101"], "at most 100"),
            (&["--min-retry-delay", "1h"], "must not exceed"),
            (&["--min-retry-delay", "0s"], "more than 0"),
            (&["--requeue-dependency", "30"], "invalid value"),
            (&["--storage-addr", "9090"], "is no address"),
            (&["--plugin-memory", "lots"], "is no size"),
            (&["--log-level", "loud"], "invalid value"),
            (&["--allow-remote-bases", "github.com"], "is no origin"),
        ] {
            let error = config(flags).expect_err(problem);
            assert!(error.contains(problem), "{flags:?}: {error}");
        }
    }

    #[test]
    fn remote_bases_are_allowed_by_origin_and_nowhere_unless_asked_for() {
        assert!(config(&[]).unwrap().remote_bases.is_empty());
        let origins = "https://github.com,http://127.0.0.1:8080";
        let config = config(&["--allow-remote-bases", origins]).unwrap();
        assert_eq!(
            config.remote_bases,
            ["https://github.com", "http://127.0.0.1:8080"]
        );
    }

    #[test]
    fn one_namespace_can_be_watched() {
        let config = config(&["--namespace", "team", "--watch-all-namespaces=false"]).unwrap();
        assert_eq!(config.watch.namespace.as_deref(), Some("team"));
    }
}
