//! How a run ended, and what the status, the events and the schedule make of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_api::condition::{self, Condition, ConditionStatus};
use weir_api::history;
use weir_api::kustomize::v1::{Kustomization, KustomizationStatus};
use weir_api::meta::{self, condition as types, reason};
use weir_api::now;
use weir_apply::Action;
use weir_failpoint::{Step, hit};

use super::super::objects::Key;
use super::super::queue::jitter;
use super::super::worker::Next;
use super::{Kustomizations, run};
use crate::event::{Happening, Severity};
use crate::telemetry::AppliedAction;

/// Conditions that this host owns on a Kustomization.
const OWNED: &[&str] = &[
    types::READY,
    types::RECONCILING,
    types::STALLED,
    types::HEALTHY,
    types::UNSUPPORTED,
];

/// A run that did not end well.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) next: FailedNext,
    /// `error`, or `info` for what is expected to pass by itself.
    pub(super) severity: Severity,
}

/// When a failed run is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailedNext {
    /// After `retryInterval`, but not before this floor.
    Retry(Duration),
    /// After `--requeue-dependency`, or as soon as what it waits for changes.
    Dependency,
    /// On a change only.
    Stalled,
}

impl Failed {
    pub(super) fn new(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            message: message.into(),
            next: FailedNext::Retry(Duration::ZERO),
            severity: Severity::Error,
        }
    }

    pub(super) fn stalled(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            next: FailedNext::Stalled,
            ..Self::new(reason, message)
        }
    }

    pub(super) fn dependency(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            next: FailedNext::Dependency,
            severity: Severity::Info,
            ..Self::new(reason, message)
        }
    }
}

/// How a run ended.
pub(super) enum Ended {
    /// Everything is as the revision says.
    Succeeded(run::Report),
    /// Applied; health is still waited for. Looked at again after the time given.
    Waiting {
        report: run::Report,
        look_again: Duration,
        write_status: bool,
    },
    /// A dependency is likely to be met within moments: nothing is written.
    Soon(Duration),
    /// See [`Failed`]; with what was done before.
    Failed { failed: Failed, report: run::Report },
}

impl Kustomizations {
    pub(super) async fn reconcile_live(
        &self,
        key: &Key,
        object: &Arc<Kustomization>,
        was_put_off: bool,
    ) -> Result<Next, kube::Error> {
        let started = Instant::now();
        let old = object.status.clone().unwrap_or_default();
        let mut new = old.clone();
        let generation = object.metadata.generation;
        let unsupported = object.spec.unsupported();
        super::super::set_unsupported(&mut new.conditions, &unsupported, generation);
        let ended = self.run(key, object, &old, &mut new).await;
        new.last_handled_reconcile_at = object
            .metadata
            .annotations
            .as_ref()
            .and_then(|annotations| annotations.get(meta::REQUESTED_AT).cloned())
            .or(new.last_handled_reconcile_at);
        let next = match ended {
            Ended::Soon(delay) => return Ok(Next::After(delay)),
            // Only the revision is to be told, and others may have something to apply.
            Ended::Succeeded(report) if report.was_applied_before && !was_put_off => {
                return Ok(Next::PutOff);
            }
            Ended::Succeeded(report) => {
                self.memory.lock().entry(key.clone()).or_default().waiting = None;
                self.succeeded(object, &old, &mut new, &report, started);
                Next::After(jitter(object.spec.interval.get(), self.rules.jitter))
            }
            Ended::Waiting {
                report,
                look_again,
                write_status,
            } => {
                self.tell_changes(object, &report, None);
                if !write_status {
                    return Ok(Next::After(look_again));
                }
                let message = format!(
                    "Running health checks for revision {} with a timeout of {}",
                    report.revision,
                    object.spec.timeout()
                );
                condition::mark_reconciling(&mut new.conditions, generation, message);
                Next::After(look_again)
            }
            Ended::Failed { failed, report } => {
                self.memory.lock().entry(key.clone()).or_default().waiting = None;
                self.tell_changes(object, &report, None);
                self.failed(object, &old, &mut new, &failed, &report, started)
            }
        };
        new.conditions = condition::merge_owned(&old.conditions, &new.conditions, OWNED);
        let current = self.objects.get(key);
        // The intent may have been written meanwhile.
        let base = current
            .as_ref()
            .and_then(|object| object.status.as_ref())
            .unwrap_or(&old);
        self.writer
            .status(&self.writer.api(object), object, base, &new)
            .await?;
        self.memory.lock().entry(key.clone()).or_default().inventory = None;
        hit(Step::Status);
        Ok(next)
    }

    fn succeeded(
        &self,
        object: &Kustomization,
        old: &KustomizationStatus,
        new: &mut KustomizationStatus,
        report: &run::Report,
        started: Instant,
    ) {
        let generation = object.metadata.generation;
        let message = format!("Applied revision: {}", report.revision);
        condition::mark_ready(
            &mut new.conditions,
            generation,
            reason::RECONCILIATION_SUCCEEDED,
            message,
        );
        match report.healthy_after {
            Some(took) => {
                let known = condition::find(&old.conditions, types::HEALTHY);
                // The time of the first pass is kept while nothing changes.
                let message = match known {
                    Some(known) if known.is_true() && report.changes.is_empty() => {
                        known.message.clone()
                    }
                    _ => format!("Health check passed in {}", weir_api::Duration(took)),
                };
                let status = ConditionStatus::True;
                condition::set(
                    &mut new.conditions,
                    Condition::new(
                        types::HEALTHY,
                        status,
                        reason::SUCCEEDED,
                        message,
                        generation,
                    ),
                );
            }
            None => {
                condition::remove(&mut new.conditions, types::HEALTHY);
            }
        }
        new.observed_generation = generation;
        new.last_applied_revision = Some(report.revision.clone());
        new.last_attempted_revision = Some(report.revision.clone());
        new.last_applied_origin_revision
            .clone_from(&report.origin_revision);
        Self::record_history(old, new, report, reason::RECONCILIATION_SUCCEEDED, started);
        self.tell_changes(object, report, Some((object, started)));
    }

    fn failed(
        &self,
        object: &Kustomization,
        old: &KustomizationStatus,
        new: &mut KustomizationStatus,
        failed: &Failed,
        report: &run::Report,
        started: Instant,
    ) -> Next {
        let generation = object.metadata.generation;
        let (reason, message) = (failed.reason.as_str(), failed.message.as_str());
        let repeated = condition::find(&old.conditions, types::READY).is_some_and(|ready| {
            ready.is_false() && ready.reason == reason && ready.message == message
        }) && old.last_attempted_revision.as_deref() == Some(&report.revision);
        if failed.next == FailedNext::Stalled {
            condition::mark_stalled(&mut new.conditions, generation, reason, message);
            new.observed_generation = generation;
        } else {
            condition::mark_failed(&mut new.conditions, generation, reason, message);
        }
        if reason == reason::HEALTH_CHECK_FAILED {
            let unhealthy = Condition::new(
                types::HEALTHY,
                ConditionStatus::False,
                reason,
                message,
                generation,
            );
            condition::set(&mut new.conditions, unhealthy);
        }
        if !report.revision.is_empty() {
            new.last_attempted_revision = Some(report.revision.clone());
            Self::record_history(old, new, report, reason, started);
        }
        if !repeated {
            tracing::warn!(reason, error = message, "reconciliation failed");
            self.recorder.record(
                Happening::new(object, failed.severity, reason, message.to_owned())
                    .metadata(metadata(report)),
            );
        }
        match failed.next {
            FailedNext::Retry(floor) => {
                Next::RetryAfter(object.spec.retry_interval().get().max(floor))
            }
            FailedNext::Dependency => Next::RetryAfter(self.rules.requeue_dependency),
            FailedNext::Stalled => Next::OnChange,
        }
    }

    /// The history moves only when the status is written anyway.
    fn record_history(
        old: &KustomizationStatus,
        new: &mut KustomizationStatus,
        report: &run::Report,
        reason: &str,
        started: Instant,
    ) {
        let Some(digest) = &report.output else { return };
        if old == new {
            return;
        }
        let mut metadata = BTreeMap::from([("revision".to_owned(), report.revision.clone())]);
        if let Some(origin) = &report.origin_revision {
            metadata.insert("originRevision".into(), origin.clone());
        }
        let took = weir_api::Duration(started.elapsed());
        history::record(
            &mut new.history,
            &digest.to_string(),
            reason,
            now(),
            took,
            metadata,
        );
    }

    /// One event for what a run changed. With `finished`, the run ended well: Flux's second event
    /// (`Reconciliation finished in …`) shares the Kubernetes Event of the first to save a
    /// request, and goes to alerts by itself.
    fn tell_changes(
        &self,
        object: &Kustomization,
        report: &run::Report,
        finished: Option<(&Kustomization, Instant)>,
    ) {
        for change in &report.changes {
            self.metrics.applied(applied_action(change.action), 1);
        }
        let lines: Vec<String> = report.changes.iter().map(ToString::to_string).collect();
        let closing = finished.map(|(object, started)| {
            format!(
                "Reconciliation finished in {}, next run in {}",
                weir_api::Duration(started.elapsed()),
                object.spec.interval
            )
        });
        if !lines.is_empty() {
            let changes = lines.join("\n");
            tracing::info!(revision = report.revision, output = changes, "applied");
            self.recorder.record(
                Happening::new(object, Severity::Info, reason::PROGRESSING, changes.clone())
                    .metadata(metadata(report))
                    .alerts_only(),
            );
            let (reason, message) = match &closing {
                Some(closing) => (
                    reason::RECONCILIATION_SUCCEEDED,
                    format!("{changes}\n{closing}"),
                ),
                None => (reason::PROGRESSING, changes),
            };
            self.recorder.record(
                Happening::new(object, Severity::Info, reason, message)
                    .metadata(metadata(report))
                    .kubernetes_only(),
            );
        }
        if let Some(closing) = closing {
            let mut metadata = metadata(report);
            metadata.push((
                meta::META_COMMIT_STATUS.to_owned(),
                meta::META_COMMIT_STATUS_UPDATE.to_owned(),
            ));
            self.recorder.record(
                Happening::new(
                    object,
                    Severity::Info,
                    reason::RECONCILIATION_SUCCEEDED,
                    closing,
                )
                .metadata(metadata)
                .alerts_only(),
            );
        }
    }
}

fn applied_action(action: Action) -> AppliedAction {
    match action {
        Action::Created => AppliedAction::Created,
        Action::Configured => AppliedAction::Configured,
        Action::Unchanged => AppliedAction::Unchanged,
        Action::Deleted => AppliedAction::Deleted,
        Action::Skipped => AppliedAction::Skipped,
    }
}

fn metadata(report: &run::Report) -> Vec<(String, String)> {
    let mut metadata = vec![(meta::META_REVISION.to_owned(), report.revision.clone())];
    if let Some(origin) = &report.origin_revision {
        metadata.push((meta::META_ORIGIN_REVISION.to_owned(), origin.clone()));
    }
    metadata
}
