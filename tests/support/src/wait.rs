//! Waiting for a condition, with a bound.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Calls `probe` until it answers `Some`, at most for `timeout`; then panics with `what`.
///
/// For tests; [`try_eventually`] is for callers that go on after a failure.
#[track_caller]
#[expect(clippy::panic, reason = "this is how a test fails")]
pub fn eventually<T>(what: &str, timeout: Duration, probe: impl FnMut() -> Option<T>) -> T {
    match try_eventually(what, timeout, probe) {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// Calls `probe` until it answers `Some`, at most for `timeout`.
pub fn try_eventually<T>(
    what: &str,
    timeout: Duration,
    mut probe: impl FnMut() -> Option<T>,
) -> Result<T> {
    let started = Instant::now();
    // Short at first, so that what is ready in milliseconds is not measured in tenths.
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(value) = probe() {
            return Ok(value);
        }
        if started.elapsed() >= timeout {
            bail!("waited {} s in vain: {what}", timeout.as_secs());
        }
        std::thread::sleep(pause);
        pause = (pause * 3 / 2).min(Duration::from_millis(100));
    }
}
