//! `status.inventory`: the objects that an owner has applied
//! (fluxcd/kustomize-controller api/v1/inventory_types.go, sigs.k8s.io/cli-utils object.ObjMetadata).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The list in a status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Inventory {
    /// One entry per object.
    pub entries: Vec<Entry>,
}

/// One object.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Entry {
    /// `<namespace>_<name>_<group>_<kind>`; see [`ObjectId`].
    pub id: String,
    /// API version without the group.
    pub v: String,
}

/// Identity of an object, the version left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Empty for the core group.
    pub group: String,
    /// Kind.
    pub kind: String,
}

/// The text is no inventory id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no inventory id of the form <namespace>_<name>_<group>_<kind>")]
pub struct InvalidId(String);

impl ObjectId {
    /// From its four parts.
    pub fn new(
        namespace: impl Into<String>,
        name: impl Into<String>,
        group: impl Into<String>,
        kind: impl Into<String>,
    ) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
            group: group.into(),
            kind: kind.into(),
        }
    }

    /// The id in an inventory. Colons, which only RBAC names have, become `__`: the form must be
    /// a valid key of a ConfigMap, where cli-utils kept it.
    pub fn encode(&self) -> String {
        let name = self.name.replace(':', "__");
        format!("{}_{name}_{}_{}", self.namespace, self.group, self.kind)
    }

    /// How people and events name it: `Kind/namespace/name`, without namespace `Kind/name`.
    pub fn subject(&self) -> Subject<'_> {
        Subject(self)
    }
}

impl FromStr for ObjectId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidId(text.to_owned());
        // Kind, group and namespace hold no underscore; the name may, as an encoded colon.
        let (namespace, rest) = text.split_once('_').ok_or_else(invalid)?;
        let (rest, kind) = rest.rsplit_once('_').ok_or_else(invalid)?;
        let (name, group) = rest.rsplit_once('_').ok_or_else(invalid)?;
        if name.is_empty() || kind.is_empty() {
            return Err(invalid());
        }
        Ok(Self::new(namespace, name.replace("__", ":"), group, kind))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encode())
    }
}

/// See [`ObjectId::subject`].
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a>(&'a ObjectId);

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0;
        if id.namespace.is_empty() {
            write!(f, "{}/{}", id.kind, id.name)
        } else {
            write!(f, "{}/{}/{}", id.kind, id.namespace, id.name)
        }
    }
}

impl Serialize for ObjectId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.encode())
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Entry {
    /// The entry of an object.
    pub fn new(id: &ObjectId, version: impl Into<String>) -> Self {
        Self {
            id: id.encode(),
            v: version.into(),
        }
    }
}

impl Inventory {
    /// The entries that are no longer in `new`, compared by id: a changed version is the same
    /// object.
    pub fn stale<'a>(&'a self, new: &Self) -> Vec<&'a Entry> {
        let kept: std::collections::HashSet<&str> =
            new.entries.iter().map(|entry| entry.id.as_str()).collect();
        self.entries
            .iter()
            .filter(|entry| !kept.contains(entry.id.as_str()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_are_encoded_as_flux_does() {
        let check = |id: ObjectId, text: &str, subject: &str| {
            assert_eq!(id.encode(), text);
            assert_eq!(text.parse::<ObjectId>().unwrap(), id);
            assert_eq!(id.subject().to_string(), subject);
        };
        check(
            ObjectId::new("apps", "web", "apps", "Deployment"),
            "apps_web_apps_Deployment",
            "Deployment/apps/web",
        );
        check(
            ObjectId::new("", "prod", "", "Namespace"),
            "_prod__Namespace",
            "Namespace/prod",
        );
        check(
            ObjectId::new("apps", "cfg", "", "ConfigMap"),
            "apps_cfg__ConfigMap",
            "ConfigMap/apps/cfg",
        );
        check(
            ObjectId::new(
                "",
                "system:node:x",
                "rbac.authorization.k8s.io",
                "ClusterRole",
            ),
            "_system__node__x_rbac.authorization.k8s.io_ClusterRole",
            "ClusterRole/system:node:x",
        );
    }

    #[test]
    fn other_text_is_no_id() {
        for text in ["", "a", "a_b", "a_b_c", "a__c_Kind", "a_b_c_"] {
            assert!(text.parse::<ObjectId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_changed_version_is_not_stale() {
        let inventory = |entries: &[(&str, &str)]| Inventory {
            entries: entries
                .iter()
                .map(|(id, v)| Entry {
                    id: (*id).to_owned(),
                    v: (*v).to_owned(),
                })
                .collect(),
        };
        let old = inventory(&[("a_x_g_K", "v1beta1"), ("a_y_g_K", "v1")]);
        let new = inventory(&[("a_x_g_K", "v1")]);
        let stale: Vec<_> = old.stale(&new).into_iter().map(|e| e.id.as_str()).collect();
        assert_eq!(stale, ["a_y_g_K"]);
    }

    proptest! {
        #[test]
        fn encoding_round_trips(
            namespace in "([a-z]([-a-z0-9]{0,8}[a-z0-9])?)?",
            name in "[a-z]([-a-z0-9.]{0,8}[a-z0-9])?(:[a-z][a-z0-9]{0,4}){0,2}",
            group in "([a-z]{1,8}(\\.[a-z]{1,4}){0,2})?",
            kind in "[A-Z][A-Za-z]{0,10}",
        ) {
            let id = ObjectId::new(namespace, name, group, kind);
            prop_assert_eq!(id.encode().parse::<ObjectId>().unwrap(), id);
        }
    }
}
