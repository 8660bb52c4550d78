//! What a process costs from its start to its end.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use weir_tests_support::Usage;

use super::{Effort, median};

/// The cost of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessCost {
    /// From start to end.
    pub(crate) time: Duration,
    /// Resident at most, in bytes.
    pub(crate) peak_memory: u64,
}

impl ProcessCost {
    /// Runs a command some times for its time, and then for its memory.
    pub(crate) fn measure(command: impl Fn() -> Command, effort: Effort) -> Result<Self> {
        let quiet = || {
            let mut command = command();
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command
        };
        let (mut times, began) = (Vec::new(), Instant::now());
        while !effort.is_done(times.len(), began.elapsed()) {
            let started = Instant::now();
            let status = quiet().status().context("failed to start")?;
            times.push(started.elapsed());
            ensure!(status.success(), "it ended with {status}");
        }
        let (mut peak_memory, mut runs, began) = (0, 0, Instant::now());
        while !effort.is_done(runs, began.elapsed()) {
            peak_memory = peak_memory.max(watch(quiet())?);
            runs += 1;
        }
        Ok(Self {
            time: median(times),
            peak_memory,
        })
    }
}

/// Runs a command and looks at its memory, again and again, until it ends. The kernel keeps the
/// peak for as long as the process lives: only what it takes in its last instant is missed.
fn watch(mut command: Command) -> Result<u64> {
    let mut child = command.spawn().context("failed to start")?;
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        if let Ok(usage) = Usage::of(child.id()) {
            peak = peak.max(usage.peak_memory);
        }
    }
    Ok(peak)
}

/// What a command prints; it has to succeed.
pub(crate) fn stdout(mut command: Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(
        output.status.success(),
        "it ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).context("it prints no UTF-8")
}
