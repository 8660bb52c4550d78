//! Steps of a task: announced with their number, timed, summed up.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use weir_tests_support::progress::seconds;

/// One thing to do and what it is called.
pub(crate) struct Step<'a> {
    name: &'static str,
    work: Box<dyn FnOnce() -> Result<()> + 'a>,
}

/// A step by its name.
pub(crate) fn step<'a>(name: &'static str, work: impl FnOnce() -> Result<()> + 'a) -> Step<'a> {
    Step {
        name,
        work: Box::new(work),
    }
}

/// Does the steps in order up to the first that fails, and prints what each took.
pub(crate) fn run(task: &str, steps: Vec<Step<'_>>) -> Result<()> {
    let total = steps.len();
    let started = Instant::now();
    let mut took: Vec<(&str, Duration, &str)> = Vec::new();
    let mut failure = None;
    for (index, step) in steps.into_iter().enumerate() {
        let name = step.name;
        if failure.is_some() {
            took.push((name, Duration::ZERO, "not run"));
            continue;
        }
        eprintln!(
            "[{}/{total}] {name} (after {})",
            index + 1,
            seconds(started.elapsed())
        );
        let began = Instant::now();
        match (step.work)() {
            Ok(()) => took.push((name, began.elapsed(), "ok")),
            Err(error) => {
                took.push((name, began.elapsed(), "failed"));
                failure = Some(error.context(format!("step {} of {task}, {name}", index + 1)));
            }
        }
    }
    summary(&took, started.elapsed());
    failure
        .map_or(Ok(()), Err)
        .with_context(|| format!("{task} failed"))
}

fn summary(took: &[(&str, Duration, &str)], total: Duration) {
    let width = took.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    eprintln!();
    for (name, elapsed, outcome) in took {
        eprintln!("{name:width$}  {:>9.1} s  {outcome}", elapsed.as_secs_f64());
    }
    eprintln!("{:width$}  {:>9.1} s", "total", total.as_secs_f64());
}
