//! Git for source plugins: lists references, fetches commits and hands out their files.
//!
//! [`GitClient`] implements [`weir_plugin::Git`]. A plugin decides which reference or commit it
//! wants; this crate owns transport, credentials and the cache of objects:
//!
//! - `endpoint`, `http`, `transport`: smart HTTP on pooled connections. Protocol version 2's
//!   capability advertisement is remembered, so a poll is one request (`ls-refs`) and a fetch is
//!   one request.
//! - `session`: the commands, in gix's protocol code (versions 2, 1 and 0).
//! - `repository`, `objects`, `pack`: one bare repository per remote and credentials under the
//!   cache folder. Fetches are shallow and incremental.
//! - `tree`, `walk`: a commit's files as a [`weir_plugin::Tree`], sharing what did not change between
//!   commits. Links, submodules that were not asked for and names that no archive carries are
//!   left out.
//!
//! gix is blocking: each operation runs on one blocking thread, within a deadline, and stops when
//! its future is dropped. What a remote can cost is bounded by [`GitConfig`].

mod client;
mod config;
mod endpoint;
mod error;
mod fetch;
mod foreign;
mod http;
mod object;
mod objects;
mod operation;
mod pack;
mod repository;
mod session;
mod submodule;
mod transport;
mod tree;
mod walk;

pub use client::{CacheError, Collected, GitClient};
pub use config::GitConfig;
