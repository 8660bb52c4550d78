//! Wiring: builds the parts of the host, starts them, and ends them in order.
//!
//! Shutdown is fixed: intake stops (views and queues), reconciles in hand finish within the grace
//! period, then events are flushed and the servers end.

mod housekeeping;
mod views;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use weir_apply::{Engine, EngineOptions};
use weir_git::GitClient;
use weir_plugin::{Catalog, Runtime, RuntimeConfig};

use crate::artifact::{Store, StoreError};
use crate::config::Config;
use crate::credentials::Secrets;
use crate::event::{self, Recorder};
use crate::grants::GrantBook;
use crate::leader::{Candidate, Leadership};
use crate::reconcile::triggers::Queues;
use crate::render::Renders;
use crate::server::{self, Listen, Readiness};
use crate::telemetry::Metrics;

use self::views::Views;

/// The host could not start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No connection to a cluster.
    #[error("failed to connect to the cluster")]
    Connect(#[from] crate::cluster::ConnectError),
    /// The data folder cannot be used.
    #[error("failed to open the data folder")]
    Store(#[from] StoreError),
    /// The component runtime cannot start, or a built-in component does not load.
    #[error("failed to start the plugin runtime")]
    Runtime(#[from] weir_plugin::LoadError),
    /// An address cannot be listened on.
    #[error("failed to listen on {address}")]
    Listen {
        /// As configured.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another host leads, or may by now.
    #[error("leadership was lost; this host ends so that two never write at once")]
    LeadershipLost,
    /// The Git client cannot start.
    #[error("failed to start the Git client")]
    Git(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Everything that the loops share.
struct Parts {
    client: Client,
    config: Config,
    metrics: Arc<Metrics>,
    store: Arc<Store>,
    renders: Arc<Renders>,
    git: GitClient,
    runtime: Runtime,
    catalog: Arc<Catalog>,
    grants: Arc<GrantBook>,
    secrets: Arc<Secrets>,
    engine: Engine,
    views: Views,
    queues: Queues,
}

/// What the host is not ready without.
const STEPS: [&str; 3] = [
    "the built-in plugins",
    "a first look at the cluster",
    "leadership",
];

/// Runs the host until `stop`.
pub async fn run(config: Config, stop: CancellationToken) -> Result<(), RunError> {
    let parts = Parts::build(config).await?;
    let readiness = Readiness::waiting_for(STEPS);
    // Servers outlive the loops, so that probes and downloads work while the loops drain.
    let serving = CancellationToken::new();
    let mut servers = JoinSet::new();
    let advertised = parts.serve(&mut servers, &readiness, &serving).await?;
    parts.load_builtins().await?;
    readiness.done(STEPS[0]);

    let mut background = JoinSet::new();
    parts.register_triggers();
    parts.watch(&mut background, &stop);
    parts.keep_house(&mut background);
    let (recorder, flushed) = parts.recorder(&serving);
    let mut workers = JoinSet::new();
    let mut is_lost = false;
    let leadership = tokio::select! {
        () = stop.cancelled() => Leadership::alone(),
        leadership = parts.lead(&readiness) => leadership,
    };
    if !stop.is_cancelled() {
        parts
            .start_workers(&mut background, &mut workers, &recorder, &advertised)
            .await?;
        readiness.done(STEPS[2]);
        tracing::info!("ready");
        tokio::select! {
            () = stop.cancelled() => {}
            () = leadership.lost() => is_lost = true,
        }
    }
    readiness.wait_for("the end");
    parts.queues.close();
    let drain = async {
        if is_lost {
            // Another host may write from now on.
            workers.shutdown().await;
        }
        while workers.join_next().await.is_some() {}
    };
    if tokio::time::timeout(parts.config.shutdown_timeout, drain)
        .await
        .is_err()
    {
        tracing::warn!("reconciles were abandoned at the end of the grace period");
    }
    workers.shutdown().await;
    background.shutdown().await;
    leadership.end().await;
    serving.cancel();
    let end = async {
        let _ = flushed.await;
        while servers.join_next().await.is_some() {}
    };
    let _ = tokio::time::timeout(Duration::from_secs(10), end).await;
    if is_lost {
        return Err(RunError::LeadershipLost);
    }
    Ok(())
}

impl Parts {
    async fn build(config: Config) -> Result<Self, RunError> {
        let metrics = Arc::new(Metrics::new());
        let client = config.access.connect(Some(&metrics)).await?;
        let data = &config.storage.path;
        let store = Arc::new(Store::open(data, config.storage.retention)?);
        let renders = Arc::new(Renders::open(&data.join("renders"))?);
        let runtime = Runtime::new(RuntimeConfig {
            spool_dir: Some(store.incoming()),
            observer: Some(Arc::clone(&metrics) as Arc<dyn weir_plugin::Observer>),
            ..config.runtime.clone()
        })?;
        let git =
            GitClient::new(config.git.clone()).map_err(|error| RunError::Git(error.into()))?;
        let engine = Engine::new(client.clone(), EngineOptions::default());
        Ok(Self {
            metrics,
            store,
            renders,
            runtime,
            git,
            engine,
            catalog: Arc::new(Catalog::new()),
            grants: Arc::new(GrantBook::new(
                config.plugin_limits,
                config.remote_bases.clone(),
            )),
            secrets: Arc::new(Secrets::new(client.clone())),
            views: Views::default(),
            queues: Queues::new(),
            client,
            config,
        })
    }

    /// Starts the servers; returns what artifact URLs start with.
    async fn serve(
        &self,
        servers: &mut JoinSet<()>,
        readiness: &Readiness,
        stop: &CancellationToken,
    ) -> Result<Arc<str>, RunError> {
        let storage = &self.config.storage;
        let root = self.store.served_root();
        let files = server::files(&root).map_err(StoreError::io("serve", &root))?;
        let bound = bind(&storage.address).await?;
        let advertised = storage.url_prefix(bound.address());
        for (name, bound, router) in [
            ("artifacts", bound, files),
            (
                "metrics",
                bind(&self.config.metrics_address).await?,
                server::metrics(Arc::clone(&self.metrics)),
            ),
            (
                "health",
                bind(&self.config.health_address).await?,
                server::health(readiness.clone()),
            ),
        ] {
            tracing::info!(server = name, address = %bound.address(), "listening");
            let stop = stop.clone();
            servers.spawn(async move {
                if let Err(error) = bound.serve(router, stop).await {
                    tracing::error!(server = name, %error, "a server ended");
                }
            });
        }
        Ok(advertised.into())
    }

    /// Waits for the first look at the cluster, then until this host may work. A host that stands
    /// by has looked, so that it takes over within moments.
    async fn lead(&self, readiness: &Readiness) -> Leadership {
        self.views.synced().await;
        readiness.done(STEPS[1]);
        match self.config.election {
            None => Leadership::alone(),
            Some(terms) => {
                Candidate::new(self.client.clone(), &self.config.namespace, terms)
                    .lead()
                    .await
            }
        }
    }

    async fn load_builtins(&self) -> Result<(), RunError> {
        for builtin in crate::builtin::BUILTINS {
            let plugin = self.runtime.load_builtin(builtin).await?;
            self.catalog.set_built_in(builtin.name, plugin);
        }
        if crate::builtin::BUILTINS.is_empty() {
            tracing::warn!("built without components: every plugin needs a Plugin object");
        }
        Ok(())
    }

    /// Starts the recorder; the task ends when its events are flushed after `stop`.
    fn recorder(&self, stop: &CancellationToken) -> (Recorder, JoinHandle<()>) {
        let sinks = event::Sinks {
            client: self.client.clone(),
            metrics: Arc::clone(&self.metrics),
            alerts: Arc::clone(&self.views.alerts),
            providers: Arc::clone(&self.views.providers),
            catalog: Arc::clone(&self.catalog),
            grants: Arc::clone(&self.grants),
            secrets: Arc::clone(&self.secrets),
            no_cross_namespace_refs: self.config.no_cross_namespace_refs,
        };
        event::start(sinks, stop.clone())
    }
}

async fn bind(address: &Listen) -> Result<server::Bound, RunError> {
    address.bind().await.map_err(|source| RunError::Listen {
        address: address.to_string(),
        source,
    })
}
