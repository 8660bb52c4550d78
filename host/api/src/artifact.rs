//! The artifact of a source, `status.artifact` (fluxcd/pkg apis/meta/artifact.go).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Time, meta};

/// A file that holds a source's content at a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
// New ones need a digest and a revision; only reading is lenient.
#[schemars(extend("required" = ["path", "url", "revision", "digest", "lastUpdateTime"]))]
pub struct Artifact {
    /// Path below the storage root: `<kind>/<namespace>/<name>/<file>`.
    pub path: String,
    /// Where consumers download it.
    pub url: String,
    /// Human-readable state of the source, `main@sha1:...`. Compared by exact equality.
    // Old API versions wrote artifacts without it; those must stay readable.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// `<algorithm>:<hex>` of the stored file. Empty in what old API versions wrote.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(pattern(r"^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$"))]
    pub digest: String,
    /// When the file was stored.
    pub last_update_time: Time,
    /// Bytes of the stored file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// Annotations from upstream, such as those of an OCI manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Artifact {
    /// The revision of what the artifact was made from, if its producer told.
    pub fn origin_revision(&self) -> Option<&str> {
        self.metadata.get(meta::OCI_REVISION).map(String::as_str)
    }

    /// Whether both name the same revision of a source.
    pub fn has_revision(&self, revision: &str) -> bool {
        self.revision == revision
    }
}
