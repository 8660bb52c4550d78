//! WASI 0.2 as inert stubs, made from whatever a component's type says it imports.
//!
//! Language runtimes import clocks, files, standard streams and randomness by themselves, in any
//! 0.2.x version. Each import is defined by name with a constant or closed answer; what has none
//! refuses with its interface's own error, or traps. There is no code here that could open a file
//! or a socket.

use std::sync::Arc;

use wasmtime::component::types::{ComponentFunc, ComponentItem, Type};
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceDynamic, ResourceType, Val};
use wasmtime::{Engine, StoreContextMut};

use super::State;
use super::log::Standard;

/// 1980-01-01: constant, and the earliest date that archive formats can express.
const WALL_CLOCK_SECONDS: u64 = 315_532_800;
/// Seeds of hash tables.
const SEED: u64 = 0x7765_6972;
/// What one call for randomness may ask for.
const MAX_RANDOM: u64 = 64 << 10;

type Inert = fn(&mut Context<'_, '_>, &[Val], &mut [Val]) -> wasmtime::Result<()>;

/// What a stub works with.
struct Context<'a, 's> {
    store: &'a mut StoreContextMut<'s, State>,
    /// Of the resource that a method is called on: which of the standard streams it is.
    rep: u32,
}

/// Whether the host stubs the import.
pub(crate) fn is_inert(import: &str) -> bool {
    let Some((interface, version)) = import.split_once('@') else {
        return false;
    };
    let package = interface.split('/').next().unwrap_or_default();
    matches!(
        package,
        "wasi:cli" | "wasi:clocks" | "wasi:filesystem" | "wasi:io" | "wasi:random" | "wasi:sockets"
    ) && version.starts_with("0.2.")
}

/// Defines every WASI import of the component.
pub(crate) fn link(
    linker: &mut Linker<State>,
    engine: &Engine,
    component: &Component,
) -> wasmtime::Result<()> {
    for (name, import) in component.component_type().imports(engine) {
        if !is_inert(name) {
            continue;
        }
        let ComponentItem::ComponentInstance(instance) = import.ty else {
            continue;
        };
        let interface = name.split('@').next().unwrap_or(name);
        let mut target = linker.instance(name)?;
        for (item, ty) in instance.exports(engine) {
            match ty.ty {
                ComponentItem::ComponentFunc(_) => define(&mut target, interface, item)?,
                ComponentItem::Resource(_) => {
                    target.resource(item, ResourceType::host_dynamic(kind(item)), |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Resources are told apart by their names, which the interfaces that share them agree on.
fn kind(resource: &str) -> u32 {
    resource.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

fn define(
    target: &mut LinkerInstance<'_, State>,
    interface: &str,
    function: &str,
) -> wasmtime::Result<()> {
    if let Some(inert) = inert(interface, function) {
        return target.func_new(function, move |mut store, _, params, results| {
            let rep = give_back(&mut store, params)?;
            inert(
                &mut Context {
                    store: &mut store,
                    rep,
                },
                params,
                results,
            )
        });
    }
    let name: Arc<str> = format!("{interface}#{function}").into();
    target.func_new(function, move |mut store, ty, params, results| {
        give_back(&mut store, params)?;
        refuse(&name, &ty, results)
    })
}

/// Answers with the error of the function's own type that says best that it is not allowed.
fn refuse(name: &str, ty: &ComponentFunc, results: &mut [Val]) -> wasmtime::Result<()> {
    if let (Some(Type::Result(result)), [answer]) = (ty.results().next(), results)
        && let Some(Type::Enum(errors)) = result.err()
    {
        let wanted = [
            "access-denied",
            "access",
            "not-permitted",
            "not-supported",
            "unsupported",
        ];
        if let Some(error) = wanted
            .into_iter()
            .find(|w| errors.names().any(|name| name == *w))
        {
            *answer = Val::Result(Err(Some(Box::new(Val::Enum(error.to_owned())))));
            return Ok(());
        }
    }
    Err(wasmtime::Error::msg(format!(
        "`{name}` is not available to plugins"
    )))
}

fn inert(interface: &str, function: &str) -> Option<Inert> {
    Some(match (interface, function) {
        ("wasi:cli/environment", "get-environment" | "get-arguments")
        | ("wasi:filesystem/preopens", "get-directories") => |_, _, r| set(r, Val::List(vec![])),
        ("wasi:cli/environment", "initial-cwd")
        | (
            "wasi:cli/terminal-stdin" | "wasi:cli/terminal-stdout" | "wasi:cli/terminal-stderr",
            _,
        )
        | ("wasi:filesystem/types", "filesystem-error-code") => |_, _, r| set(r, Val::Option(None)),
        ("wasi:cli/exit", _) => |_, params, _| {
            Err(wasmtime::Error::msg(format!(
                "the plugin exited by itself ({params:?})"
            )))
        },
        ("wasi:cli/stdin", "get-stdin") => |s, _, r| handle(s, r, "input-stream", 0),
        ("wasi:cli/stdout", "get-stdout") => {
            |s, _, r| handle(s, r, "output-stream", Standard::Output as u32)
        }
        ("wasi:cli/stderr", "get-stderr") => {
            |s, _, r| handle(s, r, "output-stream", Standard::Error as u32)
        }

        ("wasi:clocks/wall-clock", "now") => |_, _, r| set(r, datetime(WALL_CLOCK_SECONDS, 0)),
        ("wasi:clocks/wall-clock", "resolution") => |_, _, r| set(r, datetime(0, 1)),
        ("wasi:clocks/monotonic-clock", "now") => |_, _, r| set(r, Val::U64(0)),
        ("wasi:clocks/monotonic-clock", "resolution") => |_, _, r| set(r, Val::U64(1)),
        ("wasi:clocks/monotonic-clock", _)
        | (
            "wasi:io/streams",
            "[method]input-stream.subscribe" | "[method]output-stream.subscribe",
        ) => |s, _, r| handle(s, r, "pollable", 0),

        // Everything is ready at once: time does not pass.
        ("wasi:io/poll", "[method]pollable.ready") => |_, _, r| set(r, Val::Bool(true)),
        ("wasi:io/poll", "[method]pollable.block") => |_, _, _| Ok(()),
        ("wasi:io/poll", "poll") => |_, params, r| {
            let Some(Val::List(pollables)) = params.first() else {
                return set(r, Val::List(vec![]));
            };
            set(
                r,
                Val::List((0..pollables.len() as u32).map(Val::U32).collect()),
            )
        },
        ("wasi:io/error", "[method]error.to-debug-string") => {
            |_, _, r| set(r, Val::String("closed".into()))
        }
        ("wasi:io/streams", "[method]output-stream.check-write") => {
            |_, _, r| set(r, ok(Some(Val::U64(4096))))
        }
        (
            "wasi:io/streams",
            "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush",
        ) => write,
        (
            "wasi:io/streams",
            "[method]output-stream.flush"
            | "[method]output-stream.blocking-flush"
            | "[method]output-stream.write-zeroes"
            | "[method]output-stream.blocking-write-zeroes-and-flush",
        ) => |_, _, r| set(r, ok(None)),
        ("wasi:io/streams", _) => |_, _, r| set(r, closed()),

        ("wasi:random/random", "get-random-bytes") => |s, params, r| {
            let bytes = s.store.data_mut().random_bytes(length(params)?);
            set(r, Val::List(bytes.into_iter().map(Val::U8).collect()))
        },
        ("wasi:random/random", "get-random-u64") => |s, _, r| {
            let bytes = s.store.data_mut().random_bytes(8);
            set(
                r,
                Val::U64(bytes.iter().fold(0, |n, byte| (n << 8) | u64::from(*byte))),
            )
        },
        ("wasi:random/insecure", "get-insecure-random-bytes") => {
            |_, params, r| set(r, Val::List(vec![Val::U8(0); length(params)? as usize]))
        }
        ("wasi:random/insecure", "get-insecure-random-u64") => |_, _, r| set(r, Val::U64(SEED)),
        ("wasi:random/insecure-seed", _) => {
            |_, _, r| set(r, Val::Tuple(vec![Val::U64(SEED), Val::U64(SEED)]))
        }
        _ => return None,
    })
}

fn set(results: &mut [Val], value: Val) -> wasmtime::Result<()> {
    match results {
        [result] => {
            *result = value;
            Ok(())
        }
        _ => Err(wasmtime::Error::msg("a WASI function of an unknown type")),
    }
}

fn ok(value: Option<Val>) -> Val {
    Val::Result(Ok(value.map(Box::new)))
}

fn closed() -> Val {
    Val::Result(Err(Some(Box::new(Val::Variant("closed".into(), None)))))
}

fn datetime(seconds: u64, nanoseconds: u32) -> Val {
    Val::Record(vec![
        ("seconds".into(), Val::U64(seconds)),
        ("nanoseconds".into(), Val::U32(nanoseconds)),
    ])
}

fn handle(
    context: &mut Context<'_, '_>,
    results: &mut [Val],
    resource: &str,
    rep: u32,
) -> wasmtime::Result<()> {
    let handle =
        ResourceDynamic::new_own(rep, kind(resource)).try_into_resource_any(&mut *context.store)?;
    set(results, Val::Resource(handle))
}

fn length(params: &[Val]) -> wasmtime::Result<u32> {
    match params.first() {
        Some(Val::U64(len)) if *len <= MAX_RANDOM => Ok(*len as u32),
        _ => Err(wasmtime::Error::msg(
            "more randomness asked for than one call gives",
        )),
    }
}

/// Standard output and error go to the journal.
fn write(
    context: &mut Context<'_, '_>,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    if let [_, Val::List(bytes)] = params {
        let byte = |value: &Val| {
            if let Val::U8(byte) = value {
                Some(*byte)
            } else {
                None
            }
        };
        let data: Vec<u8> = bytes.iter().filter_map(byte).collect();
        let which = if context.rep == Standard::Error as u32 {
            Standard::Error
        } else {
            Standard::Output
        };
        let State { journal, mask, .. } = context.store.data_mut();
        journal.capture(which, &data, mask);
    }
    set(results, ok(None))
}

/// Ends the borrows that came with a call, as every host function has to; returns what the first
/// one stands for.
fn give_back(store: &mut StoreContextMut<'_, State>, params: &[Val]) -> wasmtime::Result<u32> {
    let mut first = None;
    for param in params {
        let handles = match param {
            Val::List(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for handle in handles {
            // A list holds either handles or none.
            let Val::Resource(handle) = handle else {
                break;
            };
            let rep = handle.try_into_resource_dynamic(&mut *store)?.rep();
            first.get_or_insert(rep);
        }
    }
    Ok(first.unwrap_or(0))
}
