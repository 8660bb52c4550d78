//! The steps up to the rendered output: source, dependencies, render. They change nothing in the
//! cluster.

use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_api::kustomize::v1::{Kustomization, SourceKind};
use weir_api::meta::reason;
use weir_api::source::v1::GitRepository;
use weir_api::{Artifact, condition};
use weir_plugin::{Call, CallError, FailureClass, Input, Limits, Services, Subject, normalise};

use super::super::objects::Key;
use super::manifests::Renderer;
use super::outcome::{Failed, FailedNext};
use super::run::{Report, Stop};
use super::settings::{self, KustomizationTarget};
use super::{Kustomizations, dependencies};
use crate::event::Severity;
use crate::render::Rendered;
use crate::source::{PullError, check_settings, describe};
use crate::telemetry::RenderOutcome;

/// A dependency that is expected to follow its source within this time is waited for quietly.
const QUIET_DEPENDENCY: Duration = Duration::from_secs(5);

impl Kustomizations {
    /// Everything up to the rendered output; changes nothing in the cluster.
    pub(super) async fn prepare(
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
