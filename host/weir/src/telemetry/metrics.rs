//! Prometheus metrics: registered once, passed to who counts.
//!
//! What Flux's controllers export has Flux's names and labels, so that dashboards keep working;
//! weir's own begin with `weir_`. Labels are closed sets, but for the names of objects and plugins,
//! whose series go when the object goes ([`Metrics::forget`]).

mod plugins;
mod reconcile;

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use self::plugins::PluginMetrics;
use self::reconcile::ReconcileMetrics;
use super::process::Process;
use crate::reconcile::objects::Key;

/// Content type of [`Metrics::encode`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    reconcile: ReconcileMetrics,
    plugins: PluginMetrics,
    renders: Family<Outcome, Counter>,
    applied: Family<Action, Counter>,
    fetches: Histograms<Fetch>,
    artifacts: Family<Object, Gauge<u64, AtomicU64>>,
    events_dropped: Counter,
    cache_events: Family<CacheEvent, Counter>,
    requests: Family<Request, Counter>,
}

/// How a render was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenderOutcome {
    /// The component ran.
    Rendered,
    /// An earlier result still holds.
    Cached,
    /// The component ran and failed, or an earlier failure still holds.
    Failed,
}

/// What an apply did to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppliedAction {
    /// It was not there.
    Created,
    /// It was otherwise.
    Configured,
    /// It was as desired.
    Unchanged,
    /// An annotation or policy says to leave it.
    Skipped,
    /// It is no longer rendered.
    Deleted,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Action {
    action: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Fetch {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheEvent {
    event_type: &'static str,
    name: String,
    namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    code: String,
    method: &'static str,
}

/// An object of ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Object {
    kind: &'static str,
    name: String,
    namespace: String,
}

impl Object {
    fn new(kind: &'static str, key: &Key) -> Self {
        Self {
            kind,
            name: key.name.clone(),
            namespace: key.namespace.clone(),
        }
    }
}

/// A histogram with fixed bounds, made for each set of labels.
#[derive(Clone, Copy, Debug)]
struct Buckets(&'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

type Histograms<L> = Family<L, Histogram, Buckets>;

/// Seconds of what takes milliseconds to minutes.
const SECONDS: Buckets = Buckets(&[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
]);

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Registers all of them.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let reconcile = ReconcileMetrics::register(&mut registry);
        let plugins = PluginMetrics::register(registry.sub_registry_with_prefix("weir_plugin"));
        let metrics = Self {
            reconcile,
            plugins,
            renders: Family::default(),
            applied: Family::default(),
            fetches: Family::new_with_constructor(SECONDS),
            artifacts: Family::default(),
            events_dropped: Counter::default(),
            cache_events: Family::default(),
            requests: Family::default(),
            registry,
        };
        metrics.register()
    }

    fn register(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register(
            "weir_renders",
            "Renders by how they were answered",
            self.renders.clone(),
        );
        registry.register(
            "weir_apply_objects",
            "Objects of applies by what was done to them",
            self.applied.clone(),
        );
        registry.register(
            "weir_source_fetch_duration_seconds",
            "Time of polls of sources, with the fetch if there was one",
            self.fetches.clone(),
        );
        registry.register(
            "weir_artifact_bytes",
            "Size of the stored artifact of a source",
            self.artifacts.clone(),
        );
        registry.register(
            "weir_events_dropped",
            "Events that were not recorded because the queue was full or the API server refused",
            self.events_dropped.clone(),
        );
        registry.register(
            "gotk_cache_events",
            "Cache lookups for an object, by outcome",
            self.cache_events.clone(),
        );
        registry.register(
            "rest_client_requests",
            "Requests to the API server by status code and method",
            self.requests.clone(),
        );
        registry.register_collector(Box::new(Process::new()));
        self
    }

    /// The exposition, in the format that `METRICS_CONTENT_TYPE` names.
    pub fn encode(&self) -> String {
        self.reconcile.update_depths();
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Says that a kind has so many workers.
    pub fn workers(&self, controller: &'static str, count: usize) {
        self.reconcile.workers(controller, count);
    }

    /// Says where the depth of a kind's queue is to be asked at each scrape.
    pub fn queue_depth(
        &self,
        controller: &'static str,
        depth: impl Fn() -> usize + Send + Sync + 'static,
    ) {
        self.reconcile.queue_depth(controller, Box::new(depth));
    }

    /// A worker took an object that had waited so long.
    pub fn reconcile_started(&self, controller: &'static str, waited: Duration) {
        self.reconcile.started(controller, waited);
    }

    /// A worker is done with an object.
    pub fn reconcile_ended(
        &self,
        controller: &'static str,
        kind: &'static str,
        key: &Key,
        took: Duration,
        failed: bool,
    ) {
        self.reconcile
            .ended(controller, Object::new(kind, key), took, failed);
    }

    /// A worker put an object off.
    pub fn reconcile_put_off(&self, controller: &'static str) {
        self.reconcile.put_off(controller);
    }

    /// An object was put back with backoff.
    pub fn retried(&self, controller: &'static str) {
        self.reconcile.retried(controller);
    }

    /// Drops the series of a deleted object.
    pub fn forget(&self, kind: &'static str, key: &Key) {
        let object = Object::new(kind, key);
        self.reconcile.forget(&object);
        self.artifacts.remove(&object);
        for event_type in ["cache_hit", "cache_miss"] {
            self.cache_events.remove(&CacheEvent {
                event_type,
                name: key.name.clone(),
                namespace: key.namespace.clone(),
            });
        }
    }

    /// A render was answered.
    pub fn render(&self, outcome: RenderOutcome) {
        let outcome = match outcome {
            RenderOutcome::Rendered => "rendered",
            RenderOutcome::Cached => "cached",
            RenderOutcome::Failed => "failed",
        };
        self.renders.get_or_create(&Outcome { outcome }).inc();
    }

    /// An apply did this to so many objects.
    pub fn applied(&self, action: AppliedAction, objects: u64) {
        let action = match action {
            AppliedAction::Created => "created",
            AppliedAction::Configured => "configured",
            AppliedAction::Unchanged => "unchanged",
            AppliedAction::Skipped => "skipped",
            AppliedAction::Deleted => "deleted",
        };
        self.applied
            .get_or_create(&Action { action })
            .inc_by(objects);
    }

    /// A source was polled. `outcome` is `fetched`, `unchanged` or `failed`.
    pub fn source_fetched(&self, kind: &'static str, outcome: &'static str, took: Duration) {
        self.fetches
            .get_or_create(&Fetch { kind, outcome })
            .observe(took.as_secs_f64());
    }

    /// A source's artifact has this size now.
    pub fn artifact(&self, kind: &'static str, key: &Key, bytes: u64) {
        self.artifacts
            .get_or_create(&Object::new(kind, key))
            .set(bytes);
    }

    /// An event was lost.
    pub fn event_dropped(&self) {
        self.events_dropped.inc();
    }

    /// A cache was asked for an object.
    pub fn cache_event(&self, key: &Key, hit: bool) {
        let event_type = if hit { "cache_hit" } else { "cache_miss" };
        let labels = CacheEvent {
            event_type,
            name: key.name.clone(),
            namespace: key.namespace.clone(),
        };
        self.cache_events.get_or_create(&labels).inc();
    }

    /// The API server answered a request with this status; `<error>` when it did not answer.
    pub(super) fn request(&self, method: &'static str, code: String) {
        self.requests.get_or_create(&Request { code, method }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_those_that_dashboards_know() {
        let metrics = Metrics::new();
        let key = Key::new("apps", "web");
        metrics.workers("kustomization", 20);
        metrics.queue_depth("kustomization", || 7);
        metrics.reconcile_started("kustomization", Duration::from_millis(3));
        metrics.reconcile_ended(
            "kustomization",
            "Kustomization",
            &key,
            Duration::from_millis(40),
            true,
        );
        metrics.retried("kustomization");
        metrics.render(RenderOutcome::Cached);
        metrics.applied(AppliedAction::Created, 4);
        metrics.source_fetched("GitRepository", "fetched", Duration::from_secs(1));
        metrics.artifact("GitRepository", &key, 1234);
        metrics.event_dropped();
        metrics.request("GET", "200".into());
        let text = metrics.encode();
        for expected in [
            "gotk_reconcile_duration_seconds_count{kind=\"Kustomization\",name=\"web\",namespace=\"apps\"} 1",
            "controller_runtime_reconcile_total{controller=\"kustomization\",result=\"error\"} 1",
            "controller_runtime_reconcile_errors_total{controller=\"kustomization\"} 1",
            "controller_runtime_reconcile_time_seconds_count{controller=\"kustomization\"} 1",
            "controller_runtime_active_workers{controller=\"kustomization\"} 0",
            "controller_runtime_max_concurrent_reconciles{controller=\"kustomization\"} 20",
            "workqueue_depth{name=\"kustomization\"} 7",
            "workqueue_adds_total{name=\"kustomization\"} 1",
            "workqueue_retries_total{name=\"kustomization\"} 1",
            "workqueue_queue_duration_seconds_count{name=\"kustomization\"} 1",
            "workqueue_work_duration_seconds_count{name=\"kustomization\"} 1",
            "weir_renders_total{outcome=\"cached\"} 1",
            "weir_apply_objects_total{action=\"created\"} 4",
            "weir_source_fetch_duration_seconds_count{kind=\"GitRepository\",outcome=\"fetched\"} 1",
            "weir_artifact_bytes{kind=\"GitRepository\",name=\"web\",namespace=\"apps\"} 1234",
            "weir_events_dropped_total 1",
            "rest_client_requests_total{code=\"200\",method=\"GET\"} 1",
            "process_resident_memory_bytes ",
            "process_cpu_seconds_total ",
            "process_open_fds ",
        ] {
            assert!(text.contains(expected), "{expected} is missing in:\n{text}");
        }
    }

    #[test]
    fn a_deleted_object_leaves_no_series() {
        let metrics = Metrics::new();
        let key = Key::new("apps", "gone");
        metrics.reconcile_ended(
            "gitrepository",
            "GitRepository",
            &key,
            Duration::ZERO,
            false,
        );
        metrics.artifact("GitRepository", &key, 1);
        metrics.cache_event(&key, true);
        metrics.forget("GitRepository", &key);
        assert!(!metrics.encode().contains("gone"));
    }
}
