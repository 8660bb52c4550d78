//! Run a weir plugin in a `cargo test` exactly as the host would: the component itself, in the
//! host's own runtime, with its sandbox, schema check, grants and limits.
//!
//! ```no_run
//! use weir_sdk_testing::Component;
//!
//! let rendered = Component::build(env!("CARGO_MANIFEST_DIR"))
//!     .test()
//!     .file("apps/settings.env", "COLOUR=blue\n")
//!     .path("apps")
//!     .settings(serde_json::json!({ "suffix": "-env" }))
//!     .render()
//!     .ok();
//! assert_eq!(rendered.objects()[0]["data"]["COLOUR"], "blue");
//! ```
//!
//! | | |
//! |---|---|
//! | [`Component`] | a component, built by cargo or read from a file |
//! | [`Test`] | one call: trees, settings, secrets, grants, limits; ends in `render`, `pull`, `select` or `notify` |
//! | [`Outcome`] | how the call ended, and what the plugin asked |
//! | [`Peer`] | an HTTP server with canned answers that keeps what it was sent |
//! | [`Repository`] | a Git repository that exists in the test only |
//!
//! Everything here panics with a message when a test is set up wrongly: that is how tests fail.
//!
//! The runtime compiles the component, for which it should be optimised itself:
//! `[profile.dev.package."*"] opt-level = 2` in the workspace's `Cargo.toml` makes tests start
//! ten times faster.
#![deny(missing_docs)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this library fails tests"
)]

mod call;
mod component;
mod git;
mod outcome;
mod peer;
mod sink;

pub use call::Test;
pub use component::Component;
pub use git::Repository;
pub use outcome::{Outcome, Rendered};
pub use peer::{Answer, Peer, Received};
pub use sink::Pulled;

pub use weir_plugin::{
    CallError, Failure, FailureClass, Grants, Info, Limit, Limits, Manifest, Position, Problem,
    Question, Revision, Trace, Want, Warning, World,
};
