//! What the runtime tells its owner, for metrics.

use std::time::Duration;

use crate::{Digest, Plugin};

/// Told of calls, compilations and cache look-ups. Called on the threads that do the work, so an
/// implementation only counts.
pub trait Observer: Send + Sync {
    /// A call of `export` ended; `outcome` is `ok` or [`CallError::outcome`](crate::CallError::outcome).
    /// `memory_peak` in bytes.
    fn call(
        &self,
        plugin: &Plugin,
        export: &'static str,
        outcome: &'static str,
        duration: Duration,
        memory_peak: u64,
    ) {
        let _ = (plugin, export, outcome, duration, memory_peak);
    }

    /// A component was compiled, or not.
    fn compiled(&self, digest: &Digest, duration: Duration, ok: bool) {
        let _ = (digest, duration, ok);
    }

    /// Whether compiled code was found on disk.
    fn cache(&self, hit: bool) {
        let _ = hit;
    }
}

/// Counts nothing.
#[derive(Debug, Default)]
pub(crate) struct NoObserver;

impl Observer for NoObserver {}
