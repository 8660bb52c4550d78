//! A document that a kustomization brings (`openapi.path`).

use std::collections::HashMap;
use std::rc::Rc;

use weir_yaml::{Object, Value};

use super::ListMerge;

const GVK: &str = "x-kubernetes-group-version-kind";

#[derive(Default)]
pub(super) struct Custom {
    definitions: HashMap<String, Rc<Value>>,
    kinds: HashMap<(String, String), Rc<Value>>,
    namespaced: HashMap<(String, String), bool>,
}

fn type_meta(gvk: &Value) -> Option<(String, String)> {
    let text = |key| gvk.get(key).and_then(Value::as_str);
    let version = text("version")?;
    let api_version = match text("group") {
        Some(group) if !group.is_empty() => format!("{group}/{version}"),
        _ => version.to_owned(),
    };
    Some((api_version, text("kind")?.to_owned()))
}

impl Custom {
    pub(super) fn add(&mut self, document: &Value) {
        let empty = Object::new();
        let definitions = document
            .get("definitions")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        for (name, definition) in definitions.iter() {
            let definition = Rc::new(definition.clone());
            let kinds = definition
                .get(GVK)
                .and_then(Value::as_array)
                .unwrap_or_default();
            for kind in kinds.iter().filter_map(type_meta) {
                self.kinds.insert(kind, Rc::clone(&definition));
            }
            self.definitions.insert(name.to_owned(), definition);
        }
        let paths = document
            .get("paths")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        for (path, methods) in paths.iter() {
            let Some(kind) = methods
                .get("get")
                .and_then(|get| get.get(GVK))
                .and_then(type_meta)
            else {
                continue;
            };
            let in_namespace = path.contains("namespaces/{namespace}");
            let known = self.namespaced.entry(kind).or_insert(in_namespace);
            *known |= in_namespace;
        }
    }

    pub(super) fn definition(&self, name: &str) -> Option<Rc<Value>> {
        self.definitions.get(name).cloned()
    }

    pub(super) fn of_kind(&self, api_version: &str, kind: &str) -> Option<Rc<Value>> {
        if self.kinds.is_empty() {
            return None;
        }
        self.kinds
            .get(&(api_version.to_owned(), kind.to_owned()))
            .cloned()
    }

    pub(super) fn is_namespaced(&self, api_version: &str, kind: &str) -> Option<bool> {
        if self.namespaced.is_empty() {
            return None;
        }
        self.namespaced
            .get(&(api_version.to_owned(), kind.to_owned()))
            .copied()
    }
}

pub(super) fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

pub(super) fn field<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema
        .get("properties")
        .and_then(|properties| properties.get(name))
        .or_else(|| schema.get("additionalProperties"))
        .filter(|field| field.as_object().is_some())
}

pub(super) fn items(schema: &Value) -> Option<&Value> {
    let is_array = match schema.get("type")? {
        Value::String(kind) => kind == "array",
        Value::Array(kinds) => {
            matches!(kinds.as_slice(), [Value::String(kind)] if kind == "array")
        }
        _ => false,
    };
    schema
        .get("items")
        .filter(|items| is_array && items.as_object().is_some())
}

pub(super) fn list_merge(schema: &Value) -> Option<ListMerge> {
    let strategy = schema.get("x-kubernetes-patch-strategy")?.as_str()?;
    if !strategy.split(',').any(|part| part == "merge") {
        return None;
    }
    let keys = match schema.get("x-kubernetes-list-map-keys") {
        Some(Value::Array(keys)) => keys.iter().filter_map(Value::as_str).collect(),
        _ => schema
            .get("x-kubernetes-patch-merge-key")
            .and_then(Value::as_str)
            .map_or_else(Vec::new, |key| vec![key]),
    };
    Some(ListMerge {
        keys: keys.into_iter().map(str::to_owned).collect(),
    })
}
