//! Advances the engine's epoch while calls run, so that running guests look at their deadline.
//! One thread for the process, asleep while nothing runs: an idle host wakes up for nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use wasmtime::{Engine, EngineWeak};

/// How often a running guest looks at its deadline.
const TICK: Duration = Duration::from_millis(10);

/// Ticks without a call after which the thread goes to sleep: calls that follow each other closely
/// must not wake it every time.
const QUIET_TICKS: u32 = 50;

/// Keeps the epoch going while at least one [`Running`] lives.
#[derive(Debug, Clone)]
pub(crate) struct Ticker(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    running: AtomicUsize,
    /// Whether the thread waits for a call; then, and only then, a call has to wake it.
    idle: AtomicBool,
    stopped: Mutex<bool>,
    changed: Condvar,
}

/// A call in flight.
#[derive(Debug)]
pub(crate) struct Running(Arc<Shared>);

impl Ticker {
    /// Starts the thread; it ends with [`Ticker::stop`] or with the engine.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (engine, thread) = (engine.weak(), shared.clone());
        std::thread::Builder::new()
            .name("weir-epoch".into())
            .stack_size(64 << 10)
            .spawn(move || thread.tick(&engine))?;
        Ok(Self(shared))
    }

    /// Marks a call as running until the value is dropped.
    pub(crate) fn run(&self) -> Running {
        self.0.running.fetch_add(1, Ordering::SeqCst);
        if self.0.idle.swap(false, Ordering::SeqCst) {
            // The lock makes sure that the thread is waiting, not on its way to it.
            let _guard = self.0.stopped.lock();
            self.0.changed.notify_one();
        }
        Running(self.0.clone())
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        *self.0.stopped.lock() = true;
        self.0.changed.notify_one();
    }
}

impl Shared {
    fn tick(&self, engine: &EngineWeak) {
        let mut quiet = 0;
        let mut stopped = self.stopped.lock();
        while !*stopped {
            if quiet < QUIET_TICKS {
                self.changed.wait_for(&mut stopped, TICK);
            } else {
                self.idle.store(true, Ordering::SeqCst);
                // A call that came before that store saw no reason to wake anybody.
                if self.running.load(Ordering::SeqCst) == 0 {
                    self.changed.wait(&mut stopped);
                }
                self.idle.store(false, Ordering::SeqCst);
                quiet = 0;
            }
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
            let is_quiet = self.running.load(Ordering::SeqCst) == 0;
            quiet = if is_quiet { quiet + 1 } else { 0 };
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}
