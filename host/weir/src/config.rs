//! What `weir run` runs with: typed, checked and complete. `cli/run.rs` makes it from flags and
//! environment, and nothing behind it reads either.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use weir_git::GitConfig;
use weir_plugin::oci::Timeouts;
use weir_plugin::{Limits, RuntimeConfig};

use crate::artifact::{Bounds, Retention};
use crate::cluster::Access;
use crate::leader::Terms;
use crate::server::Listen;
use crate::telemetry::{Encoding, Level};

/// All of it.
#[derive(Clone, Debug)]
pub struct Config {
    /// The cluster to work for.
    pub access: Access,
    /// Where the host itself lives: its Plugins' Secrets, its Lease.
    pub namespace: String,
    /// Which objects are its own.
    pub watch: Watch,
    /// Artifacts.
    pub storage: Storage,
    /// `/metrics`.
    pub metrics_address: Listen,
    /// `/healthz`, `/readyz`.
    pub health_address: Listen,
    /// How the loops run.
    pub pace: Pace,
    /// The Git client.
    pub git: GitConfig,
    /// The plugin runtime, its observer aside.
    pub runtime: RuntimeConfig,
    /// How long registries may take.
    pub registry_timeouts: Timeouts,
    /// Bounds of plugin calls, where a `Plugin` grants no others.
    pub plugin_limits: Limits,
    /// How one of several hosts comes to lead; absent: this one is alone.
    pub election: Option<Terms>,
    /// Refuses references to objects in other namespaces.
    pub no_cross_namespace_refs: bool,
    /// Origins from which kustomizations may take bases and files.
    pub remote_bases: Vec<String>,
    /// Logs.
    pub log: Log,
    /// What running work gets on shutdown before it is abandoned.
    pub shutdown_timeout: Duration,
}

/// Which objects a host handles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Only this namespace; all when absent.
    pub namespace: Option<String>,
    /// Only objects with these labels.
    pub label_selector: Option<String>,
}

/// Where artifacts are kept and under which address they are found.
#[derive(Clone, Debug)]
pub struct Storage {
    /// Data folder.
    pub path: PathBuf,
    /// The file server.
    pub address: Listen,
    /// Host and port, or a whole prefix with `http://`, that goes into artifact URLs. The
    /// machine's name and the bound port when absent.
    pub advertised: Option<String>,
    /// Of one artifact.
    pub bounds: Bounds,
    /// Of superseded artifacts.
    pub retention: Retention,
}

/// How the loops run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Reconciles of one kind at a time.
    pub concurrent: usize,
    /// Requests at a time of one apply.
    pub concurrent_ssa: usize,
    /// How soon a dependency is looked at again, if nothing tells sooner.
    pub requeue_dependency: Duration,
    /// First delay of the backoff.
    pub min_retry_delay: Duration,
    /// Last delay of the backoff.
    pub max_retry_delay: Duration,
    /// By how much an interval varies, in percent either way.
    pub interval_jitter: u8,
}

/// Logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// Least level that is written.
    pub level: Level,
    /// For machines or for people.
    pub encoding: Encoding,
}

impl Storage {
    /// What artifact URLs start with, without a slash at the end. `bound` is where the file
    /// server really listens.
    pub fn url_prefix(&self, bound: SocketAddr) -> String {
        let address = self
            .advertised
            .clone()
            .unwrap_or_else(|| format!("{}:{}", crate::cluster::host_name(), bound.port()));
        let address = address.trim_end_matches('/');
        if address.starts_with("http://") || address.starts_with("https://") {
            address.to_owned()
        } else {
            format!("http://{address}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifact_urls_start_with_the_advertised_address() {
        let storage = |advertised: Option<&str>| Storage {
            path: PathBuf::new(),
            address: Listen::new("", 9090),
            advertised: advertised.map(str::to_owned),
            bounds: Bounds {
                files: 1,
                file_size: 1,
                total_size: 1,
            },
            retention: Retention {
                ttl: Duration::ZERO,
                records: 1,
            },
        };
        let bound = SocketAddr::from(([127, 0, 0, 1], 1234));
        for (advertised, expected) in [
            (
                "source-controller.flux-system.svc",
                "http://source-controller.flux-system.svc",
            ),
            ("127.0.0.1:9090", "http://127.0.0.1:9090"),
            (
                "https://artifacts.example.com/weir/",
                "https://artifacts.example.com/weir",
            ),
        ] {
            assert_eq!(storage(Some(advertised)).url_prefix(bound), expected);
        }
        let own = storage(None).url_prefix(bound);
        assert!(
            own.starts_with("http://") && own.ends_with(":1234"),
            "{own}"
        );
    }
}
