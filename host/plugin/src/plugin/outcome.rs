//! From how wasmtime says that a call ended to the outcomes that the host tells apart.

use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};

use crate::guest::State;
use crate::runtime::meter::HostEnded;
use crate::{CallError, Failure, FailureClass};

/// Frames that the message of a trap names.
const FRAMES: usize = 8;
/// A failure keeps this much of each of its texts.
const MAX_TEXT: usize = 16 << 10;
/// A failure keeps this many positions.
const MAX_POSITIONS: usize = 100;

/// The outcome of a call: what the guest returned, unless the host ended it.
pub(super) fn outcome<T>(
    state: &mut State,
    returned: wasmtime::Result<Result<T, Failure>>,
) -> Result<T, CallError> {
    let stderr = state.journal.finish(&state.mask);
    // A guest that swallowed a reached limit and returned ok has still lost output.
    if let Some(error) = state.meter.error() {
        return Err(error);
    }
    match returned {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(mut failure)) => {
            bound(&mut failure);
            state.mask.apply_to(&mut failure);
            Err(CallError::Failed(failure))
        }
        Err(error) if error.is::<PoolConcurrencyLimitError>() => {
            Err(CallError::Host("too many plugin instances at once".into()))
        }
        Err(error) if error.is::<HostEnded>() => {
            Err(CallError::Host("the host ended the call".into()))
        }
        Err(error) => {
            let mut message = trap(&error, &stderr);
            state.mask.apply(&mut message);
            Err(CallError::Trapped { message })
        }
    }
}

/// The plugin answered what its contract rules out.
pub(super) fn invalid_answer(message: String) -> Failure {
    Failure::new(FailureClass::Internal, "InvalidAnswer", message)
}

/// The trap, what the guest wrote last to standard error (a panic's message), and the innermost
/// frames.
fn trap(error: &wasmtime::Error, stderr: &str) -> String {
    let mut message = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    if !stderr.is_empty() {
        message.push_str(": ");
        message.push_str(stderr);
    }
    if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
        let frames: Vec<String> = backtrace
            .frames()
            .iter()
            .take(FRAMES)
            .map(|frame| match frame.func_name() {
                Some(name) => name.to_owned(),
                None => format!("function {}", frame.func_index()),
            })
            .collect();
        if !frames.is_empty() {
            message.push_str(" (in ");
            message.push_str(&frames.join(", from "));
            message.push(')');
        }
    }
    message
}

/// Cuts what would not fit into a status or an event anyway.
fn bound(failure: &mut Failure) {
    for text in [&mut failure.code, &mut failure.message]
        .into_iter()
        .chain(&mut failure.detail)
    {
        if text.len() > MAX_TEXT {
            text.truncate(text.floor_char_boundary(MAX_TEXT));
        }
    }
    failure.positions.truncate(MAX_POSITIONS);
    if failure.code.is_empty() {
        failure.code.push_str("Failed");
    }
}
