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
            .update(|table| (table.disown(id), Vec::new()));
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
        let known = self.index.shared.read(|table| {
            let view = table.view(id);
            let live = view.live.filter(|_| view.synced)?;
            let owner = live.owner.and_then(|owner| table.owner(owner)).cloned();
            Some((owner, live.flags, live.uid.to_string()))
        });
        let (live_owner, flags, uid) = match known {
            Some(known) => known,
            None => match self.requests.get(&path, METADATA).await {
                Err(cause) if cause.is_not_found() => return Ok(Action::Deleted),
                Err(cause) => return Err((Operation::Get, cause)),
                Ok(answer) => {
                    let meta = answer
                        .parse::<MetaObject>()
                        .map_err(|cause| (Operation::Get, cause))?
                        .metadata;
                    (
                        meta.owner(&self.options.owner_group),
                        meta.flags(),
                        meta.uid,
                    )
                }
            },
        };
        if live_owner.as_ref() != Some(owner) || is_kept(flags) {
            return Ok(Action::Skipped);
        }
        if flags.deleting {
            return Ok(Action::Deleted);
        }
        let options = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": if uid.is_empty() { Value::Null } else { json!({ "uid": uid }) },
        });
        match self.requests.delete(&path, &options).await {
            Ok(_) => Ok(Action::Deleted),
            Err(cause) if cause.is_not_found() => Ok(Action::Deleted),
            // Somebody has recreated it since; the next run looks at it anew.
            Err(cause) => Err((Operation::Delete, cause)),
        }
    }
}

fn is_kept(flags: Flags) -> bool {
    flags.prune_disabled || flags.hands_off()
}
