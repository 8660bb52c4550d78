//! What was applied, in a form that outlives the process: a host that reads it back after a
//! restart needs no request for what nobody has touched meanwhile.

use serde::{Deserialize, Serialize};
use weir_api::inventory::ObjectId;

use crate::fingerprint::Fingerprint;

/// Everything applied for one owner. Serialises to JSON; the content is nobody else's business.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownState {
    /// One entry per object.
    pub objects: Vec<KnownObject>,
}

/// One applied object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownObject {
    /// Inventory id.
    pub id: ObjectId,
    /// Digest of what was applied.
    pub desired: Fingerprint,
    /// uid of the object that it became.
    pub uid: String,
    /// Resource version after the write.
    pub resource_version: u64,
    /// Digest of the fields that we owned after the write.
    pub owned: Fingerprint,
    /// Whether it may vanish by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expires: bool,
}
