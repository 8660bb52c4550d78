//! Waiting: until definitions are served, until objects are gone.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use weir_api::inventory::{Entry, ObjectId};

use super::Inner;
use super::write::Item;
use crate::error::{ApplyError, ObjectError, Operation, RequestError};
use crate::index::slot::GroupKind;
use crate::kstatus::{self, State, Status, needs_watch};
use crate::object::Gvk;
use crate::request::{JSON, METADATA};

/// How long between looks where no watch tells.
const POLL: Duration = Duration::from_secs(1);

/// Waits until the objects are Current; by the watch where it stands, else by asking.
pub(super) async fn current(inner: &Inner, items: &[&Item]) -> Result<(), Vec<ObjectError>> {
    let deadline = Instant::now() + inner.options.definition_timeout;
    let mut failures = Vec::new();
    for item in items {
        if let Err(failure) = one_current(inner, item, deadline).await {
            failures.push(failure);
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures)
    }
}

async fn one_current(inner: &Inner, item: &Item, deadline: Instant) -> Result<(), ObjectError> {
    let id = item.object.id();
    let error = |status: &Status| ObjectError {
        id: id.clone(),
        operation: Operation::Wait,
        cause: RequestError {
            code: 0,
            reason: if status.state == State::Failed {
                "Failed"
            } else {
                "Timeout"
            }
            .to_owned(),
            message: format!("status is {}: {}", status.state, status.message),
            retry_after: None,
        },
    };
    let kind = GroupKind::of(id);
    loop {
        let watched = inner
            .index
            .shared
            .read(|table| table.is_synced(&kind, true));
        let left = deadline.saturating_duration_since(Instant::now());
        let status = if watched {
            // The watch tells; a look now and then only guards against it breaking.
            inner
                .index
                .until(left.min(POLL), |table| {
                    matches!(table.health(id, true).state, State::Current | State::Failed)
                })
                .await;
            inner.index.shared.read(|table| table.health(id, true))
        } else {
            let path = item.resource.path(&id.namespace, &id.name);
            let answer = inner.requests.get(&path, JSON).await;
            let object = answer
                .and_then(|answer| answer.parse::<Value>())
                .map_err(|cause| ObjectError {
                    id: id.clone(),
                    operation: Operation::Wait,
                    cause,
                })?;
            let status = kstatus::compute(&object);
            if !matches!(status.state, State::Current | State::Failed) {
                tokio::time::sleep(left.min(POLL)).await;
            }
            status
        };
        match status.state {
            State::Current => return Ok(()),
            State::Failed => return Err(error(&status)),
            _ if Instant::now() >= deadline => return Err(error(&status)),
            _ => {}
        }
    }
}

/// Waits until discovery knows a kind; an established definition takes a moment to get there.
pub(super) async fn served(inner: &Inner, gvk: &Gvk) -> Result<(), RequestError> {
    let deadline = Instant::now() + inner.options.definition_timeout;
    let mut pause = Duration::from_millis(50);
    loop {
        if inner.discovery.resolve_anew(gvk).await?.is_some() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(RequestError {
                code: 404,
                reason: "Timeout".to_owned(),
                message: format!("{gvk} is defined and not served"),
                retry_after: None,
            });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(POLL);
    }
}

/// See [`super::Engine::watch_health`].
pub(super) async fn watch_health(inner: &Inner, entries: &[Entry]) -> Result<(), ApplyError> {
    let mut wanted = Vec::new();
    for entry in entries {
        let Ok(id) = entry.id.parse::<ObjectId>() else {
            continue;
        };
        let kind = GroupKind::of(&id);
        let full = needs_watch(&id.group, &id.kind);
        if wanted.contains(&(kind.clone(), full)) {
            continue;
        }
        let gvk = Gvk {
            group: id.group,
            version: entry.v.clone(),
            kind: id.kind,
        };
        let resource = inner
            .discovery
            .resolve_any(&gvk)
            .await
            .map_err(ApplyError::Discovery)?;
        if let Some(resource) = resource {
            inner.index.watch(&resource, full);
            wanted.push((kind, full));
        }
    }
    inner
        .index
        .synced(&wanted, inner.options.sync_timeout)
        .await;
    Ok(())
}

/// See [`super::Engine::wait_gone`].
pub(super) async fn gone(inner: &Inner, entries: &[Entry], timeout: Duration) -> Vec<ObjectId> {
    let deadline = Instant::now() + timeout;
    let mut left: Vec<(ObjectId, &str)> = entries
        .iter()
        .filter_map(|entry| Some((entry.id.parse().ok()?, entry.v.as_str())))
        .collect();
    let mut pause = Duration::from_millis(100);
    loop {
        let mut still = Vec::new();
        for (id, version) in left {
            if exists(inner, &id, version).await {
                still.push((id, version));
            }
        }
        left = still;
        let remaining = deadline.saturating_duration_since(Instant::now());
        if left.is_empty() || remaining.is_zero() {
            return left.into_iter().map(|(id, _)| id).collect();
        }
        tokio::time::sleep(pause.min(remaining)).await;
        pause = (pause * 2).min(POLL * 2);
    }
}

/// Whether an object is still there. What cannot be asked counts as there.
async fn exists(inner: &Inner, id: &ObjectId, version: &str) -> bool {
    // Seen by the watch: no need to ask.
    let seen = inner.index.shared.read(|table| {
        let view = table.view(id);
        view.synced && view.live.is_some()
    });
    if seen {
        return true;
    }
    let gvk = Gvk {
        group: id.group.clone(),
        version: version.to_owned(),
        kind: id.kind.clone(),
    };
    match inner.discovery.resolve_any(&gvk).await {
        Ok(None) => false,
        Err(_) => true,
        Ok(Some(resource)) => {
            let path = resource.path(&id.namespace, &id.name);
            !matches!(inner.requests.get(&path, METADATA).await, Err(cause) if cause.is_not_found())
        }
    }
}
