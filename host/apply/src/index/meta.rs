//! What is read of an object's metadata, and what of that is kept.
//!
//! Drift is told from `managedFields` alone. The API server keeps, per manager, the set of fields
//! that the manager has set, and takes a field out of a set as soon as another manager changes
//! it. So the entry of our own last apply (its fields and its time, which moves with every
//! effective apply under our name) is the same as after our write exactly as long as nobody has
//! touched what we own. Status updates, labels of others and new fields leave it alone.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::fingerprint::{Builder, Fingerprint};
use crate::object::{ApplyMode, LEFT_BEHIND_ANNOTATIONS, LEFT_BEHIND_LABELS, TOOLKIT, parse_mode};
use crate::owner::{Owner, name_label, namespace_label};

/// The part of `metadata` that matters here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Meta {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) deletion_timestamp: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) managed_fields: Vec<ManagedFields>,
}

fn or_default<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// An object of which only the metadata is read.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MetaObject {
    #[serde(default)]
    pub(crate) metadata: Meta,
}

/// One manager's fields.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ManagedFields {
    pub(crate) manager: String,
    pub(crate) operation: String,
    pub(crate) subresource: String,
    pub(crate) time: Option<String>,
    #[serde(rename = "fieldsV1")]
    pub(crate) fields: Value,
}

/// Whose fields are ours, and whose we take over.
#[derive(Clone, Debug)]
pub(crate) struct Managers {
    /// The name that objects are applied under.
    pub(crate) own: String,
    /// Further names whose fields are taken over, both operations.
    pub(crate) overrides: Vec<String>,
}

impl Managers {
    fn is_own_apply(&self, entry: &ManagedFields) -> bool {
        entry.manager == self.own && entry.operation == "Apply" && entry.subresource.is_empty()
    }

    /// Fields of such an entry are taken over: what kubectl and client-side tools have set
    /// (fluxcd/kustomize-controller internal/controller, ssa.FieldManager list). Status and scale
    /// writers are left alone.
    pub(crate) fn takes_over(&self, entry: &ManagedFields) -> bool {
        if !entry.subresource.is_empty() {
            return false;
        }
        let updates = entry.operation == "Update";
        entry.manager.starts_with("kubectl")
            || (updates && entry.manager == "before-first-apply")
            || (updates && entry.manager == self.own)
            || self.overrides.contains(&entry.manager)
    }
}

impl Meta {
    /// Digest of what tells whether somebody touched what we own.
    pub(crate) fn owned(&self, managers: &Managers) -> Fingerprint {
        let mut builder = Builder::default();
        for entry in &self.managed_fields {
            if managers.is_own_apply(entry) || managers.takes_over(entry) {
                builder.text(&entry.manager);
                builder.text(&entry.operation);
                builder.text(entry.time.as_deref().unwrap_or_default());
                builder.value(&entry.fields);
            }
        }
        builder.finish()
    }

    /// When the last effective apply under our name was.
    pub(crate) fn applied_at(&self, managers: &Managers) -> Option<jiff::Timestamp> {
        let own = self
            .managed_fields
            .iter()
            .find(|entry| managers.is_own_apply(entry))?;
        own.time.as_deref()?.parse().ok()
    }

    /// Whether kubectl or the like has left fields or annotations to clean up.
    pub(crate) fn needs_cleanup(&self, managers: &Managers) -> bool {
        self.managed_fields
            .iter()
            .any(|entry| managers.takes_over(entry))
            || LEFT_BEHIND_ANNOTATIONS
                .iter()
                .any(|key| self.annotations.contains_key(*key))
            || LEFT_BEHIND_LABELS
                .iter()
                .any(|key| self.labels.contains_key(*key))
    }

    /// The owner that its labels name.
    pub(crate) fn owner(&self, group: &str) -> Option<Owner> {
        let name = self.labels.get(&name_label(group))?;
        let namespace = self
            .labels
            .get(&namespace_label(group))
            .cloned()
            .unwrap_or_default();
        Some(Owner::new(group, namespace, name))
    }

    pub(crate) fn flags(&self) -> Flags {
        let value = |key: &str| {
            let key = format!("{TOOLKIT}/{key}");
            self.annotations
                .get(&key)
                .or_else(|| self.labels.get(&key))
                .map(String::as_str)
        };
        let is = |key: &str, wanted: &str| {
            value(key).is_some_and(|value| value.eq_ignore_ascii_case(wanted))
        };
        Flags {
            deleting: self.deletion_timestamp.is_some(),
            prune_disabled: is("prune", "disabled"),
            reconcile_disabled: is("reconcile", "disabled"),
            ignored: value("ssa").is_some_and(|mode| parse_mode(mode) == ApplyMode::Ignore),
            merged: value("ssa").is_some_and(|mode| parse_mode(mode) == ApplyMode::Merge),
            forced: is("force", "enabled"),
        }
    }
}

/// What a live object's annotations and labels ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent marks on an object"
)]
pub(crate) struct Flags {
    pub(crate) deleting: bool,
    pub(crate) prune_disabled: bool,
    pub(crate) reconcile_disabled: bool,
    pub(crate) ignored: bool,
    pub(crate) merged: bool,
    pub(crate) forced: bool,
}

impl Flags {
    /// Whether the object is not to be written to.
    pub(crate) const fn hands_off(self) -> bool {
        self.reconcile_disabled || self.ignored
    }
}

/// A uid. Kubernetes uses UUIDs, which are kept as a number; aggregated APIs may not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Uid {
    Uuid(u128),
    Text(Box<str>),
}

impl Uid {
    pub(crate) fn parse(text: &str) -> Self {
        let is_uuid = text.len() == 36
            && text.bytes().enumerate().all(|(index, byte)| {
                if matches!(index, 8 | 13 | 18 | 23) {
                    byte == b'-'
                } else {
                    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
                }
            });
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        match u128::from_str_radix(&digits, 16) {
            Ok(number) if is_uuid => Self::Uuid(number),
            _ => Self::Text(text.into()),
        }
    }
}

impl std::fmt::Display for Uid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Uuid(number) => {
                let digits = format!("{number:032x}");
                write!(
                    f,
                    "{}-{}-{}-{}-{}",
                    &digits[..8],
                    &digits[8..12],
                    &digits[12..16],
                    &digits[16..20],
                    &digits[20..]
                )
            }
            Self::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn managers() -> Managers {
        Managers {
            own: "kustomize-controller".into(),
            overrides: vec!["legacy-tool".into()],
        }
    }

    fn meta(entries: Value) -> Meta {
        serde_json::from_value(json!({ "name": "x", "managedFields": entries })).unwrap()
    }

    fn own(time: &str, fields: Value) -> Value {
        json!({
            "manager": "kustomize-controller", "operation": "Apply", "time": time,
            "fieldsV1": fields
        })
    }

    #[test]
    fn only_what_we_own_counts() {
        let base = meta(json!([own("t1", json!({ "f:spec": { "f:a": {} } }))]));
        let owned = base.owned(&managers());
        let status = json!({
            "manager": "kube-controller-manager", "operation": "Update", "subresource": "status",
            "time": "t2", "fieldsV1": { "f:status": {} }
        });
        let other = json!({
            "manager": "hpa", "operation": "Update", "time": "t2", "fieldsV1": { "f:spec": {} }
        });
        let with_others = meta(json!([
            own("t1", json!({ "f:spec": { "f:a": {} } })),
            status,
            other
        ]));
        assert_eq!(with_others.owned(&managers()), owned);
        for drifted in [
            json!([own("t1", json!({ "f:spec": {} }))]),
            json!([own("t2", json!({ "f:spec": { "f:a": {} } }))]),
            json!([]),
            json!([own("t1", json!({ "f:spec": { "f:a": {} } })), {
                "manager": "kubectl-edit", "operation": "Update", "fieldsV1": { "f:spec": {} }
            }]),
        ] {
            assert_ne!(meta(drifted.clone()).owned(&managers()), owned, "{drifted}");
        }
    }

    #[test]
    fn whose_fields_are_taken_over() {
        let takes_over = |manager: &str, operation: &str, subresource: &str| {
            managers().takes_over(&ManagedFields {
                manager: manager.into(),
                operation: operation.into(),
                subresource: subresource.into(),
                ..ManagedFields::default()
            })
        };
        assert!(takes_over("kubectl", "Apply", ""));
        assert!(takes_over("kubectl-client-side-apply", "Update", ""));
        assert!(takes_over("kubectl-edit", "Update", ""));
        assert!(takes_over("before-first-apply", "Update", ""));
        assert!(takes_over("kustomize-controller", "Update", ""));
        assert!(takes_over("legacy-tool", "Apply", ""));
        assert!(!takes_over("kubectl", "Update", "scale"));
        assert!(!takes_over("kustomize-controller", "Apply", ""));
        assert!(!takes_over("flux-client-side-apply", "Update", ""));
        assert!(!takes_over("before-first-apply", "Apply", ""));
    }

    #[test]
    fn uids_round_trip() {
        for text in ["01234567-89ab-cdef-0123-456789abcdef", "not-a-uuid", ""] {
            assert_eq!(Uid::parse(text).to_string(), text);
        }
    }

    #[test]
    fn nulls_are_empty() {
        let meta: Meta =
            serde_json::from_value(json!({ "labels": null, "managedFields": null })).unwrap();
        assert!(meta.labels.is_empty() && meta.managed_fields.is_empty());
    }
}
