//! The connection to the API server: from a kubeconfig or the pod's own ServiceAccount.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use kube::client::ClientBuilder;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};

use crate::telemetry::Metrics;
use crate::telemetry::requests::CountRequests;

/// Time to establish a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Silence after which a response is given up. Watches are restarted by the server sooner
/// (kube's watcher asks for 290 s).
const READ_TIMEOUT: Duration = Duration::from_secs(295);

/// Which cluster, as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// File; when absent `$KUBECONFIG`, then `~/.kube/config`, then the pod's ServiceAccount.
    pub kubeconfig: Option<PathBuf>,
    /// Context in it; its current one when absent.
    pub context: Option<String>,
}

/// The cluster cannot be reached as told.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The file cannot be used.
    #[error("failed to load kubeconfig {}", path.display())]
    Kubeconfig {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: kube::config::KubeconfigError,
    },
    /// The named context cannot be used.
    #[error("failed to use the context `{context}` of the kubeconfig")]
    Context {
        /// Which.
        context: String,
        /// Why.
        #[source]
        source: kube::config::KubeconfigError,
    },
    /// There is neither a kubeconfig nor a ServiceAccount.
    #[error("failed to find a cluster: no kubeconfig and not in a pod")]
    Nowhere(#[source] Box<kube::config::InferConfigError>),
    /// The client cannot be made of it.
    #[error("failed to set up the connection to the cluster")]
    Client(#[source] kube::Error),
}

impl Access {
    /// What to connect to.
    async fn config(&self) -> Result<Config, ConnectError> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..Default::default()
        };
        match (&self.kubeconfig, &self.context) {
            (Some(path), _) => {
                let failed = |source| ConnectError::Kubeconfig {
                    path: path.clone(),
                    source,
                };
                let file = Kubeconfig::read_from(path).map_err(failed)?;
                Config::from_custom_kubeconfig(file, &options)
                    .await
                    .map_err(failed)
            }
            (None, Some(context)) => {
                Config::from_kubeconfig(&options)
                    .await
                    .map_err(|source| ConnectError::Context {
                        context: context.clone(),
                        source,
                    })
            }
            (None, None) => Config::infer()
                .await
                .map_err(|error| ConnectError::Nowhere(Box::new(error))),
        }
    }

    /// Connects; nothing is sent yet. With metrics, requests are counted.
    pub async fn connect(&self, metrics: Option<&Arc<Metrics>>) -> Result<Client, ConnectError> {
        let mut config = self.config().await?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        let builder = ClientBuilder::try_from(config).map_err(ConnectError::Client)?;
        Ok(match metrics {
            Some(metrics) => builder
                .with_layer(&CountRequests::new(Arc::clone(metrics)))
                .build(),
            None => builder.build(),
        })
    }
}

/// This machine's or pod's name; `localhost` where it has none.
pub fn host_name() -> String {
    let told = env::var("HOSTNAME").ok();
    told.or_else(|| fs::read_to_string("/proc/sys/kernel/hostname").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}
