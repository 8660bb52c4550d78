//! Fields that OpenAPI definitions of custom resources mark (`crds`).

use weir_yaml::{Value, json};

use crate::config::{NameBackReferences, TransformerConfig};
use crate::error::{Context as _, Result};
use crate::loader::Loader;
use crate::resid::Gvk;
use crate::types::{FieldSpec, merge_one};

/// Deepest chain of references that is followed. kustomize follows circles until it crashes.
const MAX_DEPTH: usize = 32;

/// Reads the files that `crds` names.
pub(crate) fn from_crds(loader: &Loader<'_>, paths: &[String]) -> Result<TransformerConfig> {
    let mut config = TransformerConfig::default();
    for path in paths {
        let content = loader.load(path)?;
        let definitions = parse(&content).map_err(|err| {
            err.context(format!("unable to parse open API definition from '{path}'"))
                .at_file(&loader.relative(path))
        })?;
        let Some(all) = definitions.as_object() else {
            continue;
        };
        for (name, api) in all.sorted() {
            let Some(properties) = properties(api) else {
                continue;
            };
            let is_kind = ["kind", "apiVersion", "metadata"]
                .iter()
                .all(|field| properties.get(field).is_some());
            if is_kind {
                let kind = name.rsplit('.').next().unwrap_or(name).to_owned();
                let gvk = Gvk {
                    kind,
                    ..Gvk::default()
                };
                collect(&mut config, &gvk, &definitions, name, &mut Vec::new())?;
            }
        }
    }
    Ok(config)
}

fn parse(content: &[u8]) -> Result<Value> {
    let text = weir_yaml::parse::decode_text(content)?;
    if text.starts_with('{') {
        return Ok(json::parse(&text)?);
    }
    weir_yaml::from_yaml(&text).context("error converting YAML to JSON")
}

fn properties(api: &Value) -> Option<&Value> {
    let schema = api.get("Schema").or_else(|| api.get("schema"))?;
    schema
        .get("properties")
        .filter(|properties| properties.as_object().is_some())
}

fn collect(
    config: &mut TransformerConfig,
    gvk: &Gvk,
    all: &Value,
    name: &str,
    path: &mut Vec<String>,
) -> Result<()> {
    let Some(properties) = all
        .get(name)
        .and_then(properties)
        .and_then(Value::as_object)
    else {
        return Ok(());
    };
    if path.len() > MAX_DEPTH {
        return Ok(());
    }
    for (field, property) in properties.sorted() {
        let text = |key| property.get(key).and_then(Value::as_str);
        path.push(field.to_owned());
        let spec = FieldSpec {
            gvk: gvk.clone(),
            path: path.join("/"),
            create: false,
        };
        if text("x-kubernetes-annotation").is_some() {
            merge_one(&mut config.common_annotations, &spec)?;
        }
        if text("x-kubernetes-label-selector").is_some() {
            merge_one(&mut config.common_labels, &spec)?;
        }
        if text("x-kubernetes-identity").is_some() {
            merge_one(&mut config.name_prefix, &spec)?;
        }
        if let (Some(version), Some(kind)) = (
            text("x-kubernetes-object-ref-api-version"),
            text("x-kubernetes-object-ref-kind"),
        ) {
            let key = text("x-kubernetes-object-ref-name-key").unwrap_or("name");
            config.merge_reference(NameBackReferences {
                gvk: Gvk {
                    kind: kind.to_owned(),
                    version: version.to_owned(),
                    ..Gvk::default()
                },
                referrers: vec![FieldSpec {
                    path: format!("{}/{key}", spec.path),
                    ..spec
                }],
            })?;
        }
        if let Some(reference) = text("$ref") {
            collect(config, gvk, all, reference, path)?;
        }
        path.pop();
    }
    Ok(())
}
