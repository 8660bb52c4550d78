//! GitRepository: poll, store, tell.
//!
//! Semantics of fluxcd/source-controller `internal/controller/gitrepository_controller.go`, with
//! its conditions; intermediate states are not written, so a poll that finds nothing costs no
//! request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use kube::ResourceExt as _;
use weir_api::condition::{self, Condition, ConditionStatus};
use weir_api::meta::{self, condition as types, reason};
use weir_api::source::v1::{GitRepository, GitRepositoryStatus};
use weir_api::{Artifact, Time, now};
use weir_failpoint::{Step, hit};
use weir_git::GitClient;
use weir_plugin::{Call, CallError, FailureClass, Limits, Services, Subject};

use super::objects::{Key, Objects};
use super::queue::jitter;
use super::status::Writer;
use super::worker::{Next, Reconcile};
use crate::artifact::{Owner, Record, Store};
use crate::credentials::{Address, Secrets, SlotBinding};
use crate::event::{Happening, Recorder, Severity};
use crate::source::{PullError, Pulled, Request, Sources};
use crate::telemetry::{Metrics, chain};

/// Conditions that this host owns on a GitRepository.
const OWNED: &[&str] = &[
    types::READY,
    types::RECONCILING,
    types::STALLED,
    types::FETCH_FAILED,
    types::ARTIFACT_OUTDATED,
    types::ARTIFACT_IN_STORAGE,
    types::STORAGE_OPERATION_FAILED,
    types::UNSUPPORTED,
];

/// What a call gets beyond the time of its Git operations.
const GRACE: Duration = Duration::from_secs(10);

/// Reconciles GitRepositories.
pub struct GitRepositories {
    /// The view.
    pub objects: Arc<Objects<GitRepository>>,
    /// Writes them.
    pub writer: Writer<GitRepository>,
    /// Pulls them.
    pub sources: Sources,
    /// Git transport.
    pub git: GitClient,
    /// Their Secrets.
    pub secrets: Arc<Secrets>,
    /// What operators granted, by plugin.
    pub grants: Arc<crate::grants::GrantBook>,
    /// Tells people.
    pub recorder: Recorder,
    /// Times pulls.
    pub metrics: Arc<Metrics>,
    /// What artifact URLs start with.
    pub advertised: Arc<str>,
    /// Of the interval, in percent.
    pub jitter: u8,
}

/// How a run failed: the conditions to set and when to try again.
struct Failed {
    /// `FetchFailed` or `StorageOperationFailed`.
    condition: &'static str,
    reason: String,
    message: String,
    stalled: bool,
    retry_after: Duration,
}

#[async_trait]
impl Reconcile for GitRepositories {
    const CONTROLLER: &'static str = "gitrepository";
    const KIND: &'static str = "GitRepository";
    const GROUP: &'static str = meta::SOURCE_GROUP;

    async fn reconcile(&self, key: &Key, _: bool) -> Next {
        let Some(object) = self.objects.get(key) else {
            return Next::Gone;
        };
        let run = async {
            if object.metadata.deletion_timestamp.is_some() {
                return self.finalise(&object).await;
            }
            if object.spec.suspend {
                return Ok(Next::OnChange);
            }
            self.writer
                .add_finalizer(&self.writer.api(&object), &object)
                .await?;
            self.poll(&object).await
        };
        run.await.unwrap_or_else(|error: kube::Error| {
            tracing::warn!(error = %chain(&error), "the API server refused a write");
            Next::Backoff(Duration::ZERO)
        })
    }
}

impl GitRepositories {
    async fn finalise(&self, object: &GitRepository) -> Result<Next, kube::Error> {
        let (store, owner) = (Arc::clone(&self.sources.store), owner(object));
        let removed = tokio::task::spawn_blocking(move || store.remove(&owner)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(error = %chain(&error), "artifacts of a deleted source stay behind");
        }
        self.writer
            .remove_finalizer(&self.writer.api(object), object)
            .await?;
        Ok(Next::Gone)
    }

    async fn poll(&self, object: &GitRepository) -> Result<Next, kube::Error> {
        let old = object.status.clone().unwrap_or_default();
        let mut new = old.clone();
        let generation = object.metadata.generation;
        // Asked for by hand or edited: credentials may have changed too.
        let asked = old.observed_generation != generation
            || requested(object) != old.last_handled_reconcile_at;
        if let Some(secret) = object.spec.secret_ref.as_ref().filter(|_| asked) {
            self.secrets
                .forget(&object.namespace().unwrap_or_default(), &secret.name);
        }
        let unsupported = object.spec.unsupported();
        let refused: Vec<&str> = unsupported
            .iter()
            .filter(|field| field.refuse)
            .map(|field| field.field)
            .collect();
        let outcome = if refused.is_empty() {
            self.pull(object).await
        } else {
            Err(Failed {
                condition: types::FETCH_FAILED,
                reason: reason::FIELDS_NOT_ACTED_ON.into(),
                message: format!("this version does not act on {}", refused.join(", ")),
                stalled: true,
                retry_after: Duration::ZERO,
            })
        };
        super::set_unsupported(&mut new.conditions, &unsupported, generation);
        new.last_handled_reconcile_at = requested(object).or(new.last_handled_reconcile_at);
        let next = match outcome {
            Ok(pulled) => {
                self.succeeded(object, &old, &mut new, pulled);
                Next::After(jitter(object.spec.interval.get(), self.jitter))
            }
            Err(failed) => self.failed(object, &mut new, &failed),
        };
        new.conditions = condition::merge_owned(&old.conditions, &new.conditions, OWNED);
        self.writer
            .status(&self.writer.api(object), object, &old, &new)
            .await?;
        hit(Step::SourceStatus);
        Ok(next)
    }

    async fn pull(&self, object: &GitRepository) -> Result<Pulled, Failed> {
        let spec = &object.spec;
        let settings = serde_json::to_value(spec).unwrap_or_default();
        let mut deciding = settings.clone();
        if let Some(fields) = deciding.as_object_mut() {
            for field in ["interval", "timeout", "suspend"] {
                fields.remove(field);
            }
        }
        let namespace = object.namespace().unwrap_or_default();
        let credentials = spec.secret_ref.as_ref().map(|secret| {
            let binding = SlotBinding {
                slot: "default".into(),
                secret: secret.name.clone(),
                address: Address::Url(spec.url.clone()),
            };
            self.secrets.bind(&namespace, vec![binding])
        });
        let timeout = spec
            .timeout
            .map_or(Duration::from_mins(1), weir_api::Duration::get);
        let granted = self.grants.of("git");
        let call = Call {
            subject: subject(object),
            settings: settings.to_string().into(),
            inputs: Vec::new(),
            // The Git client says what timed out; the plugin's own deadline would only say that.
            limits: Limits {
                time: timeout + GRACE,
                ..granted.limits
            },
            grants: granted.grants,
            services: Services {
                git: Some(Arc::new(self.git.with_timeout(timeout))),
                credentials,
                ..Services::none()
            },
        };
        let request = Request {
            plugin: "git",
            owner: owner(object),
            ignore: spec.ignore.clone(),
            call,
            deciding_settings: deciding.to_string(),
        };
        let started = Instant::now();
        let pulled = self.sources.pull(request).await;
        let outcome = match &pulled {
            Ok(Pulled::New { .. }) => "fetched",
            Ok(Pulled::Unchanged(_)) => "unchanged",
            Err(_) => "failed",
        };
        self.metrics
            .source_fetched(Self::KIND, outcome, started.elapsed());
        pulled.map_err(|error| failed(&error))
    }

    fn succeeded(
        &self,
        object: &GitRepository,
        old: &GitRepositoryStatus,
        new: &mut GitRepositoryStatus,
        pulled: Pulled,
    ) {
        let generation = object.metadata.generation;
        let (record, summary) = match pulled {
            Pulled::Unchanged(record) => (record, None),
            Pulled::New { record, summary } => (record, summary),
        };
        let artifact = self.artifact(&record);
        let mut message = format!("stored artifact for revision '{}'", artifact.revision);
        if let Some(left_out) = &record.left_out {
            message = format!("{message}; {left_out}");
        }
        for gone in [
            types::FETCH_FAILED,
            types::STORAGE_OPERATION_FAILED,
            types::ARTIFACT_OUTDATED,
        ] {
            condition::remove(&mut new.conditions, gone);
        }
        condition::mark_ready(&mut new.conditions, generation, reason::SUCCEEDED, &message);
        condition::set(
            &mut new.conditions,
            Condition::new(
                types::ARTIFACT_IN_STORAGE,
                ConditionStatus::True,
                reason::SUCCEEDED,
                &message,
                generation,
            ),
        );
        new.observed_generation = generation;
        let spec = &object.spec;
        new.observed_ignore.clone_from(&spec.ignore);
        new.observed_recurse_submodules = spec.recurse_submodules;
        new.observed_sparse_checkout
            .clone_from(&spec.sparse_checkout);
        if let Some(size) = artifact.size.and_then(|size| u64::try_from(size).ok()) {
            let key = Key::of(object);
            self.metrics.artifact("GitRepository", &key, size);
        }

        let known = old.artifact.as_ref();
        let changed = known.is_none_or(|known| known.digest != artifact.digest);
        let recovered =
            condition::find(&old.conditions, types::READY).is_some_and(Condition::is_false);
        if changed {
            let subject = summary.unwrap_or_else(|| artifact.revision.clone());
            let mut message = format!("stored artifact for commit '{subject}'");
            if let Some(left_out) = &record.left_out {
                message = format!("{message}; {left_out}");
            }
            self.tell(
                object,
                Severity::Info,
                reason::NEW_ARTIFACT,
                message,
                Some(&artifact),
            );
        } else if recovered {
            self.tell(
                object,
                Severity::Info,
                reason::SUCCEEDED,
                message,
                Some(&artifact),
            );
        }
        new.artifact = Some(artifact);
    }

    fn failed(
        &self,
        object: &GitRepository,
        new: &mut GitRepositoryStatus,
        failed: &Failed,
    ) -> Next {
        let generation = object.metadata.generation;
        let (reason, message) = (failed.reason.as_str(), failed.message.as_str());
        let before = condition::find(&new.conditions, types::READY).cloned();
        condition::set(
            &mut new.conditions,
            Condition::new(
                failed.condition,
                ConditionStatus::True,
                reason,
                message,
                generation,
            ),
        );
        if failed.stalled {
            condition::mark_stalled(&mut new.conditions, generation, reason, message);
            new.observed_generation = generation;
        } else {
            condition::mark_failed(&mut new.conditions, generation, reason, message);
        }
        let repeated = before.is_some_and(|ready| ready.is_false() && ready.message == message);
        if !repeated {
            tracing::warn!(reason, error = message, "failed to pull");
            self.tell(object, Severity::Error, reason, message.to_owned(), None);
        }
        if failed.stalled {
            Next::OnChange
        } else {
            Next::Backoff(failed.retry_after)
        }
    }

    fn artifact(&self, record: &Record) -> Artifact {
        Artifact {
            path: record.path.clone(),
            url: format!("{}/{}", self.advertised, record.path),
            revision: record.revision.clone(),
            digest: record.digest.to_string(),
            last_update_time: record.last_update_time.parse().map_or_else(|_| now(), Time),
            size: i64::try_from(record.size).ok(),
            metadata: record.metadata.iter().cloned().collect(),
        }
    }

    fn tell(
        &self,
        object: &GitRepository,
        severity: Severity,
        reason: &str,
        message: String,
        artifact: Option<&Artifact>,
    ) {
        let metadata = artifact
            .map(|artifact| {
                vec![
                    (meta::META_REVISION.to_owned(), artifact.revision.clone()),
                    (meta::META_DIGEST.to_owned(), artifact.digest.clone()),
                ]
            })
            .unwrap_or_default();
        self.recorder
            .record(Happening::new(object, severity, reason, message).metadata(metadata));
    }
}

fn owner(object: &GitRepository) -> Owner {
    Owner {
        kind: "gitrepository".into(),
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
    }
}

fn subject(object: &GitRepository) -> Subject {
    Subject {
        api_version: "source.toolkit.fluxcd.io/v1".into(),
        kind: "GitRepository".into(),
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
    }
}

fn requested(object: &GitRepository) -> Option<String> {
    object.annotations().get(meta::REQUESTED_AT).cloned()
}

/// Reason, message and retry of a failed pull.
fn failed(error: &PullError) -> Failed {
    let mut failed = Failed {
        condition: types::FETCH_FAILED,
        reason: reason::GIT_OPERATION_FAILED.into(),
        message: chain(error).to_string(),
        stalled: false,
        retry_after: Duration::ZERO,
    };
    match error {
        PullError::NoPlugin(_) => failed.reason = "PluginNotReady".into(),
        PullError::Settings(_) => {
            failed.reason = "InvalidSettings".into();
            failed.stalled = true;
        }
        PullError::Store(_) => {
            failed.condition = types::STORAGE_OPERATION_FAILED;
            failed.reason = "ArchiveOperationFailed".into();
        }
        PullError::Bounds(_) => {
            failed.condition = types::STORAGE_OPERATION_FAILED;
            failed.reason = "ArtifactTooLarge".into();
        }
        PullError::Call { plugin, error } => {
            let CallError::Failed(failure) = &**error else {
                failed.reason = super::call_reason(error).into();
                failed.message = format!("{error} ({plugin})");
                return failed;
            };
            failed.reason.clone_from(&failure.code);
            failed.message.clone_from(&failure.message);
            failed.stalled = matches!(
                failure.class,
                FailureClass::InvalidSettings | FailureClass::Denied | FailureClass::Unsupported
            );
            failed.retry_after =
                Duration::from_secs(failure.retry_after.unwrap_or_default().into());
        }
    }
    failed
}

/// Where a consumer finds the tree of a source's artifact.
pub fn open_tree(store: &Store, artifact: &Artifact) -> Result<Arc<dyn weir_plugin::Tree>, String> {
    let digest = artifact
        .digest
        .parse()
        .map_err(|error| format!("{error}"))?;
    store
        .tree(&digest, &artifact.path)
        .map_err(|error| chain(&error).to_string())
}
