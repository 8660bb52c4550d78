//! What the renderer gets of a Kustomization's spec, and what it may ask about the target.

use std::sync::Arc;

use serde_json::{Map, Value};
use weir_api::kustomize::v1::{Kustomization, KustomizationSpec};
use weir_plugin::Target;

use crate::capabilities::Capabilities;

/// Annotation that names another renderer than `kustomize` (weir's own; Flux ignores it).
pub const RENDERER: &str = "weir.dev/renderer";
/// Annotation with the settings of that renderer, one JSON object.
pub const SETTINGS: &str = "weir.dev/settings";

/// Renderer that a Kustomization asks for.
pub fn renderer(object: &Kustomization) -> String {
    object
        .metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(RENDERER))
        .map_or_else(|| "kustomize".to_owned(), Clone::clone)
}

/// Settings for the renderer: those of the annotation, or for the default renderer the fields of
/// the spec that change what is built, under their own names.
pub(super) fn settings(object: &Kustomization) -> String {
    let annotations = object.metadata.annotations.as_ref();
    if let Some(text) = annotations.and_then(|annotations| annotations.get(SETTINGS)) {
        return text.clone();
    }
    if renderer(object) != "kustomize" {
        return "{}".into();
    }
    build_settings(&object.spec).to_string()
}

fn build_settings(spec: &KustomizationSpec) -> Value {
    let mut settings = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            settings.insert(key.into(), value);
        }
    };
    let list = |value: Value| {
        value
            .as_array()
            .is_some_and(|list| !list.is_empty())
            .then_some(value)
    };
    put("namespace", spec.target_namespace.clone().map(Value::from));
    put("namePrefix", spec.name_prefix.clone().map(Value::from));
    put("nameSuffix", spec.name_suffix.clone().map(Value::from));
    put(
        "patches",
        list(serde_json::to_value(&spec.patches).unwrap_or_default()),
    );
    put(
        "images",
        list(serde_json::to_value(&spec.images).unwrap_or_default()),
    );
    put(
        "components",
        list(serde_json::to_value(&spec.components).unwrap_or_default()),
    );
    put(
        "ignoreMissingComponents",
        spec.ignore_missing_components.then_some(true.into()),
    );
    put(
        "buildMetadata",
        list(serde_json::to_value(&spec.build_metadata).unwrap_or_default()),
    );
    Value::Object(settings)
}

/// The target of a Kustomization's render.
pub(super) struct KustomizationTarget {
    pub(super) path: String,
    pub(super) namespace: Option<String>,
    pub(super) capabilities: Arc<Capabilities>,
}

impl Target for KustomizationTarget {
    fn path(&self) -> String {
        self.path.clone()
    }
    fn values(&self) -> Arc<str> {
        "{}".into()
    }
    fn namespace(&self) -> Option<String> {
        self.namespace.clone()
    }
    fn release_name(&self) -> Option<String> {
        None
    }
    fn release_revision(&self) -> u32 {
        0
    }
    fn is_upgrade(&self) -> bool {
        false
    }
    fn kube_version(&self) -> String {
        self.capabilities.kube_version()
    }
    fn has_api(&self, name: &str) -> bool {
        self.capabilities.apis().contains(name)
    }
    fn apis(&self) -> Vec<String> {
        self.capabilities.apis().iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_the_build_reaches_the_renderer() {
        let spec: KustomizationSpec = serde_json::from_value(serde_json::json!({
            "interval": "1m", "prune": true, "wait": true,
            "sourceRef": {"kind": "GitRepository", "name": "app"},
            "targetNamespace": "prod", "namePrefix": "a-",
            "images": [{"name": "app", "newTag": "2"}],
            "patches": [{"patch": "- op: remove\n  path: /a", "target": {"kind": "Service"}}],
        }))
        .unwrap();
        let expected = serde_json::json!({
            "namespace": "prod", "namePrefix": "a-",
            "patches": [{"patch": "- op: remove\n  path: /a", "target": {"kind": "Service"}}],
            "images": [{"name": "app", "newTag": "2"}],
        });
        assert_eq!(build_settings(&spec), expected);
        assert_eq!(
            build_settings(&KustomizationSpec::default()),
            serde_json::json!({})
        );
    }
}
