//! The engine: one per cluster and host, shared by all owners.
//!
//! `prepare` comes before a run, `apply` is the run, `write` and `takeover` what is done to one
//! object, `prune` and `wait` what their names say.

mod apply;
mod prepare;
mod prune;
mod takeover;
mod wait;
mod write;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use weir_api::inventory::{Entry, ObjectId};

use crate::changeset::{Change, ChangeSet};
use crate::discovery::Discovery;
use crate::error::{ApplyError, ObjectError, RequestError};
use crate::health::HealthReport;
use crate::index::LiveIndex;
use crate::index::events::Event;
use crate::index::meta::{Managers, Uid};
use crate::index::slot::Applied;
use crate::known::{KnownObject, KnownState};
use crate::kstatus::{State, needs_watch};
use crate::object::{Gvk, Object};
use crate::owner::Owner;
use crate::request::Requests;

/// How the engine works, for all owners.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Group whose labels name the owner on objects.
    pub owner_group: String,
    /// Field manager of applied objects.
    pub field_manager: String,
    /// Further field managers whose fields are taken over (`--override-manager`).
    pub override_managers: Vec<String>,
    /// `group/Kind` that are applied after definitions and classes and before the rest
    /// (`--custom-apply-stage-kinds`).
    pub custom_stage_kinds: Vec<String>,
    /// Requests that may be under way at once, over all owners.
    pub max_requests: usize,
    /// How long one request may take, retries of an overloaded server included.
    pub request_timeout: Duration,
    /// How long to wait until a definition is served.
    pub definition_timeout: Duration,
    /// How long a watch may take to tell of what exists before a run goes on without it.
    pub sync_timeout: Duration,
}

/// Called before the first write of a run with the inventory as it will be; not called if
/// nothing is to be written. An error ends the run before it has changed anything.
pub type BeforeWrite = Box<dyn FnOnce(Vec<Entry>) -> BoxFuture<'static, Result<(), String>> + Send>;

/// A run: bring the objects of an owner to the cluster.
pub struct ApplyRequest {
    /// In whose name.
    pub owner: Owner,
    /// All objects that the owner wants, in any order.
    pub objects: Vec<Object>,
    /// Recreate what cannot be changed (`spec.force`).
    pub force: bool,
    /// Requests of this run that may be under way at once.
    pub concurrency: usize,
    /// Health will be asked for: objects whose status moves are watched whole.
    pub health: bool,
    /// How long the run may take.
    pub timeout: Duration,
    /// See [`BeforeWrite`].
    pub before_write: Option<BeforeWrite>,
}

impl ApplyRequest {
    /// A run with Flux's defaults.
    pub fn new(owner: Owner, objects: Vec<Object>) -> Self {
        Self {
            owner,
            objects,
            force: false,
            concurrency: 8,
            health: false,
            timeout: Duration::from_mins(5),
            before_write: None,
        }
    }
}

struct Inner {
    requests: Requests,
    discovery: Arc<Discovery>,
    index: Arc<LiveIndex>,
    managers: Managers,
    options: EngineOptions,
}

/// The engine. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

/// What pruning did.
#[derive(Debug, Default)]
pub struct PruneReport {
    /// Deleted, and skipped because of an annotation or because another owner has them now.
    pub changes: ChangeSet,
    /// What could not be deleted and must stay in the inventory.
    pub failed: Vec<(Entry, ObjectError)>,
}

impl Engine {
    /// An engine that talks through `client`. Starts nothing until it is used; must live inside
    /// a Tokio runtime. Its watches end with the last clone.
    pub fn new(client: kube::Client, options: EngineOptions) -> Self {
        let requests = Requests::new(client, options.max_requests, options.request_timeout);
        let managers = Managers {
            own: options.field_manager.clone(),
            overrides: options.override_managers.clone(),
        };
        Self(Arc::new(Inner {
            discovery: Arc::new(Discovery::new(requests.clone())),
            index: Arc::new(LiveIndex::new(
                requests.clone(),
                &options.owner_group,
                managers.clone(),
            )),
            requests,
            managers,
            options,
        }))
    }

    /// Finds out which kinds the server has, so that the first run need not.
    ///
    /// # Errors
    /// The server does not tell; the first run asks again.
    pub async fn learn_kinds(&self) -> Result<(), RequestError> {
        let any = Gvk {
            group: String::new(),
            version: "v1".into(),
            kind: "Namespace".into(),
        };
        self.0.discovery.resolve(&any).await.map(|_| ())
    }

    /// The same engine under another identity (`spec.serviceAccountName`): writes go through
    /// `client`, watches and discovery stay those of the host.
    pub fn with_client(&self, client: kube::Client) -> Self {
        Self(Arc::new(Inner {
            requests: self.0.requests.with_client(client),
            discovery: self.0.discovery.clone(),
            index: self.0.index.clone(),
            managers: self.0.managers.clone(),
            options: self.0.options.clone(),
        }))
    }

    /// Brings all objects of an owner to the cluster.
    ///
    /// # Errors
    /// See [`ApplyError`]. What was done before is in [`ApplyError::done`].
    // Boxed: callers that must send their future need not look into this large one.
    pub fn apply(&self, request: ApplyRequest) -> BoxFuture<'_, Result<ChangeSet, ApplyError>> {
        Box::pin(apply::run(&self.0, request))
    }

    /// Applies one object at once, after an event told that it drifted or is gone.
    ///
    /// # Errors
    /// As [`Engine::apply`].
    pub async fn repair(&self, owner: &Owner, object: Object) -> Result<Change, ApplyError> {
        apply::repair(&self.0, owner, object).await
    }

    /// Deletes what an owner no longer wants, in reverse order: only objects that still carry
    /// its labels and do not forbid it. Never fails as a whole.
    pub fn prune<'a>(&'a self, owner: &'a Owner, stale: &'a [Entry]) -> BoxFuture<'a, PruneReport> {
        Box::pin(prune::run(&self.0, owner, stale))
    }

    /// Waits until none of the objects exists; returns those that still do when time is up.
    pub async fn wait_gone(&self, entries: &[Entry], timeout: Duration) -> Vec<ObjectId> {
        wait::gone(&self.0, entries, timeout).await
    }

    /// Makes sure that the health of the objects will be known: watches whole objects of kinds
    /// whose status moves. Costs a watch per kind that was not watched so before; nothing after
    /// an [`ApplyRequest`] with `health`.
    ///
    /// # Errors
    /// Which kinds the server has could not be found out.
    pub async fn watch_health(&self, entries: &[Entry]) -> Result<(), ApplyError> {
        wait::watch_health(&self.0, entries).await
    }

    /// How the objects fare now, from what the watches have seen. No request.
    pub fn health<'a>(&self, ids: impl IntoIterator<Item = &'a ObjectId>) -> HealthReport {
        self.0.index.shared.read(|table| HealthReport {
            not_current: ids
                .into_iter()
                .map(|id| {
                    (
                        id.clone(),
                        table.health(id, needs_watch(&id.group, &id.kind)),
                    )
                })
                .filter(|(_, status)| status.state != State::Current)
                .collect(),
        })
    }

    /// The next event of any object of any owner; waits until there is one. For one consumer.
    /// Cancel safe.
    pub async fn next_event(&self) -> Event {
        self.0.index.next_event().await
    }

    /// What was applied for an owner, to be kept on disk.
    pub fn known(&self, owner: &Owner) -> KnownState {
        let mut objects: Vec<KnownObject> = self
            .0
            .index
            .shared
            .read(|table| table.applied_by(owner))
            .into_iter()
            .map(|(id, applied)| KnownObject {
                id,
                desired: applied.desired,
                uid: applied.uid.to_string(),
                resource_version: applied.version,
                owned: applied.owned,
                expires: applied.expires,
            })
            .collect();
        objects.sort_by(|a, b| a.id.cmp(&b.id));
        KnownState { objects }
    }

    /// Takes over what an earlier process had applied. Before the owner's first apply.
    pub fn adopt(&self, owner: &Owner, known: &KnownState) {
        self.0.index.shared.update(|table| {
            let owner = table.owner_id(owner);
            for object in &known.objects {
                table.adopt(
                    &object.id,
                    Applied {
                        owner,
                        desired: object.desired,
                        uid: Uid::parse(&object.uid),
                        version: object.resource_version,
                        owned: object.owned,
                        expires: object.expires,
                    },
                );
            }
            ((), Vec::new())
        });
    }

    /// Forgets what was applied for an owner (it was deleted, or its objects are orphaned): no
    /// more events for its objects.
    pub fn forget(&self, owner: &Owner) {
        self.0.index.shared.update(|table| {
            for (id, _) in table.applied_by(owner) {
                table.disown(owner, &id);
            }
            ((), Vec::new())
        });
    }

    /// How many objects are known to exist with our labels, and how many we applied. For
    /// metrics.
    pub fn counts(&self) -> (usize, usize) {
        self.0.index.shared.read(crate::index::table::Table::counts)
    }

    /// Ends all watches.
    pub fn shutdown(&self) {
        self.0.index.stop();
    }
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            owner_group: weir_api::meta::KUSTOMIZE_GROUP.to_owned(),
            field_manager: weir_api::meta::APPLY_MANAGER.to_owned(),
            override_managers: Vec::new(),
            custom_stage_kinds: Vec::new(),
            max_requests: 64,
            request_timeout: Duration::from_mins(1),
            definition_timeout: Duration::from_mins(1),
            sync_timeout: Duration::from_secs(10),
        }
    }
}
