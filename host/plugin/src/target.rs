//! A target that is known in full before the call.

use std::sync::Arc;

use crate::Target;

/// A [`Target`] of plain values, for renders that no object asked for: of the command line, of
/// tests and of measurements.
#[derive(Clone, Debug)]
pub struct FixedTarget {
    /// Directory inside the input `source`.
    pub path: String,
    /// Merged values, one JSON object.
    pub values: Arc<str>,
    /// Namespace to render for.
    pub namespace: Option<String>,
    /// Helm's release name.
    pub release_name: Option<String>,
    /// Helm's release revision.
    pub release_revision: u32,
    /// Whether it is an upgrade.
    pub is_upgrade: bool,
    /// `v1.35.4`.
    pub kube_version: String,
    /// What the cluster serves: `apps/v1`, `apps/v1/Deployment`.
    pub apis: Vec<String>,
}

impl Default for FixedTarget {
    /// The root of the source, without values, for a cluster of the API definitions that weir is
    /// built with, which serves nothing.
    fn default() -> Self {
        Self {
            path: String::new(),
            values: "{}".into(),
            namespace: None,
            release_name: None,
            release_revision: 1,
            is_upgrade: false,
            kube_version: "v1.35.0".to_owned(),
            apis: Vec::new(),
        }
    }
}

impl Target for FixedTarget {
    fn path(&self) -> String {
        self.path.clone()
    }

    fn values(&self) -> Arc<str> {
        self.values.clone()
    }

    fn namespace(&self) -> Option<String> {
        self.namespace.clone()
    }

    fn release_name(&self) -> Option<String> {
        self.release_name.clone()
    }

    fn release_revision(&self) -> u32 {
        self.release_revision
    }

    fn is_upgrade(&self) -> bool {
        self.is_upgrade
    }

    fn kube_version(&self) -> String {
        self.kube_version.clone()
    }

    fn has_api(&self, name: &str) -> bool {
        self.apis.iter().any(|api| api == name)
    }

    fn apis(&self) -> Vec<String> {
        self.apis.clone()
    }
}
