//! From how wasmtime says that a call ended to the outcomes that the host tells apart.

use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};

use super::checked;
use crate::guest::{MAX_HANDLES, State};
use crate::runtime::meter::{HostEnded, MAX_TRANSFER};
use crate::{CallError, Failure, Limit};

/// Frames that the message of a trap names.
const FRAMES: usize = 8;

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
            checked::failure(&mut failure, &state.mask);
            Err(CallError::Failed(failure))
        }
        Err(error) if error.is::<PoolConcurrencyLimitError>() => {
            Err(CallError::Host("too many plugin instances at once".into()))
        }
        Err(error) if error.is::<HostEnded>() => {
            Err(CallError::Host("the host ended the call".into()))
        }
        Err(error) => {
            if let Some((limit, message)) = exceeded(&error) {
                return Err(CallError::LimitReached { limit, message });
            }
            let mut message = trap(&error, &stderr);
            state.mask.apply(&mut message);
            Err(CallError::Trapped { message })
        }
    }
}

/// The limits that wasmtime itself enforces. Its errors have no public type, only a text.
fn exceeded(error: &wasmtime::Error) -> Option<(Limit, String)> {
    let text = error.root_cause().to_string();
    if text.contains("fuel allocated for hostcalls has been exhausted") {
        let message = format!("more than {MAX_TRANSFER} bytes handed over in one call");
        Some((Limit::Transfer, message))
    } else if text.contains("store handle limit exceeded") {
        Some((
            Limit::Handles,
            format!("more than {MAX_HANDLES} open handles"),
        ))
    } else {
        None
    }
}

/// The trap, what the guest wrote last to standard error (a panic's message), and the innermost
/// frames.
fn trap(error: &wasmtime::Error, stderr: &str) -> String {
    let mut message = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    // Rust's hint about a variable that a plugin cannot have.
    let lines = stderr
        .lines()
        .filter(|line| !line.starts_with("note: run with `RUST_BACKTRACE"));
    let stderr = lines.collect::<Vec<_>>().join("\n");
    if !stderr.is_empty() {
        message.push_str(": ");
        message.push_str(&stderr);
    }
    let frames = error
        .downcast_ref::<WasmBacktrace>()
        .map(frames)
        .unwrap_or_default();
    if !frames.is_empty() {
        message.push_str(" (in ");
        message.push_str(&frames.join(", from "));
        message.push(')');
    }
    message
}

/// The innermost frames, without those of a panic on its way out.
fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    let names: Vec<String> = backtrace
        .frames()
        .iter()
        .map(|frame| match frame.func_name() {
            Some(name) => format!("{:#}", rustc_demangle::demangle(name)),
            None => format!("function {}", frame.func_index()),
        })
        .collect();
    let runtime = |name: &&String| {
        [
            "std::", "core::", "alloc::", "__rustc", "<std::", "<core::", "abort",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix))
    };
    let skip = names.iter().take_while(runtime).count();
    // A trap deep inside the standard library with nothing else around it is shown as it is.
    let skip = if skip == names.len() { 0 } else { skip };
    names.into_iter().skip(skip).take(FRAMES).collect()
}
