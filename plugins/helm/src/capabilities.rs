//! What the cluster can do, as far as templates may ask (helm/helm pkg/chartutil/capabilities.go).

use weir_version::Version;

use crate::error::Error;

/// The version of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeVersion {
    /// `v1.32.0`.
    pub version: String,
    /// `1`.
    pub major: String,
    /// `32`.
    pub minor: String,
}

impl KubeVersion {
    /// Reads a version as `--kube-version` takes it: `1.31`, `v1.31.4-gke.1`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let version = Version::parse_short(text).map_err(|_| {
            Error::Options(format!(
                "invalid kube version '{text}': Invalid Semantic Version"
            ))
        })?;
        let (major, minor, patch) = (version.major(), version.minor(), version.patch());
        let pre = with_sign('-', version.pre_release());
        let build = with_sign('+', version.build());
        Ok(Self {
            version: format!("v{major}.{minor}.{patch}{pre}{build}"),
            major: major.to_string(),
            minor: minor.to_string(),
        })
    }
}

fn with_sign(sign: char, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{sign}{text}")
    }
}

impl Default for KubeVersion {
    /// The version that Helm 3.17 assumes without a cluster.
    fn default() -> Self {
        Self {
            version: "v1.32.0".to_owned(),
            major: "1".to_owned(),
            minor: "32".to_owned(),
        }
    }
}

/// The program that renders, as `.Capabilities.HelmVersion` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmVersion {
    /// `v3.17.3`.
    pub version: String,
    /// Commit that it was built from.
    pub git_commit: String,
    /// Whether that was clean.
    pub git_tree_state: String,
    /// The version of Go.
    pub go_version: String,
}

impl Default for HelmVersion {
    /// The version whose behaviour this is.
    fn default() -> Self {
        Self {
            version: "v3.17.3".to_owned(),
            git_commit: "e4da49785aa6e6ee2b86efd5dd9e43400318262b".to_owned(),
            git_tree_state: "clean".to_owned(),
            go_version: "go1.23.7".to_owned(),
        }
    }
}

/// Asks the cluster. What is not asked does not count for the result.
pub trait Discovery {
    /// The version of Kubernetes.
    fn kube_version(&self) -> KubeVersion;

    /// Whether `apps/v1` or `apps/v1/Deployment` is served.
    fn has_api(&self, name: &str) -> bool;

    /// All that are served.
    fn apis(&self) -> Vec<String>;
}

/// What Helm assumes of a cluster that it does not ask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assumed {
    /// The version of Kubernetes.
    pub kube_version: KubeVersion,
    /// What is served beyond what Helm knows.
    pub more_apis: Vec<String>,
}

impl Discovery for Assumed {
    fn kube_version(&self) -> KubeVersion {
        self.kube_version.clone()
    }

    fn has_api(&self, name: &str) -> bool {
        DEFAULT_API_VERSIONS.contains(&name) || self.more_apis.iter().any(|api| api == name)
    }

    fn apis(&self) -> Vec<String> {
        let known = DEFAULT_API_VERSIONS.iter().map(|api| (*api).to_owned());
        known.chain(self.more_apis.iter().cloned()).collect()
    }
}

/// The groups and versions that the client library of Kubernetes 1.32 knows, in its order
/// (helm/helm `allKnownVersions`).
const DEFAULT_API_VERSIONS: [&str; 56] = [
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "autoscaling/v2beta1",
    "autoscaling/v2beta2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1alpha1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha1",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1alpha1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_kubernetes_are_read_leniently() {
        let rows = [
            ("1.31", "v1.31.0"),
            ("v1.28.4-gke.100+x", "v1.28.4-gke.100+x"),
            ("1", "v1.0.0"),
        ];
        for (text, expected) in rows {
            assert_eq!(KubeVersion::parse(text).unwrap().version, expected);
        }
        assert_eq!(
            KubeVersion::parse("latest").unwrap_err().to_string(),
            "invalid kube version 'latest': Invalid Semantic Version"
        );
    }
}
