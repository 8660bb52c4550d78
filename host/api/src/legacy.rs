//! Old API versions that people still have in Git: served, not stored.
//!
//! Each gets the schema of the current version without its CEL rules and bounds, plus the fields
//! that only it had. What the current version's schema lacks is dropped when the object is
//! stored, which is Flux's behaviour too; the exception are the two old patch lists of a
//! Kustomization, which the current type keeps because they are still honoured.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion, CustomResourceSubresourceStatus,
    CustomResourceSubresources,
};
use serde_json::{Map, Value, json};

use crate::duration;

struct Legacy {
    version: &'static str,
    /// Pointer of the parent's `properties` in the schema, field name, its schema.
    fields: Vec<(&'static str, &'static str, Value)>,
}

fn legacy_of(kind: &str) -> Vec<Legacy> {
    const SPEC: &str = "/properties/spec/properties";
    const STATUS: &str = "/properties/status/properties";
    const ARTIFACT: &str = "/properties/status/properties/artifact/properties";
    const INCLUDED: &str = "/properties/status/properties/includedArtifacts/items/properties";
    let text = || json!({ "type": "string" });
    let open = || json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let versions = |fields: &dyn Fn() -> Vec<(&'static str, &'static str, Value)>| {
        ["v1beta1", "v1beta2"]
            .map(|version| Legacy {
                version,
                fields: fields(),
            })
            .into()
    };
    match kind {
        "GitRepository" => versions(&|| {
            vec![
                (SPEC, "gitImplementation", text()),
                (SPEC, "accessFrom", open()),
                (STATUS, "url", text()),
                (STATUS, "contentConfigChecksum", text()),
                (ARTIFACT, "checksum", text()),
                (INCLUDED, "checksum", text()),
            ]
        }),
        "Kustomization" => {
            versions(&|| vec![(SPEC, "validation", text()), (STATUS, "snapshot", open())])
        }
        "Alert" | "Provider" => versions(&|| {
            let status = json!({
                "type": "object",
                "default": { "observedGeneration": -1 },
                "properties": {
                    "observedGeneration": { "type": "integer", "format": "int64" },
                    "lastHandledReconcileAt": { "type": "string" },
                    "conditions": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": [
                                "lastTransitionTime", "message", "reason", "status", "type"
                            ],
                            "properties": {
                                "type": { "type": "string" },
                                "status": { "type": "string" },
                                "reason": { "type": "string" },
                                "message": { "type": "string" },
                                "lastTransitionTime": { "type": "string", "format": "date-time" },
                                "observedGeneration": { "type": "integer", "format": "int64" }
                            }
                        }
                    }
                }
            });
            vec![("/properties", "status", status)]
        }),
        _ => Vec::new(),
    }
}

/// Adds the old versions of the definition's kind, oldest last.
pub(crate) fn add_versions(crd: &mut CustomResourceDefinition) {
    let Some(current) = crd.spec.versions.first().cloned() else {
        return;
    };
    let kind = crd.spec.names.kind.clone();
    for legacy in legacy_of(&kind).into_iter().rev() {
        let mut version: CustomResourceDefinitionVersion = current.clone();
        legacy.version.clone_into(&mut version.name);
        version.storage = false;
        version.deprecated = Some(true);
        version.deprecation_warning = Some(format!(
            "{} {kind} is deprecated, upgrade to {}",
            legacy.version, current.name
        ));
        if let Some(schema) = version
            .schema
            .as_mut()
            .and_then(|v| v.open_api_v3_schema.as_mut())
            && let Ok(mut tree) = serde_json::to_value(&*schema)
        {
            relax(&mut tree);
            for (parent, name, field) in legacy.fields {
                if let Some(properties) = tree.pointer_mut(parent).and_then(Value::as_object_mut) {
                    properties.insert(name.to_owned(), field);
                }
            }
            let has_status = tree.pointer("/properties/status").is_some();
            if let Ok(done) = serde_json::from_value(tree) {
                *schema = done;
            }
            if has_status {
                version.subresources = Some(CustomResourceSubresources {
                    status: Some(CustomResourceSubresourceStatus::default()),
                    scale: None,
                });
            }
        }
        crd.spec.versions.push(version);
    }
}

/// Takes away what the old versions did not ask for. Kept are the form of durations, which a
/// reader must be able to parse, and which fields are required of a spec.
fn relax(node: &mut Value) {
    match node {
        Value::Object(map) => {
            if map.get("type").is_some_and(Value::is_string) {
                relax_schema(map);
            }
            for child in map.values_mut() {
                relax(child);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(relax),
        _ => {}
    }
}

fn relax_schema(map: &mut Map<String, Value>) {
    for key in [
        "x-kubernetes-validations",
        "minLength",
        "maxLength",
        "minimum",
    ] {
        map.shift_remove(key);
    }
    match map.get("pattern").and_then(Value::as_str) {
        Some(duration::PATTERN | duration::PATTERN_NO_HOURS) => {
            map.insert("pattern".to_owned(), json!(duration::PATTERN));
        }
        _ => {
            map.shift_remove("pattern");
        }
    }
    if let Some(Value::Array(required)) = map.get_mut("required") {
        // Artifacts of old versions had neither; `verify` had no Secret in v1beta1.
        required.retain(|name| !matches!(name.as_str(), Some("digest" | "revision" | "secretRef")));
        if required.is_empty() {
            map.shift_remove("required");
        }
    }
}
