//! The engine against a real API server (with controllers, without nodes).
//!
//! One control plane for all tests of this binary; every test has its own namespace, owner,
//! engine and user agent, so that its requests can be told apart in the audit log.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod api;
mod apply;
mod definitions;
mod drift;
mod health;
mod limits;
mod prune;
mod rig;
mod takeover;
