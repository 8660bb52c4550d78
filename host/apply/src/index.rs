//! What is known of the cluster: one watch per kind on objects that carry our owner labels.
//!
//! Metadata only, unless the health of a kind matters. [`meta`] says how drift is told, [`slot`]
//! what is kept of an object, [`table`] what follows from it, [`watch`] how it is kept up to date.
//! Bounded by the number of objects that carry our labels.

pub(crate) mod events;
pub(crate) mod meta;
pub(crate) mod slot;
pub(crate) mod table;
mod watch;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use weir_api::inventory::ObjectId;

use crate::kstatus::Status;
use crate::owner::name_label;
use crate::request::{Requests, Resource};
use events::{Event, Queue};
use meta::{Managers, Meta};
use slot::{Applied, GroupKind, Live};
use table::Table;

/// What the watches and the engine share.
pub(crate) struct Shared {
    table: Mutex<Table>,
    queue: Queue,
    /// Something in the table has changed.
    changed: Notify,
}

impl Shared {
    /// Changes the table and passes on what follows from it.
    pub(crate) fn update<R>(&self, change: impl FnOnce(&mut Table) -> (R, Vec<Event>)) -> R {
        let (result, events) = change(&mut self.table.lock());
        for event in events {
            self.queue.push(event);
        }
        self.changed.notify_waiters();
        result
    }

    /// Looks at the table.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&Table) -> R) -> R {
        look(&self.table.lock())
    }
}

struct Watch {
    full: bool,
    task: AbortHandle,
}

/// The index. Its watches end when it is dropped.
pub(crate) struct LiveIndex {
    pub(crate) shared: Arc<Shared>,
    requests: Requests,
    selector: String,
    watches: Mutex<HashMap<GroupKind, Watch>>,
}

impl LiveIndex {
    pub(crate) fn new(requests: Requests, owner_group: &str, managers: Managers) -> Self {
        Self {
            shared: Arc::new(Shared {
                table: Mutex::new(Table::new(owner_group, managers)),
                queue: Queue::default(),
                changed: Notify::new(),
            }),
            requests,
            selector: name_label(owner_group),
            watches: Mutex::default(),
        }
    }

    /// Watches a kind from now on, whole objects if `full`.
    pub(crate) fn watch(&self, resource: &Resource, full: bool) {
        let kind = GroupKind {
            group: resource.gvk.group.clone(),
            kind: resource.gvk.kind.clone(),
        };
        let mut watches = self.watches.lock();
        if let Some(watch) = watches.get(&kind) {
            if !watch.task.is_finished() && (watch.full || !full) {
                return;
            }
            watch.task.abort();
        }
        let watcher = watch::Watcher {
            shared: self.shared.clone(),
            client: self.requests.client.clone(),
            resource: resource.clone(),
            kind: kind.clone(),
            selector: self.selector.clone(),
            full,
        };
        let task = tokio::spawn(watcher.run()).abort_handle();
        watches.insert(kind, Watch { full, task });
    }

    /// Waits until the kinds are listed; false if that takes longer than `timeout`.
    pub(crate) async fn synced(&self, kinds: &[(GroupKind, bool)], timeout: Duration) -> bool {
        self.until(timeout, |table| {
            kinds
                .iter()
                .all(|(kind, full)| table.is_synced(kind, *full))
        })
        .await
    }

    /// Waits until something holds of the table; false if it does not within `timeout`.
    pub(crate) async fn until(&self, timeout: Duration, holds: impl Fn(&Table) -> bool) -> bool {
        let waiting = async {
            loop {
                let changed = self.shared.changed.notified();
                tokio::pin!(changed);
                // Registered before looking, so that no change between the two is missed.
                changed.as_mut().enable();
                if self.shared.read(&holds) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(timeout, waiting).await.is_ok()
    }

    /// The next event.
    pub(crate) async fn next_event(&self) -> Event {
        self.shared.queue.next().await
    }

    /// Begins a write of an object; the guard ends it, also when the write is given up.
    pub(crate) fn write(&self, id: &ObjectId) -> WriteGuard {
        self.shared
            .update(|table| (table.begin_write(id), Vec::new()));
        WriteGuard {
            shared: self.shared.clone(),
            id: id.clone(),
            done: false,
        }
    }

    /// Ends all watches.
    pub(crate) fn stop(&self) {
        for (_, watch) in self.watches.lock().drain() {
            watch.task.abort();
        }
    }
}

impl Drop for LiveIndex {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A write under way.
pub(crate) struct WriteGuard {
    shared: Arc<Shared>,
    id: ObjectId,
    done: bool,
}

/// What a write left behind.
pub(crate) struct Written<'a> {
    pub(crate) meta: &'a Meta,
    pub(crate) health: Option<Status>,
    pub(crate) owner: &'a crate::owner::Owner,
    pub(crate) desired: crate::fingerprint::Fingerprint,
    pub(crate) expires: bool,
}

impl WriteGuard {
    /// The write has succeeded.
    pub(crate) fn written(mut self, written: Written<'_>) {
        self.done = true;
        self.shared.update(|table| {
            let live: Live = table.live(written.meta, written.health);
            let applied = Applied {
                owner: table.owner_id(written.owner),
                desired: written.desired,
                uid: live.uid.clone(),
                version: live.version,
                owned: live.owned,
                expires: written.expires,
            };
            ((), table.end_write(&self.id, Some((live, applied))))
        });
    }
}

impl Drop for WriteGuard {
    fn drop(&mut self) {
        if !self.done {
            self.shared
                .update(|table| ((), table.end_write(&self.id, None)));
        }
    }
}
