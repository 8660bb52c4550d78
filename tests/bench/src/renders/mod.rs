//! A renderer against the tool that it stands for, on the same inputs in one run: the tool's
//! process, the process of `weir build`, and a render in a host that runs already.

mod host;
mod process;

use std::time::Duration;

pub(crate) use host::{Host, RenderCost, tree};
pub(crate) use process::{ProcessCost, stdout};

/// How long one thing is measured for, and how often at least and at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) time: Duration,
    pub(crate) most: usize,
}

impl Effort {
    /// Whether `done` repetitions that took `spent` are enough.
    fn is_done(self, done: usize, spent: Duration) -> bool {
        done >= self.most || (done > 0 && spent >= self.time)
    }
}

/// The middle of some times.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// What one input cost.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) input: String,
    pub(crate) objects: usize,
    pub(crate) tool: ProcessCost,
    pub(crate) weir: ProcessCost,
    pub(crate) render: RenderCost,
}

/// Prints the costs, and how they compare.
pub(crate) fn print(tool: &str, rows: &[Row]) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let ratio = |time: Duration, other: Duration| ms(time) / ms(other).max(1e-6);
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "\nmedian times; the process of {tool}, of `weir build {tool}`, and a render in a host\n\n\
         {:28} {:>7} {:>12} {:>12} {:>7} {:>12} {:>7} {:>10} {:>10} {:>10}",
        "input",
        "objects",
        format!("{tool} ms"),
        "weir ms",
        "faster",
        "in-host ms",
        "faster",
        format!("{tool} MiB"),
        "weir MiB",
        "guest MiB",
    );
    for row in rows {
        println!(
            "{:28} {:>7} {:>12.2} {:>12.2} {:>6.1}x {:>12.3} {:>6.0}x {:>10.1} {:>10.1} {:>10.1}",
            row.input,
            row.objects,
            ms(row.tool.time),
            ms(row.weir.time),
            ratio(row.tool.time, row.weir.time),
            ms(row.render.time),
            ratio(row.tool.time, row.render.time),
            mib(row.tool.peak_memory),
            mib(row.weir.peak_memory),
            mib(row.render.peak_memory),
        );
    }
}
