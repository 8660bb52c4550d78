//! Advances the engine's epoch while calls run, so that running guests look at their deadline.
//! One thread for the process, asleep while nothing runs: an idle host wakes up for nobody.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use wasmtime::Engine;

/// How often a running guest looks at its deadline.
const TICK: Duration = Duration::from_millis(10);

/// Keeps the epoch going while at least one [`Running`] lives.
#[derive(Debug, Clone)]
pub(crate) struct Ticker(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    stopped: bool,
}

/// A call in flight.
#[derive(Debug)]
pub(crate) struct Running(Arc<Shared>);

impl Ticker {
    /// Starts the thread; it ends with the returned handle.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (engine, thread) = (engine.weak(), shared.clone());
        std::thread::Builder::new()
            .name("weir-epoch".into())
            .stack_size(64 << 10)
            .spawn(move || {
                let mut state = thread.state.lock();
                while !state.stopped {
                    if state.running == 0 {
                        thread.changed.wait(&mut state);
                        continue;
                    }
                    // Waits out the tick, or wakes early only to stop.
                    thread.changed.wait_for(&mut state, TICK);
                    match engine.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => return,
                    }
                }
            })?;
        Ok(Self(shared))
    }

    /// Marks a call as running until the value is dropped.
    pub(crate) fn run(&self) -> Running {
        let mut state = self.0.state.lock();
        state.running += 1;
        if state.running == 1 {
            self.0.changed.notify_one();
        }
        Running(self.0.clone())
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        self.0.state.lock().stopped = true;
        self.0.changed.notify_one();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.state.lock().running -= 1;
    }
}
