//! What the host hands to a call, and the narrow traits behind which the rest of the host does
//! what a guest asks for. Nothing here knows Kubernetes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Failure, Tree};

/// The object on whose behalf a call happens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// `source.toolkit.fluxcd.io/v1`.
    pub api_version: String,
    /// `GitRepository`.
    pub kind: String,
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// An artifact handed in.
#[derive(Clone, Debug)]
pub struct Input {
    /// `source`, `chart`, or what the spec calls it.
    pub name: String,
    /// Flux form, `main@sha1:…`.
    pub revision: String,
    /// Its content.
    pub tree: Arc<dyn Tree>,
}

/// What a `Plugin` object grants. The default grants nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Grants {
    /// Origins that `http` and `git` may reach: `https://*.example.com`, `http://127.0.0.1:8080`,
    /// `https://*` (any host by that scheme), `*` (any). A port that is not given is the
    /// scheme's. A `*` label stands for one or more labels.
    pub hosts: Vec<String>,
    /// Addresses that resolve to loopback, link-local or private ranges are refused unless this
    /// is set or the host is granted by literal name.
    pub private_networks: bool,
    /// Slots whose Secret the host may use on the plugin's behalf; `*` for all.
    pub slots: Vec<String>,
    /// Slots whose bytes the plugin may read.
    pub secrets: Vec<String>,
    /// Kinds that the plugin may read in the cluster: `v1/Secret`, `apps/v1/*`, `*` for all.
    pub cluster: Vec<String>,
}

/// Bounds of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, bytes.
    pub memory: u64,
    /// Wall time.
    pub time: Duration,
    /// Bytes emitted, attached or put into an artifact.
    pub output_bytes: u64,
    /// Manifests emitted or files put.
    pub output_count: u64,
    /// Log lines; further ones are dropped and counted.
    pub log_lines: u32,
    /// Bytes of one HTTP body.
    pub http_body: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            time: Duration::from_mins(1),
            output_bytes: 256 << 20,
            output_count: 100_000,
            log_lines: 1_000,
            http_body: 64 << 20,
        }
    }
}

/// Everything a call gets besides its own arguments.
#[derive(Clone)]
pub struct Call {
    /// On whose behalf.
    pub subject: Subject,
    /// JSON text, already checked against the plugin's schema.
    pub settings: Arc<str>,
    /// Artifacts handed in.
    pub inputs: Vec<Input>,
    /// What the operator granted.
    pub grants: Arc<Grants>,
    /// Bounds of this call.
    pub limits: Limits,
    /// Who answers for Git and credentials; [`Services::none`] refuses everything.
    pub services: Services,
}

/// The host's side of the interfaces that reach out. Absent ones answer `unsupported`.
#[derive(Clone, Default)]
pub struct Services {
    /// `git`.
    pub git: Option<Arc<dyn Git>>,
    /// Slots, for `http`, `git` and `secrets`.
    pub credentials: Option<Arc<dyn Credentials>>,
    /// `cluster`.
    pub cluster: Option<Arc<dyn ClusterReader>>,
}

impl Services {
    /// Refuses everything.
    pub fn none() -> Self {
        Self::default()
    }
}

/// Secrets bound to the object, by slot.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// The keys and values of the slot's Secret; `None`: the object binds none.
    async fn slot(&self, name: &str) -> Result<Option<Arc<BTreeMap<String, Vec<u8>>>>, Failure>;
    /// Whether the slot is bound to the origin of `url`: a Secret is for the address that its
    /// object names, not for whatever else the plugin may reach.
    async fn is_bound_to(&self, slot: &str, url: &url::Url) -> Result<bool, Failure>;
    /// TLS material that acts on every connection of the object (`certSecretRef`, or the `ca.crt`
    /// of its Secret): PEM of the roots that replace the system's.
    async fn ca_certificate(&self) -> Result<Option<Vec<u8>>, Failure>;
}

/// Reads of the cluster. The runtime has held the kind against the grants before it calls, and
/// names and namespaces are such as objects can have.
#[async_trait]
pub trait ClusterReader: Send + Sync {
    /// An object as JSON; `None`: no such object, or no such kind.
    async fn get(
        &self,
        kind: &KindRef,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<String>, Failure>;
    /// Every object of the kind in the namespace, or in all of them, that the selector matches;
    /// none of a kind that is not there. Fails once they are more bytes than `most`.
    async fn list(
        &self,
        kind: &KindRef,
        namespace: Option<&str>,
        selector: Option<&str>,
        most: u64,
    ) -> Result<Vec<String>, Failure>;
}

/// A kind, as objects name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindRef {
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
}

impl std::fmt::Display for KindRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.api_version, self.kind)
    }
}

/// A Git remote, as the guest names it.
#[derive(Clone, Debug)]
pub struct Remote {
    /// `http(s)://` or `ssh://`.
    pub url: String,
    /// Credentials: basic, bearer.
    pub credentials: Option<Arc<BTreeMap<String, Vec<u8>>>>,
    /// PEM roots that replace the system's.
    pub ca_certificate: Option<Vec<u8>>,
}

/// An advertised reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `refs/heads/main`.
    pub name: String,
    /// Object id it points at, hex.
    pub target: String,
    /// The commit behind an annotated tag.
    pub peeled: Option<String>,
}

/// What to fetch.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Commit id, hex.
    pub commit: String,
    /// The reference it was found under.
    pub reference: Option<String>,
    /// Directories; empty: everything.
    pub sparse: Vec<String>,
    /// Whether submodules are fetched too.
    pub submodules: bool,
}

/// A signature and what it signs.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Armoured.
    pub signature: String,
    /// The raw object without the signature.
    pub payload: Vec<u8>,
}

/// A commit.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Hex.
    pub id: String,
    /// Committer's, seconds since the epoch.
    pub time: i64,
    /// Whole message.
    pub message: String,
    /// Its signature.
    pub signature: Option<Signed>,
}

/// A fetched commit.
#[derive(Clone)]
pub struct Checkout {
    /// The commit.
    pub commit: Commit,
    /// Of the annotated tag it was found under.
    pub tag_signature: Option<Signed>,
    /// Its tree, without links and submodule directories.
    pub files: Arc<dyn Tree>,
}

/// Git transport and object store. The runtime has checked the remote's origin against the
/// grants before it calls.
#[async_trait]
pub trait Git: Send + Sync {
    /// References whose full name starts with one of the prefixes (all when empty).
    async fn list_references(
        &self,
        remote: Remote,
        prefixes: Vec<String>,
    ) -> Result<Vec<Reference>, Failure>;
    /// Fetches a commit and opens its tree.
    async fn fetch(&self, remote: Remote, wanted: Wanted) -> Result<Checkout, Failure>;
}

/// Content that the host holds: a download, a file of a tree, what a guest wrote.
pub trait BlobSource: Send + Sync {
    /// Bytes.
    fn size(&self) -> u64;
    /// Of the content.
    fn digest(&self) -> crate::Digest;
    /// A part, shorter than `len` only at the end.
    fn read_at(&self, offset: u64, len: usize) -> std::io::Result<bytes::Bytes>;
}

/// Destination of a source plugin: the artifact under construction. Nothing it was given takes
/// effect unless the call returns ok. The runtime counts [`Limits`] before it calls.
pub trait ArtifactSink: Send {
    /// Adds a file; a later one replaces an earlier one of the same path.
    fn put(&mut self, path: &str, content: &dyn BlobSource) -> Result<(), Failure>;
    /// Copies pairs of a path in `tree` and one in the artifact; a directory brings all below it.
    fn copy(&mut self, tree: &Arc<dyn Tree>, paths: &[(String, String)]) -> Result<(), Failure>;
    /// Which of the paths the object's ignore rules will leave out.
    fn ignored(&self, paths: &[String]) -> Vec<bool>;
    /// The artifact is this blob, byte for byte.
    fn store(&mut self, content: &dyn BlobSource, file_name: Option<&str>) -> Result<(), Failure>;
}

/// What a source plugin returns for new content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// `main@sha1:…`.
    pub id: String,
    /// Opaque; `last` of the next call.
    pub token: String,
    /// One line for the event.
    pub summary: Option<String>,
    /// Who signed what, once checked.
    pub verified: Option<String>,
    /// Becomes the artifact's metadata.
    pub metadata: Vec<(String, String)>,
}

/// What a renderer may ask about its target.
pub trait Target: Send + Sync {
    /// Directory inside the input `source`.
    fn path(&self) -> String;
    /// Merged values, one JSON object.
    fn values(&self) -> Arc<str>;
    /// Namespace to render for.
    fn namespace(&self) -> Option<String>;
    /// Helm's release name.
    fn release_name(&self) -> Option<String>;
    /// Helm's release revision.
    fn release_revision(&self) -> u32;
    /// Whether it is an upgrade.
    fn is_upgrade(&self) -> bool;
    /// `v1.35.4`.
    fn kube_version(&self) -> String;
    /// `apps/v1` or `apps/v1/Deployment`.
    fn has_api(&self, name: &str) -> bool;
    /// All of them.
    fn apis(&self) -> Vec<String>;
}

/// One emission of a renderer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// YAML or JSON documents.
    pub body: bytes::Bytes,
    /// File they come from.
    pub origin: Option<String>,
    /// `crd`, `hook`; none: objects to apply.
    pub role: Option<String>,
}

/// A non-fatal remark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// UpperCamelCase.
    pub code: String,
    /// One sentence.
    pub message: String,
}

/// What a renderer made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderOutput {
    /// In order of emission.
    pub manifests: Vec<Manifest>,
    /// By-products by name.
    pub attachments: Vec<(String, bytes::Bytes)>,
    /// Kept with a cached result.
    pub warnings: Vec<Warning>,
}
