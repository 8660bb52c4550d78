//! Which kinds the API server has: two requests for the whole process, and one more whenever a
//! kind is asked for that is not known (its definition may be new).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use serde::Deserialize;

use crate::error::RequestError;
use crate::object::Gvk;
use crate::request::{Requests, Resource};

/// Unknown kinds ask the server again at most this often: many owners may wait for the same
/// definition, and a typing error must not become a flood.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

#[derive(Default)]
struct Kinds {
    by_gvk: HashMap<Gvk, Arc<Resource>>,
    /// The preferred version of a group and kind.
    preferred: HashMap<(String, String), Arc<Resource>>,
}

#[derive(Default)]
struct Cache {
    core: Arc<Kinds>,
    groups: Arc<Kinds>,
    fetched: Option<Instant>,
}

/// The cache. Shared by all owners.
pub(crate) struct Discovery {
    requests: Requests,
    cache: RwLock<Cache>,
    /// Held while fetching, so that many who miss the same kind fetch once.
    fetching: tokio::sync::Mutex<()>,
}

impl Discovery {
    pub(crate) fn new(requests: Requests) -> Self {
        Self {
            requests,
            cache: RwLock::default(),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    /// Where a kind is served; `None` if it is not.
    pub(crate) async fn resolve(&self, gvk: &Gvk) -> Result<Option<Arc<Resource>>, RequestError> {
        let asked = Instant::now();
        if let Some(resource) = self.cached(gvk) {
            return Ok(Some(resource));
        }
        self.refresh(asked, AGAIN_AFTER).await?;
        Ok(self.cached(gvk))
    }

    /// As [`Discovery::resolve`], but asks the server whatever it said before.
    pub(crate) async fn resolve_anew(
        &self,
        gvk: &Gvk,
    ) -> Result<Option<Arc<Resource>>, RequestError> {
        self.refresh(Instant::now(), Duration::ZERO).await?;
        Ok(self.cached(gvk))
    }

    /// A kind in any version: the given one if it is served, else the preferred one. For objects
    /// of which only an inventory entry is left.
    pub(crate) async fn resolve_any(
        &self,
        gvk: &Gvk,
    ) -> Result<Option<Arc<Resource>>, RequestError> {
        if let Some(resource) = self.resolve(gvk).await? {
            return Ok(Some(resource));
        }
        let cache = self.cache.read();
        let key = (gvk.group.clone(), gvk.kind.clone());
        Ok(cache
            .core
            .preferred
            .get(&key)
            .or_else(|| cache.groups.preferred.get(&key))
            .cloned())
    }

    /// The server has said that it does not know a kind which is in the cache.
    pub(crate) fn invalidate(&self, gvk: &Gvk) {
        let mut cache = self.cache.write();
        let mut groups = Kinds {
            by_gvk: cache.groups.by_gvk.clone(),
            preferred: cache.groups.preferred.clone(),
        };
        groups.by_gvk.remove(gvk);
        groups
            .preferred
            .remove(&(gvk.group.clone(), gvk.kind.clone()));
        cache.groups = Arc::new(groups);
    }

    fn cached(&self, gvk: &Gvk) -> Option<Arc<Resource>> {
        let cache = self.cache.read();
        cache
            .core
            .by_gvk
            .get(gvk)
            .or_else(|| cache.groups.by_gvk.get(gvk))
            .cloned()
    }

    async fn refresh(&self, asked: Instant, again_after: Duration) -> Result<(), RequestError> {
        let _fetching = self.fetching.lock().await;
        let fetched = self.cache.read().fetched;
        if let Some(fetched) = fetched
            && (fetched >= asked || fetched.elapsed() < again_after)
        {
            return Ok(());
        }
        // The core group changes with the server only.
        let groups = if fetched.is_some() {
            self.fetch("/apis").await?
        } else {
            let (core, groups) = futures::try_join!(self.fetch("/api"), self.fetch("/apis"))?;
            self.cache.write().core = Arc::new(core);
            groups
        };
        let mut cache = self.cache.write();
        cache.groups = Arc::new(groups);
        cache.fetched = Some(Instant::now());
        Ok(())
    }

    async fn fetch(&self, path: &str) -> Result<Kinds, RequestError> {
        let list: GroupList = self.requests.get(path, AGGREGATED).await?.parse()?;
        Ok(list.kinds())
    }
}

// The parts of `APIGroupDiscoveryList` (apidiscovery.k8s.io/v2) that matter.

#[derive(Deserialize)]
struct GroupList {
    #[serde(default)]
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: GroupMeta,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
struct GroupMeta {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    #[serde(default)]
    resources: Vec<Served>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Served {
    resource: String,
    response_kind: Option<ResponseKind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct ResponseKind {
    #[serde(default)]
    kind: String,
}

impl GroupList {
    fn kinds(self) -> Kinds {
        let mut kinds = Kinds::default();
        for group in self.items {
            let name = group.metadata.name;
            // Versions come in the order of preference.
            for version in group.versions {
                for served in version.resources {
                    let Some(kind) = served.response_kind.map(|response| response.kind) else {
                        continue;
                    };
                    // Reviews and bindings can only be created; nobody keeps them in Git.
                    if kind.is_empty() || !served.verbs.iter().any(|verb| verb == "get") {
                        continue;
                    }
                    let gvk = Gvk {
                        group: name.clone(),
                        version: version.version.clone(),
                        kind,
                    };
                    let resource = Arc::new(Resource {
                        gvk: gvk.clone(),
                        plural: served.resource,
                        namespaced: served.scope == "Namespaced",
                    });
                    let any = (gvk.group.clone(), gvk.kind.clone());
                    kinds
                        .preferred
                        .entry(any)
                        .or_insert_with(|| resource.clone());
                    kinds.by_gvk.entry(gvk).or_insert(resource);
                }
            }
        }
        kinds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_with_scope_and_preference() {
        let list: GroupList = serde_json::from_value(serde_json::json!({
            "items": [{
                "metadata": { "name": "example.com" },
                "versions": [
                    { "version": "v1", "resources": [
                        { "resource": "widgets", "responseKind": { "kind": "Widget" },
                          "scope": "Namespaced", "verbs": ["get", "patch"] },
                        { "resource": "reviews", "responseKind": { "kind": "Review" },
                          "scope": "Cluster", "verbs": ["create"] }
                    ] },
                    { "version": "v1beta1", "resources": [
                        { "resource": "widgets", "responseKind": { "kind": "Widget" },
                          "scope": "Namespaced", "verbs": ["get"] }
                    ] },
                    { "version": "v1alpha1" }
                ]
            }]
        }))
        .unwrap();
        let kinds = list.kinds();
        assert_eq!(kinds.by_gvk.len(), 2);
        let widget = &kinds.preferred[&("example.com".to_owned(), "Widget".to_owned())];
        assert_eq!(widget.gvk.version, "v1");
        assert!(widget.namespaced);
        assert_eq!(widget.collection(), "/apis/example.com/v1/widgets");
    }
}
