//! What controller-runtime and Flux's runtime library export about their loops.

use std::fmt;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Buckets, Histograms, Object};

/// `ExponentialBucketsRange(0.01, 1800, 10)` of Flux's recorder (fluxcd/pkg runtime/metrics).
const GOTK: Buckets = Buckets(&[
    0.01, 0.038_38, 0.147_3, 0.565_4, 2.17, 8.33, 31.96, 122.7, 470.9, 1800.0,
]);
/// controller-runtime's bounds from 5 ms to a minute, thinned out.
const RECONCILE: Buckets = Buckets(&[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0,
    7.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0,
]);
/// client-go's bounds of queue times.
const QUEUE: Buckets = Buckets(&[
    1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0,
]);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Controller {
    controller: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    controller: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Queue {
    name: &'static str,
}

type Gauges<L> = Family<L, Gauge<i64, AtomicI64>>;
type Depth = Box<dyn Fn() -> usize + Send + Sync>;

/// Where to ask for the depth of each queue.
#[derive(Default)]
struct Depths(Mutex<Vec<(&'static str, Depth)>>);

impl fmt::Debug for Depths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.lock().iter().map(|(name, _)| name))
            .finish()
    }
}

#[derive(Debug)]
pub(super) struct ReconcileMetrics {
    durations: Histograms<Object>,
    reconciles: Family<Outcome, Counter>,
    errors: Family<Controller, Counter>,
    times: Histograms<Controller>,
    active: Gauges<Controller>,
    workers: Gauges<Controller>,
    depth: Gauges<Queue>,
    adds: Family<Queue, Counter>,
    waits: Histograms<Queue>,
    works: Histograms<Queue>,
    retries: Family<Queue, Counter>,
    depths: Depths,
}

impl ReconcileMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let own = Self {
            durations: Family::new_with_constructor(GOTK),
            reconciles: Family::default(),
            errors: Family::default(),
            times: Family::new_with_constructor(RECONCILE),
            active: Family::default(),
            workers: Family::default(),
            depth: Family::default(),
            adds: Family::default(),
            waits: Family::new_with_constructor(QUEUE),
            works: Family::new_with_constructor(QUEUE),
            retries: Family::default(),
            depths: Depths::default(),
        };
        registry.register(
            "gotk_reconcile_duration_seconds",
            "Time of a reconcile of an object",
            own.durations.clone(),
        );
        registry.register(
            "controller_runtime_reconcile",
            "Reconciles by controller and result",
            own.reconciles.clone(),
        );
        registry.register(
            "controller_runtime_reconcile_errors",
            "Failed reconciles by controller",
            own.errors.clone(),
        );
        registry.register(
            "controller_runtime_reconcile_time_seconds",
            "Time of a reconcile by controller",
            own.times.clone(),
        );
        registry.register(
            "controller_runtime_active_workers",
            "Workers that handle an object now",
            own.active.clone(),
        );
        registry.register(
            "controller_runtime_max_concurrent_reconciles",
            "Workers of a controller",
            own.workers.clone(),
        );
        registry.register(
            "workqueue_depth",
            "Objects that wait for a worker",
            own.depth.clone(),
        );
        registry.register(
            "workqueue_adds",
            "Objects that a worker took",
            own.adds.clone(),
        );
        registry.register(
            "workqueue_queue_duration_seconds",
            "Time that an object waited for a worker",
            own.waits.clone(),
        );
        registry.register(
            "workqueue_work_duration_seconds",
            "Time that a worker spent on an object",
            own.works.clone(),
        );
        registry.register(
            "workqueue_retries",
            "Objects put back with backoff",
            own.retries.clone(),
        );
        own
    }

    pub(super) fn workers(&self, controller: &'static str, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.workers
            .get_or_create(&Controller { controller })
            .set(count);
        // Dashboards divide by these; they are there before anything happens.
        self.active.get_or_create(&Controller { controller }).set(0);
        self.errors
            .get_or_create(&Controller { controller })
            .inc_by(0);
        for result in ["success", "error"] {
            self.reconciles
                .get_or_create(&Outcome { controller, result })
                .inc_by(0);
        }
    }

    pub(super) fn queue_depth(&self, controller: &'static str, depth: Depth) {
        self.depths.0.lock().push((controller, depth));
    }

    pub(super) fn update_depths(&self) {
        for (name, depth) in self.depths.0.lock().iter() {
            let depth = i64::try_from(depth()).unwrap_or(i64::MAX);
            self.depth.get_or_create(&Queue { name }).set(depth);
        }
    }

    pub(super) fn started(&self, controller: &'static str, waited: Duration) {
        let queue = Queue { name: controller };
        self.adds.get_or_create(&queue).inc();
        self.waits
            .get_or_create(&queue)
            .observe(waited.as_secs_f64());
        self.active.get_or_create(&Controller { controller }).inc();
    }

    pub(super) fn put_off(&self, controller: &'static str) {
        self.active.get_or_create(&Controller { controller }).dec();
    }

    pub(super) fn ended(
        &self,
        controller: &'static str,
        object: Object,
        took: Duration,
        failed: bool,
    ) {
        let seconds = took.as_secs_f64();
        let result = if failed { "error" } else { "success" };
        self.durations.get_or_create(&object).observe(seconds);
        self.times
            .get_or_create(&Controller { controller })
            .observe(seconds);
        self.works
            .get_or_create(&Queue { name: controller })
            .observe(seconds);
        self.reconciles
            .get_or_create(&Outcome { controller, result })
            .inc();
        self.active.get_or_create(&Controller { controller }).dec();
        if failed {
            self.errors.get_or_create(&Controller { controller }).inc();
        }
    }

    pub(super) fn retried(&self, controller: &'static str) {
        self.retries
            .get_or_create(&Queue { name: controller })
            .inc();
    }

    pub(super) fn forget(&self, object: &Object) {
        self.durations.remove(object);
    }
}
