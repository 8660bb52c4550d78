//! What is printed: steps as they happen, and at the end a table of what each took and the
//! figures.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Steps and figures so far.
#[derive(Debug)]
pub(crate) struct Report {
    started: Instant,
    steps: Vec<(String, Duration)>,
    figures: Vec<(String, String, String)>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            steps: Vec::new(),
            figures: Vec::new(),
        }
    }
}

impl Report {
    /// Announces a step, does it, and keeps what it took.
    pub(crate) fn step<T>(&mut self, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.announce(what);
        let began = Instant::now();
        let value = work()?;
        self.steps.push((what.to_owned(), began.elapsed()));
        Ok(value)
    }

    /// The same for a step that reports figures.
    pub(crate) fn section(
        &mut self,
        what: &str,
        work: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.announce(what);
        let began = Instant::now();
        work(self)?;
        self.steps.push((what.to_owned(), began.elapsed()));
        Ok(())
    }

    fn announce(&self, what: &str) {
        println!("\n\x1b[1m[{:>2}] {what}\x1b[0m", self.steps.len() + 1);
    }

    /// Prints and keeps a figure, with what it should be at most.
    pub(crate) fn figure(&mut self, what: &str, value: String, bound: &str) {
        println!("     {what}: {value}{}", suffix(bound));
        self.figures
            .push((what.to_owned(), value, bound.to_owned()));
    }

    /// The table.
    pub(crate) fn print(&self) {
        let width = self
            .steps
            .iter()
            .map(|(what, _)| what.len())
            .chain(self.figures.iter().map(|(what, ..)| what.len()))
            .max()
            .unwrap_or(0);
        println!("\n{:width$}  {:>9}", "step", "ms");
        for (what, elapsed) in &self.steps {
            println!("{what:width$}  {:>9.0}", elapsed.as_secs_f64() * 1e3);
        }
        println!(
            "{:width$}  {:>9.0}",
            "total",
            self.started.elapsed().as_secs_f64() * 1e3
        );
        if !self.figures.is_empty() {
            println!("\n{:width$}  value", "figure");
            for (what, value, bound) in &self.figures {
                println!("{what:width$}  {value}{}", suffix(bound));
            }
        }
    }
}

fn suffix(bound: &str) -> String {
    if bound.is_empty() {
        String::new()
    } else {
        format!("  ({bound})")
    }
}

/// Prints a block of text indented.
pub(crate) fn block(text: &str) {
    for line in text.trim_end().lines() {
        println!("     {line}");
    }
}
