//! The custom resource definitions that `weir install` prints, made from the Rust types.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceConversion, CustomResourceDefinition,
};
use kube::CustomResourceExt;
use serde_json::Value;

use crate::{kustomize, legacy, meta, notification, source, weir};

/// All definitions, each with every version that is served.
///
/// Old versions are served so that manifests in old repositories still apply; they convert by
/// relabelling (strategy None, the default), and only the newest is stored.
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![
        finish(source::v1::GitRepository::crd(), "source-controller"),
        finish(kustomize::v1::Kustomization::crd(), "kustomize-controller"),
        finish(
            notification::v1beta3::Provider::crd(),
            "notification-controller",
        ),
        finish(
            notification::v1beta3::Alert::crd(),
            "notification-controller",
        ),
        finish(weir::v1alpha1::Plugin::crd(), "weir"),
    ]
}

fn finish(mut crd: CustomResourceDefinition, component: &str) -> CustomResourceDefinition {
    let kind = crd.spec.names.kind.clone();
    for version in &mut crd.spec.versions {
        let Some(schema) = version
            .schema
            .as_mut()
            .and_then(|v| v.open_api_v3_schema.as_mut())
        else {
            continue;
        };
        // Through JSON: the rules below do not depend on where in the tree they meet a node.
        if let Ok(mut tree) = serde_json::to_value(&*schema) {
            normalise(&mut tree);
            unobserved(&mut tree);
            if let Ok(done) = serde_json::from_value(tree) {
                *schema = done;
            }
        }
    }
    legacy::add_versions(&mut crd);
    crd.spec.names.singular = Some(kind.to_lowercase());
    crd.spec.conversion = Some(CustomResourceConversion {
        strategy: "None".to_owned(),
        webhook: None,
    });
    crd.metadata.labels = Some(install_labels(component));
    // Schemas hold `${...}` in no place today; Flux's own definitions carry this too, so that
    // a definition that is kept in Git never goes through variable substitution.
    crd.metadata.annotations = Some(BTreeMap::from([(
        format!("{}/substitute", meta::KUSTOMIZE_GROUP),
        "disabled".to_owned(),
    )]));
    crd
}

/// Labels by which the flux CLI recognises its installation.
fn install_labels(component: &str) -> BTreeMap<String, String> {
    [
        (meta::labels::PART_OF, meta::labels::PART_OF_FLUX),
        (meta::labels::INSTANCE, meta::DEFAULT_NAMESPACE),
        (meta::labels::VERSION, meta::FLUX_VERSION),
        (meta::labels::COMPONENT, component),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

/// Brings a generated schema to what Go's controller-gen writes: a null is treated as absent
/// (`nullable` would keep it, and skip defaulting), and there are no formats of Rust's types.
fn normalise(node: &mut Value) {
    match node {
        Value::Object(map) => {
            // Under `properties` the keys are field names, not keywords.
            let is_schema = ["type", "properties", "items", "anyOf", "enum"]
                .iter()
                .any(|key| map.contains_key(*key))
                || map.contains_key("x-kubernetes-preserve-unknown-fields");
            if is_schema {
                map.shift_remove("nullable");
                let drop = map
                    .get("format")
                    .and_then(Value::as_str)
                    .is_some_and(|format| {
                        !matches!(format, "int32" | "int64" | "date-time" | "byte")
                    });
                if drop {
                    map.shift_remove("format");
                }
                if let Some(Value::Array(members)) = map.get_mut("enum") {
                    members.retain(|member| !member.is_null());
                }
            }
            for child in map.values_mut() {
                normalise(child);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normalise),
        _ => {}
    }
}

/// A new object has observed no generation, so that readers see it as in progress.
fn unobserved(schema: &mut Value) {
    let has_generation = schema
        .pointer("/properties/status/properties/observedGeneration")
        .is_some_and(Value::is_object);
    if let Some(status) = schema
        .pointer_mut("/properties/status")
        .and_then(Value::as_object_mut)
        && has_generation
    {
        status.insert(
            "default".to_owned(),
            serde_json::json!({ "observedGeneration": -1 }),
        );
    }
}
