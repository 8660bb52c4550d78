//! The target of a render, as a test describes it.

use std::collections::BTreeSet;
use std::sync::Arc;

/// What the plugin is told of its target.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) path: String,
    pub(crate) values: Arc<str>,
    pub(crate) namespace: Option<String>,
    pub(crate) release_name: Option<String>,
    pub(crate) release_revision: u32,
    pub(crate) kube_version: String,
    pub(crate) apis: BTreeSet<String>,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            path: String::new(),
            values: "{}".into(),
            namespace: None,
            release_name: None,
            release_revision: 1,
            kube_version: "v1.35.0".into(),
            apis: BTreeSet::new(),
        }
    }
}

impl weir_plugin::Target for Target {
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
        self.release_revision > 1
    }

    fn kube_version(&self) -> String {
        self.kube_version.clone()
    }

    fn has_api(&self, name: &str) -> bool {
        self.apis.contains(name)
    }

    fn apis(&self) -> Vec<String> {
        self.apis.iter().cloned().collect()
    }
}
