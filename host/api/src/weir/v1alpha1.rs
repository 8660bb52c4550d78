//! Plugin: a component from a registry, and what it may do.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reference::SecretReference;
use crate::{ByteSize, Condition, Duration, is_false};

/// How often a tag is looked up when `interval` is absent.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(600);

/// Which component to run under the object's name, and what it may do. The name is what kinds
/// refer to: `git`, `kustomize`, `slack` and so on replace the built-in component of that name.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "weir.dev",
    version = "v1alpha1",
    kind = "Plugin",
    status = "PluginStatus",
    category = "all",
    category = "weir",
    derive = "Default",
    derive = "PartialEq",
    doc = "Plugin is a WebAssembly component that the host runs under this name.",
    printcolumn = r#"{"name":"Image","type":"string","jsonPath":".spec.image"}"#,
    printcolumn = r#"{"name":"World","type":"string","jsonPath":".status.world"}"#,
    printcolumn = r#"{"name":"Version","type":"string","jsonPath":".status.description.version"}"#,
    printcolumn = r#"{"name":"Digest","type":"string","jsonPath":".status.digest","priority":1}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Status","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct PluginSpec {
    /// `oci://host/repository:tag`, `oci://host/repository@sha256:...`, or for development
    /// `file:///path` to a component or an OCI layout directory.
    #[schemars(length(max = 2048), pattern(r"^(oci|file)://.+$"))]
    pub image: String,
    /// How often the tag is looked up again; 10 minutes when absent. A digest is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,
    /// Talks HTTP to the registry.
    #[serde(default, skip_serializing_if = "is_false")]
    pub insecure: bool,
    /// Secret of type `kubernetes.io/dockerconfigjson`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_secret_ref: Option<SecretReference>,
    /// What the component may do beyond computing.
    #[serde(default, skip_serializing_if = "Grants::is_default")]
    pub grants: Grants,
    /// Stops looking for new digests; what is loaded goes on serving.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
}

/// What a component may reach and use. Nothing is granted unless it is listed; limits that are
/// absent are the host's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grants {
    /// Origins that it may connect to: `https://api.example.com`, `https://*.example.com`,
    /// `https://*` (any host by that scheme), `*` (any).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Lets granted names resolve to loopback, link-local and private addresses.
    #[serde(default, skip_serializing_if = "is_false")]
    pub private_networks: bool,
    /// Slots whose Secret the host may use for it; `*` for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<String>,
    /// Slots whose bytes it may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Kinds that a renderer may read in the cluster, with the rights of the host and in every
    /// namespace: `v1/ConfigMap`, `apps/v1/*`, `*` for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cluster: Vec<String>,
    /// Linear memory of one call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<ByteSize>,
    /// Wall time of one call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Duration>,
    /// Bytes that one call may emit or put into an artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<ByteSize>,
    /// Manifests that one call may emit, or files that it may put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub output_count: Option<i64>,
    /// Log lines of one call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub log_lines: Option<i64>,
    /// Bytes of one HTTP body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_body: Option<ByteSize>,
}

impl Grants {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What was observed of a Plugin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginStatus {
    /// Last generation that was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions: Pulled, Verified, Compiled, Ready, Reconciling, Stalled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Digest of the component that serves now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// World that it implements: `renderer`, `source` and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub world: Option<String>,
    /// Version of the contract that it was built against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_version: Option<String>,
    /// What it says about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Last value of `reconcile.fluxcd.io/requestedAt` that was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}

/// The answer of `about.describe`, without its schema and examples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Description {
    /// Name that the plugin gives itself.
    pub name: String,
    /// SemVer of the plugin.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// What it wants granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wants: Vec<Want>,
    /// Documentation address, licence and the like.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// One thing that a plugin wants granted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Want {
    /// `host`, `slot`, `secret`, `cluster`.
    pub kind: String,
    /// What of that kind.
    pub name: String,
    /// Why, for the operator.
    pub reason: String,
    /// Whether the grants cover it.
    #[serde(default)]
    pub granted: bool,
}

impl PluginSpec {
    /// How often the tag is looked up again.
    pub fn interval(&self) -> Duration {
        self.interval.unwrap_or(DEFAULT_INTERVAL)
    }
}
