//! What a call may use, and why it was ended: memory, tables, handles, output, wall time.
//!
//! wasmtime knows only that a guest trapped. Whoever stops a guest notes the reason here first,
//! so that the outcome can be told apart afterwards.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use wasmtime::ResourceLimiter;

use crate::{CallError, Limit, Limits};

/// Elements that all tables of a call may have together. The largest guests we know (CPython,
/// SpiderMonkey) stay below 20 000.
const MAX_TABLE_ELEMENTS: usize = 100_000;

/// Bytes that the host takes from a guest in one crossing, as they are in the host's memory. Lists
/// may name the same bytes of a guest many times over, so what a guest has in its own memory is no
/// bound for what comes of it here.
pub(crate) const MAX_TRANSFER: usize = 128 << 20;

/// Why the host ended a call.
#[derive(Clone, Debug)]
pub(crate) enum Ended {
    /// Its time was over.
    Deadline,
    /// Nobody waits for it any more.
    Cancelled,
    /// It reached a limit.
    Limit(Limit, String),
}

/// Raised as a trap when the host ends a call; the reason is in [`Meter::ended`].
#[derive(Debug, thiserror::Error)]
#[error("the host ended the call")]
pub(crate) struct HostEnded;

/// Whether a call is over, for host functions that take long.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    deadline: Instant,
    cancel: CancellationToken,
}

impl Watch {
    /// Its time is over, or nobody waits for it.
    pub(crate) fn is_over(&self) -> bool {
        self.cancel.is_cancelled() || Instant::now() >= self.deadline
    }
}

/// The budget of one call.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) limits: Limits,
    pub(crate) deadline: Instant,
    pub(crate) cancel: CancellationToken,
    pub(crate) ended: Option<Ended>,
    memory: u64,
    memory_peak: u64,
    last_growth: u64,
    elements: usize,
    last_elements: usize,
    output_bytes: u64,
    output_count: u64,
}

impl Meter {
    /// Starts the clock.
    pub(crate) fn start(limits: Limits, cancel: CancellationToken) -> Self {
        Self {
            limits,
            // A limit that no clock can hold is no limit; a year is as good.
            deadline: Instant::now() + limits.time.min(Duration::from_hours(365 * 24)),
            cancel,
            ended: None,
            memory: 0,
            memory_peak: 0,
            last_growth: 0,
            elements: 0,
            last_elements: 0,
            output_bytes: 0,
            output_count: 0,
        }
    }

    /// Bytes of linear memory at most so far.
    pub(crate) const fn memory_peak(&self) -> u64 {
        self.memory_peak
    }

    /// Notes the first reason for which the call ends.
    pub(crate) fn end(&mut self, why: Ended) {
        self.ended.get_or_insert(why);
    }

    /// Ends the call if its time is over or nobody waits for it.
    pub(crate) fn check(&mut self) -> Result<(), HostEnded> {
        if self.cancel.is_cancelled() {
            self.end(Ended::Cancelled);
        } else if Instant::now() >= self.deadline {
            self.end(Ended::Deadline);
        } else {
            return Ok(());
        }
        Err(HostEnded)
    }

    /// What tells work outside the guest that it is for nothing: epochs interrupt only the guest.
    pub(crate) fn watch(&self) -> Watch {
        Watch {
            deadline: self.deadline,
            cancel: self.cancel.clone(),
        }
    }

    /// Counts output before it is kept; `false`: it is too much, and the call will end so even
    /// if the guest goes on.
    pub(crate) fn output(&mut self, count: u64, bytes: u64) -> bool {
        self.output_count = self.output_count.saturating_add(count);
        self.output_bytes = self.output_bytes.saturating_add(bytes);
        if self.output_bytes > self.limits.output_bytes {
            let message = format!("output of more than {} bytes", self.limits.output_bytes);
            self.end(Ended::Limit(Limit::OutputBytes, message));
        } else if self.output_count > self.limits.output_count {
            let message = format!("more than {} outputs", self.limits.output_count);
            self.end(Ended::Limit(Limit::OutputCount, message));
        } else {
            return true;
        }
        false
    }

    /// The error of a call that the host ended.
    pub(crate) fn error(&self) -> Option<CallError> {
        Some(match self.ended.clone()? {
            Ended::Deadline => CallError::DeadlineExceeded {
                after: self.limits.time,
            },
            Ended::Cancelled => CallError::Host("the call was cancelled".into()),
            Ended::Limit(limit, message) => CallError::LimitReached { limit, message },
        })
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current) as u64;
        let total = self.memory.saturating_add(growth);
        if total > self.limits.memory {
            let message = format!(
                "{total} bytes of memory asked for, {} allowed",
                self.limits.memory
            );
            self.end(Ended::Limit(Limit::Memory, message));
            // A refused growth would end as an abort somewhere in the guest's allocator.
            return Err(HostEnded.into());
        }
        self.memory = total;
        self.last_growth = growth;
        self.memory_peak = self.memory_peak.max(total);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory = self
            .memory
            .saturating_sub(std::mem::take(&mut self.last_growth));
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current);
        let total = self.elements.saturating_add(growth);
        if total > MAX_TABLE_ELEMENTS {
            let message = format!("{total} table elements asked for, {MAX_TABLE_ELEMENTS} allowed");
            self.end(Ended::Limit(Limit::Table, message));
            return Err(HostEnded.into());
        }
        self.elements = total;
        self.last_elements = growth;
        Ok(true)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        // The guest is told, and has no more than before.
        self.elements = self
            .elements
            .saturating_sub(std::mem::take(&mut self.last_elements));
        Ok(())
    }
}
