//! The reconcilers: what each is given, and their workers.

use std::sync::Arc;

use tokio::task::JoinSet;
use weir_api::meta;

use crate::capabilities::Capabilities;
use crate::event::Recorder;
use crate::images::Images;
use crate::lookup::Lookup;
use crate::reconcile::gitrepository::GitRepositories;
use crate::reconcile::kustomization::{Kustomizations, Ledger, Rules};
use crate::reconcile::objects::Objects;
use crate::reconcile::plugin::Plugins;
use crate::reconcile::status::Writer;
use crate::reconcile::worker;
use crate::source::Sources;
use crate::telemetry::chain;

use super::{Parts, RunError};

impl Parts {
    /// Starts the workers of each kind, and what sets them going in the background.
    pub(super) async fn start_workers(
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
