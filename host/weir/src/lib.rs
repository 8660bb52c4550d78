//! The host of weir: the loop from a commit to a cluster.

pub mod artifact;
pub mod builtin;
pub mod capabilities;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod credentials;
pub mod event;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod grants;
pub mod images;
pub mod leader;
pub mod lookup;
pub mod memory;
pub mod reconcile;
pub mod render;
pub mod run;
pub mod server;
pub mod source;
pub mod telemetry;
