//! Who an object belongs to: the object (a Kustomization, say) in whose name it was applied,
//! written on it as two labels.

use std::fmt;

use serde::{Deserialize, Serialize};
use weir_api::NamespacedName;

/// The owner of applied objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// API group of the owner; the prefix of its labels.
    pub group: String,
    /// Namespace of the owner.
    pub namespace: String,
    /// Name of the owner.
    pub name: String,
}

impl Owner {
    /// From its three parts.
    pub fn new(
        group: impl Into<String>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            group: group.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The labels that its objects carry.
    pub fn labels(&self) -> [(String, String); 2] {
        [
            (name_label(&self.group), self.name.clone()),
            (namespace_label(&self.group), self.namespace.clone()),
        ]
    }

    /// Namespace and name.
    pub fn namespaced_name(&self) -> NamespacedName {
        NamespacedName::new(&self.namespace, &self.name)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Key of the label with the owner's name.
pub fn name_label(group: &str) -> String {
    format!("{group}/name")
}

/// Key of the label with the owner's namespace.
pub fn namespace_label(group: &str) -> String {
    format!("{group}/namespace")
}
