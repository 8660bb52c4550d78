//! One operation from start to end: blocking work on its own thread, a deadline, and a way to
//! stop it from outside. The network is only ever waited for through [`Operation::wait`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// Handed to the blocking side.
#[derive(Debug)]
pub(crate) struct Operation {
    runtime: Handle,
    cancelled: CancellationToken,
    /// What gix polls in its long loops.
    pub(crate) interrupt: AtomicBool,
    phase: Mutex<&'static str>,
    /// Of the pack that is being received.
    pub(crate) received: AtomicU64,
}

/// Stops the blocking side when the future that waits for it goes away.
struct StopOnDrop(Arc<Operation>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Operation {
    fn stop(&self) {
        self.interrupt.store(true, Ordering::Relaxed);
        self.cancelled.cancel();
    }

    /// Says what the time is spent on, for the message of a timeout.
    pub(crate) fn phase(&self, phase: &'static str) {
        *self.phase.lock() = phase;
    }

    fn state(&self) -> String {
        let phase = *self.phase.lock();
        match self.received.load(Ordering::Relaxed) {
            0 => phase.to_owned(),
            bytes => format!("{phase} ({bytes} bytes of the last answer received)"),
        }
    }

    /// Fails once nobody waits any more; for loops over local data.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.interrupt.load(Ordering::Relaxed) {
            Err(Error::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Waits on this thread for asynchronous work.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        self.runtime.block_on(async {
            tokio::select! {
                // Checked first, so that a stopped operation does not start another request.
                biased;
                () = self.cancelled.cancelled() => Err(Error::Interrupted),
                output = work => Ok(output),
            }
        })
    }

    /// Pauses this thread.
    pub(crate) fn pause(&self, time: Duration) -> Result<(), Error> {
        self.wait(tokio::time::sleep(time))
    }
}

/// Runs `prepare` and then `work` (on a blocking thread) within `limit` altogether. Dropping the
/// future stops the work.
pub(crate) async fn run<P, T>(
    limit: Duration,
    prepare: impl Future<Output = Result<P, Error>>,
    work: impl FnOnce(&Arc<Operation>, P) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error>
where
    P: Send + 'static,
    T: Send + 'static,
{
    let deadline = Instant::now() + limit;
    let operation = Arc::new(Operation {
        runtime: Handle::current(),
        cancelled: CancellationToken::new(),
        interrupt: AtomicBool::new(false),
        phase: Mutex::new("waiting for its turn"),
        received: AtomicU64::new(0),
    });
    let _stop = StopOnDrop(Arc::clone(&operation));
    let whole = async {
        let prepared = prepare.await?;
        let on_thread = Arc::clone(&operation);
        match tokio::task::spawn_blocking(move || work(&on_thread, prepared)).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => {
                let payload = error.into_panic();
                let text = payload
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| payload.downcast_ref::<String>().cloned())
                    .unwrap_or_default();
                Err(Error::Internal(text))
            }
            Err(_) => Err(Error::Interrupted),
        }
    };
    match tokio::time::timeout_at(deadline, whole).await {
        Ok(result) => result,
        Err(_) => Err(Error::TimedOut {
            after: limit,
            phase: operation.state(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_deadline_names_the_phase_and_stops_the_thread() {
        let (stopped, wait) = std::sync::mpsc::channel();
        let result = run(
            Duration::from_millis(20),
            async { Ok(()) },
            move |operation, ()| {
                operation.phase("counting sheep");
                let outcome = operation.pause(Duration::from_mins(10));
                let _ = stopped.send(matches!(outcome, Err(Error::Interrupted)));
                Ok(())
            },
        )
        .await;
        let error = result.unwrap_err();
        assert_eq!(
            error.to_string(),
            "timed out after 0.02s while counting sheep"
        );
        let stopped =
            tokio::task::spawn_blocking(move || wait.recv_timeout(Duration::from_mins(1)));
        assert!(stopped.await.unwrap().unwrap());
    }

    #[tokio::test]
    async fn a_dropped_future_stops_its_thread() {
        let (stopped, wait) = std::sync::mpsc::channel();
        let (started, begun) = tokio::sync::oneshot::channel();
        let work = run(
            Duration::from_mins(10),
            async { Ok(()) },
            move |operation, ()| {
                let _ = started.send(());
                while operation.check().is_ok() {
                    std::thread::yield_now();
                }
                let _ = stopped.send(());
                Ok(())
            },
        );
        let task = tokio::spawn(work);
        begun.await.unwrap();
        task.abort();
        let stopped =
            tokio::task::spawn_blocking(move || wait.recv_timeout(Duration::from_mins(1)));
        stopped.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_panic_below_is_an_error_of_this_operation_only() {
        let result: Result<(), _> = run(Duration::from_mins(1), async { Ok(()) }, |_, ()| {
            panic!("odd pack")
        })
        .await;
        assert_eq!(result.unwrap_err().to_string(), "internal error: odd pack");
    }
}
