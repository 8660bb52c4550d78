//! Wiring: builds the parts of the host, starts them, and ends them in order.
//!
//! Shutdown is fixed: intake stops (views and queues), reconciles in hand finish within the grace
//! period, then events are flushed and the servers end.

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use kube::api::Api;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use weir_api::kustomize::v1::Kustomization;
use weir_api::meta;
use weir_api::notification::v1beta3::{Alert, Provider};
use weir_api::source::v1::GitRepository;
use weir_api::weir::v1alpha1::Plugin;
use weir_apply::{Engine, EngineOptions};
use weir_git::GitClient;
use weir_plugin::{Catalog, Runtime, RuntimeConfig};

use crate::artifact::{Store, StoreError};
use crate::capabilities::Capabilities;
use crate::config::Config;
use crate::credentials::Secrets;
use crate::event::{self, Recorder};
use crate::grants::GrantBook;
use crate::images::Images;
use crate::leader::{Candidate, Leadership};
use crate::lookup::Lookup;
use crate::memory;
use crate::reconcile::gitrepository::GitRepositories;
use crate::reconcile::kustomization::{Kustomizations, Ledger, Rules};
use crate::reconcile::objects::Objects;
use crate::reconcile::plugin::Plugins;
use crate::reconcile::status::Writer;
use crate::reconcile::triggers::{self, Queues};
use crate::reconcile::worker;
use crate::render::Renders;
use crate::server::{self, Listen, Readiness};
use crate::source::Sources;
use crate::telemetry::{Metrics, chain};

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

/// The watched kinds.
#[derive(Default, Clone)]
struct Views {
    git_repositories: Arc<Objects<GitRepository>>,
    kustomizations: Arc<Objects<Kustomization>>,
    providers: Arc<Objects<Provider>>,
    alerts: Arc<Objects<Alert>>,
    plugins: Arc<Objects<Plugin>>,
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

impl Views {
    /// Waits until each kind was listed once.
    async fn synced(&self) {
        self.git_repositories.synced().await;
        self.kustomizations.synced().await;
        self.providers.synced().await;
        self.alerts.synced().await;
        self.plugins.synced().await;
    }
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

    fn register_triggers(&self) {
        let (views, queues) = (&self.views, &self.queues);
        triggers::on_edit(&views.git_repositories, &queues.git_repositories);
        triggers::on_edit(&views.kustomizations, &queues.kustomizations);
        triggers::on_edit(&views.plugins, &queues.plugins);
        triggers::on_revision(
            &views.git_repositories,
            &views.kustomizations,
            &queues.kustomizations,
        );
        triggers::on_progress(&views.kustomizations, &queues.kustomizations);
        Plugins::release_on_delete(&views.plugins, &self.catalog, &self.grants);
    }

    /// Starts what follows the cluster and keeps house.
    fn watch(&self, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        let watch = &self.config.watch;
        let namespace = watch.namespace.as_deref();
        let selector = watch.label_selector.as_deref();
        let client = || self.client.clone();
        let views = &self.views;
        tasks.spawn(Arc::clone(&views.git_repositories).watch(
            api(client(), namespace),
            selector.map(Into::into),
            stop.clone(),
        ));
        tasks.spawn(Arc::clone(&views.kustomizations).watch(
            api(client(), namespace),
            selector.map(Into::into),
            stop.clone(),
        ));
        tasks.spawn(Arc::clone(&views.providers).watch(
            api(client(), namespace),
            None,
            stop.clone(),
        ));
        tasks.spawn(Arc::clone(&views.alerts).watch(api(client(), namespace), None, stop.clone()));
        tasks.spawn(Arc::clone(&views.plugins).watch(Api::all(client()), None, stop.clone()));
        tasks.spawn(triggers::on_plugin_change(
            Arc::clone(&self.catalog),
            Arc::clone(&views.git_repositories),
            Arc::clone(&views.kustomizations),
            self.queues.clone(),
        ));
        tasks.spawn(collect_garbage(Arc::clone(&self.store), self.git.clone()));
        tasks.spawn(close_unused_trees(Arc::clone(&self.store)));
        tasks.spawn(memory::give_back());
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

    async fn start_workers(
        &self,
        background: &mut JoinSet<()>,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
        advertised: &Arc<str>,
    ) -> Result<(), RunError> {
        let pace = worker::Pace {
            concurrency: self.config.pace.concurrent,
            min_retry: self.config.pace.min_retry_delay,
            max_retry: self.config.pace.max_retry_delay,
        };
        let (views, queues) = (&self.views, &self.queues);
        let sources = Sources {
            catalog: Arc::clone(&self.catalog),
            store: Arc::clone(&self.store),
            bounds: self.config.storage.bounds,
        };
        let git_repositories = GitRepositories {
            objects: Arc::clone(&views.git_repositories),
            writer: self.writer(&views.git_repositories, meta::SOURCE_MANAGER),
            sources,
            git: self.git.clone(),
            secrets: Arc::clone(&self.secrets),
            grants: Arc::clone(&self.grants),
            recorder: recorder.clone(),
            metrics: Arc::clone(&self.metrics),
            advertised: Arc::clone(advertised),
            jitter: self.config.pace.interval_jitter,
        };
        if let Err(error) = self.engine.learn_kinds().await {
            tracing::warn!(error = %chain(&error), "the API server does not tell its kinds yet");
        }
        let capabilities = Capabilities::look_up(self.client.clone()).await;
        let kustomizations = Arc::new(Kustomizations {
            objects: Arc::clone(&views.kustomizations),
            writer: Arc::new(
                self.writer(&views.kustomizations, meta::KUSTOMIZATION_STATUS_MANAGER),
            ),
            sources: Arc::clone(&views.git_repositories),
            store: Arc::clone(&self.store),
            catalog: Arc::clone(&self.catalog),
            grants: Arc::clone(&self.grants),
            renders: Arc::clone(&self.renders),
            git: self.git.clone(),
            engine: self.engine.clone(),
            recorder: recorder.clone(),
            metrics: Arc::clone(&self.metrics),
            rules: Rules {
                no_cross_namespace_refs: self.config.no_cross_namespace_refs,
                requeue_dependency: self.config.pace.requeue_dependency,
                jitter: self.config.pace.interval_jitter,
                concurrency: self.config.pace.concurrent_ssa,
            },
            ledger: Ledger::open(&self.config.storage.path.join("applied"))?,
            capabilities,
            lookup: Arc::new(Lookup::new(self.client.clone())),
            memory: parking_lot::Mutex::default(),
        });
        background.spawn(Arc::clone(&kustomizations).follow(Arc::clone(&queues.kustomizations)));
        let plugins = Plugins {
            objects: Arc::clone(&views.plugins),
            writer: self.writer(&views.plugins, "weir"),
            client: self.client.clone(),
            runtime: self.runtime.clone(),
            images: Images::open(
                &self.config.storage.path.join("images"),
                self.config.registry_timeouts,
                self.config.runtime.max_component_bytes,
            )?,
            catalog: Arc::clone(&self.catalog),
            grants: Arc::clone(&self.grants),
            secrets: Arc::clone(&self.secrets),
            recorder: recorder.clone(),
            namespace: self.config.namespace.clone(),
            jitter: self.config.pace.interval_jitter,
        };
        let metrics = || Arc::clone(&self.metrics);
        worker::start(
            tasks,
            Arc::new(git_repositories),
            Arc::clone(&queues.git_repositories),
            &pace,
            metrics(),
        );
        worker::start(
            tasks,
            kustomizations,
            Arc::clone(&queues.kustomizations),
            &pace,
            metrics(),
        );
        worker::start(
            tasks,
            Arc::new(plugins),
            Arc::clone(&queues.plugins),
            &pace,
            metrics(),
        );
        Ok(())
    }

    fn writer<K>(&self, objects: &Arc<Objects<K>>, manager: &'static str) -> Writer<K>
    where
        K: kube::Resource
            + Clone
            + serde::Serialize
            + serde::de::DeserializeOwned
            + std::fmt::Debug
            + Send
            + Sync
            + 'static,
        K::DynamicType: Default + Eq + std::hash::Hash + Clone,
    {
        Writer::new(self.client.clone(), Arc::clone(objects), manager)
    }
}

async fn bind(address: &Listen) -> Result<server::Bound, RunError> {
    address.bind().await.map_err(|source| RunError::Listen {
        address: address.to_string(),
        source,
    })
}

/// All namespaces, or one.
fn api<K>(client: Client, namespace: Option<&str>) -> Api<K>
where
    K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
    K::DynamicType: Default,
{
    match namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    }
}

/// How long Git objects that nobody asked for are kept, and how many bytes of them.
const GIT_CACHE_AGE: Duration = Duration::from_hours(7 * 24);
const GIT_CACHE_BYTES: u64 = 4 << 30;

/// How long a tree stays open that nobody reads.
const TREE_IDLE: Duration = Duration::from_secs(20);

/// Gives memory back when a commit was worked off.
async fn close_unused_trees(store: Arc<Store>) {
    let mut ticks = tokio::time::interval(TREE_IDLE / 2);
    loop {
        ticks.tick().await;
        store.close_unused_trees(TREE_IDLE);
    }
}

/// Keeps house now and then: packs that nothing names any more, Git objects that are not used.
async fn collect_garbage(store: Arc<Store>, git: GitClient) {
    let mut ticks = tokio::time::interval(Duration::from_mins(5));
    loop {
        ticks.tick().await;
        let store = Arc::clone(&store);
        let _ = tokio::task::spawn_blocking(move || store.collect_trees()).await;
        if let Err(failure) = git.collect_garbage(GIT_CACHE_AGE, GIT_CACHE_BYTES).await {
            tracing::warn!(error = %failure, "the Git cache was not cleaned");
        }
    }
}
