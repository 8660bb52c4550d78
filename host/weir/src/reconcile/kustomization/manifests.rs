//! Rendered manifests as objects to apply.

use serde_json::{Map, Value};
use weir_api::kustomize::v1::CommonMetadata;
use weir_api::meta::WEIR_GROUP;
use weir_apply::Object;
use weir_plugin::RenderOutput;

/// The output cannot be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManifestError {
    #[error("{origin}: the output is no valid YAML")]
    Syntax {
        origin: String,
        #[source]
        source: weir_yaml::Error,
    },
    #[error("{origin}: {message}")]
    Object { origin: String, message: String },
}

/// Parses every document; empty ones are skipped, lists are taken apart.
pub(crate) fn parse(
    output: &RenderOutput,
    common: Option<&CommonMetadata>,
) -> Result<Vec<Object>, ManifestError> {
    let mut objects = Vec::new();
    for manifest in &output.manifests {
        let origin = manifest
            .origin
            .clone()
            .unwrap_or_else(|| "rendered output".to_owned());
        let syntax = |source| ManifestError::Syntax {
            origin: origin.clone(),
            source,
        };
        let text = weir_yaml::parse::decode_text(&manifest.body).map_err(syntax)?;
        for document in documents(&text) {
            let document = weir_yaml::from_yaml(document).map_err(syntax)?;
            for mut value in items(plain(document)) {
                if let Some(common) = common {
                    merge_metadata(&mut value, "labels", &common.labels);
                    merge_metadata(&mut value, "annotations", &common.annotations);
                }
                let object = Object::new(value).map_err(|error| ManifestError::Object {
                    origin: origin.clone(),
                    message: error.to_string(),
                })?;
                objects.push(object);
            }
        }
    }
    Ok(objects)
}

/// Who rendered.
#[derive(Debug)]
pub(super) struct Renderer {
    /// Name and digest, for people.
    pub(super) shown: String,
    /// Part of this binary.
    pub(super) is_built_in: bool,
}

/// Refuses objects of weir's own group from a renderer that is not part of the binary: they grant
/// rights to plugins, and a plugin must not come to more than its own `Plugin` object grants.
pub(super) fn check_reserved(objects: &[Object], by: &Renderer) -> Result<(), String> {
    let reserved = |object: &&Object| object.id().group == WEIR_GROUP;
    match objects.iter().find(reserved) {
        Some(object) if !by.is_built_in => Err(format!(
            "{} grants rights to plugins: only a built-in renderer may emit objects of the group \
             {WEIR_GROUP} (rendered by {})",
            object.id(),
            by.shown
        )),
        _ => Ok(()),
    }
}

/// The documents of a YAML stream, divided as Kubernetes' own reader does it: at lines that
/// start with `---`.
fn documents(text: &str) -> impl Iterator<Item = &str> {
    let starts = std::iter::once(0).chain(
        text.match_indices("\n---")
            .map(|(at, _)| at + 1)
            .filter(move |at| *at < text.len()),
    );
    let starts: Vec<usize> = starts.collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts.into_iter().zip(ends).filter_map(|(start, end)| {
        let document = text.get(start..end)?;
        // What follows the dashes on their line is a comment or nothing.
        let body = match document.strip_prefix("---") {
            Some(rest) => rest.split_once('\n').map_or("", |(_, body)| body),
            None => document,
        };
        (!body.trim().is_empty()).then_some(body)
    })
}

/// The data model of the renderers' YAML as that of the API client.
fn plain(value: weir_yaml::Value) -> Value {
    match value {
        weir_yaml::Value::Null => Value::Null,
        weir_yaml::Value::Bool(value) => value.into(),
        weir_yaml::Value::Int(value) => value.into(),
        weir_yaml::Value::Uint(value) => value.into(),
        weir_yaml::Value::Float(value) => value.into(),
        weir_yaml::Value::String(value) => value.into(),
        weir_yaml::Value::Array(values) => values.into_iter().map(plain).collect(),
        weir_yaml::Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, value)| (key, plain(value)));
            Value::Object(fields.collect())
        }
    }
}

/// The objects of a document: none for an empty one, the items of a list.
fn items(document: Value) -> Vec<Value> {
    match document {
        Value::Null => Vec::new(),
        Value::Object(mut fields) if is_list(&fields) => match fields.remove("items") {
            Some(Value::Array(items)) => items.into_iter().flat_map(items_of_list).collect(),
            _ => Vec::new(),
        },
        document => vec![document],
    }
}

fn items_of_list(item: Value) -> Vec<Value> {
    items(item)
}

fn is_list(fields: &Map<String, Value>) -> bool {
    fields
        .get("kind")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.ends_with("List"))
        && fields.get("items").is_some_and(Value::is_array)
}

fn merge_metadata(
    object: &mut Value,
    key: &str,
    values: &std::collections::BTreeMap<String, String>,
) {
    if values.is_empty() {
        return;
    }
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    let metadata = fields
        .entry("metadata")
        .or_insert_with(|| Value::Object(Map::new()));
    let Some(metadata) = metadata.as_object_mut() else {
        return;
    };
    let known = metadata
        .entry(key)
        .or_insert_with(|| Value::Object(Map::new()));
    if known.is_null() {
        *known = Value::Object(Map::new());
    }
    if let Some(known) = known.as_object_mut() {
        for (name, value) in values {
            known.insert(name.clone(), Value::String(value.clone()));
        }
    }
}

/// For the fuzz targets.
#[cfg(fuzzing)]
pub mod fuzzing {
    use weir_plugin::{Manifest, RenderOutput};

    /// One emitted manifest.
    pub fn manifests(data: &[u8]) {
        let output = RenderOutput {
            manifests: vec![Manifest {
                body: bytes::Bytes::copy_from_slice(data),
                origin: None,
                role: None,
            }],
            ..RenderOutput::default()
        };
        if let Ok(objects) = super::parse(&output, None) {
            for object in objects {
                assert!(!object.id().encode().is_empty());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_plugin::Manifest;

    use super::*;

    fn output(bodies: &[&str]) -> RenderOutput {
        let manifests = bodies
            .iter()
            .map(|body| Manifest {
                body: (*body).to_owned().into(),
                origin: Some("app.yaml".into()),
                role: None,
            })
            .collect();
        RenderOutput {
            manifests,
            ..RenderOutput::default()
        }
    }

    const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

    #[test]
    fn documents_and_lists_become_objects() {
        let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n";
        let objects = parse(
            &output(&[&format!("{CONFIG_MAP}---\n# empty\n---\n{list}")]),
            None,
        )
        .unwrap();
        let names: Vec<String> = objects
            .iter()
            .map(|o| o.id().subject().to_string())
            .collect();
        assert_eq!(names, ["ConfigMap/a", "Secret/b"]);
    }

    #[test]
    fn common_metadata_replaces_what_is_there() {
        let common = CommonMetadata {
            labels: [("team".to_owned(), "a".to_owned())].into(),
            annotations: [("x".to_owned(), "new".to_owned())].into(),
        };
        let body = format!("{CONFIG_MAP}  annotations: {{x: old, other: kept}}\n");
        let objects = parse(&output(&[&body]), Some(&common)).unwrap();
        let metadata = &objects[0].value()["metadata"];
        assert_eq!(metadata["labels"], serde_json::json!({"team": "a"}));
        assert_eq!(
            metadata["annotations"],
            serde_json::json!({"x": "new", "other": "kept"})
        );
    }

    #[test]
    fn the_origin_and_the_object_are_named() {
        for (bodies, expected) in [
            (&["a: [1"][..], "app.yaml"),
            (&["kind: ConfigMap\nmetadata: {name: a}\n"], "app.yaml"),
            (&["apiVersion: v1\nkind: ConfigMap\n"], "app.yaml"),
        ] {
            let error = parse(&output(bodies), None).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
