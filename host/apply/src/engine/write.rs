//! What is done to one object: dry run, apply, taking over what kubectl left, recreation.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tracing::debug;

use super::Inner;
use crate::changeset::Action;
use crate::error::{ObjectError, Operation, RequestError};
use crate::fingerprint::Fingerprint;
use crate::index::Written;
use crate::index::meta::{Meta, MetaObject};
use crate::kstatus::{self, Status, needs_watch};
use crate::object::{ApplyMode, Object, TOOLKIT};
use crate::owner::Owner;
use crate::request::{Answer, Apply, METADATA, Resource};

/// How long a recreated object may take to vanish before its successor is created.
const VANISH_TIMEOUT: Duration = Duration::from_mins(1);

/// How long a kind that has just been defined may answer "not found" to its first objects.
const FRESH_KIND: Duration = Duration::from_secs(10);

/// Waits between the attempts at an object that somebody else is writing.
const CONTENTION_PAUSES: [Duration; 4] = [
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(150),
    Duration::from_millis(400),
];

/// One object of a run, ready to be sent.
pub(super) struct Item {
    pub(super) object: Object,
    pub(super) resource: Arc<Resource>,
    pub(super) desired: Fingerprint,
    /// It may be recreated.
    pub(super) force: bool,
    /// Resource version that the index had when the run was planned.
    pub(super) version: Option<u64>,
    /// The index knows of fields that kubectl has set.
    pub(super) needs_cleanup: bool,
    /// The answer is needed whole, for its status.
    pub(super) whole: bool,
    /// Its kind was defined in this very run.
    pub(super) fresh_kind: bool,
}

/// What a dry run has told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) step: Step,
    pub(super) needs_cleanup: bool,
    /// Resource version of the object that exists.
    pub(super) version: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Step {
    #[default]
    Write,
    /// The change is refused, and the object may be recreated.
    Recreate,
    /// The live object forbids it.
    Skip,
    /// Nothing would change.
    Nothing,
}

impl Item {
    pub(super) fn error(&self, operation: Operation, cause: RequestError) -> ObjectError {
        ObjectError {
            id: self.object.id().clone(),
            operation,
            cause,
        }
    }

    pub(super) fn path(&self) -> String {
        let id = self.object.id();
        self.resource.path(&id.namespace, &id.name)
    }

    fn body(&self) -> Vec<u8> {
        self.object.value().to_string().into_bytes()
    }

    fn merges(&self) -> bool {
        self.object.apply_mode(TOOLKIT) == ApplyMode::Merge
    }

    /// A Job that deletes itself.
    fn expires(&self) -> bool {
        self.object.id().kind == "Job"
            && self
                .object
                .value()
                .pointer("/spec/ttlSecondsAfterFinished")
                .is_some_and(Value::is_number)
    }
}

impl Inner {
    async fn send(&self, item: &Item, dry_run: bool, whole: bool) -> Result<Answer, RequestError> {
        let id = item.object.id();
        let how = Apply {
            manager: &self.options.field_manager,
            dry_run,
            whole,
        };
        let mut pauses = CONTENTION_PAUSES.iter();
        let answer = loop {
            let answer = self
                .requests
                .apply(&item.resource, &id.namespace, &id.name, item.body(), how)
                .await;
            match (&answer, pauses.next()) {
                (Err(cause), Some(pause)) if cause.is_contended() => {
                    tokio::time::sleep(*pause).await;
                }
                _ => break answer,
            }
        };
        if let Err(error) = &answer
            && error.is_not_found()
        {
            // Either the namespace or the kind: the second must not stay in the cache.
            self.discovery.invalidate(&item.resource.gvk);
        }
        answer
    }

    /// Asks the server what applying would do.
    pub(super) async fn dry_run(&self, item: &Item, owner: &Owner) -> Result<Verdict, ObjectError> {
        let failed = |cause| item.error(Operation::DryRun, cause);
        let began = tokio::time::Instant::now();
        let answer = loop {
            match self.send(item, true, false).await {
                // Established, and not yet served by every part of the server.
                Err(cause)
                    if cause.is_not_found() && item.fresh_kind && began.elapsed() < FRESH_KIND =>
                {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                answer => break answer,
            }
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(cause) if cause.is_immutable() && item.force => {
                self.check_recreation(item, &cause).await?;
                return Ok(Verdict {
                    step: Step::Recreate,
                    ..Verdict::default()
                });
            }
            Err(cause) => return Err(failed(cause)),
        };
        let meta = answer.parse::<MetaObject>().map_err(failed)?.metadata;
        let needs_cleanup = !item.merges() && meta.needs_cleanup(&self.managers);
        let version = (!answer.created)
            .then(|| meta.resource_version.parse().ok())
            .flatten();
        let step = if answer.created {
            Step::Write
        } else if meta.flags().hands_off() {
            Step::Skip
        } else if !needs_cleanup && self.is_noop(&answer, &meta) {
            // The object is as desired: it was applied by an earlier process, or by Flux.
            self.index.write(item.object.id()).written(Written {
                meta: &meta,
                health: None,
                owner,
                desired: item.desired,
                expires: item.expires(),
            });
            Step::Nothing
        } else {
            Step::Write
        };
        Ok(Verdict {
            step,
            needs_cleanup,
            version,
        })
    }

    /// Whether an apply changed nothing. The server stamps the manager's entry with the time of
    /// every apply that changes something; a stamp from before the request was sent means that
    /// this one did not.
    fn is_noop(&self, answer: &Answer, meta: &Meta) -> bool {
        match (answer.not_before, meta.applied_at(&self.managers)) {
            (Some(not_before), Some(applied_at)) => applied_at < not_before,
            _ => false,
        }
    }

    /// Brings one object to the cluster.
    pub(super) async fn write(
        &self,
        item: &Item,
        owner: &Owner,
        verdict: Verdict,
    ) -> Result<Action, ObjectError> {
        match verdict.step {
            Step::Skip => return Ok(Action::Skipped),
            Step::Nothing => return Ok(Action::Unchanged),
            Step::Recreate => return self.recreate(item, owner).await,
            Step::Write => {}
        }
        let mut cleaned = false;
        if (verdict.needs_cleanup || item.needs_cleanup) && !item.merges() {
            cleaned = self.take_over(item).await?;
        }
        let before = verdict.version.or(item.version);
        match self.apply_once(item, owner).await {
            Ok((action, meta)) => {
                // Only the answer has told that kubectl was here: clean up and apply again.
                if !cleaned
                    && !item.merges()
                    && meta.needs_cleanup(&self.managers)
                    && self.take_over(item).await?
                {
                    self.apply_once(item, owner)
                        .await
                        .map_err(|cause| item.error(Operation::Apply, cause))?;
                    return Ok(if action == Action::Created {
                        action
                    } else {
                        Action::Configured
                    });
                }
                let same_version = before.is_some() && meta.resource_version.parse().ok() == before;
                Ok(match action {
                    Action::Configured if same_version && !cleaned => Action::Unchanged,
                    Action::Unchanged if cleaned => Action::Configured,
                    other => other,
                })
            }
            Err(cause) if cause.is_immutable() && item.force && item.version.is_some() => {
                self.check_recreation(item, &cause).await?;
                self.recreate(item, owner).await
            }
            Err(cause) => Err(item.error(Operation::Apply, cause)),
        }
    }

    /// The apply itself, registered with the index.
    async fn apply_once(&self, item: &Item, owner: &Owner) -> Result<(Action, Meta), RequestError> {
        let guard = self.index.write(item.object.id());
        let answer = self.send(item, false, item.whole).await?;
        let (meta, health) = read(&answer, item)?;
        let action = if answer.created {
            Action::Created
        } else if self.is_noop(&answer, &meta) {
            Action::Unchanged
        } else {
            Action::Configured
        };
        guard.written(Written {
            meta: &meta,
            health,
            owner,
            desired: item.desired,
            expires: item.expires(),
        });
        Ok((action, meta))
    }

    /// Deletes the object and creates it anew.
    async fn recreate(&self, item: &Item, owner: &Owner) -> Result<Action, ObjectError> {
        let failed = |cause| item.error(Operation::Recreate, cause);
        debug!(object = %item.object.id().subject(), "recreating");
        let path = item.path();
        // Held until the new object exists: the end of the old one is no event.
        let _guard = self.index.write(item.object.id());
        match self
            .requests
            .delete(&path, &json!({ "propagationPolicy": "Background" }))
            .await
        {
            Ok(_) => {}
            Err(cause) if cause.is_not_found() => {}
            Err(cause) => return Err(failed(cause)),
        }
        let deadline = tokio::time::Instant::now() + VANISH_TIMEOUT;
        let mut pause = Duration::from_millis(50);
        loop {
            match self.requests.get(&path, METADATA).await {
                Err(cause) if cause.is_not_found() => break,
                Err(cause) => return Err(failed(cause)),
                Ok(_) if tokio::time::Instant::now() >= deadline => {
                    return Err(failed(RequestError {
                        code: 0,
                        reason: "Timeout".to_owned(),
                        message: format!(
                            "deleted for recreation, and still there after {}",
                            weir_api::Duration(VANISH_TIMEOUT)
                        ),
                        retry_after: None,
                    }));
                }
                Ok(_) => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_secs(2));
        }
        let (action, _) = self.apply_once(item, owner).await.map_err(failed)?;
        Ok(action)
    }

    /// Makes sure that an object whose change was refused could be created: a plain mistake in a
    /// manifest looks like an immutable field, and must not cost the object that works. Asked by
    /// a dry run under another name; where the name is part of the content, it cannot be asked.
    async fn check_recreation(
        &self,
        item: &Item,
        refused: &RequestError,
    ) -> Result<(), ObjectError> {
        let id = item.object.id();
        if matches!(
            id.kind.as_str(),
            "CustomResourceDefinition" | "APIService" | "Namespace"
        ) {
            return Ok(());
        }
        let probe = format!("weir-{}", &item.desired.to_string()[..24]);
        let mut manifest = item.object.value().clone();
        if let Some(name) = manifest.pointer_mut("/metadata/name") {
            *name = Value::String(probe.clone());
        }
        let how = Apply {
            manager: &self.options.field_manager,
            dry_run: true,
            whole: false,
        };
        let body = manifest.to_string().into_bytes();
        match self
            .requests
            .apply(&item.resource, &id.namespace, &probe, body, how)
            .await
        {
            Err(cause) if cause.code == 422 || cause.code == 400 => {
                Err(item.error(Operation::DryRun, refused.clone()))
            }
            // Anything else (the port of a Service is taken, a quota is full) goes away with
            // the old object, or shows when the new one is created.
            _ => Ok(()),
        }
    }

    /// Whether an object exists, for `ssa: IfNotPresent`.
    pub(super) async fn exists(&self, item: &Item) -> Result<bool, ObjectError> {
        match self.requests.get(&item.path(), METADATA).await {
            Ok(_) => Ok(true),
            Err(cause) if cause.is_not_found() => Ok(false),
            Err(cause) => Err(item.error(Operation::Get, cause)),
        }
    }
}

/// Reads an answer: metadata, and health if the whole object was asked for.
fn read(answer: &Answer, item: &Item) -> Result<(Meta, Option<Status>), RequestError> {
    if !item.whole {
        return Ok((answer.parse::<MetaObject>()?.metadata, None));
    }
    let object: Value = answer.parse()?;
    let id = item.object.id();
    let health = needs_watch(&id.group, &id.kind).then(|| kstatus::compute(&object));
    let meta: MetaObject = serde_json::from_value(object).map_err(|error| RequestError {
        code: 0,
        reason: "BadAnswer".to_owned(),
        message: format!("the API server's answer cannot be read: {error}"),
        retry_after: None,
    })?;
    Ok((meta.metadata, health))
}

/// What an object asks for on both sides, desired and live.
pub(super) fn may_recreate(object: &Object, run: bool, live: bool) -> bool {
    run || live || object.wants_force(TOOLKIT)
}

/// Asked for as JSON when its status matters.
pub(super) fn is_whole(object: &Object, health: bool) -> bool {
    let id = object.id();
    health && needs_watch(&id.group, &id.kind)
}
