//! Go's `text/template` with the functions that Helm's charts call: its own, Sprig's and those of
//! the language.
//!
//! A [`Engine`] holds parsed templates that know each other by name. [`Engine::execute`] runs one of
//! them with a [`Value`] as its dot; what comes from outside (time, randomness, the cluster) comes
//! through a [`Host`]. Error texts are Go's, for people search the web for them.
//!
//! Bounded by [`Limits`]: a template that never ends, grows or nests without end is an error.
//!
//! Single-threaded by design (`Rc`): it runs inside a component, one render per instance.
//!
//! Where to begin: [`value`] is what templates see, `syntax` reads them, `exec` runs them,
//! `functions` is one file per family of functions.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests"
    )
)]

mod crypto;
mod encode;
pub mod engine;
pub mod error;
mod exec;
mod fmt;
pub mod function;
mod functions;
pub mod host;
mod regex;
mod syntax;
mod time;
pub mod value;

pub use engine::{Engine, Limits, MissingKey, Options};
pub use error::{CallError, ExecError, ParseError};
pub use exec::Call;
pub use function::{Function, Type};
pub use host::Host;
pub use regex::GoRegex;
pub use value::{Kind, List, ListType, Map, MapType, Object, Value};
