//! What makes an object due: its own edits, its source's new revision, its dependencies' progress,
//! a drifted or recovered object of its inventory, a plugin that changed hands.
//!
//! Status writes make nothing due by themselves, so a reconcile does not wake itself.

use std::sync::Arc;

use kube::{Resource, ResourceExt as _};
use weir_api::condition;
use weir_api::kustomize::v1::Kustomization;
use weir_api::meta;
use weir_api::source::v1::GitRepository;
use weir_plugin::Catalog;

use super::kustomization::{RENDERER, SETTINGS, dependency_keys, renderer};
use super::objects::{Change, Key, Objects};
use super::queue::Queue;

/// The queues of all kinds.
#[derive(Clone)]
pub struct Queues {
    /// GitRepositories.
    pub git_repositories: Arc<Queue<Key>>,
    /// Kustomizations.
    pub kustomizations: Arc<Queue<Key>>,
    /// Plugins.
    pub plugins: Arc<Queue<Key>>,
}

impl Queues {
    /// Empty queues.
    pub fn new() -> Self {
        Self {
            git_repositories: Queue::new(),
            kustomizations: Queue::new(),
            plugins: Queue::new(),
        }
    }

    /// Ends all workers after what they have in hand.
    pub fn close(&self) {
        self.git_repositories.close();
        self.kustomizations.close();
        self.plugins.close();
    }
}

impl Default for Queues {
    fn default() -> Self {
        Self::new()
    }
}

/// Queues an object when it is new, edited, asked for, or about to be deleted.
pub fn on_edit<K>(objects: &Objects<K>, queue: &Arc<Queue<Key>>)
where
    K: Resource + Clone + serde::de::DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
    K::DynamicType: Default + Eq + std::hash::Hash + Clone,
{
    let queue = Arc::clone(queue);
    objects.on_change(move |change| match change.new {
        None => queue.forget(change.key),
        Some(new) if change.old.is_none_or(|old| is_edited(old, new)) => {
            queue.add(change.key.clone());
        }
        Some(_) => {}
    });
}

/// Annotations whose edit makes an object due: they change no generation.
const HEARD: [&str; 3] = [meta::REQUESTED_AT, RENDERER, SETTINGS];

fn is_edited<K: Resource>(old: &K, new: &K) -> bool {
    let heard = |object: &K| HEARD.map(|name| object.annotations().get(name).cloned());
    old.meta().uid != new.meta().uid
        || old.meta().generation != new.meta().generation
        || old.meta().deletion_timestamp != new.meta().deletion_timestamp
        || heard(old) != heard(new)
}

/// Queues the Kustomizations of a source whose artifact has another revision.
pub fn on_revision(
    sources: &Objects<GitRepository>,
    kustomizations: &Arc<Objects<Kustomization>>,
    queue: &Arc<Queue<Key>>,
) {
    let (kustomizations, queue) = (Arc::clone(kustomizations), Arc::clone(queue));
    sources.on_change(move |change| {
        let revision = |source: Option<&GitRepository>| {
            let status = source?.status.as_ref()?;
            status
                .artifact
                .as_ref()
                .map(|artifact| artifact.revision.clone())
        };
        let new = revision(change.new);
        if new.is_none() || revision(change.old) == new {
            return;
        }
        let mut due: Vec<Arc<Kustomization>> = kustomizations
            .all()
            .into_iter()
            .filter(|kustomization| is_source_of(change.key, kustomization))
            .collect();
        // Those that depend on others later: they would only find them not ready.
        due.sort_by_cached_key(|kustomization| {
            (
                kustomization.spec.depends_on.len(),
                Key::of(&**kustomization),
            )
        });
        for kustomization in due {
            queue.add(Key::of(&*kustomization));
        }
    });
}

fn is_source_of(key: &Key, kustomization: &Kustomization) -> bool {
    let reference = &kustomization.spec.source_ref;
    let own = kustomization
        .metadata
        .namespace
        .as_deref()
        .unwrap_or_default();
    reference.name == key.name && reference.namespace.as_deref().unwrap_or(own) == key.namespace
}

/// Queues what depends on a Kustomization that became ready or applied another revision.
pub fn on_progress(kustomizations: &Arc<Objects<Kustomization>>, queue: &Arc<Queue<Key>>) {
    let (all, queue) = (Arc::downgrade(kustomizations), Arc::clone(queue));
    kustomizations.on_change(move |change: &Change<'_, Kustomization>| {
        let progress = |object: Option<&Kustomization>| {
            let status = object?.status.as_ref()?;
            condition::is_true(&status.conditions, meta::condition::READY).then(|| {
                (
                    status.last_applied_revision.clone(),
                    status.observed_generation,
                )
            })
        };
        let new = progress(change.new);
        if new.is_none() || progress(change.old) == new {
            return;
        }
        let Some(all) = all.upgrade() else { return };
        for object in all.all() {
            if dependency_keys(&object).any(|key| key == *change.key) {
                queue.add(Key::of(&*object));
            }
        }
    });
}

/// Queues every object whose plugin changed hands, until the catalog is dropped.
pub async fn on_plugin_change(
    catalog: Arc<Catalog>,
    git_repositories: Arc<Objects<GitRepository>>,
    kustomizations: Arc<Objects<Kustomization>>,
    queues: Queues,
) {
    let digests = || -> std::collections::HashMap<String, weir_plugin::Digest> {
        catalog
            .list()
            .into_iter()
            .map(|(name, plugin, _)| (name, plugin.digest()))
            .collect()
    };
    let mut changes = catalog.subscribe();
    let mut known = digests();
    while changes.changed().await.is_ok() {
        let now = digests();
        let changed = |name: &str| known.get(name) != now.get(name);
        if changed("git") {
            for object in git_repositories.all() {
                queues.git_repositories.add(Key::of(&*object));
            }
        }
        for object in kustomizations.all() {
            if changed(&renderer(&object)) {
                queues.kustomizations.add(Key::of(&*object));
            }
        }
        known = now;
    }
}
