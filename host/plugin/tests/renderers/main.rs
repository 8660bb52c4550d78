//! The renderers of this repository in the plugin runtime, over whole conformance corpora: one
//! binary, so that wasmtime is linked once.
//!
//! The components are those that `cargo xtask components` stages (see `support::component`), the
//! corpora stand beside the repository in `../shared/conformance`; without them a test says so and
//! passes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests and their helpers"
)]

mod bombs;
mod helm;
mod kustomize;
mod release;
mod support;
