//! What a guest can reach: one file per interface of the contract, all on one [`State`].
//!
//! Host functions run on the call's own blocking thread. What has to wait (HTTP, Git, Secrets)
//! goes through [`State::wait`], which ends at the call's deadline.

mod artifacts;
mod cluster;
mod context;
mod convert;
mod files;
mod git;
mod http;
mod log;
mod output;
mod remote;
mod rendering;
mod secrets;
mod unsupported;
mod wasi;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use wasmtime::component::{Resource, ResourceTable, ResourceTableError};

pub use artifacts::{ArtifactHandle, Writer};
pub use context::CallHandle;
pub use files::{Blob, Dir};
pub use git::GitCheckout;
pub(crate) use log::{Journal, Labels};
pub use output::Emitter;
pub use rendering::TargetHandle;
pub use unsupported::{ChangeSet, Connection};
pub(crate) use wasi::{is_inert, link as link_wasi};

use secrets::Bound;

use crate::mask::Mask;
use crate::runtime::Environment;
use crate::runtime::meter::{Ended, HostEnded, Meter};
use crate::trace::Recorder;
use crate::unpack::UnpackLimits;
use crate::{ArtifactSink, Call, Failure, FailureClass, Limit, RenderOutput, Target};

/// Open handles of one call at most, those of the contract and those of WASI for themselves. Guests
/// that leave dropping to a collector need some slack.
pub(crate) const MAX_HANDLES: usize = 50_000;

/// Everything of one call: its store's data.
pub(crate) struct State {
    pub(crate) table: ResourceTable,
    pub(crate) meter: Meter,
    pub(crate) recorder: Recorder,
    pub(crate) journal: Journal,
    pub(crate) mask: Mask,
    pub(crate) output: RenderOutput,
    /// `None` for `describe` and `check-settings`, which have no context.
    pub(crate) call: Option<Call>,
    pub(crate) target: Option<Arc<dyn Target>>,
    pub(crate) sink: Option<Arc<Mutex<dyn ArtifactSink>>>,
    /// Whether the export itself runs: what a language runtime does while its instance starts
    /// gets constants and is not recorded.
    pub(crate) started: bool,
    /// What the call has of its object's Secrets, asked once.
    bound: Bound,
    /// What its references to remote repositories stand for.
    pins: remote::Pins,
    /// Bytes that this call may still download.
    downloads: Arc<AtomicU64>,
    /// What the archives of this call may still unpack to.
    unpacking: UnpackLimits,
    pub(crate) environment: Arc<Environment>,
    pub(crate) handle: Handle,
}

/// Why a host function does not answer.
#[derive(Debug)]
pub enum Stop {
    /// The contract's own error: the guest gets it.
    Failure(Failure),
    /// The call ends.
    Trap(wasmtime::Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<HostEnded> for Stop {
    fn from(ended: HostEnded) -> Self {
        Self::Trap(ended.into())
    }
}

impl From<wasmtime::Error> for Stop {
    fn from(error: wasmtime::Error) -> Self {
        Self::Trap(error)
    }
}

impl From<ResourceTableError> for Stop {
    fn from(error: ResourceTableError) -> Self {
        Self::Trap(error.into())
    }
}

impl State {
    pub(crate) fn new(
        environment: Arc<Environment>,
        meter: Meter,
        journal: Journal,
        call: Option<Call>,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let downloads = http::downloads(&meter.limits);
        Self {
            table,
            meter,
            recorder: Recorder::default(),
            journal,
            mask: Mask::default(),
            output: RenderOutput::default(),
            call,
            target: None,
            sink: None,
            started: false,
            bound: Bound::default(),
            pins: remote::Pins::default(),
            downloads,
            unpacking: environment.unpack.clone(),
            environment,
            handle: Handle::current(),
        }
    }

    /// The call's context; only functions that need a context's handle get here.
    fn call(&self) -> wasmtime::Result<&Call> {
        self.call
            .as_ref()
            .ok_or_else(|| wasmtime::Error::msg("no call is in progress"))
    }

    /// Hands a new resource to the guest.
    fn push<T: Send + 'static>(&mut self, value: T) -> wasmtime::Result<Resource<T>> {
        match self.table.push(value) {
            Err(ResourceTableError::Full) => {
                let message = format!("more than {MAX_HANDLES} open handles");
                self.meter.end(Ended::Limit(Limit::Handles, message));
                Err(HostEnded.into())
            }
            pushed => Ok(pushed?),
        }
    }

    /// Waits for something outside, until the call's deadline or cancellation.
    fn wait<F: Future>(&mut self, future: F) -> Result<F::Output, HostEnded> {
        let (cancel, deadline) = (self.meter.cancel.clone(), self.meter.deadline);
        let outcome = self.handle.block_on(async {
            tokio::select! {
                // Biased: a call that is over must not profit from an answer that just arrived.
                biased;
                () = cancel.cancelled() => None,
                answer = tokio::time::timeout_at(deadline.into(), future) => answer.ok(),
            }
        });
        outcome.ok_or_else(|| self.over())
    }

    /// Ends a call that was found to be over.
    fn over(&mut self) -> HostEnded {
        // Either reason holds now; `check` notes which.
        if self.meter.check().is_ok() {
            self.meter.end(Ended::Deadline);
        }
        HostEnded
    }

    /// Counts output; the failure tells the guest, the meter ends the call in any case.
    fn count_output(&mut self, count: u64, bytes: u64) -> Result<(), Failure> {
        if self.meter.output(count, bytes) {
            return Ok(());
        }
        Err(Failure::new(
            FailureClass::Denied,
            "OutputLimitReached",
            "the output is larger than the host allows",
        ))
    }
}

/// What a function of an interface answers that this version does not host.
fn unsupported(what: &str) -> Failure {
    Failure::new(
        FailureClass::Unsupported,
        "Unsupported",
        format!("this version of weir does not support {what}"),
    )
}
