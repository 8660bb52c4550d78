//! The steps that change the cluster: apply, prune. The inventory stays true whatever becomes of
//! them.

use std::sync::Arc;

use weir_api::inventory::Inventory;
use weir_api::kustomize::v1::{Kustomization, KustomizationStatus};
use weir_api::meta::reason;
use weir_apply::{ApplyRequest, ChangeSet, Owner};
use weir_failpoint::{Step, hit};

use super::super::objects::Key;
use super::Kustomizations;
use super::intent::{Intended, intent};
use super::manifests::{self, Renderer};
use super::outcome::{Failed, FailedNext};
use super::run::{Report, owner};
use crate::render::Rendered;
use crate::telemetry::chain;

impl Kustomizations {
    /// Applies the output and prunes what it no longer has; keeps `new.inventory` true.
    #[expect(
        clippy::too_many_arguments,
        reason = "one step of one run, called once"
    )]
    pub(super) async fn apply(
        &self,
        key: &Key,
        object: &Arc<Kustomization>,
        old: &KustomizationStatus,
        new: &mut KustomizationStatus,
        rendered: &Rendered,
        renderer: &Renderer,
        report: &mut Report,
    ) -> Result<(), Failed> {
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let stored;
        let output = if let Some(output) = &rendered.output {
            output
        } else if let Some(output) = self.renders.output(&uid, &rendered.digest).await {
            stored = output;
            &stored
        } else {
            // Damaged on disk: the next run renders again.
            self.renders.forget(&uid);
            return Err(Failed::new(
                reason::BUILD_FAILED,
                "the rendered output was lost",
            ));
        };
        let objects =
            manifests::parse(output, object.spec.common_metadata.as_ref()).map_err(|error| {
                let message = format!("{} (rendered by {})", chain(&error), renderer.shown);
                Failed::new(reason::BUILD_FAILED, message)
            })?;
        manifests::check_reserved(&objects, renderer)
            .map_err(|message| Failed::new(reason::BUILD_FAILED, message))?;
        let owner = owner(object);
        self.ledger.adopt(&self.engine, &owner, &uid).await;
        let before = old.inventory.clone().unwrap_or_default();
        let mut request = ApplyRequest::new(owner.clone(), objects);
        request.force = object.spec.force;
        request.concurrency = self.rules.concurrency;
        request.health = object.spec.wait;
        request.timeout = object.spec.timeout().get();
        let intended = Intended::default();
        request.before_write = Some(intent(
            Arc::clone(&self.writer),
            Arc::clone(object),
            report.revision.clone(),
            Arc::clone(&intended),
        ));
        let applied = self.engine.apply(request).await;
        let applied: ChangeSet = match applied {
            Ok(applied) => applied,
            Err(error) => {
                let done = error.done().into_iter().flat_map(ChangeSet::changed);
                report.changes.extend(done.cloned());
                if let Some(intended) = intended.lock().take() {
                    new.inventory = Some(intended);
                }
                self.ledger.keep(&self.engine, &owner, &uid).await;
                let floor = error.retry_after().unwrap_or_default();
                let failed = Failed::new(reason::RECONCILIATION_FAILED, chain(&error).to_string());
                return Err(Failed {
                    next: FailedNext::Retry(floor),
                    ..failed
                });
            }
        };
        report.changes.extend(applied.changed().cloned());
        hit(Step::Apply);
        self.memory
            .lock()
            .entry(key.clone())
            .or_default()
            .health_ids = applied.health_ids().map(|(id, _)| id.clone()).collect();
        let pruned = self
            .prune(object, &owner, &before, applied.inventory(), new, report)
            .await;
        if !report.changes.is_empty() {
            self.ledger.keep(&self.engine, &owner, &uid).await;
        }
        let inventory = new.inventory.clone();
        self.memory.lock().entry(key.clone()).or_default().inventory = inventory;
        pruned
    }

    /// Deletes what the inventory had and the run has not.
    async fn prune(
        &self,
        object: &Kustomization,
        owner: &Owner,
        before: &Inventory,
        mut after: Inventory,
        new: &mut KustomizationStatus,
        report: &mut Report,
    ) -> Result<(), Failed> {
        let stale: Vec<_> = before.stale(&after).into_iter().cloned().collect();
        if stale.is_empty() || !object.spec.prune {
            new.inventory = Some(after);
            return Ok(());
        }
        let pruned = self.engine.prune(owner, &stale).await;
        hit(Step::Prune);
        report.changes.extend(pruned.changes.changed().cloned());
        let messages: Vec<String> = pruned
            .failed
            .iter()
            .map(|(_, error)| chain(error).to_string())
            .collect();
        after
            .entries
            .extend(pruned.failed.into_iter().map(|(entry, _)| entry));
        new.inventory = Some(after);
        if messages.is_empty() {
            Ok(())
        } else {
            Err(Failed::new(reason::PRUNE_FAILED, messages.join("; ")))
        }
    }
}
