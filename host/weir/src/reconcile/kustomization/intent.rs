//! The intent: what a run is about to create is in the inventory before it exists.

use std::sync::Arc;

use parking_lot::Mutex;
use weir_api::condition;
use weir_api::inventory::{Entry, Inventory};
use weir_api::kustomize::v1::Kustomization;
use weir_apply::engine::BeforeWrite;
use weir_failpoint::{Step, hit};

use super::super::status::Writer;
use crate::telemetry::chain;

/// The inventory that an intent wrote, if it wrote one. A run that fails after it cannot tell what
/// was created, so all of that stays in the inventory until it is known to be gone.
pub(super) type Intended = Arc<Mutex<Option<Inventory>>>;

/// Writes the intent of a run; costs a request only when something new is about to be created.
pub(super) fn intent(
    writer: Arc<Writer<Kustomization>>,
    object: Arc<Kustomization>,
    revision: String,
    intended: Intended,
) -> BeforeWrite {
    Box::new(move |desired: Vec<Entry>| {
        Box::pin(async move {
            let old = object.status.clone().unwrap_or_default();
            let before = old.inventory.clone().unwrap_or_default();
            let desired = Inventory { entries: desired };
            let added = desired.stale(&before);
            if added.is_empty() {
                return Ok(());
            }
            let mut new = old.clone();
            let mut union = before.clone();
            union.entries.extend(added.into_iter().cloned());
            new.inventory = Some(union.clone());
            new.last_attempted_revision = Some(revision.clone());
            let message = format!("Applying revision {revision}");
            let generation = object.metadata.generation;
            condition::mark_reconciling(&mut new.conditions, generation, message);
            let written = writer
                .status(&writer.api(&object), &object, &old, &new)
                .await;
            written.map_err(|error| chain(&error).to_string())?;
            *intended.lock() = Some(union);
            hit(Step::Intent);
            Ok(())
        })
    })
}
