//! Deletion of a Kustomization: what becomes of its objects is up to `deletionPolicy`.

use weir_api::kustomize::v1::{DeletionPolicy, Kustomization};
use weir_api::meta::reason;

use super::super::objects::Key;
use super::super::worker::Next;
use super::Kustomizations;
use super::run::owner;
use crate::event::{Happening, Severity};
use crate::telemetry::chain;

impl Kustomizations {
    /// Deletes what the policy says, then lets the deletion finish. A suspended Kustomization
    /// leaves everything (runtime semantics of Flux).
    pub(super) async fn finalise(
        &self,
        key: &Key,
        object: &Kustomization,
    ) -> Result<Next, kube::Error> {
        let policy = object.spec.deletion_policy();
        let inventory = object
            .status
            .as_ref()
            .and_then(|status| status.inventory.clone())
            .unwrap_or_default();
        let keeps = object.spec.suspend || policy == DeletionPolicy::Orphan;
        if !keeps && !inventory.entries.is_empty() {
            let owner = owner(object);
            let pruned = self.engine.prune(&owner, &inventory.entries).await;
            if !pruned.changes.is_noop() {
                let message = pruned.changes.summary();
                self.recorder.record(Happening::new(
                    object,
                    Severity::Info,
                    reason::PROGRESSING,
                    message,
                ));
            }
            if let Some((_, error)) = pruned.failed.first() {
                let message = chain(error).to_string();
                tracing::warn!(
                    error = message,
                    "objects of a deleted Kustomization stay behind"
                );
                self.recorder.record(Happening::new(
                    object,
                    Severity::Error,
                    reason::PRUNE_FAILED,
                    message,
                ));
                return Ok(Next::RetryAfter(object.spec.retry_interval().get()));
            }
            if policy == DeletionPolicy::WaitForTermination {
                let timeout = object.spec.timeout().get();
                let left = self.engine.wait_gone(&inventory.entries, timeout).await;
                if !left.is_empty() {
                    let names: Vec<String> =
                        left.iter().map(|id| id.subject().to_string()).collect();
                    // Told, but no reason to keep the Kustomization for ever.
                    self.recorder.record(Happening::new(
                        object,
                        Severity::Error,
                        reason::PRUNE_FAILED,
                        format!("timeout waiting for termination of: {}", names.join(", ")),
                    ));
                }
            }
        }
        self.engine.forget(&owner(object));
        if let Some(uid) = &object.metadata.uid {
            self.renders.forget(uid);
            self.ledger.forget(uid);
        }
        self.memory.lock().remove(key);
        self.writer
            .remove_finalizer(&self.writer.api(object), object)
            .await?;
        Ok(Next::Gone)
    }
}
