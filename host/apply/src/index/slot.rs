//! What is kept of one object: what the server has ([`Live`]) and what we applied last
//! ([`Applied`]). About 200 bytes, and no part of the manifest.

use std::sync::Arc;

use weir_api::inventory::ObjectId;

use super::meta::{Flags, Uid};
use crate::fingerprint::Fingerprint;
use crate::kstatus::Status;

/// Group and kind: versions of a kind are views of the same objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupKind {
    pub(crate) group: String,
    pub(crate) kind: String,
}

impl GroupKind {
    pub(crate) fn of(id: &ObjectId) -> Self {
        Self {
            group: id.group.clone(),
            kind: id.kind.clone(),
        }
    }

    /// The object of a key.
    pub(super) fn id(&self, key: &str) -> ObjectId {
        let (namespace, name) = key.split_once('/').unwrap_or(("", key));
        ObjectId::new(namespace, name, &self.group, &self.kind)
    }
}

/// `namespace/name`: one allocation per object.
pub(super) type Key = Arc<str>;

pub(super) fn key(namespace: &str, name: &str) -> Key {
    format!("{namespace}/{name}").into()
}

/// Number of an owner in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OwnerId(pub(super) u32);

/// What the server has.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) uid: Uid,
    /// Resource versions of one kind are ordered; 0 if this one is no number.
    pub(crate) version: u64,
    pub(crate) owner: Option<OwnerId>,
    pub(crate) owned: Fingerprint,
    pub(crate) flags: Flags,
    pub(crate) needs_cleanup: bool,
    /// Only of kinds whose health is watched.
    pub(crate) health: Option<Box<Status>>,
    /// Which listing it was seen in; what a listing has not seen is gone.
    pub(super) epoch: u32,
}

/// What we applied last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) owner: OwnerId,
    pub(crate) desired: Fingerprint,
    pub(crate) uid: Uid,
    pub(crate) version: u64,
    pub(crate) owned: Fingerprint,
    /// It may vanish by itself: a Job with `ttlSecondsAfterFinished`.
    pub(crate) expires: bool,
}

#[derive(Default)]
pub(super) struct Slot {
    pub(super) live: Option<Live>,
    pub(super) applied: Option<Applied>,
    /// Writes of ours that have not been answered; nothing is judged meanwhile.
    pub(super) in_flight: u16,
}

impl Slot {
    pub(super) fn is_empty(&self) -> bool {
        self.live.is_none() && self.applied.is_none() && self.in_flight == 0
    }

    pub(super) fn has_drifted(&self) -> bool {
        match (&self.live, &self.applied) {
            (Some(live), Some(applied)) => {
                !live.flags.deleting && (live.uid != applied.uid || live.owned != applied.owned)
            }
            _ => false,
        }
    }

    /// Another owner's labels are on it.
    pub(super) fn has_moved(&self) -> bool {
        match (&self.live, &self.applied) {
            (Some(live), Some(applied)) => live.owner.is_some_and(|owner| owner != applied.owner),
            _ => false,
        }
    }

    /// Applied and not there, though it does not vanish by itself.
    pub(super) fn is_missing(&self) -> bool {
        self.live.is_none()
            && self
                .applied
                .as_ref()
                .is_some_and(|applied| !applied.expires)
    }
}

/// What the engine looks at when it plans.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// Whether an absent `live` means that no object carries our labels.
    pub(crate) synced: bool,
    pub(crate) live: Option<Live>,
    pub(crate) applied: Option<Applied>,
}
