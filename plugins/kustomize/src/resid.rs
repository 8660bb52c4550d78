//! Identity of objects: group, version, kind, name, namespace (kyaml `resid`).

use std::fmt;

const NO_GROUP: &str = "[noGrp]";
const NO_VERSION: &str = "[noVer]";
const NO_KIND: &str = "[noKind]";
const NO_NAMESPACE: &str = "[noNs]";
const NO_NAME: &str = "[noName]";

/// Stands for the namespace of objects that have none.
pub(crate) const NOT_A_NAMESPACE: &str = "_non_namespaceable_";
/// The namespace of objects that do not say.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// Group, version and kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Gvk {
    /// Group, empty for the core group or for any.
    pub group: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// True if the kind is known to have no namespace.
    pub cluster_scoped: bool,
}

/// Splits `apps/v1`.
pub(crate) fn parse_group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

impl Gvk {
    /// `apps/v1`
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Same group, version and kind.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.group == other.group && self.version == other.version && self.kind == other.kind
    }

    /// True if every part that `selector` has is the same here.
    pub(crate) fn is_selected(&self, selector: &Self) -> bool {
        (selector.group.is_empty() || self.group == selector.group)
            && (selector.version.is_empty() || self.version == selector.version)
            && (selector.kind.is_empty() || self.kind == selector.kind)
    }

    /// Text by which equal ranks are ordered: absent parts sort last.
    pub(crate) fn sort_text(&self) -> String {
        let or = |part: &'static str, value: &str| {
            if value.is_empty() {
                part.to_owned()
            } else {
                value.to_owned()
            }
        };
        format!(
            "{}_{}_{}",
            or("~G", &self.group),
            or("~V", &self.version),
            or("~K", &self.kind)
        )
    }
}

fn or<'a>(value: &'a str, placeholder: &'a str) -> &'a str {
    if value.is_empty() { placeholder } else { value }
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = or(&self.kind, NO_KIND);
        let version = or(&self.version, NO_VERSION);
        write!(f, "{kind}.{version}.{}", or(&self.group, NO_GROUP))
    }
}

/// Full identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct ResId {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// Name.
    pub name: String,
    /// Namespace as written.
    pub namespace: String,
}

impl fmt::Display for ResId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = or(&self.name, NO_NAME);
        write!(
            f,
            "{}/{name}.{}",
            self.gvk,
            or(&self.namespace, NO_NAMESPACE)
        )
    }
}

impl ResId {
    /// Never empty: what stands for no namespace, the default one, or the one given.
    pub(crate) fn effective_namespace(&self) -> &str {
        if self.gvk.cluster_scoped {
            NOT_A_NAMESPACE
        } else if self.namespace.is_empty() {
            DEFAULT_NAMESPACE
        } else {
            &self.namespace
        }
    }

    /// Same effective namespace.
    pub(crate) fn same_namespace(&self, other: &Self) -> bool {
        self.effective_namespace() == other.effective_namespace()
    }

    /// Same group, version, kind and name.
    pub(crate) fn gvkn_equals(&self, other: &Self) -> bool {
        self.name == other.name && self.gvk.equals(&other.gvk)
    }

    /// Same everything, with namespaces compared by effect.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.gvkn_equals(other) && self.same_namespace(other)
    }

    /// True if every part that `selector` has is the same here.
    pub(crate) fn is_selected_by(&self, selector: &Self) -> bool {
        (selector.name.is_empty() || selector.name == self.name)
            && (selector.namespace.is_empty() || selector.same_namespace(self))
            && self.gvk.is_selected(&selector.gvk)
    }

    /// True if nothing is set.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What [`Self::equals`] compares, as one key.
    pub(crate) fn key(&self) -> String {
        format!(
            "{}\0{}\0{}\0{}\0{}",
            self.gvk.group,
            self.gvk.version,
            self.gvk.kind,
            self.name,
            self.effective_namespace()
        )
    }

    /// As Go prints the struct with `%#v`.
    pub(crate) fn go_syntax(&self) -> String {
        format!(
            "resid.ResId{{Gvk:resid.Gvk{{Group:{:?}, Version:{:?}, Kind:{:?}, \
             isClusterScoped:{}}}, Name:{:?}, Namespace:{:?}}}",
            self.gvk.group,
            self.gvk.version,
            self.gvk.kind,
            self.gvk.cluster_scoped,
            self.name,
            self.namespace
        )
    }
}

const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Kinds that come first and last in the legacy order.
pub(crate) fn legacy_order() -> (Vec<String>, Vec<String>) {
    let owned = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect();
    (owned(&FIRST), owned(&LAST))
}

/// Rank of a kind; 0 for those in between.
pub(crate) fn rank(kind: &str, first: &[impl AsRef<str>], last: &[impl AsRef<str>]) -> i64 {
    // A kind that stands in both, or twice, has its last rank.
    if let Some(at) = last.iter().rposition(|name| name.as_ref() == kind) {
        return at as i64 + 1;
    }
    match first.iter().rposition(|name| name.as_ref() == kind) {
        Some(at) => at as i64 - first.len() as i64,
        None => 0,
    }
}

/// By what field specifications are ordered: what they apply to (kyaml `Gvk.IsLessThan`).
pub(crate) fn gvk_order(gvk: &Gvk) -> (i64, String) {
    (rank(&gvk.kind, &FIRST, &LAST), gvk.sort_text())
}
