//! A run: what is prepared is applied unless it is there already, and its health is watched.

use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_api::kustomize::v1::{Kustomization, KustomizationStatus};
use weir_api::meta::reason;
use weir_apply::{Change, Owner};
use weir_failpoint::{Step, hit};
use weir_plugin::Digest;

use super::super::objects::Key;
use super::outcome::{Ended, Failed};
use super::{Applied, Kustomizations};

/// What a run found and did, as far as it came.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) revision: String,
    pub(super) origin_revision: Option<String>,
    /// Digest of the rendered manifests.
    pub(super) output: Option<Digest>,
    /// Created, configured and deleted objects.
    pub(super) changes: Vec<Change>,
    /// An earlier run applied this very output, and nothing has drifted since.
    pub(super) was_applied_before: bool,
    /// How long health took, if it is checked.
    pub(super) healthy_after: Option<Duration>,
}

/// Health that takes longer than this is told in the status.
const QUIET_WAIT: Duration = Duration::from_secs(1);
impl Kustomizations {
    /// Runs the steps.
    pub(super) async fn run(
        &self,
        key: &Key,
        object: &Arc<Kustomization>,
        old: &KustomizationStatus,
        new: &mut KustomizationStatus,
    ) -> Ended {
        let mut report = Report::default();
        let prepared = match self.prepare(key, object, &mut report).await {
            Ok(prepared) => prepared,
            Err(Stop::Soon(delay)) => return Ended::Soon(delay),
            Err(Stop::Failed(failed)) => return Ended::Failed { failed, report },
        };
        let (rendered, renderer) = prepared;
        report.output = Some(rendered.digest);
        let applied = Applied {
            generation: object.metadata.generation,
            output: rendered.digest,
        };
        let known = self
            .memory
            .lock()
            .get(key)
            .and_then(|memory| memory.applied);
        report.was_applied_before = known == Some(applied);
        if report.was_applied_before {
            let memory = self.memory.lock();
            let unwritten = memory.get(key).and_then(|memory| memory.inventory.clone());
            if unwritten.is_some() {
                new.inventory = unwritten;
            }
        } else {
            // Set before: an object that drifts while this run goes on takes it away again.
            self.memory.lock().entry(key.clone()).or_default().applied = Some(applied);
            let done = self
                .apply(key, object, old, new, &rendered, &renderer, &mut report)
                .await;
            if let Err(failed) = done {
                self.memory.lock().entry(key.clone()).or_default().applied = None;
                return Ended::Failed { failed, report };
            }
        }
        self.check_health(key, object, applied, report)
    }

    /// Health of what was applied, as the watches have it.
    fn check_health(
        &self,
        key: &Key,
        object: &Kustomization,
        applied: Applied,
        mut report: Report,
    ) -> Ended {
        if !object.spec.wait {
            return Ended::Succeeded(report);
        }
        let mut memory = self.memory.lock();
        let memory = memory.entry(key.clone()).or_default();
        let health = self.engine.health(&memory.health_ids);
        let since = match memory.waiting {
            Some((since, waiting_for)) if waiting_for == applied => since,
            _ => Instant::now(),
        };
        let waited = since.elapsed();
        let timeout = object.spec.timeout().get();
        if health.is_healthy() {
            report.healthy_after = Some(waited);
            return Ended::Succeeded(report);
        }
        if health.has_failed() || waited >= timeout {
            let why = if health.has_failed() {
                health.failed_message()
            } else {
                health.timeout_message()
            };
            let waited = weir_api::Duration(waited);
            let message = format!("health check failed after {waited}: {why}");
            return Ended::Failed {
                failed: Failed::new(reason::HEALTH_CHECK_FAILED, message),
                report,
            };
        }
        memory.waiting = Some((since, applied));
        hit(Step::HealthWait);
        let write_status = waited >= QUIET_WAIT;
        let look_again = if write_status {
            timeout.saturating_sub(waited)
        } else {
            QUIET_WAIT
        };
        Ended::Waiting {
            report,
            look_again,
            write_status,
        }
    }
}

/// Why a run ended before it applied anything.
pub(super) enum Stop {
    /// What it needs is about to come: another look after this time.
    Soon(Duration),
    /// To be told.
    Failed(Failed),
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

/// Owner of the objects of a Kustomization.
pub(super) fn owner(object: &Kustomization) -> Owner {
    Owner::new(
        weir_api::meta::KUSTOMIZE_GROUP,
        object.metadata.namespace.clone().unwrap_or_default(),
        object.metadata.name.clone().unwrap_or_default(),
    )
}
