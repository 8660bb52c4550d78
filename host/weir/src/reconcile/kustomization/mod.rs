//! Kustomization: render, apply, prune, wait.
//!
//! Semantics of fluxcd/kustomize-controller `internal/controller/kustomization_controller.go`.
//! Where it differs, it is to save requests: intermediate states are not written but for the
//! intent (below), a run that changes nothing writes no event, and health is not polled but
//! followed on a watch, so a waiting object holds no worker.
//!
//! The order that loses nothing: ids that are not in the inventory yet are written to it before
//! the first object is applied (the *intent*), and ids leave it after their objects are deleted.
//! A host that dies in between leaves an inventory that names too much, never too little.

mod apply;
mod dependencies;
mod finalise;
mod intent;
mod ledger;
pub(crate) mod manifests;
#[cfg(fuzzing)]
pub use manifests::fuzzing;
mod outcome;
mod prepare;
mod run;
mod settings;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use weir_api::inventory::{Inventory, ObjectId};
use weir_api::kustomize::v1::Kustomization;
use weir_api::meta;
use weir_api::source::v1::GitRepository;
use weir_apply::{Engine, Event};
use weir_git::GitClient;
use weir_plugin::{Catalog, Digest};

use super::objects::{Key, Objects};
use super::queue::Queue;
use super::status::Writer;
use super::worker::{Next, Reconcile};
use crate::artifact::Store;
use crate::capabilities::Capabilities;
use crate::event::Recorder;
use crate::grants::GrantBook;
use crate::lookup::Lookup;
use crate::render::Renders;
use crate::telemetry::{Metrics, chain};

pub use dependencies::keys as dependency_keys;
pub use ledger::Ledger;
pub use settings::{RENDERER, SETTINGS, renderer};

/// Reconciles Kustomizations.
pub struct Kustomizations {
    /// The view.
    pub objects: Arc<Objects<Kustomization>>,
    /// Writes them.
    pub writer: Arc<Writer<Kustomization>>,
    /// The sources they name.
    pub sources: Arc<Objects<GitRepository>>,
    /// Where artifacts are.
    pub store: Arc<Store>,
    /// Renderers by name.
    pub catalog: Arc<Catalog>,
    /// What renderers may do.
    pub grants: Arc<GrantBook>,
    /// Renders that need not run again.
    pub renders: Arc<Renders>,
    /// Fetches remote bases.
    pub git: GitClient,
    /// Applies.
    pub engine: Engine,
    /// What was applied, across restarts.
    pub ledger: Ledger,
    /// What the cluster serves, for renderers that ask.
    pub capabilities: Arc<Capabilities>,
    /// Reads the cluster for renderers that may.
    pub lookup: Arc<Lookup>,
    /// Tells people.
    pub recorder: Recorder,
    /// Counts renders and applied objects.
    pub metrics: Arc<Metrics>,
    /// How runs are paced and what they may refer to.
    pub rules: Rules,
    /// What this process knows of each object's last run; a restart starts empty.
    pub memory: Mutex<HashMap<Key, Memory>>,
}

/// Flags that shape a run.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Refuses sources and dependencies in other namespaces.
    pub no_cross_namespace_refs: bool,
    /// Wait between looks at a dependency or source that is not ready.
    pub requeue_dependency: Duration,
    /// Of the interval, in percent.
    pub jitter: u8,
    /// Requests of one apply at a time.
    pub concurrency: usize,
}

/// What this process remembers of an object between runs.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// What was applied in full: nothing of it needs to be looked at again until the engine
    /// reports drift, which takes this away.
    applied: Option<Applied>,
    /// The inventory after the last apply, until a status holds it: a run that waits for health
    /// writes none.
    inventory: Option<Inventory>,
    /// The objects whose health counts.
    health_ids: Vec<ObjectId>,
    /// Since when health is waited for, and for what.
    waiting: Option<(Instant, Applied)>,
    /// Since when a dependency is not met.
    unmet_since: Option<Instant>,
}

/// Identifies what a run would apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Applied {
    generation: Option<i64>,
    output: Digest,
}

#[async_trait]
impl Reconcile for Kustomizations {
    const CONTROLLER: &'static str = "kustomization";
    const KIND: &'static str = "Kustomization";
    const GROUP: &'static str = meta::KUSTOMIZE_GROUP;

    async fn reconcile(&self, key: &Key, was_put_off: bool) -> Next {
        let Some(object) = self.objects.get(key) else {
            self.memory.lock().remove(key);
            return Next::Gone;
        };
        let step: BoxFuture<'_, Result<Next, kube::Error>> =
            Box::pin(self.step(key, &object, was_put_off));
        step.await.unwrap_or_else(|error: kube::Error| {
            tracing::warn!(error = %chain(&error), "the API server refused a write");
            Next::Backoff(Duration::ZERO)
        })
    }
}

impl Kustomizations {
    async fn step(
        &self,
        key: &Key,
        object: &Arc<Kustomization>,
        was_put_off: bool,
    ) -> Result<Next, kube::Error> {
        if object.metadata.deletion_timestamp.is_some() {
            return self.finalise(key, object).await;
        }
        if object.spec.suspend {
            return Ok(Next::OnChange);
        }
        self.writer
            .add_finalizer(&self.writer.api(object), object)
            .await?;
        self.reconcile_live(key, object, was_put_off).await
    }

    /// Follows what the engine sees of applied objects, for ever: drift and deletion make the
    /// owner apply again, other health makes it look again.
    pub async fn follow(self: Arc<Self>, queue: Arc<Queue<Key>>) {
        loop {
            let event = self.engine.next_event().await;
            let key = Key::new(&event.owner().namespace, &event.owner().name);
            let times = match &event {
                Event::Drifted { times, .. } | Event::Deleted { times, .. } => *times,
                Event::HealthChanged { .. } => 0,
            };
            if times > 0 {
                tracing::debug!(?event, "an applied object is not as applied");
                self.memory.lock().entry(key.clone()).or_default().applied = None;
            }
            // Two controllers that fight over an object must not do so at full speed.
            match times.checked_sub(FIGHT) {
                None => queue.add(key),
                Some(more) => queue.add_after(key, Duration::from_secs(1 << more.min(8))),
            }
        }
    }
}

/// How often in a row an object drifts before its repair is delayed.
const FIGHT: u32 = 6;
