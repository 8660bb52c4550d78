//! The host's view of one kind: every object of it, kept by a watch.
//!
//! A reconciler's own writes are offered at once, so that the next reconcile does not read a
//! status that is older than what this host wrote (the watch lags). Who is interested in changes
//! registers a listener; listeners only put keys into queues.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use futures::StreamExt as _;
use kube::api::Api;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Resource, ResourceExt as _};
use parking_lot::RwLock;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

/// Namespace (empty for cluster-scoped kinds) and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// A key from its parts.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The key of an object.
    pub fn of<K: Resource>(object: &K) -> Self {
        let meta = object.meta();
        Self::new(
            meta.namespace.clone().unwrap_or_default(),
            meta.name.clone().unwrap_or_default(),
        )
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

/// A change of one object: before and after, `None` where it does not exist.
#[derive(Debug)]
pub struct Change<'c, K> {
    /// Whose.
    pub key: &'c Key,
    /// Before.
    pub old: Option<&'c K>,
    /// After.
    pub new: Option<&'c K>,
}

type Listener<K> = Box<dyn Fn(&Change<'_, K>) + Send + Sync>;

/// See the module.
pub struct Objects<K> {
    by_key: RwLock<HashMap<Key, Arc<K>>>,
    listeners: RwLock<Vec<Listener<K>>>,
    synced: tokio::sync::watch::Sender<bool>,
}

impl<K> Default for Objects<K> {
    fn default() -> Self {
        Self {
            by_key: RwLock::default(),
            listeners: RwLock::default(),
            synced: tokio::sync::watch::Sender::new(false),
        }
    }
}

impl<K> Objects<K>
where
    K: Resource + Clone + DeserializeOwned + fmt::Debug + Send + Sync + 'static,
    K::DynamicType: Default + Eq + Hash + Clone,
{
    /// The object, as last seen.
    pub fn get(&self, key: &Key) -> Option<Arc<K>> {
        self.by_key.read().get(key).cloned()
    }

    /// All of them, in no order.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.by_key.read().values().cloned().collect()
    }

    /// Calls `listener` on every change from now on. It must not block.
    pub fn on_change(&self, listener: impl Fn(&Change<'_, K>) + Send + Sync + 'static) {
        self.listeners.write().push(Box::new(listener));
    }

    /// Takes an object that this host just wrote, unless a newer one is known.
    pub fn offer(&self, object: K) {
        self.put(object);
    }

    /// Waits until the first list is complete.
    pub async fn synced(&self) {
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await;
    }

    /// Keeps the view up to date until `stop`. Errors are logged and retried with backoff; the
    /// view keeps what it has meanwhile.
    pub async fn watch(
        self: Arc<Self>,
        api: Api<K>,
        label_selector: Option<String>,
        stop: CancellationToken,
    ) {
        let kind = K::kind(&K::DynamicType::default()).into_owned();
        let config = watcher::Config {
            label_selector,
            ..watcher::Config::default()
        };
        let mut events = watcher(api, config).boxed();
        let mut listed: Vec<Key> = Vec::new();
        let mut failures = 0;
        loop {
            let event = tokio::select! {
                () = stop.cancelled() => return,
                event = events.next() => event,
            };
            match event {
                None => return,
                Some(Err(error)) => {
                    failures += 1;
                    tracing::warn!(kind, error = %crate::telemetry::chain(&error), "watch failed; trying again");
                    let delay = super::queue::backoff(
                        failures,
                        std::time::Duration::from_millis(200),
                        std::time::Duration::from_secs(30),
                    );
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(delay) => {}
                    }
                }
                Some(Ok(event)) => {
                    failures = 0;
                    match event {
                        Event::Init => listed.clear(),
                        Event::InitApply(object) => {
                            listed.push(Key::of(&object));
                            self.put(object);
                        }
                        Event::InitDone => {
                            self.keep_only(&std::mem::take(&mut listed));
                            let _ = self.synced.send_replace(true);
                        }
                        Event::Apply(object) => self.put(object),
                        Event::Delete(object) => self.remove(&Key::of(&object)),
                    }
                }
            }
        }
    }

    fn put(&self, mut object: K) {
        // Nobody here reads them, and they are half of an object's memory.
        object.managed_fields_mut().clear();
        let key = Key::of(&object);
        let object = Arc::new(object);
        let old = {
            let mut by_key = self.by_key.write();
            if by_key
                .get(&key)
                .is_some_and(|known| !is_newer(&*object, &**known))
            {
                return;
            }
            by_key.insert(key.clone(), Arc::clone(&object))
        };
        self.tell(&Change {
            key: &key,
            old: old.as_deref(),
            new: Some(&object),
        });
    }

    fn remove(&self, key: &Key) {
        let old = self.by_key.write().remove(key);
        if let Some(old) = old {
            self.tell(&Change {
                key,
                old: Some(&old),
                new: None,
            });
        }
    }

    /// After a list: what it did not name was deleted while no watch ran.
    fn keep_only(&self, listed: &[Key]) {
        let listed: std::collections::HashSet<&Key> = listed.iter().collect();
        let gone: Vec<Key> = self
            .by_key
            .read()
            .keys()
            .filter(|key| !listed.contains(key))
            .cloned()
            .collect();
        for key in gone {
            self.remove(&key);
        }
    }

    fn tell(&self, change: &Change<'_, K>) {
        for listener in self.listeners.read().iter() {
            listener(change);
        }
    }
}

/// Whether `new` is another and later state than `known`. Resource versions of one kind are
/// ordered numbers (Kubernetes documents it since 1.35; etcd has always made them so). A new uid
/// is a new object whatever the numbers say.
fn is_newer<K: Resource>(new: &K, known: &K) -> bool {
    if new.meta().uid != known.meta().uid {
        return true;
    }
    let number = |object: &K| -> Option<u64> {
        object
            .meta()
            .resource_version
            .as_deref()
            .and_then(|version| version.parse().ok())
    };
    match (number(new), number(known)) {
        (Some(new), Some(known)) => new > known,
        _ => new.meta().resource_version != known.meta().resource_version,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use parking_lot::Mutex;

    use super::*;

    fn config_map(name: &str, uid: &str, version: &str) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.name = Some(name.into());
        object.metadata.namespace = Some("ns".into());
        object.metadata.uid = Some(uid.into());
        object.metadata.resource_version = Some(version.into());
        object
    }

    #[test]
    fn an_older_state_never_replaces_a_newer_one() {
        let objects = Objects::<ConfigMap>::default();
        let key = Key::new("ns", "a");
        let version = || {
            objects
                .get(&key)
                .unwrap()
                .metadata
                .resource_version
                .clone()
                .unwrap()
        };
        objects.put(config_map("a", "1", "10"));
        objects.offer(config_map("a", "1", "12"));
        objects.put(config_map("a", "1", "11"));
        assert_eq!(version(), "12", "the watch lags behind our own write");
        objects.put(config_map("a", "2", "9"));
        assert_eq!(version(), "9", "recreated under the same name");
    }

    #[test]
    fn a_list_tells_of_what_was_deleted_meanwhile() {
        let objects = Objects::<ConfigMap>::default();
        let deleted = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&deleted);
        objects.on_change(move |change| {
            if change.new.is_none() {
                seen.lock().push(change.key.name.clone());
            }
        });
        for name in ["a", "b"] {
            objects.put(config_map(name, name, "1"));
        }
        objects.keep_only(&[Key::new("ns", "b")]);
        assert_eq!(*deleted.lock(), ["a"]);
        assert!(objects.get(&Key::new("ns", "a")).is_none());
    }
}
