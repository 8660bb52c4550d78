//! Taking over what kubectl and client-side tools have set, so that what is not in Git goes away
//! (fluxcd/pkg ssa/manager_apply.go, ssa/patch.go). Rare: three requests, when the live object
//! shows such a manager.

use serde_json::{Value, json};
use tracing::debug;

use super::Inner;
use super::write::Item;
use crate::error::{ObjectError, Operation};
use crate::index::meta::ManagedFields;
use crate::object::{LEFT_BEHIND_ANNOTATIONS, LEFT_BEHIND_LABELS};
use crate::request::METADATA;

/// How often an object that changes meanwhile is read again.
const ATTEMPTS: usize = 5;

impl Inner {
    /// Makes fields of kubectl and the like ours, so that the next apply removes those that are
    /// not desired, and removes what they left in the metadata. False if there was nothing to do.
    pub(super) async fn take_over(&self, item: &Item) -> Result<bool, ObjectError> {
        let failed = |cause| item.error(Operation::Apply, cause);
        let path = item.path();
        let mut attempts = 0;
        loop {
            let answer = match self.requests.get(&path, METADATA).await {
                Ok(answer) => answer,
                Err(cause) if cause.is_not_found() => return Ok(false),
                Err(cause) => return Err(failed(cause)),
            };
            let live: Value = answer.parse().map_err(failed)?;
            let Some(patch) = self.take_over_patch(&live) else {
                return Ok(false);
            };
            debug!(object = %item.object.id().subject(), "taking over fields of other managers");
            let patched = self
                .requests
                .json_patch(&path, &self.options.field_manager, &patch);
            attempts += 1;
            match patched.await {
                Ok(_) => return Ok(true),
                // Somebody has written meanwhile: the fields are to be read again.
                Err(cause) if cause.code == 409 && attempts < ATTEMPTS => {}
                Err(cause) => return Err(failed(cause)),
            }
        }
    }

    fn take_over_patch(&self, live: &Value) -> Option<Value> {
        let metadata = live.get("metadata")?;
        let mut patch = Vec::new();
        for (place, keys) in [
            ("annotations", &LEFT_BEHIND_ANNOTATIONS[..]),
            ("labels", &LEFT_BEHIND_LABELS[..]),
        ] {
            for key in keys {
                if metadata.get(place).and_then(|map| map.get(*key)).is_some() {
                    let pointer = key.replace('~', "~0").replace('/', "~1");
                    patch.push(
                        json!({ "op": "remove", "path": format!("/metadata/{place}/{pointer}") }),
                    );
                }
            }
        }
        if let Some(entries) = self.merged_entries(metadata) {
            patch.push(json!({
                "op": "replace", "path": "/metadata/managedFields", "value": entries
            }));
        }
        if patch.is_empty() {
            return None;
        }
        // Refused if somebody has written meanwhile.
        if let Some(version) = metadata.get("resourceVersion") {
            patch.push(json!({
                "op": "replace", "path": "/metadata/resourceVersion", "value": version
            }));
        }
        Some(Value::Array(patch))
    }

    /// The managed fields with those of foreign managers moved into our own entry; `None` if
    /// there are none (fluxcd/pkg ssa/manager_apply.go, ssa/patch.go).
    fn merged_entries(&self, metadata: &Value) -> Option<Vec<Value>> {
        let entries = metadata.get("managedFields")?.as_array()?;
        let own = |entry: &Value| {
            entry.get("manager").and_then(Value::as_str) == Some(&self.options.field_manager)
                && entry.get("operation").and_then(Value::as_str) == Some("Apply")
                && entry
                    .get("subresource")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .is_empty()
        };
        let foreign = |entry: &Value| {
            serde_json::from_value::<ManagedFields>(entry.clone())
                .is_ok_and(|entry| self.managers.takes_over(&entry))
        };
        let taken: Vec<&Value> = entries.iter().filter(|entry| foreign(entry)).collect();
        let first = taken.first()?;
        let mut ours = entries
            .iter()
            .find(|entry| own(entry))
            .cloned()
            .unwrap_or_else(|| {
                json!({
                    "manager": self.options.field_manager,
                    "operation": "Apply",
                    "apiVersion": first.get("apiVersion"),
                    "time": first.get("time"),
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {}
                })
            });
        for entry in &taken {
            if let (Some(into), Some(from)) = (ours.get_mut("fieldsV1"), entry.get("fieldsV1")) {
                union(into, from);
            }
        }
        let kept = entries
            .iter()
            .filter(|entry| !foreign(entry) && !own(entry))
            .cloned();
        Some(std::iter::once(ours).chain(kept).collect())
    }
}

/// Adds the fields of one set to another. A set is a tree of maps; a leaf is an empty map.
fn union(into: &mut Value, from: &Value) {
    let (Some(into), Some(from)) = (into.as_object_mut(), from.as_object()) else {
        return;
    };
    for (key, fields) in from {
        match into.get_mut(key) {
            Some(known) => union(known, fields),
            None => {
                into.insert(key.clone(), fields.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_united() {
        let mut ours = json!({ "f:spec": { "f:a": {}, "f:b": { "f:c": {} } } });
        union(
            &mut ours,
            &json!({ "f:spec": { "f:b": { "f:d": {} }, "f:e": {} }, "f:data": {} }),
        );
        assert_eq!(
            ours,
            json!({
                "f:spec": { "f:a": {}, "f:b": { "f:c": {}, "f:d": {} }, "f:e": {} },
                "f:data": {}
            })
        );
    }
}
