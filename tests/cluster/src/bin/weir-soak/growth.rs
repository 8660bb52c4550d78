//! Whether the host grows: memory, file handles and threads over time.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

/// What a host that has long reached its plateau may differ by from an early sample.
const MEMORY: f64 = 1.15;
/// Connections come and go.
const HANDLES: usize = 40;
const BETWEEN: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    at: Duration,
    memory: u64,
    handles: usize,
    threads: usize,
}

/// Samples over time.
#[derive(Debug, Default)]
pub(crate) struct Growth(Vec<Sample>);

impl Growth {
    /// Looks at the process, unless it did so a moment ago.
    pub(crate) fn sample(&mut self, pid: u32, at: Duration) -> Result<()> {
        let last = self.0.last().map_or(Duration::ZERO, |sample| sample.at);
        if !self.0.is_empty() && at < last + BETWEEN {
            return Ok(());
        }
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let field = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_ascii_whitespace().next()?.parse().ok()
        };
        self.0.push(Sample {
            at,
            memory: field("VmRSS:").context("no VmRSS")? * 1024,
            handles: fs::read_dir(format!("/proc/{pid}/fd"))?.count(),
            threads: field("Threads:").context("no Threads")? as usize,
        });
        Ok(())
    }

    /// The last sample, for people.
    pub(crate) fn last(&self) -> String {
        let sample = self.0.last().copied().unwrap_or_default();
        format!(
            "{} MiB, {} handles, {} threads",
            sample.memory >> 20,
            sample.handles,
            sample.threads
        )
    }

    /// Compares the last quarter with the second one: the first is warming up.
    pub(crate) fn check(&self, length: Duration) -> Result<()> {
        let (early, late) = (self.quarter(length, 1), self.quarter(length, 3));
        println!(
            "second quarter {} MiB and {} handles, last quarter {} MiB and {} handles (medians)",
            early.memory >> 20,
            early.handles,
            late.memory >> 20,
            late.handles
        );
        ensure!(
            late.memory as f64 <= early.memory as f64 * MEMORY,
            "memory has grown beyond its plateau"
        );
        ensure!(late.handles <= early.handles + HANDLES, "handles leak");
        Ok(())
    }

    /// Medians of one quarter of the time.
    fn quarter(&self, length: Duration, quarter: u32) -> Sample {
        let within = |sample: &&Sample| {
            sample.at >= length / 4 * quarter && sample.at < length / 4 * (quarter + 1)
        };
        let samples: Vec<Sample> = self.0.iter().filter(within).copied().collect();
        let median = |value: &dyn Fn(&Sample) -> u64| {
            let mut values: Vec<u64> = samples.iter().map(value).collect();
            values.sort_unstable();
            values.get(values.len() / 2).copied().unwrap_or_default()
        };
        Sample {
            at: length,
            memory: median(&|sample| sample.memory),
            handles: median(&|sample| sample.handles as u64) as usize,
            threads: median(&|sample| sample.threads as u64) as usize,
        }
    }
}
