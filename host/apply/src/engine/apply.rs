//! A run: resolve, plan, then stage by stage dry-run all and write all.

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt as _;
use parking_lot::Mutex;
use weir_api::inventory::ObjectId;
use weir_failpoint::{Step as Failpoint, hit};

use super::prepare::{Prepared, is_definition, prepare, refuse_duplicates, watch_kinds};
use super::write::{Item, Step, Verdict, is_whole, may_recreate};
use super::{ApplyRequest, BeforeWrite, Inner, wait};
use crate::changeset::{Action, Change, ChangeSet};
use crate::error::{ApplyError, ObjectError};
use crate::index::slot::GroupKind;
use crate::kstatus::needs_watch;
use crate::object::Object;
use crate::order::{self, Stage};
use crate::owner::Owner;
use crate::plan::{Decision, decide};

/// What is done so far, in the order of applying; `None` where nothing has been decided.
struct Progress {
    objects: Vec<(ObjectId, String)>,
    actions: Mutex<Vec<Option<Action>>>,
}

impl Progress {
    fn set(&self, index: usize, action: Action) {
        if let Some(slot) = self.actions.lock().get_mut(index) {
            *slot = Some(action);
        }
    }

    fn change_set(&self) -> ChangeSet {
        let actions = self.actions.lock();
        let mut set = ChangeSet::default();
        for ((id, version), action) in self.objects.iter().zip(actions.iter()) {
            if let Some(action) = action {
                set.push(id.clone(), version, *action);
            }
        }
        set
    }
}

pub(super) async fn run(inner: &Inner, request: ApplyRequest) -> Result<ChangeSet, ApplyError> {
    let timeout = request.timeout;
    let progress = Mutex::new(None);
    let in_time = tokio::time::timeout(timeout, run_unbounded(inner, request, &progress)).await;
    in_time.unwrap_or_else(|_| {
        let done: Option<Arc<Progress>> = progress.lock().take();
        let done = done
            .map(|progress| progress.change_set())
            .unwrap_or_default();
        Err(ApplyError::Timeout(weir_api::Duration(timeout), done))
    })
}

async fn run_unbounded(
    inner: &Inner,
    request: ApplyRequest,
    shared: &Mutex<Option<Arc<Progress>>>,
) -> Result<ChangeSet, ApplyError> {
    let ApplyRequest {
        owner,
        objects,
        force,
        concurrency,
        health,
        before_write,
        ..
    } = request;
    let mut prepared = prepare(inner, &owner, objects).await?;
    prepared.sort_by(|a, b| order::compare(a.object.id(), b.object.id()));
    refuse_duplicates(&prepared)?;
    let progress = Arc::new(Progress {
        objects: prepared
            .iter()
            .map(|p| (p.object.id().clone(), p.object.version().to_owned()))
            .collect(),
        actions: Mutex::new(vec![None; prepared.len()]),
    });
    *shared.lock() = Some(progress.clone());
    watch_kinds(inner, &prepared, health).await;
    let mut run = Run {
        inner,
        owner: &owner,
        concurrency: concurrency.max(1),
        progress,
        before_write: tokio::sync::Mutex::new(before_write),
    };
    let changed = run.plan(prepared, force, health).await?;
    run.write_all(changed).await?;
    Ok(run.progress.change_set())
}

struct Run<'a> {
    inner: &'a Inner,
    owner: &'a Owner,
    concurrency: usize,
    progress: Arc<Progress>,
    before_write: tokio::sync::Mutex<Option<BeforeWrite>>,
}

/// An object that is to be written, and its place in the order.
struct Pending {
    index: usize,
    item: Item,
    /// The index knows it.
    exists: bool,
}

impl Run<'_> {
    /// Decides for every object; returns those that need a request.
    async fn plan(
        &mut self,
        prepared: Vec<Prepared>,
        force: bool,
        health: bool,
    ) -> Result<Vec<Pending>, ApplyError> {
        let mut pending = Vec::new();
        let shared = &self.inner.index.shared;
        let owner = shared.update(|table| (table.owner_id(self.owner), Vec::new()));
        for (index, p) in prepared.into_iter().enumerate() {
            let desired = p.object.fingerprint();
            let id = p.object.id();
            let view = shared.read(|table| table.view(id));
            let decision = decide(&p.object, desired, owner, &view);
            let live = view.live.as_ref();
            let item = Item {
                force: may_recreate(&p.object, force, live.is_some_and(|live| live.flags.forced)),
                whole: is_whole(&p.object, health) || is_definition(id),
                version: live.map(|live| live.version),
                needs_cleanup: live.is_some_and(|live| live.needs_cleanup),
                fresh_kind: p.defined_here,
                object: p.object,
                resource: p.resource,
                desired,
            };
            let exists = match decision {
                Decision::Unchanged => {
                    self.progress.set(index, Action::Unchanged);
                    continue;
                }
                Decision::Skip => {
                    self.progress.set(index, Action::Skipped);
                    continue;
                }
                Decision::AskExists if p.defined_here => false,
                Decision::AskExists => {
                    let exists = self.inner.exists(&item).await;
                    if exists.map_err(|failure| self.failed(Stage::Rest, vec![failure]))? {
                        self.progress.set(index, Action::Skipped);
                        continue;
                    }
                    false
                }
                Decision::Apply { exists } => exists,
            };
            pending.push(Pending {
                index,
                item,
                exists,
            });
        }
        Ok(pending)
    }

    async fn write_all(&self, pending: Vec<Pending>) -> Result<(), ApplyError> {
        let custom = &self.inner.options.custom_stage_kinds;
        // Alone and known to exist: its apply is atomic, and what a dry run would tell is known.
        if let [only] = pending.as_slice()
            && only.exists
        {
            let stage = Stage::of(only.item.object.id(), custom);
            self.announce().await?;
            self.write(stage, &pending, &[Verdict::default()]).await?;
            return self.wait_for(stage, &pending).await;
        }
        let mut rest = pending;
        for stage in Stage::ALL {
            let (now, later): (Vec<_>, Vec<_>) = rest
                .into_iter()
                .partition(|p| Stage::of(p.item.object.id(), custom) == stage);
            rest = later;
            if now.is_empty() {
                continue;
            }
            self.watch_new_kinds(&now).await?;
            let verdicts = self.dry_run(stage, &now).await?;
            hit(Failpoint::DryRun);
            if verdicts
                .iter()
                .any(|v| matches!(v.step, Step::Write | Step::Recreate))
            {
                self.announce().await?;
            }
            self.write(stage, &now, &verdicts).await?;
            hit(Failpoint::Stage);
            self.wait_for(stage, &now).await?;
            if stage == Stage::Definitions {
                self.mark_fresh(&now, &mut rest);
            }
        }
        Ok(())
    }

    fn failed(&self, stage: Stage, failures: Vec<ObjectError>) -> ApplyError {
        ApplyError::Stage {
            stage,
            failures,
            done: self.progress.change_set(),
        }
    }

    /// Tells the caller what there will be, before the first write.
    async fn announce(&self) -> Result<(), ApplyError> {
        let Some(hook) = self.before_write.lock().await.take() else {
            return Ok(());
        };
        let entries = self
            .progress
            .objects
            .iter()
            .map(|(id, version)| weir_api::inventory::Entry::new(id, version))
            .collect();
        hook(entries).await.map_err(ApplyError::Hook)
    }

    /// Marks the objects whose definition this run has created, also where an older definition
    /// of that name has left its traces in the cache.
    fn mark_fresh(&self, definitions: &[Pending], rest: &mut [Pending]) {
        let actions = self.progress.actions.lock();
        let created: HashSet<&str> = definitions
            .iter()
            .filter(|p| matches!(actions.get(p.index), Some(Some(Action::Created))))
            .map(|p| p.item.object.id())
            .filter(|id| is_definition(id))
            .map(|id| id.name.as_str())
            .collect();
        for p in rest {
            let resource = &p.item.resource;
            let definition = format!("{}.{}", resource.plural, resource.gvk.group);
            p.item.fresh_kind |= created.contains(definition.as_str());
        }
    }

    /// Kinds whose definition came with this set are served now.
    async fn watch_new_kinds(&self, pending: &[Pending]) -> Result<(), ApplyError> {
        let mut seen = HashSet::new();
        for p in pending.iter().filter(|p| p.item.fresh_kind) {
            if seen.insert(&p.item.resource.gvk) {
                wait::served(self.inner, &p.item.resource.gvk)
                    .await
                    .map_err(ApplyError::Discovery)?;
                self.inner.index.watch(&p.item.resource, p.item.whole);
            }
        }
        Ok(())
    }

    async fn dry_run(&self, stage: Stage, pending: &[Pending]) -> Result<Vec<Verdict>, ApplyError> {
        // Collected first: a stream that maps borrowed items makes a future that cannot be sent.
        let questions: Vec<_> = pending
            .iter()
            .map(|p| self.inner.dry_run(&p.item, self.owner))
            .collect();
        let answers: Vec<_> = futures::stream::iter(questions)
            .buffered(self.concurrency)
            .collect()
            .await;
        let (mut verdicts, mut failures) = (Vec::with_capacity(answers.len()), Vec::new());
        for answer in answers {
            match answer {
                Ok(verdict) => verdicts.push(verdict),
                Err(failure) => failures.push(failure),
            }
        }
        if failures.is_empty() {
            Ok(verdicts)
        } else {
            Err(self.failed(stage, failures))
        }
    }

    /// Writes a stage: rank after rank, the objects of a rank at once.
    async fn write(
        &self,
        stage: Stage,
        pending: &[Pending],
        verdicts: &[Verdict],
    ) -> Result<(), ApplyError> {
        let work: Vec<_> = pending.iter().zip(verdicts.iter().copied()).collect();
        for rank in work.chunk_by(|(a, _), (b, _)| rank(a) == rank(b)) {
            let writes: Vec<_> = rank
                .iter()
                .map(|(p, verdict)| async move {
                    let action = self.inner.write(&p.item, self.owner, *verdict).await?;
                    self.progress.set(p.index, action);
                    hit(Failpoint::Object);
                    Ok::<(), ObjectError>(())
                })
                .collect();
            let failures: Vec<ObjectError> = futures::stream::iter(writes)
                .buffer_unordered(self.concurrency)
                .filter_map(|result| std::future::ready(result.err()))
                .collect()
                .await;
            if !failures.is_empty() {
                return Err(self.failed(stage, failures));
            }
        }
        Ok(())
    }

    /// Definitions and classes must be there before what needs them.
    async fn wait_for(&self, stage: Stage, pending: &[Pending]) -> Result<(), ApplyError> {
        if !matches!(stage, Stage::Definitions | Stage::Classes) {
            return Ok(());
        }
        let items: Vec<&Item> = pending
            .iter()
            .map(|p| &p.item)
            .filter(|item| {
                let id = item.object.id();
                needs_watch(&id.group, &id.kind)
            })
            .collect();
        wait::current(self.inner, &items)
            .await
            .map_err(|failures| self.failed(stage, failures))
    }
}

fn rank(pending: &Pending) -> usize {
    order::rank(&pending.item.object.id().kind)
}

pub(super) async fn repair(
    inner: &Inner,
    owner: &Owner,
    object: Object,
) -> Result<Change, ApplyError> {
    let mut prepared = prepare(inner, owner, vec![object]).await?;
    let Some(p) = prepared.pop() else {
        return Err(ApplyError::Hook("nothing to repair".to_owned()));
    };
    let (id, version) = (p.object.id().clone(), p.object.version().to_owned());
    let desired = p.object.fingerprint();
    let (view, owner_id) = inner
        .index
        .shared
        .update(|table| ((table.view(&id), table.owner_id(owner)), Vec::new()));
    let done = |action| Change {
        id: id.clone(),
        version: version.clone(),
        action,
    };
    match decide(&p.object, desired, owner_id, &view) {
        Decision::Unchanged => return Ok(done(Action::Unchanged)),
        Decision::Skip => return Ok(done(Action::Skipped)),
        Decision::Apply { .. } | Decision::AskExists => {}
    }
    let live = view.live.as_ref();
    let item = Item {
        force: may_recreate(&p.object, false, live.is_some_and(|live| live.flags.forced)),
        // Health may be awaited by somebody; the index says whether this kind is watched so.
        whole: inner
            .index
            .shared
            .read(|table| table.is_synced(&GroupKind::of(&id), true)),
        version: live.map(|live| live.version),
        needs_cleanup: live.is_some_and(|live| live.needs_cleanup),
        fresh_kind: false,
        object: p.object,
        resource: p.resource,
        desired,
    };
    let stage = Stage::of(&id, &inner.options.custom_stage_kinds);
    match inner.write(&item, owner, Verdict::default()).await {
        Ok(action) => Ok(done(action)),
        Err(failure) => Err(ApplyError::Stage {
            stage,
            failures: vec![failure],
            done: ChangeSet::default(),
        }),
    }
}
