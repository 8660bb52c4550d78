//! What a run has to do, object by object: a pure function of what is desired and what is known.

use crate::fingerprint::Fingerprint;
use crate::index::slot::{OwnerId, View};
use crate::object::{ApplyMode, Object, TOOLKIT};

/// What is to be done with one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is as we applied it, and nobody has touched it since. No request.
    Unchanged,
    /// An annotation says to leave it alone. No request.
    Skip,
    /// It must only be created; whether it exists has to be asked.
    AskExists,
    /// It has to be applied.
    Apply {
        /// It is known to exist with our labels.
        exists: bool,
    },
}

/// Decides for one object. `desired` is the digest of what would be sent.
pub(crate) fn decide(
    object: &Object,
    desired: Fingerprint,
    owner: OwnerId,
    view: &View,
) -> Decision {
    let mode = object.apply_mode(TOOLKIT);
    if mode == ApplyMode::Ignore || object.is_disabled(&format!("{TOOLKIT}/reconcile")) {
        return Decision::Skip;
    }
    match &view.live {
        Some(live) if live.flags.hands_off() || mode == ApplyMode::IfNotPresent => Decision::Skip,
        Some(live) => {
            let is_as_applied = view.applied.as_ref().is_some_and(|applied| {
                applied.owner == owner
                    && applied.desired == desired
                    && applied.uid == live.uid
                    && applied.owned == live.owned
            });
            if view.synced && is_as_applied && live.owner == Some(owner) {
                Decision::Unchanged
            } else {
                Decision::Apply { exists: true }
            }
        }
        // An object without our labels is not in the index.
        None if mode == ApplyMode::IfNotPresent => Decision::AskExists,
        None => Decision::Apply { exists: false },
    }
}
