//! Rendered files become manifests and hooks, in the order in which Helm installs them
//! (helm/helm pkg/releaseutil).

use std::collections::BTreeMap;

use weir_yaml::{Value as Plain, Wanted};

use crate::decode::{self, DecodeError, Place};
use crate::error::Error;
use crate::hook::{Hook, HookEvent};
use crate::warnings::Warnings;

const HOOK: &str = "helm.sh/hook";
const HOOK_WEIGHT: &str = "helm.sh/hook-weight";
const HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";

/// Kinds in the order of installation; others come behind them, by name.
const INSTALL_ORDER: &[&str] = &[
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// A document to be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The template that it comes from.
    pub path: String,
    /// The kind of its object; empty if it says none.
    pub kind: String,
    /// The document.
    pub content: String,
}

/// Splits a stream into its documents; those that are empty are none.
pub(crate) fn split(stream: &str) -> Vec<&str> {
    // White space of the separator as the original's regular expression has it.
    let space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
    let stream = stream.trim();
    let mut documents = Vec::new();
    let mut rest = match stream.strip_prefix("---") {
        Some(rest) => rest.trim_start_matches(space),
        None => stream,
    };
    let separator = memchr::memmem::Finder::new("\n---");
    loop {
        let end = separator.find(rest.as_bytes());
        let document = &rest[..end.unwrap_or(rest.len())];
        if end.is_some() {
            push_document(document.trim_end_matches(space), &mut documents);
        } else {
            push_document(document, &mut documents);
            return documents;
        }
        let after = &rest[document.len() + "\n---".len()..];
        rest = after.trim_start_matches(space);
    }
}

fn push_document<'a>(document: &'a str, documents: &mut Vec<&'a str>) {
    if !document.is_empty() {
        documents.push(document.trim());
    }
}

/// Takes hooks and manifests apart, each sorted by kind. `files` are sorted by path.
pub(crate) fn sort(
    files: &BTreeMap<String, String>,
    warnings: &Warnings,
) -> Result<(Vec<Hook>, Vec<Manifest>), Error> {
    let mut hooks = Vec::new();
    let mut manifests = Vec::new();
    for (path, content) in files {
        for document in split(content) {
            let head = Head::read(document)
                .map_err(|err| Error::Render(format!("YAML parse error on {path}: {err}")))?;
            match head.annotation(HOOK) {
                Some(events) => hooks.extend(hook(path, document, &head, events, warnings)),
                None => manifests.push(Manifest {
                    path: path.clone(),
                    kind: head.kind,
                    content: document.to_owned(),
                }),
            }
        }
    }
    hooks.sort_by(|a, b| by_kind(&a.kind, &b.kind));
    manifests.sort_by(|a, b| by_kind(&a.kind, &b.kind));
    Ok((hooks, manifests))
}

fn by_kind(a: &str, b: &str) -> std::cmp::Ordering {
    let rank = |kind: &str| {
        let known = INSTALL_ORDER.iter().position(|known| *known == kind);
        known.unwrap_or(INSTALL_ORDER.len())
    };
    let unknown = INSTALL_ORDER.len();
    match (rank(a), rank(b)) {
        (left, right) if left == unknown && right == unknown => a.cmp(b),
        (left, right) => left.cmp(&right),
    }
}

/// A hook; nothing if one of its events is unknown, for then nobody knows when to run it.
fn hook(
    path: &str,
    document: &str,
    head: &Head,
    events: &str,
    warnings: &Warnings,
) -> Option<Hook> {
    let words = |text: &str| {
        let words = text.split(',');
        let words: Vec<String> = words.map(|word| word.trim().to_lowercase()).collect();
        words
    };
    let known: Option<Vec<HookEvent>> = words(events)
        .iter()
        .map(|event| HookEvent::parse(event))
        .collect();
    let Some(known) = known else {
        warnings.add(format!("info: skipping unknown hook: {events:?}"));
        return None;
    };
    let weight = head.annotation(HOOK_WEIGHT);
    Some(Hook {
        name: head.name.clone(),
        kind: head.kind.clone(),
        path: path.to_owned(),
        manifest: document.to_owned(),
        events: known,
        weight: weight.and_then(|weight| weight.parse().ok()).unwrap_or(0),
        delete_policies: head
            .annotation(HOOK_DELETE_POLICY)
            .map(words)
            .unwrap_or_default(),
    })
}

/// As much of an object as sorting needs (`SimpleHead`).
#[derive(Debug, Default)]
struct Head {
    api_version: String,
    kind: String,
    name: String,
    annotations: Vec<(String, String)>,
}

impl Head {
    const FIELDS: Wanted<'_> = Wanted::Fields(&[
        ("apiVersion", Wanted::All),
        ("kind", Wanted::All),
        (
            "metadata",
            Wanted::Fields(&[("name", Wanted::All), ("annotations", Wanted::All)]),
        ),
    ]);

    fn read(document: &str) -> Result<Self, DecodeError> {
        let document = decode::yaml_fields(document, &Self::FIELDS)?;
        let mut head = Self::default();
        let root = Place { name: "", path: "" };
        let names = &["apiVersion", "kind", "metadata"];
        decode::fields(
            &document,
            root,
            "releaseutil.SimpleHead",
            names,
            |name, value| {
                let place = Place {
                    name: "SimpleHead",
                    path: name,
                };
                match name {
                    "apiVersion" => decode::string(value, place, &mut head.api_version),
                    "kind" => decode::string(value, place, &mut head.kind),
                    _ => head.metadata(value, place),
                }
            },
        )?;
        Ok(head)
    }

    fn metadata(&mut self, value: &Plain, place: Place<'_>) -> Result<(), DecodeError> {
        let wanted = "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \
                      \"json:\\\"annotations\\\"\" }";
        decode::fields(
            value,
            place,
            wanted,
            &["name", "annotations"],
            |name, value| {
                // The struct has no name of its own.
                if name == "name" {
                    let path = "metadata.name";
                    decode::string(value, Place { name: "", path }, &mut self.name)
                } else {
                    let path = "metadata.annotations";
                    let annotations = decode::string_map(value, Place { name: "", path })?;
                    self.annotations = annotations.unwrap_or_default();
                    Ok(())
                }
            },
        )
    }

    fn annotation(&self, name: &str) -> Option<&str> {
        let mut annotations = self.annotations.iter();
        annotations
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_split_as_in_helm() {
        let rows: &[(&str, &[&str])] = &[
            ("", &[]),
            ("\n\n", &[]),
            ("a: 1", &["a: 1"]),
            ("---\na: 1\n---\nb: 2\n", &["a: 1", "b: 2"]),
            ("a: 1\n\n  \n---   \n\nb: 2", &["a: 1", "b: 2"]),
            // What the first separator took is not there for the second.
            ("a: 1\n---\n---\nb: 2", &["a: 1", "---\nb: 2"]),
            ("--- # comment\na: 1", &["# comment\na: 1"]),
            ("a: |\n  x\n  ---\n  y", &["a: |\n  x\n  ---\n  y"]),
            ("a: 1\n----\nb: 2", &["a: 1", "-\nb: 2"]),
            ("a\n---", &["a"]),
            ("---a: 1", &["a: 1"]),
        ];
        for (stream, expected) in rows {
            assert_eq!(split(stream), *expected, "{stream:?}");
        }
    }

    fn files(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        let entries = entries.iter();
        entries
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn kinds_come_in_the_order_of_installation() {
        let kinds = [
            "Zebra",
            "Service",
            "Apple",
            "Namespace",
            "APIService",
            "Secret",
        ];
        let stream: Vec<String> = kinds.iter().map(|kind| format!("kind: {kind}")).collect();
        let files = files(&[("c/a.yaml", &stream.join("\n---\n"))]);
        let (_, manifests) = sort(&files, &Warnings::default()).unwrap();
        let sorted: Vec<&str> = manifests.iter().map(|it| it.kind.as_str()).collect();
        assert_eq!(
            sorted,
            [
                "Namespace",
                "Secret",
                "Service",
                "APIService",
                "Apple",
                "Zebra"
            ]
        );
    }

    #[test]
    fn hooks_stand_apart() {
        let hook = "kind: Job\nmetadata:\n  name: j\n  annotations:\n    helm.sh/hook: \
                    Pre-Install, test-success\n    helm.sh/hook-weight: \"-5\"\n    \
                    helm.sh/hook-delete-policy: hook-succeeded,Before-Hook-Creation\n";
        let unknown = "kind: Job\nmetadata: {annotations: {helm.sh/hook: crd-install}}";
        let files = files(&[("c/a.yaml", hook), ("c/b.yaml", unknown)]);
        let warnings = Warnings::default();
        let (hooks, manifests) = sort(&files, &warnings).unwrap();
        assert!(manifests.is_empty());
        assert_eq!(hooks.len(), 1);
        assert_eq!(hooks[0].events, [HookEvent::PreInstall, HookEvent::Test]);
        assert_eq!(hooks[0].weight, -5);
        assert_eq!(
            hooks[0].delete_policies,
            ["hook-succeeded", "before-hook-creation"]
        );
        assert_eq!(
            warnings.texts(),
            ["info: skipping unknown hook: \"crd-install\""]
        );
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let rows = [
            (
                "- a",
                "YAML parse error on t: error unmarshaling JSON: while decoding JSON: json: \
                 cannot unmarshal array into Go value of type releaseutil.SimpleHead",
            ),
            (
                "kind: [a]",
                "YAML parse error on t: error unmarshaling JSON: while decoding JSON: json: \
                 cannot unmarshal array into Go struct field SimpleHead.kind of type string",
            ),
            (
                "metadata: {annotations: x}",
                "YAML parse error on t: error unmarshaling JSON: while decoding JSON: json: \
                 cannot unmarshal string into Go struct field .metadata.annotations of type \
                 map[string]string",
            ),
        ];
        for (text, expected) in rows {
            let err = sort(&files(&[("t", text)]), &Warnings::default()).unwrap_err();
            assert_eq!(err.to_string(), expected);
        }
    }
}
