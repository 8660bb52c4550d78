//! Where objects come from and what changed them (`buildMetadata`).

use std::fmt::Write as _;

use weir_yaml::{Object, Value};

use crate::context::Context;
use crate::error::Result;
use crate::path;
use crate::resmap::ResMap;
use crate::resource::{Handle, annotation};

/// A file, or a generator or transformer and where it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Origin {
    pub(crate) path: String,
    pub(crate) configured_in: String,
    /// apiVersion, kind, name and namespace of the configuration.
    pub(crate) configured_by: [String; 4],
}

impl Origin {
    /// Further down.
    pub(crate) fn append(&self, more: &str) -> Self {
        Self {
            path: path::join(&self.path, more),
            ..self.clone()
        }
    }

    /// Of a built-in plugin that a kustomization file configures.
    pub(crate) fn builtin(&self, file: &str, kind: &str) -> Self {
        Self {
            path: String::new(),
            configured_in: path::join(&self.path, file),
            configured_by: [
                "builtin".to_owned(),
                kind.to_owned(),
                String::new(),
                String::new(),
            ],
        }
    }

    fn value(&self) -> Value {
        let mut object = Object::new();
        let put = |object: &mut Object, key: &str, text: &str| {
            if !text.is_empty() {
                object.push(key.to_owned(), Value::from(text));
            }
        };
        put(&mut object, "path", &self.path);
        put(&mut object, "configuredIn", &self.configured_in);
        let mut by = Object::new();
        for (key, text) in ["apiVersion", "kind", "name", "namespace"]
            .into_iter()
            .zip(&self.configured_by)
        {
            put(&mut by, key, text);
        }
        if !by.is_empty() {
            object.push("configuredBy".to_owned(), Value::Object(by));
        }
        Value::Object(object)
    }

    /// As it stands in the annotation.
    pub(crate) fn text(&self) -> Result<String> {
        let mut lines = String::new();
        write_fields(&mut lines, &self.value(), "")?;
        if lines.is_empty() {
            lines.push_str("{}\n");
        }
        Ok(lines)
    }

    fn parse(text: &str) -> Self {
        let value = weir_yaml::from_yaml(text).unwrap_or_default();
        let text = |value: &Value, key: &str| {
            value
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let by = value.get("configuredBy").cloned().unwrap_or_default();
        Self {
            path: text(&value, "path"),
            configured_in: text(&value, "configuredIn"),
            configured_by: ["apiVersion", "kind", "name", "namespace"].map(|key| text(&by, key)),
        }
    }
}

/// Fields in the order of the struct, as go-yaml v3 writes them.
fn write_fields(out: &mut String, value: &Value, indent: &str) -> Result<()> {
    let Some(object) = value.as_object() else {
        return Ok(());
    };
    for (key, value) in object.iter() {
        match value {
            Value::Object(_) => {
                let _ = writeln!(out, "{indent}{key}:");
                write_fields(out, value, &format!("{indent}  "))?;
            }
            other => {
                let single = Object::from_iter([(key.to_owned(), other.clone())]);
                let mut arena = weir_yaml::Arena::new();
                let node = weir_yaml::construct::from_value(&mut arena, &Value::Object(single));
                out.push_str(indent);
                out.push_str(&weir_yaml::emit::node_to_string(&arena, node)?);
            }
        }
    }
    Ok(())
}

impl Context {
    /// The origin of an object, if it is known.
    pub(crate) fn origin(&self, handle: Handle) -> Option<Origin> {
        self.annotation(handle, annotation::ORIGIN)
            .map(Origin::parse)
    }

    /// Origin of the plugin that an object configures.
    pub(crate) fn plugin_origin(&self, handle: Handle) -> Option<Origin> {
        let origin = self.origin(handle)?;
        let gvk = self.gvk(handle);
        Some(Origin {
            path: String::new(),
            configured_in: origin.path,
            configured_by: [
                gvk.api_version(),
                gvk.kind,
                self.name(handle).to_owned(),
                self.namespace(handle).to_owned(),
            ],
        })
    }

    pub(crate) fn set_origin(&mut self, handle: Handle, origin: &Origin) -> Result<()> {
        self.put_annotation(handle, annotation::ORIGIN, &origin.text()?)
    }

    /// Removes an annotation; an empty map goes with it.
    pub(crate) fn drop_annotation(&mut self, handle: Handle, key: &str) -> Result<()> {
        let mut annotations = self.annotations(handle);
        annotations.remove(key);
        self.set_annotations(handle, &annotations)
    }

    /// Notes the generator of objects that have no origin yet.
    pub(crate) fn note_generator(&mut self, made: &[Handle], origin: &Origin) -> Result<()> {
        for handle in made {
            if self.origin(*handle).is_none() {
                self.set_origin(*handle, origin)?;
            }
        }
        Ok(())
    }

    /// Notes a transformer on all objects; those without an origin came from it.
    pub(crate) fn note_transformer(&mut self, map: &ResMap, origin: &Origin) -> Result<()> {
        for handle in map.list() {
            if self.node(*handle).is_none() {
                continue;
            }
            if self.origin(*handle).is_none() {
                self.set_origin(*handle, origin)?;
                continue;
            }
            let mut text = self
                .annotation(*handle, annotation::TRANSFORMATIONS)
                .unwrap_or_default()
                .to_owned();
            for (i, line) in origin.text()?.lines().enumerate() {
                text.push_str(if i == 0 { "- " } else { "  " });
                text.push_str(line);
                text.push('\n');
            }
            self.put_annotation(*handle, annotation::TRANSFORMATIONS, &text)?;
        }
        Ok(())
    }
}
