//! The plugin runtime against real components, the fixtures of `tests/guests`: one binary, so that
//! wasmtime is linked once.
//!
//! The fixtures are taken from the folder that `WEIR_GUESTS` names, or built on first use (see
//! `support::guest`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests and their helpers"
)]

mod builtin;
mod cluster;
mod hostile;
mod images;
mod load;
mod network;
mod outcomes;
mod remote;
mod source;
mod support;
mod trace;
mod wasi;
