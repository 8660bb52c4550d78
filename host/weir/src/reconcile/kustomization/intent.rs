//! The intent: what a run is about to create is in the inventory before it exists.

use async_trait::async_trait;
use weir_api::condition;
use weir_api::inventory::Inventory;
use weir_api::kustomize::v1::Kustomization;
use weir_apply::Progress;

use super::Kustomizations;

/// Writes the intent of one run.
pub(super) struct Intent<'r> {
    pub(super) kustomizations: &'r Kustomizations,
    pub(super) object: &'r Kustomization,
    pub(super) before: &'r Inventory,
    pub(super) revision: &'r str,
}

#[async_trait]
impl Progress for Intent<'_> {
    /// Costs a request only when something new is about to be created.
    async fn before_first_write(&self, desired: &Inventory) -> Result<(), kube::Error> {
        let added = desired.stale(self.before);
        if added.is_empty() {
            return Ok(());
        }
        let old = self.object.status.clone().unwrap_or_default();
        let mut new = old.clone();
        let mut union = self.before.clone();
        union.entries.extend(added.into_iter().cloned());
        new.inventory = Some(union);
        new.last_attempted_revision = Some(self.revision.to_owned());
        let message = format!("Applying revision {}", self.revision);
        condition::mark_reconciling(&mut new.conditions, self.object.metadata.generation, message);
        let writer = &self.kustomizations.writer;
        writer.status(&writer.api(self.object), self.object, &old, &new).await?;
        Ok(())
    }
}
