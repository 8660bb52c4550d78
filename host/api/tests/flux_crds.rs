//! Holds our definitions against Flux's own CRD files: whatever Flux's schema has, ours has too,
//! with the same type, default and validation. The files are in the shared reference folder next
//! to the repository; without it the tests have nothing to compare with and say so.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

const KINDS: [&str; 4] = [
    "source.toolkit.fluxcd.io_gitrepositories",
    "kustomize.toolkit.fluxcd.io_kustomizations",
    "notification.toolkit.fluxcd.io_alerts",
    "notification.toolkit.fluxcd.io_providers",
];

/// Fields that only ours has, in the stored version.
const OURS: [&str; 2] = [
    // Of v1beta1 and v1beta2: still honoured, so they must survive being stored.
    ".spec.patchesStrategicMerge",
    ".spec.patchesJson6902",
];

fn flux_crd(file: &str) -> Option<Value> {
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/flux-crds");
    if !folder.is_dir() {
        eprintln!("skipped: {} is not here", folder.display());
        return None;
    }
    let text = std::fs::read_to_string(folder.join(format!("{file}.yaml"))).unwrap();
    Some(serde_norway::from_str(&text).unwrap())
}

fn our_crd(name: &str) -> Value {
    weir_api::crds()
        .into_iter()
        .map(|crd| serde_json::to_value(crd).unwrap())
        .find(|crd| crd["metadata"]["name"] == name)
        .unwrap_or_else(|| panic!("no definition named {name}"))
}

fn version<'a>(crd: &'a Value, name: &str) -> &'a Value {
    crd["spec"]["versions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|version| version["name"] == name)
        .unwrap_or_else(|| panic!("{} has no version {name}", crd["metadata"]["name"]))
}

/// Every node of a schema by path, without descriptions and children.
fn flatten(schema: &Value, path: &str, into: &mut BTreeMap<String, Value>) {
    let Some(map) = schema.as_object() else {
        return;
    };
    let mut own = serde_json::Map::new();
    for (key, value) in map {
        match (key.as_str(), value) {
            ("description", _) => {}
            ("properties", Value::Object(fields)) => {
                for (name, field) in fields {
                    flatten(field, &format!("{path}.{name}"), into);
                }
            }
            ("items", items) => flatten(items, &format!("{path}[]"), into),
            ("additionalProperties", values) if values.is_object() => {
                flatten(values, &format!("{path}{{}}"), into);
            }
            ("required", Value::Array(names)) => {
                let mut names = names.clone();
                names.sort_by_key(|name| name.as_str().unwrap_or_default().to_owned());
                own.insert(key.clone(), Value::Array(names));
            }
            _ => {
                own.insert(key.clone(), value.clone());
            }
        }
    }
    into.insert(path.to_owned(), Value::Object(own));
}

fn nodes(version: &Value) -> BTreeMap<String, Value> {
    let mut nodes = BTreeMap::new();
    flatten(&version["schema"]["openAPIV3Schema"], "", &mut nodes);
    // The API server puts these into every schema itself. The root also differs on purpose: ours
    // asks for a spec, without which no reader could make anything of the object.
    for path in ["", ".apiVersion", ".kind", ".metadata"] {
        nodes.remove(path);
    }
    nodes
}

fn is_ours(path: &str) -> bool {
    OURS.iter().any(|prefix| path.starts_with(prefix))
}

/// Numbers are compared by value: `0` and `0.0` are the same bound.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[test]
fn current_versions_are_the_same_schema() {
    for file in KINDS {
        let Some(flux) = flux_crd(file) else { return };
        let ours = our_crd(flux["metadata"]["name"].as_str().unwrap());
        for flux_version in flux["spec"]["versions"].as_array().unwrap() {
            let name = flux_version["name"].as_str().unwrap();
            let (theirs, ours) = (nodes(flux_version), nodes(version(&ours, name)));
            let mut problems = Vec::new();
            for (path, node) in &theirs {
                match ours.get(path) {
                    None => problems.push(format!("{path}: missing")),
                    Some(own) if !same(node, own) => {
                        problems.push(format!("{path}: {own}, Flux has {node}"));
                    }
                    Some(_) => {}
                }
            }
            for path in ours
                .keys()
                .filter(|path| !theirs.contains_key(*path) && !is_ours(path))
            {
                problems.push(format!("{path}: Flux has no such field"));
            }
            assert!(
                problems.is_empty(),
                "{file} {name}:\n{}",
                problems.join("\n")
            );
        }
    }
}

#[test]
fn names_scope_columns_and_subresources_are_the_same() {
    for file in KINDS {
        let Some(flux) = flux_crd(file) else { return };
        let ours = our_crd(flux["metadata"]["name"].as_str().unwrap());
        for field in ["group", "scope"] {
            assert_eq!(ours["spec"][field], flux["spec"][field], "{file} {field}");
        }
        for field in ["kind", "plural", "singular", "shortNames", "categories"] {
            assert_eq!(
                ours["spec"]["names"][field], flux["spec"]["names"][field],
                "{file} names.{field}"
            );
        }
        for theirs in flux["spec"]["versions"].as_array().unwrap() {
            let own = version(&ours, theirs["name"].as_str().unwrap());
            assert_eq!(own["storage"], theirs["storage"], "{file}");
            assert_eq!(own["served"], theirs["served"], "{file}");
            assert_eq!(
                own["additionalPrinterColumns"],
                theirs["additionalPrinterColumns"]
            );
            assert_eq!(
                own["subresources"].get("status").is_some(),
                theirs["subresources"].get("status").is_some(),
                "{file} status subresource"
            );
        }
    }
}

/// Old versions are lenient: a field may be less restricted than it was, but it must be there
/// and of the same type, and nothing may be asked for that was optional.
#[test]
fn old_versions_are_served_and_accept_what_they_accepted() {
    for file in KINDS {
        let Some(flux) = flux_crd(&format!("legacy/{file}")) else {
            return;
        };
        let ours = our_crd(flux["metadata"]["name"].as_str().unwrap());
        for theirs in flux["spec"]["versions"].as_array().unwrap() {
            let name = theirs["name"].as_str().unwrap();
            let own = version(&ours, name);
            assert_eq!(own["served"], true, "{file} {name}");
            let (theirs, own) = (nodes(theirs), nodes(own));
            for (path, node) in &theirs {
                let open = own.iter().any(|(parent, schema)| {
                    path.starts_with(&format!("{parent}."))
                        || path.starts_with(&format!("{parent}["))
                            && schema["x-kubernetes-preserve-unknown-fields"] == true
                });
                let Some(known) = own.get(path) else {
                    assert!(open, "{file} {name} {path}: missing");
                    continue;
                };
                if !node["type"].is_null() {
                    assert_eq!(known["type"], node["type"], "{file} {name} {path}");
                }
                let required = |node: &Value| -> Vec<String> {
                    node["required"].as_array().map_or_else(Vec::new, |names| {
                        names
                            .iter()
                            .map(|n| n.as_str().unwrap().to_owned())
                            .collect()
                    })
                };
                // A status is written by us, and the API server's own rules ratchet.
                if path.starts_with(".spec") {
                    let before = required(node);
                    for name in required(known) {
                        assert!(before.contains(&name), "{file} {path}: asks for {name}");
                    }
                    if let Some(members) = node["enum"].as_array()
                        && let Some(known) = known["enum"].as_array()
                    {
                        for member in members {
                            assert!(known.contains(member), "{file} {path}: refuses {member}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn one_version_is_stored_and_the_cli_finds_the_definitions() {
    for crd in weir_api::crds() {
        let stored = crd
            .spec
            .versions
            .iter()
            .filter(|version| version.storage)
            .count();
        assert_eq!(stored, 1, "{}", crd.spec.names.plural);
        let labels = crd.metadata.labels.unwrap();
        assert_eq!(labels["app.kubernetes.io/part-of"], "flux");
        assert_eq!(labels["app.kubernetes.io/instance"], "flux-system");
    }
}
