//! Deleting what an owner no longer wants.

use futures::StreamExt as _;
use serde_json::{Value, json};
use weir_api::inventory::{Entry, ObjectId};

use super::{Inner, PruneReport};
use crate::changeset::Action;
use crate::error::{ObjectError, Operation, RequestError};
use crate::index::meta::{Flags, MetaObject};
use crate::object::Gvk;
use crate::order;
use crate::owner::Owner;
use crate::request::METADATA;

/// Deletions that may be under way at once.
const AT_ONCE: usize = 8;
/// How often an object that changes meanwhile is looked at again.
const ATTEMPTS: usize = 5;

pub(super) async fn run(inner: &Inner, owner: &Owner, stale: &[Entry]) -> PruneReport {
    let mut report = PruneReport::default();
    let mut targets: Vec<(ObjectId, &Entry)> = Vec::with_capacity(stale.len());
    for entry in stale {
        // An id that cannot be read names nothing that could be deleted.
        if let Ok(id) = entry.id.parse() {
            targets.push((id, entry));
        }
    }
    targets.sort_by(|(a, _), (b, _)| order::compare(b, a));
    for rank in targets.chunk_by(|(a, _), (b, _)| order::rank(&a.kind) == order::rank(&b.kind)) {
        // Owned items: a closure over borrowed ones makes a future that callers cannot send.
        let rank: Vec<(ObjectId, Entry)> = rank
            .iter()
            .map(|(id, entry)| (id.clone(), (*entry).clone()))
            .collect();
        let results: Vec<_> = futures::stream::iter(rank)
            .map(|(id, entry)| async move {
                let result = inner.prune(owner, &id, &entry.v).await;
                (id, entry, result)
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        for (id, entry, result) in results {
            match result {
                Ok(action) => report.changes.push(id, &entry.v, action),
                Err((operation, cause)) => report.failed.push((
                    entry,
                    ObjectError {
                        id,
                        operation,
                        cause,
                    },
                )),
            }
        }
    }
    report
}

impl Inner {
    async fn prune(
        &self,
        owner: &Owner,
        id: &ObjectId,
        version: &str,
    ) -> Result<Action, (Operation, RequestError)> {
        // It is not wanted any more, whatever comes of the deletion: nothing to repair.
        self.index
            .shared
            .update(|table| (table.disown(owner, id), Vec::new()));
        let gvk = Gvk {
            group: id.group.clone(),
            version: version.to_owned(),
            kind: id.kind.clone(),
        };
        let resource = self.discovery.resolve_any(&gvk).await;
        let Some(resource) = resource.map_err(|cause| (Operation::Get, cause))? else {
            // Its definition is gone, and the object with it.
            return Ok(Action::Deleted);
        };
        let path = resource.path(&id.namespace, &id.name);
        let mut known = self.known_live(id);
        for _ in 0..ATTEMPTS {
            let target = match known.take() {
                Some(target) => target,
                None => match self.read_live(&path).await {
                    Err(cause) if cause.is_not_found() => return Ok(Action::Deleted),
                    Err(cause) => return Err((Operation::Get, cause)),
                    Ok(target) => target,
                },
            };
            if target.owner.as_ref() != Some(owner) || is_kept(target.flags) {
                return Ok(Action::Skipped);
            }
            if target.flags.deleting {
                return Ok(Action::Deleted);
            }
            match self.requests.delete(&path, &target.options()).await {
                Ok(_) => return Ok(Action::Deleted),
                Err(cause) if cause.is_not_found() => return Ok(Action::Deleted),
                // It is another than we thought: look at it, it may forbid its deletion now.
                Err(cause) if cause.code == 409 => {}
                Err(cause) => return Err((Operation::Delete, cause)),
            }
        }
        Err((
            Operation::Delete,
            RequestError {
                code: 409,
                reason: "Conflict".to_owned(),
                message: "it changes faster than it can be deleted".to_owned(),
                retry_after: None,
            },
        ))
    }

    /// What the index knows of an object.
    fn known_live(&self, id: &ObjectId) -> Option<Target> {
        self.index.shared.read(|table| {
            let view = table.view(id);
            let live = view.live.filter(|_| view.synced)?;
            Some(Target {
                owner: live.owner.and_then(|owner| table.owner(owner)).cloned(),
                flags: live.flags,
                uid: live.uid.to_string(),
                version: live.version.to_string(),
            })
        })
    }

    async fn read_live(&self, path: &str) -> Result<Target, RequestError> {
        let meta = self
            .requests
            .get(path, METADATA)
            .await?
            .parse::<MetaObject>()?
            .metadata;
        Ok(Target {
            owner: meta.owner(&self.options.owner_group),
            flags: meta.flags(),
            uid: meta.uid,
            version: meta.resource_version,
        })
    }
}

/// An object as it was when its deletion was decided.
struct Target {
    owner: Option<Owner>,
    flags: Flags,
    uid: String,
    version: String,
}

impl Target {
    /// Deletes only what was looked at: an annotation that arrived meanwhile must still count.
    fn options(&self) -> Value {
        let mut preconditions = json!({});
        for (key, value) in [("uid", &self.uid), ("resourceVersion", &self.version)] {
            if !value.is_empty() && value != "0" {
                preconditions[key] = Value::String(value.clone());
            }
        }
        json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": preconditions,
        })
    }
}

fn is_kept(flags: Flags) -> bool {
    flags.prune_disabled || flags.hands_off()
}
