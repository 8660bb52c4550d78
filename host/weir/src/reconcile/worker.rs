//! The loop mechanics, written once: workers take keys from a queue, reconcile, and schedule the
//! next time. A kind supplies its reconcile step only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::objects::Key;
use super::queue::{Queue, backoff};
use crate::telemetry::Metrics;

/// When an object is reconciled next, if nothing asks for it sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// After this time; the run succeeded.
    After(Duration),
    /// After this time; the run did not succeed, but the time is known (`retryInterval`,
    /// a dependency).
    RetryAfter(Duration),
    /// With backoff, but not before this floor (`Retry-After`).
    Backoff(Duration),
    /// Not before something changes: done with it, suspended, or stalled.
    OnChange,
    /// The object is gone, or goes now that its finalizer is off.
    Gone,
    /// Nothing was done, and what is to do can wait until no other object is ready.
    PutOff,
}

/// One kind's reconcile step.
#[async_trait]
pub trait Reconcile: Send + Sync + 'static {
    /// Name in metrics and logs, as Flux's: `gitrepository`.
    const CONTROLLER: &'static str;
    /// `GitRepository`.
    const KIND: &'static str;
    /// API group, for logs.
    const GROUP: &'static str;

    /// Reads the world, acts, writes the status. Has a bounded running time. `was_put_off` is true
    /// where the last answer was [`Next::PutOff`].
    async fn reconcile(&self, key: &Key, was_put_off: bool) -> Next;
}

/// How a kind's workers run.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Workers of the kind.
    pub concurrency: usize,
    /// First delay of the backoff.
    pub min_retry: Duration,
    /// Last delay of the backoff.
    pub max_retry: Duration,
}

/// Starts the workers of a kind on `tasks`; they end when the queue is closed, each after what
/// it has in hand.
pub fn start<R: Reconcile>(
    tasks: &mut JoinSet<()>,
    reconciler: Arc<R>,
    queue: Arc<Queue<Key>>,
    pace: &Pace,
    metrics: Arc<Metrics>,
) {
    metrics.workers(R::CONTROLLER, pace.concurrency);
    let depth = Arc::clone(&queue);
    metrics.queue_depth(R::CONTROLLER, move || depth.depth());
    for _ in 0..pace.concurrency {
        tasks.spawn(work(
            Arc::clone(&reconciler),
            Arc::clone(&queue),
            pace.clone(),
            Arc::clone(&metrics),
        ));
    }
}

async fn work<R: Reconcile>(
    reconciler: Arc<R>,
    queue: Arc<Queue<Key>>,
    pace: Pace,
    metrics: Arc<Metrics>,
) {
    while let Some(turn) = queue.next().await {
        let key = turn.key;
        let span = tracing::info_span!(
            "reconcile",
            controller = R::CONTROLLER,
            controllerGroup = R::GROUP,
            controllerKind = R::KIND,
            namespace = %key.namespace,
            name = %key.name,
            reconcileID = %uuid::Uuid::new_v4(),
        );
        let started = Instant::now();
        metrics.reconcile_started(R::CONTROLLER, turn.waited);
        let next = reconciler
            .reconcile(&key, turn.was_put_off)
            .instrument(span)
            .await;
        if next == Next::PutOff {
            metrics.reconcile_put_off(R::CONTROLLER);
            queue.put_off(&key);
            continue;
        }
        let failed = matches!(next, Next::RetryAfter(_) | Next::Backoff(_));
        metrics.reconcile_ended(R::CONTROLLER, R::KIND, &key, started.elapsed(), failed);
        let failures = queue.done(&key, failed);
        match next {
            Next::After(delay) | Next::RetryAfter(delay) => queue.add_after(key, delay),
            Next::Backoff(floor) => {
                let delay = backoff(failures, pace.min_retry, pace.max_retry).max(floor);
                metrics.retried(R::CONTROLLER);
                queue.add_after(key, delay);
            }
            // After the line above, which made a series of it once more.
            Next::Gone => metrics.forget(R::KIND, &key),
            Next::OnChange | Next::PutOff => {}
        }
    }
}
