//! Writing to our own objects: status and finalizers, in as few requests as can be.
//!
//! A status is written as the difference to what is there; no difference, no request. The patch
//! names only the fields of this host, so what others write survives.

use std::fmt::Debug;
use std::hash::Hash;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use weir_api::meta::FINALIZER;

use super::objects::Objects;

/// Writes the objects of one kind and keeps the host's view in step.
pub struct Writer<K> {
    client: Client,
    objects: std::sync::Arc<Objects<K>>,
    /// Field manager.
    manager: &'static str,
}

impl<K> Writer<K>
where
    K: Resource + Clone + DeserializeOwned + Serialize + Debug + Send + Sync + 'static,
    K::DynamicType: Default + Eq + Hash + Clone,
{
    /// A writer under the field manager.
    pub fn new(client: Client, objects: std::sync::Arc<Objects<K>>, manager: &'static str) -> Self {
        Self {
            client,
            objects,
            manager,
        }
    }

    /// Writes the status from `old` to `new`, unless they are equal. A deleted object is fine.
    pub async fn status<S: Serialize>(
        &self,
        api: &Api<K>,
        object: &K,
        old: &S,
        new: &S,
    ) -> Result<bool, kube::Error> {
        let (old, new) = (to_value(old), to_value(new));
        let Some(difference) = merge_patch(&old, &new) else {
            return Ok(false);
        };
        let patch = Patch::Merge(json!({ "status": difference }));
        let parameters = PatchParams {
            field_manager: Some(self.manager.into()),
            ..Default::default()
        };
        match api
            .patch_status(&object.name_any(), &parameters, &patch)
            .await
        {
            Ok(written) => {
                self.objects.offer(written);
                Ok(true)
            }
            Err(error) if is_not_found(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Adds our finalizer if it is not there.
    pub async fn add_finalizer(&self, api: &Api<K>, object: &K) -> Result<(), kube::Error> {
        if object.finalizers().iter().any(|name| name == FINALIZER) {
            return Ok(());
        }
        let mut finalizers = object.finalizers().to_vec();
        finalizers.push(FINALIZER.into());
        self.write_finalizers(api, object, &finalizers).await
    }

    /// Takes our finalizer away, which lets the deletion finish.
    pub async fn remove_finalizer(&self, api: &Api<K>, object: &K) -> Result<(), kube::Error> {
        let finalizers: Vec<String> = object
            .finalizers()
            .iter()
            .filter(|name| *name != FINALIZER)
            .cloned()
            .collect();
        if finalizers.len() == object.finalizers().len() {
            return Ok(());
        }
        self.write_finalizers(api, object, &finalizers).await
    }

    async fn write_finalizers(
        &self,
        api: &Api<K>,
        object: &K,
        finalizers: &[String],
    ) -> Result<(), kube::Error> {
        // The resource version keeps a finalizer that somebody else just added.
        let patch = Patch::Merge(json!({
            "metadata": { "finalizers": finalizers, "resourceVersion": object.resource_version() },
        }));
        let parameters = PatchParams {
            field_manager: Some(self.manager.into()),
            ..Default::default()
        };
        match api.patch(&object.name_any(), &parameters, &patch).await {
            Ok(written) => {
                self.objects.offer(written);
                Ok(())
            }
            Err(error) if is_not_found(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl<K> Writer<K>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    K::DynamicType: Default,
{
    /// The API of the namespace of `object`.
    pub fn api(&self, object: &K) -> Api<K> {
        Api::namespaced(self.client.clone(), &object.namespace().unwrap_or_default())
    }
}

/// Whether the API server says that the object does not exist.
pub fn is_not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

fn to_value<S: Serialize>(status: &S) -> Value {
    // Our own types: plain structs with string keys, which always serialise.
    serde_json::to_value(status).unwrap_or_else(|_| Value::Object(Map::new()))
}

/// The JSON merge patch (RFC 7386) from `old` to `new`; `None` when they are equal.
pub fn merge_patch(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(old_fields), Value::Object(new_fields)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let mut patch = Map::new();
    for (key, value) in new_fields {
        match old_fields.get(key) {
            Some(known) => {
                if let Some(difference) = merge_patch(known, value) {
                    patch.insert(key.clone(), difference);
                }
            }
            None => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    for key in old_fields
        .keys()
        .filter(|key| !new_fields.contains_key(*key))
    {
        patch.insert(key.clone(), Value::Null);
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_holds_the_difference_and_nothing_else() {
        for (old, new, expected) in [
            (json!({"a": 1}), json!({"a": 1}), None),
            (
                json!({"a": 1, "b": 2}),
                json!({"a": 1, "b": 3}),
                Some(json!({"b": 3})),
            ),
            (
                json!({"a": {"x": 1, "y": 2}}),
                json!({"a": {"x": 1}}),
                Some(json!({"a": {"y": null}})),
            ),
            (
                json!({"a": [1]}),
                json!({"a": [1, 2]}),
                Some(json!({"a": [1, 2]})),
            ),
            (json!({"a": 1}), json!({}), Some(json!({"a": null}))),
            (
                json!({}),
                json!({"a": {"b": 1}}),
                Some(json!({"a": {"b": 1}})),
            ),
        ] {
            assert_eq!(merge_patch(&old, &new), expected, "{old} -> {new}");
        }
    }
}
