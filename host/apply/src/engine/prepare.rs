//! Before a run: which kinds its objects are of, whether they can be objects at all, and that
//! their kinds are watched.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;
use weir_api::inventory::ObjectId;

use super::Inner;
use crate::error::ApplyError;
use crate::index::slot::GroupKind;
use crate::kstatus::needs_watch;
use crate::object::{Gvk, InvalidObject, Object};
use crate::order::Stage;
use crate::owner::Owner;
use crate::request::Resource;

/// An object whose kind is known, as it will be sent.
pub(super) struct Prepared {
    pub(super) object: Object,
    pub(super) resource: Arc<Resource>,
    /// Its definition is in this very set and not served yet.
    pub(super) defined_here: bool,
}

/// Resolves every object's kind and makes it what will be sent.
pub(super) async fn prepare(
    inner: &Inner,
    owner: &Owner,
    objects: Vec<Object>,
) -> Result<Vec<Prepared>, ApplyError> {
    let definitions = definitions(&objects);
    let mut resources: HashMap<Gvk, (Arc<Resource>, bool)> = HashMap::new();
    let mut prepared = Vec::with_capacity(objects.len());
    for object in objects {
        if object.is_encrypted_secret() {
            return Err(ApplyError::Encrypted {
                id: object.id().clone(),
            });
        }
        let gvk = object.gvk();
        if !resources.contains_key(&gvk) {
            let known = resolve(inner, &object, &gvk, &definitions).await?;
            resources.insert(gvk.clone(), known);
        }
        let Some((resource, defined_here)) = resources.get(&gvk).cloned() else {
            continue;
        };
        let object = object.prepare(owner, resource.namespaced);
        if resource.namespaced && object.id().namespace.is_empty() {
            return Err(ApplyError::Invalid(InvalidObject {
                subject: object.id().subject().to_string(),
                problem: "namespace not specified".to_owned(),
            }));
        }
        prepared.push(Prepared {
            object,
            resource,
            defined_here,
        });
    }
    Ok(prepared)
}

async fn resolve(
    inner: &Inner,
    object: &Object,
    gvk: &Gvk,
    definitions: &HashMap<Gvk, Arc<Resource>>,
) -> Result<(Arc<Resource>, bool), ApplyError> {
    // A definition in the set may change where the kind is served; it is asked for only if the
    // server does not have the kind at all.
    if let Some(resource) = inner
        .discovery
        .resolve(gvk)
        .await
        .map_err(ApplyError::Discovery)?
    {
        return Ok((resource, false));
    }
    match definitions.get(gvk) {
        Some(resource) => Ok((resource.clone(), true)),
        None => Err(ApplyError::UnknownKind {
            id: object.id().clone(),
            version: gvk.api_version(),
        }),
    }
}

/// Kinds that definitions of the set bring with them.
fn definitions(objects: &[Object]) -> HashMap<Gvk, Arc<Resource>> {
    let mut kinds = HashMap::new();
    for object in objects.iter().filter(|object| is_definition(object.id())) {
        let text = |pointer: &str| {
            object
                .value()
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let versions = object
            .value()
            .pointer("/spec/versions")
            .and_then(Value::as_array);
        for version in versions.into_iter().flatten() {
            let served = version
                .get("served")
                .and_then(Value::as_bool)
                .unwrap_or(false);
            let Some(name) = version
                .get("name")
                .and_then(Value::as_str)
                .filter(|_| served)
            else {
                continue;
            };
            let gvk = Gvk {
                group: text("/spec/group"),
                version: name.to_owned(),
                kind: text("/spec/names/kind"),
            };
            let resource = Resource {
                gvk: gvk.clone(),
                plural: text("/spec/names/plural"),
                namespaced: text("/spec/scope") == "Namespaced",
            };
            kinds.insert(gvk, Arc::new(resource));
        }
    }
    kinds
}

pub(super) fn is_definition(id: &ObjectId) -> bool {
    id.group == "apiextensions.k8s.io" && id.kind == "CustomResourceDefinition"
}

pub(super) fn refuse_duplicates(prepared: &[Prepared]) -> Result<(), ApplyError> {
    let mut seen = HashSet::new();
    match prepared.iter().find(|p| !seen.insert(p.object.id())) {
        None => Ok(()),
        Some(twice) => Err(ApplyError::Invalid(InvalidObject {
            subject: twice.object.id().subject().to_string(),
            problem: "it appears more than once".to_owned(),
        })),
    }
}

/// Watches the kinds of the set and waits until they are listed. Without that (a watch is
/// forbidden, say) the run goes on and asks the server about every object.
pub(super) async fn watch_kinds(inner: &Inner, prepared: &[Prepared], health: bool) {
    let mut kinds: HashMap<GroupKind, (Arc<Resource>, bool)> = HashMap::new();
    for p in prepared.iter().filter(|p| !p.defined_here) {
        let id = p.object.id();
        // Definitions are waited for, whether or not health is asked for.
        let full = is_definition(id)
            || (needs_watch(&id.group, &id.kind)
                && (health || Stage::of(id, &[]) == Stage::Classes));
        kinds
            .entry(GroupKind::of(id))
            .or_insert_with(|| (p.resource.clone(), full))
            .1 |= full;
    }
    for (resource, full) in kinds.values() {
        inner.index.watch(resource, *full);
    }
    let wanted: Vec<_> = kinds
        .into_iter()
        .map(|(kind, (_, full))| (kind, full))
        .collect();
    inner
        .index
        .synced(&wanted, inner.options.sync_timeout)
        .await;
}
