//! The engine: one per cluster and host, shared by all owners.

use std::time::Duration;

use futures::future::BoxFuture;
use weir_api::inventory::{Entry, ObjectId};

use crate::changeset::{Change, ChangeSet};
use crate::error::{ApplyError, ObjectError};
use crate::health::HealthReport;
use crate::index::events::Event;
use crate::known::KnownState;
use crate::object::Object;
use crate::owner::Owner;

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
            timeout: Duration::from_secs(300),
            before_write: None,
        }
    }
}

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {}

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
    pub fn new(_client: kube::Client, _options: EngineOptions) -> Self {
        todo!()
    }

    /// The same engine under another identity (`spec.serviceAccountName`): writes go through
    /// `client`, watches stay those of the host.
    pub fn with_client(&self, _client: kube::Client) -> Self {
        todo!()
    }

    /// Brings all objects of an owner to the cluster.
    ///
    /// # Errors
    /// See [`ApplyError`]. What was done before is in [`ApplyError::done`].
    pub async fn apply(&self, _request: ApplyRequest) -> Result<ChangeSet, ApplyError> {
        todo!()
    }

    /// Applies one object at once, after an event told that it drifted or is gone.
    ///
    /// # Errors
    /// As [`Engine::apply`].
    pub async fn repair(&self, _owner: &Owner, _object: Object) -> Result<Change, ApplyError> {
        todo!()
    }

    /// Deletes what an owner no longer wants, in reverse order: only objects that still carry
    /// its labels and do not forbid it. Never fails as a whole.
    pub async fn prune(&self, _owner: &Owner, _stale: &[Entry]) -> PruneReport {
        todo!()
    }

    /// Waits until none of the objects exists; returns those that still do when time is up.
    pub async fn wait_gone(&self, _entries: &[Entry], _timeout: Duration) -> Vec<ObjectId> {
        todo!()
    }

    /// Makes sure that the health of the objects will be known: watches whole objects of kinds
    /// whose status moves. Costs a watch per kind that was not watched so before.
    ///
    /// # Errors
    /// A kind is not served.
    pub async fn watch_health(&self, _entries: &[Entry]) -> Result<(), ApplyError> {
        todo!()
    }

    /// How the objects fare now, from what the watches have seen. No request.
    pub fn health<'a>(&self, _ids: impl IntoIterator<Item = &'a ObjectId>) -> HealthReport {
        todo!()
    }

    /// The next event of any object of any owner; waits until there is one. For one consumer.
    pub async fn next_event(&self) -> Event {
        todo!()
    }

    /// What was applied for an owner, to be kept on disk.
    pub fn known(&self, _owner: &Owner) -> KnownState {
        todo!()
    }

    /// Takes over what an earlier process had applied. Before the owner's first apply.
    pub fn adopt(&self, _owner: &Owner, _known: &KnownState) {
        todo!()
    }

    /// Forgets what was applied for an owner (it was deleted, or its objects are orphaned): no
    /// more events for its objects.
    pub fn forget(&self, _owner: &Owner) {
        todo!()
    }

    /// Ends all watches.
    pub fn shutdown(&self) {
        todo!()
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
            request_timeout: Duration::from_secs(60),
            definition_timeout: Duration::from_secs(60),
            sync_timeout: Duration::from_secs(10),
        }
    }
}
