//! A rendered manifest: what the engine is handed, with its identity read once.

use serde_json::{Map, Value};
use weir_api::inventory::{Entry, ObjectId};
use weir_api::meta;

use crate::fingerprint::Fingerprint;
use crate::owner::Owner;

/// One manifest. Its value is an object with `apiVersion`, `kind` and `metadata.name`.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    value: Value,
    id: ObjectId,
    version: String,
}

/// Group, version and kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gvk {
    /// Empty for the core group.
    pub group: String,
    /// Version without the group.
    pub version: String,
    /// Kind.
    pub kind: String,
}

impl Gvk {
    /// `group/version`, or the version alone for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

impl std::fmt::Display for Gvk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.api_version(), self.kind)
    }
}

/// A manifest that is no Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("manifest {subject} is no Kubernetes object: {problem}")]
pub struct InvalidObject {
    /// As far as it can be told: kind and name.
    pub subject: String,
    /// What is wrong.
    pub problem: String,
}

/// Value of a toolkit annotation or label; compared without regard to case.
const DISABLED: &str = "disabled";

/// How an object asks to be applied (`kustomize.toolkit.fluxcd.io/ssa`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApplyMode {
    /// Own every field of the manifest, and take over what kubectl has set.
    #[default]
    Override,
    /// Leave fields of other managers alone.
    Merge,
    /// Create, and never change.
    IfNotPresent,
    /// Do nothing.
    Ignore,
}

impl Object {
    /// Checks that the value is an object with an identity.
    ///
    /// # Errors
    /// `apiVersion`, `kind` or `metadata.name` is missing or no string.
    pub fn new(value: Value) -> Result<Self, InvalidObject> {
        let text = |pointer: &str| {
            value
                .pointer(pointer)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let missing = |field: &str| InvalidObject {
            subject: format!(
                "{}/{}",
                text("/kind").unwrap_or("?"),
                text("/metadata/name").unwrap_or("?")
            ),
            problem: format!("{field} is missing"),
        };
        let api_version = text("/apiVersion").ok_or_else(|| missing("apiVersion"))?;
        let kind = text("/kind").ok_or_else(|| missing("kind"))?;
        let name = text("/metadata/name").ok_or_else(|| missing("metadata.name"))?;
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let namespace = text("/metadata/namespace").unwrap_or_default();
        let id = ObjectId::new(namespace, name, group, kind);
        let version = version.to_owned();
        Ok(Self { value, id, version })
    }

    /// From JSON text.
    ///
    /// # Errors
    /// No JSON, or no object with an identity.
    pub fn from_json(text: &str) -> Result<Self, InvalidObject> {
        let value = serde_json::from_str(text).map_err(|error| InvalidObject {
            subject: "?".to_owned(),
            problem: error.to_string(),
        })?;
        Self::new(value)
    }

    /// Identity without the version.
    pub fn id(&self) -> &ObjectId {
        &self.id
    }

    /// API version without the group.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> Gvk {
        Gvk {
            group: self.id.group.clone(),
            version: self.version.clone(),
            kind: self.id.kind.clone(),
        }
    }

    /// The entry that an inventory holds for it.
    pub fn entry(&self) -> Entry {
        Entry::new(&self.id, &self.version)
    }

    /// The manifest.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The manifest.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// A label or annotation of the manifest; Flux looks for its own keys in both.
    pub fn toolkit_value(&self, key: &str) -> Option<&str> {
        ["annotations", "labels"]
            .iter()
            .find_map(|place| self.value.get("metadata")?.get(*place)?.get(key)?.as_str())
    }

    /// Whether the manifest says `key: disabled`.
    pub(crate) fn is_disabled(&self, key: &str) -> bool {
        self.toolkit_value(key)
            .is_some_and(|value| value.eq_ignore_ascii_case(DISABLED))
    }

    /// How the manifest asks to be applied, by annotations of `group`.
    pub(crate) fn apply_mode(&self, group: &str) -> ApplyMode {
        self.toolkit_value(&format!("{group}/ssa"))
            .map_or(ApplyMode::Override, parse_mode)
    }

    /// Whether the manifest asks to be recreated when a change is refused.
    pub(crate) fn wants_force(&self, group: &str) -> bool {
        self.toolkit_value(&format!("{group}/force"))
            .is_some_and(|value| value.eq_ignore_ascii_case("enabled"))
    }

    /// A Secret that SOPS has encrypted and nobody has decrypted.
    pub(crate) fn is_encrypted_secret(&self) -> bool {
        self.id.kind == "Secret"
            && self.id.group.is_empty()
            && self.value.get("sops").is_some_and(|sops| !sops.is_null())
    }

    /// What is sent for `owner`: the owner's labels set, and without what only a server writes.
    /// `namespaced` is the scope of the kind; the namespace of a cluster-scoped object is left
    /// out, as the API server does.
    pub(crate) fn prepare(mut self, owner: &Owner, namespaced: bool) -> Self {
        if !namespaced {
            self.id.namespace.clear();
        }
        let Some(root) = self.value.as_object_mut() else {
            return self;
        };
        // Nobody applies a status; the API server resets it, and it would only disturb digests.
        root.shift_remove("status");
        let metadata = root
            .entry("metadata")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Some(metadata) = metadata.as_object_mut() {
            for server_side in [
                "creationTimestamp",
                "resourceVersion",
                "uid",
                "generation",
                "managedFields",
                "selfLink",
            ] {
                metadata.shift_remove(server_side);
            }
            if !namespaced {
                metadata.shift_remove("namespace");
            }
            let labels = metadata
                .entry("labels")
                .or_insert_with(|| Value::Object(Map::new()));
            if !labels.is_object() {
                *labels = Value::Object(Map::new());
            }
            if let Some(labels) = labels.as_object_mut() {
                for (key, value) in owner.labels() {
                    labels.insert(key, Value::String(value));
                }
            }
            remove_kubectl_traces(metadata);
        }
        if self.id.kind == "Secret" && self.id.group.is_empty() {
            fold_string_data(root);
        }
        if self.id.kind == "CustomResourceDefinition" {
            drop_placeholder_ca_bundle(root);
        }
        self
    }

    /// Digest of the whole manifest.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.value)
    }
}

pub(crate) fn parse_mode(value: &str) -> ApplyMode {
    match value.to_ascii_lowercase().as_str() {
        "merge" => ApplyMode::Merge,
        "ifnotpresent" => ApplyMode::IfNotPresent,
        "ignore" => ApplyMode::Ignore,
        _ => ApplyMode::Override,
    }
}

/// What `kubectl apply` and old versions of Flux leave on objects
/// (fluxcd/pkg ssa/manager_apply.go); never applied and removed where found.
pub(crate) const LEFT_BEHIND_ANNOTATIONS: [&str; 3] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "kustomize.toolkit.fluxcd.io/checksum",
    "fluxcd.io/sync-checksum",
];
pub(crate) const LEFT_BEHIND_LABELS: [&str; 1] = ["fluxcd.io/sync-gc-mark"];

fn remove_kubectl_traces(metadata: &mut Map<String, Value>) {
    for (place, keys) in [
        ("annotations", &LEFT_BEHIND_ANNOTATIONS[..]),
        ("labels", &LEFT_BEHIND_LABELS[..]),
    ] {
        if let Some(Value::Object(map)) = metadata.get_mut(place) {
            for key in keys {
                map.shift_remove(*key);
            }
        }
    }
}

/// `stringData` is write-only: left in place it would own nothing and never be compared, so it
/// is folded into `data`, where it wins.
fn fold_string_data(root: &mut Map<String, Value>) {
    let Some(Value::Object(texts)) = root.shift_remove("stringData") else {
        return;
    };
    if texts.is_empty() {
        return;
    }
    let data = root
        .entry("data")
        .or_insert_with(|| Value::Object(Map::new()));
    if !data.is_object() {
        *data = Value::Object(Map::new());
    }
    let Some(data) = data.as_object_mut() else {
        return;
    };
    for (key, text) in texts {
        let encoded = match &text {
            Value::String(text) => base64(text.as_bytes()),
            // The API server would refuse it; so it must still reach it.
            other => {
                data.insert(key, other.clone());
                continue;
            }
        };
        data.insert(key, Value::String(encoded));
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| chunk.get(index).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            if position <= chunk.len() {
                let index = (bits >> (18 - 6 * position)) & 63;
                text.push(char::from(DIGITS[index as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// A conversion webhook whose `caBundle` is a placeholder for an injector: the API server
/// refuses it, and the injector fills it in when it is absent.
fn drop_placeholder_ca_bundle(root: &mut Map<String, Value>) {
    let Some(config) = root
        .get_mut("spec")
        .and_then(|spec| spec.pointer_mut("/conversion/webhook/clientConfig"))
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let is_placeholder = config
        .get("caBundle")
        .and_then(Value::as_str)
        .is_some_and(|bundle| {
            let trimmed = bundle.trim();
            // base64 of "-----BEGIN": what every real bundle starts with.
            !trimmed.starts_with("LS0tLS1CRUdJTi")
        });
    if is_placeholder {
        config.shift_remove("caBundle");
    }
}

/// The annotation prefix of an owner group when objects are applied for a Kustomization.
pub(crate) const TOOLKIT: &str = meta::KUSTOMIZE_GROUP;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Object {
        Object::new(value).unwrap()
    }

    fn owner() -> Owner {
        Owner::new(TOOLKIT, "flux-system", "apps")
    }

    #[test]
    fn identity_is_read_and_missing_parts_are_named() {
        let deployment = object(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": "web", "namespace": "prod" }
        }));
        assert_eq!(deployment.id().encode(), "prod_web_apps_Deployment");
        assert_eq!(deployment.gvk().to_string(), "apps/v1 Deployment");
        let error = Object::new(json!({ "apiVersion": "v1", "kind": "Service", "metadata": {} }))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "manifest Service/? is no Kubernetes object: metadata.name is missing"
        );
    }

    #[test]
    fn owner_labels_are_set_and_server_fields_removed() {
        let prepared = object(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": "a", "namespace": "b", "uid": "x", "resourceVersion": "1",
                "creationTimestamp": null, "labels": { "app": "a" },
                "annotations": { "kubectl.kubernetes.io/last-applied-configuration": "{}" }
            },
            "status": {}
        }))
        .prepare(&owner(), true);
        assert_eq!(
            *prepared.value(),
            json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {
                    "name": "a", "namespace": "b",
                    "labels": {
                        "app": "a",
                        "kustomize.toolkit.fluxcd.io/name": "apps",
                        "kustomize.toolkit.fluxcd.io/namespace": "flux-system"
                    },
                    "annotations": {}
                }
            })
        );
    }

    #[test]
    fn cluster_scoped_objects_lose_their_namespace() {
        let prepared = object(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": { "name": "a", "namespace": "b" }
        }))
        .prepare(&owner(), false);
        assert_eq!(prepared.id().namespace, "");
        assert!(prepared.value().pointer("/metadata/namespace").is_none());
    }

    #[test]
    fn string_data_is_folded_and_wins() {
        let prepared = object(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "a", "namespace": "b" },
            "data": { "kept": "eA==", "both": "eA==" },
            "stringData": { "both": "new", "long": "hello world", "empty": "" }
        }))
        .prepare(&owner(), true);
        assert_eq!(
            prepared.value()["data"],
            json!({ "kept": "eA==", "both": "bmV3", "long": "aGVsbG8gd29ybGQ=", "empty": "" })
        );
        assert!(prepared.value().get("stringData").is_none());
    }

    #[test]
    fn toolkit_values_are_read_from_labels_too_and_regardless_of_case() {
        let labelled = object(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": "a",
                "labels": { "kustomize.toolkit.fluxcd.io/prune": "Disabled" },
                "annotations": { "kustomize.toolkit.fluxcd.io/ssa": "ifnotpresent" }
            }
        }));
        assert!(labelled.is_disabled("kustomize.toolkit.fluxcd.io/prune"));
        assert_eq!(labelled.apply_mode(TOOLKIT), ApplyMode::IfNotPresent);
    }

    #[test]
    fn placeholder_bundles_are_dropped_and_real_ones_kept() {
        let bundle = |text: &str| {
            object(json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": { "name": "a.b" },
                "spec": { "conversion": { "webhook": { "clientConfig": { "caBundle": text } } } }
            }))
            .prepare(&owner(), false)
            .value()
            .pointer("/spec/conversion/webhook/clientConfig/caBundle")
            .is_some()
        };
        assert!(!bundle("Cg=="));
        assert!(!bundle(""));
        assert!(bundle("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"));
    }
}
