//! What plugins cost: calls by outcome, seconds, memory, compilation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use weir_plugin::{Digest, Observer, Plugin};

use super::{Buckets, Histograms, Metrics};

/// Seconds of a call: most are well below a millisecond.
const CALL: Buckets = Buckets(&[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 30.0, 60.0,
]);
const COMPILE: [f64; 9] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Name {
    plugin: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Called {
    plugin: String,
    export: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cache {
    outcome: &'static str,
}

#[derive(Debug)]
pub(super) struct PluginMetrics {
    calls: Family<Called, Counter>,
    durations: Histograms<Called>,
    memory: Family<Name, Gauge<u64, AtomicU64>>,
    compiles: Histogram,
    cache: Family<Cache, Counter>,
}

impl PluginMetrics {
    /// In a registry with the prefix `weir_plugin`.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let own = Self {
            calls: Family::default(),
            durations: Family::new_with_constructor(CALL),
            memory: Family::default(),
            compiles: Histogram::new(COMPILE),
            cache: Family::default(),
        };
        registry.register("calls", "Calls of plugins by outcome", own.calls.clone());
        registry.register(
            "call_duration_seconds",
            "Time of a call, from instantiation to its end",
            own.durations.clone(),
        );
        registry.register(
            "memory_peak_bytes",
            "Most linear memory that a call of the plugin has used",
            own.memory.clone(),
        );
        registry.register(
            "compile_seconds",
            "Time to compile a component that was not in the cache",
            own.compiles.clone(),
        );
        registry.register(
            "code_cache",
            "Lookups of compiled code on disk by outcome",
            own.cache.clone(),
        );
        own
    }

    fn call(
        &self,
        plugin: &str,
        export: &'static str,
        outcome: &'static str,
        took: Duration,
        peak: u64,
    ) {
        let called = Called {
            plugin: plugin.to_owned(),
            export,
            outcome,
        };
        self.calls.get_or_create(&called).inc();
        self.durations
            .get_or_create(&called)
            .observe(took.as_secs_f64());
        self.memory
            .get_or_create(&Name {
                plugin: called.plugin,
            })
            .inner()
            .fetch_max(peak, Ordering::Relaxed);
    }
}

impl Observer for Metrics {
    fn call(
        &self,
        plugin: &Plugin,
        export: &'static str,
        outcome: &'static str,
        duration: Duration,
        memory_peak: u64,
    ) {
        self.plugins
            .call(&plugin.info().name, export, outcome, duration, memory_peak);
    }

    fn compiled(&self, _digest: &Digest, duration: Duration, _ok: bool) {
        self.plugins.compiles.observe(duration.as_secs_f64());
    }

    fn cache(&self, hit: bool) {
        let outcome = if hit { "hit" } else { "miss" };
        self.plugins.cache.get_or_create(&Cache { outcome }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_outcome_and_memory_keeps_its_peak() {
        let metrics = Metrics::new();
        for (outcome, peak) in [("ok", 1024), ("ok", 4096), ("trap", 2048)] {
            metrics.plugins.call(
                "kustomize",
                "render",
                outcome,
                Duration::from_micros(300),
                peak,
            );
        }
        metrics.compiled(&Digest::of("x"), Duration::from_secs(2), true);
        let text = metrics.encode();
        for expected in [
            "weir_plugin_calls_total{plugin=\"kustomize\",export=\"render\",outcome=\"ok\"} 2",
            "weir_plugin_calls_total{plugin=\"kustomize\",export=\"render\",outcome=\"trap\"} 1",
            "weir_plugin_call_duration_seconds_count{plugin=\"kustomize\",export=\"render\",outcome=\"ok\"} 2",
            "weir_plugin_memory_peak_bytes{plugin=\"kustomize\"} 4096",
            "weir_plugin_compile_seconds_count 1",
        ] {
            assert!(text.contains(expected), "{expected} is missing in:\n{text}");
        }
    }
}
