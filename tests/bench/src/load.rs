//! Makes objects and watches them, without a limit of requests on the client's side.

use std::collections::HashMap;
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::runtime::watcher;
use kube::{Client, Config, ResourceExt};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use weir_tests_support::monorepo::SYSTEM_NAMESPACE;

/// Writes of the bench at a time.
const WRITERS: usize = 16;
/// How often it says how far it is.
const PROGRESS: Duration = Duration::from_secs(10);

/// A client with the rights of a kubeconfig.
pub(crate) async fn client(kubeconfig: &Path) -> Result<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

/// The objects of one kind in the system namespace.
fn api(client: &Client, group: &str, version: &str, kind: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    Api::namespaced_with(client.clone(), SYSTEM_NAMESPACE, &resource)
}

/// The GitRepositories.
pub(crate) fn sources(client: &Client) -> Api<DynamicObject> {
    api(client, "source.toolkit.fluxcd.io", "v1", "GitRepository")
}

/// The Kustomizations.
pub(crate) fn kustomizations(client: &Client) -> Api<DynamicObject> {
    api(client, "kustomize.toolkit.fluxcd.io", "v1", "Kustomization")
}

/// Creates objects, many at a time.
pub(crate) async fn create(api: &Api<DynamicObject>, objects: Vec<Value>) -> Result<()> {
    stream::iter(objects)
        .map(|object| async move {
            let object: DynamicObject = serde_json::from_value(object)?;
            api.create(&PostParams::default(), &object)
                .await
                .with_context(|| format!("failed to create {}", object.name_any()))
                .map(drop)
        })
        .buffer_unordered(WRITERS)
        .try_collect()
        .await
}

/// Merges a patch into each of the named objects, many at a time.
pub(crate) async fn merge(
    api: &Api<DynamicObject>,
    names: Vec<String>,
    patch: &Value,
) -> Result<()> {
    let params = PatchParams::default();
    let params = &params;
    stream::iter(names)
        .map(|name| async move {
            api.patch(&name, params, &Patch::Merge(patch))
                .await
                .with_context(|| format!("failed to patch {name}"))
                .map(drop)
        })
        .buffer_unordered(WRITERS)
        .try_collect()
        .await
}

/// What a phase waits for of each object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Ready is true of the current generation.
    pub(crate) ready: bool,
    /// `status.lastAppliedRevision`.
    pub(crate) revision: String,
    /// `status.lastHandledReconcileAt`.
    pub(crate) handled: String,
    /// Generation of the object.
    pub(crate) generation: i64,
}

impl Seen {
    fn of(object: &DynamicObject) -> Self {
        let status = &object.data["status"];
        let text = |name: &str| status[name].as_str().unwrap_or_default().to_owned();
        let generation = object.metadata.generation.unwrap_or_default();
        let ready = status["conditions"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
        Self {
            ready: ready && status["observedGeneration"].as_i64() == Some(generation),
            revision: text("lastAppliedRevision"),
            handled: text("lastHandledReconcileAt"),
            generation,
        }
    }
}

/// The state of all Kustomizations, kept by one watch.
#[derive(Debug)]
pub(crate) struct Board {
    states: watch::Receiver<HashMap<String, Seen>>,
    task: JoinHandle<()>,
}

impl Board {
    /// Starts to watch.
    pub(crate) fn start(client: &Client) -> Self {
        let (sender, states) = watch::channel(HashMap::new());
        let api = kustomizations(client);
        let task = tokio::spawn(async move {
            let mut events = pin!(watcher(api, watcher::Config::default()));
            while let Some(event) = events.next().await {
                match event {
                    Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) => {
                        sender.send_modify(|states| {
                            states.insert(object.name_any(), Seen::of(&object));
                        });
                    }
                    Ok(watcher::Event::Delete(object)) => sender.send_modify(|states| {
                        states.remove(&object.name_any());
                    }),
                    // The watcher tries again by itself.
                    Ok(watcher::Event::Init | watcher::Event::InitDone) | Err(_) => {}
                }
            }
        });
        Self { states, task }
    }

    /// Waits until `wanted` holds for `count` objects; says how far it is now and then.
    pub(crate) async fn wait(
        &mut self,
        what: &str,
        count: usize,
        timeout: Duration,
        wanted: impl Fn(&Seen) -> bool,
    ) -> Result<()> {
        let started = Instant::now();
        let mut said = Instant::now();
        loop {
            let done = self
                .states
                .borrow_and_update()
                .values()
                .filter(|seen| wanted(seen))
                .count();
            if done >= count {
                return Ok(());
            }
            if said.elapsed() >= PROGRESS {
                said = Instant::now();
                eprintln!(
                    "  {what}: {done} of {count} after {} s",
                    started.elapsed().as_secs()
                );
            }
            let left = timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                bail!("{done} of {count} after {} s", timeout.as_secs());
            }
            // Wakes up now and then to say how far it is.
            let pause = left.min(Duration::from_secs(1));
            if let Ok(Err(closed)) = tokio::time::timeout(pause, self.states.changed()).await {
                return Err(closed).context("the watch ended");
            }
        }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.task.abort();
    }
}
