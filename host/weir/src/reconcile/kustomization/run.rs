//! The steps of a run: source, dependencies, render, apply, prune, health.

use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_api::inventory::Inventory;
use weir_api::kustomize::v1::{Kustomization, KustomizationStatus, SourceKind};
use weir_api::meta::reason;
use weir_api::source::v1::GitRepository;
use weir_api::{Artifact, condition};
use weir_apply::{ApplyRequest, Change, ChangeSet, Owner};
use weir_failpoint::{Step, hit};
use weir_plugin::{
    Call, CallError, Digest, FailureClass, Input, Limits, Services, Subject, normalise,
};

use super::super::objects::Key;
use super::intent::{Intended, intent};
use super::manifests::Renderer;
use super::outcome::{Ended, Failed, FailedNext};
use super::settings::{self, KustomizationTarget};
use super::{Applied, Kustomizations, dependencies, manifests};
use crate::event::Severity;
use crate::render::Rendered;
use crate::source::{PullError, check_settings, describe};
use crate::telemetry::{RenderOutcome, chain};

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
/// A dependency that is expected to follow its source within this time is waited for quietly.
const QUIET_DEPENDENCY: Duration = Duration::from_secs(5);

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

    /// Everything up to the rendered output; changes nothing in the cluster.
    async fn prepare(
        &self,
        key: &Key,
        object: &Kustomization,
        report: &mut Report,
    ) -> Result<(Rendered, Renderer), Stop> {
        let refused: Vec<&str> = object
            .spec
            .unsupported()
            .iter()
            .filter(|field| field.refuse)
            .map(|field| field.field)
            .collect();
        if !refused.is_empty() {
            let message = format!("this version does not act on {}", refused.join(", "));
            return Err(Failed::stalled(reason::FIELDS_NOT_ACTED_ON, message).into());
        }
        let (source, artifact) = self.source(key, object)?;
        report.revision.clone_from(&artifact.revision);
        report.origin_revision = artifact.origin_revision().map(ToOwned::to_owned);
        self.check_dependencies(key, object, &artifact.revision)?;

        let store = Arc::clone(&self.store);
        let wanted = artifact.clone();
        let opening = tokio::task::spawn_blocking(move || {
            super::super::gitrepository::open_tree(&store, &wanted)
        });
        let tree = opening
            .await
            .unwrap_or_else(|error| Err(error.to_string()))
            .map_err(|error| Failed::new(reason::ARTIFACT_FAILED, error))?;
        let path = object.spec.path.as_deref().unwrap_or_default();
        let path = normalise(path).unwrap_or_default();
        if tree.kind(&path).is_none() {
            let source = format!("{}/{}", source.namespace, source.name);
            let message = format!(
                "kustomization path not found: '{path}' does not exist in {} of GitRepository '{source}'",
                artifact.revision
            );
            return Err(Failed::new(reason::ARTIFACT_FAILED, message).into());
        }
        self.render(object, &artifact, tree, path).await
    }

    /// The source and its artifact.
    fn source(&self, key: &Key, object: &Kustomization) -> Result<(Key, Artifact), Stop> {
        let reference = &object.spec.source_ref;
        let own = object.metadata.namespace.clone().unwrap_or_default();
        let namespace = reference.namespace.clone().unwrap_or_else(|| own.clone());
        if self.rules.no_cross_namespace_refs && namespace != own {
            let message = format!(
                "can't access '{}/{namespace}/{}', cross-namespace references have been blocked",
                reference.kind, reference.name
            );
            return Err(Failed::stalled(reason::ACCESS_DENIED, message).into());
        }
        debug_assert_eq!(
            reference.kind,
            SourceKind::GitRepository,
            "others are refused before"
        );
        let named = Key::new(namespace, &reference.name);
        let Some(source) = self.sources.get(&named) else {
            let message = format!("Source '{}/{named}' not found", reference.kind);
            let failed = Failed::new(reason::ARTIFACT_FAILED, message);
            let failed = Failed {
                severity: Severity::Info,
                ..failed
            };
            return Err(self.unless_soon(key, failed));
        };
        let status = source.status.as_ref();
        if let Some(artifact) = status.and_then(|status| status.artifact.clone()) {
            return Ok((named, artifact));
        }
        let failed = Failed::dependency(reason::ARTIFACT_FAILED, no_artifact(&named, &source));
        let is_failing = status
            .and_then(|status| condition::find(&status.conditions, "Ready"))
            .is_some_and(condition::Condition::is_false);
        Err(if is_failing {
            failed.into()
        } else {
            self.unless_soon(key, failed)
        })
    }

    /// What is not there may be about to come, and its coming queues the object: a status that
    /// says "not ready" for a moment would cost a request and mislead.
    fn unless_soon(&self, key: &Key, failed: Failed) -> Stop {
        let mut memory = self.memory.lock();
        let memory = memory.entry(key.clone()).or_default();
        let since = *memory.unmet_since.get_or_insert_with(Instant::now);
        if since.elapsed() < QUIET_DEPENDENCY {
            Stop::Soon(QUIET_DEPENDENCY)
        } else {
            failed.into()
        }
    }

    fn check_dependencies(
        &self,
        key: &Key,
        object: &Kustomization,
        revision: &str,
    ) -> Result<(), Stop> {
        let own = object.metadata.namespace.as_deref().unwrap_or_default();
        if self.rules.no_cross_namespace_refs
            && let Some(other) = dependencies::keys(object).find(|other| other.namespace != own)
        {
            let message = format!(
                "can't access dependency '{other}', cross-namespace references have been blocked"
            );
            return Err(Failed::stalled(reason::ACCESS_DENIED, message).into());
        }
        match dependencies::check(object, revision, |other| self.objects.get(other)) {
            Ok(()) => {
                self.memory
                    .lock()
                    .entry(key.clone())
                    .or_default()
                    .unmet_since = None;
                Ok(())
            }
            Err(cycle @ dependencies::Unmet::Cycle(_)) => {
                Err(Failed::stalled(reason::DEPENDENCY_NOT_READY, cycle.to_string()).into())
            }
            Err(unmet) => {
                let failed = Failed::dependency(reason::DEPENDENCY_NOT_READY, unmet.to_string());
                Err(self.unless_soon(key, failed))
            }
        }
    }

    async fn render(
        &self,
        object: &Kustomization,
        artifact: &Artifact,
        tree: Arc<dyn weir_plugin::Tree>,
        path: String,
    ) -> Result<(Rendered, Renderer), Stop> {
        let name = settings::renderer(object);
        let Some(plugin) = self.catalog.get(&name) else {
            let message = format!("plugin '{name}' is not ready");
            return Err(Failed::dependency("PluginNotReady", message).into());
        };
        let settings: Arc<str> = settings::settings(object).into();
        if let Err(PullError::Settings(problems)) = check_settings(&plugin, &settings) {
            let message = format!("settings of plugin '{name}' are wrong: {problems}");
            return Err(Failed::stalled("InvalidSettings", message).into());
        }
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let granted = self.grants.of(&name);
        let call = Call {
            subject: Subject {
                api_version: "kustomize.toolkit.fluxcd.io/v1".into(),
                kind: "Kustomization".into(),
                namespace: object.metadata.namespace.clone().unwrap_or_default(),
                name: object.metadata.name.clone().unwrap_or_default(),
                uid: uid.clone(),
            },
            settings,
            inputs: vec![Input {
                name: "source".into(),
                revision: artifact.revision.clone(),
                tree,
            }],
            limits: Limits {
                time: granted.limits.time.min(object.spec.timeout().get()),
                ..granted.limits
            },
            grants: granted.grants,
            services: Services {
                // For remote bases, where the grants allow any.
                git: Some(Arc::new(self.git.with_timeout(object.spec.timeout().get()))),
                cluster: Some(self.lookup.clone()),
                ..Services::none()
            },
        };
        let target = Arc::new(KustomizationTarget {
            path,
            namespace: object.spec.target_namespace.clone(),
            capabilities: Arc::clone(&self.capabilities),
        });
        let (result, ran) = self.renders.render(&uid, &plugin, call, target).await;
        self.metrics.render(match (&result, ran) {
            (Err(_), _) => RenderOutcome::Failed,
            (Ok(_), true) => RenderOutcome::Rendered,
            (Ok(_), false) => RenderOutcome::Cached,
        });
        match result {
            Ok(rendered) => {
                for warning in rendered.output.iter().flat_map(|output| &output.warnings) {
                    let (code, message) = (warning.code.as_str(), warning.message.clone());
                    let happening =
                        crate::event::Happening::new(object, Severity::Error, code, message);
                    self.recorder.record(happening.kubernetes_only());
                }
                let by = Renderer {
                    shown: describe(&plugin),
                    is_built_in: self.catalog.is_built_in(&plugin),
                };
                Ok((rendered, by))
            }
            Err(error) => Err(render_failed(&error, &describe(&plugin)).into()),
        }
    }

    /// Applies the output and prunes what it no longer has; keeps `new.inventory` true.
    #[expect(
        clippy::too_many_arguments,
        reason = "one step of one run, called once"
    )]
    async fn apply(
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
enum Stop {
    Soon(Duration),
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

fn no_artifact(key: &Key, source: &GitRepository) -> String {
    let why = source
        .status
        .as_ref()
        .and_then(|status| condition::find(&status.conditions, "Ready"))
        .filter(|ready| ready.is_false())
        .map(|ready| format!(" ({})", ready.message))
        .unwrap_or_default();
    format!("Source 'GitRepository/{key}' is not ready, artifact not found{why}")
}

/// A failed render: the guest's own error is the user's, the other ways are the plugin's.
fn render_failed(error: &CallError, plugin: &str) -> Failed {
    let CallError::Failed(failure) = error else {
        return Failed::new(
            super::super::call_reason(error),
            format!("{error} ({plugin})"),
        );
    };
    let mut message = failure.message.clone();
    for position in &failure.positions {
        let line = position
            .line
            .map(|line| format!(":{line}"))
            .unwrap_or_default();
        let place = format!("{}{line}", position.path);
        // Most messages name the place already.
        if !message.contains(&place) {
            message = format!("{place}: {message}");
        }
    }
    let stalled = matches!(
        failure.class,
        FailureClass::InvalidSettings | FailureClass::Denied | FailureClass::Unsupported
    );
    if stalled {
        Failed::stalled(failure.code.clone(), message)
    } else {
        let floor = Duration::from_secs(failure.retry_after.unwrap_or_default().into());
        let failed = Failed::new(failure.code.clone(), message);
        Failed {
            next: FailedNext::Retry(floor),
            ..failed
        }
    }
}
