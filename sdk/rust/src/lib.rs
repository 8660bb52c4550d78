//! Write plugins for weir in Rust.
//!
//! A plugin is a WebAssembly component: one type, one `impl` of the trait of its kind, one line
//! that exports it.
//!
//! | trait | the plugin | who calls it |
//! |---|---|---|
//! | [`Source`] | finds a revision and fills an artifact with its content | `GitRepository` and its kin |
//! | [`Renderer`] | turns a tree of files into Kubernetes objects | `Kustomization` and its kin |
//! | [`ImagePolicy`] | picks one tag of an image | `ImagePolicy` |
//! | [`Notifier`] | delivers an event | `Provider` |
//!
//! ```
//! use weir_sdk::{About, Call, Emitter, Manifest, NoSettings, Renderer, Result, Target};
//!
//! /// Emits every YAML file below the target's directory as it is.
//! struct Plain;
//!
//! impl Renderer for Plain {
//!     type Settings = NoSettings;
//!
//!     fn about() -> About {
//!         About::new("plain", env!("CARGO_PKG_VERSION")).summary("Applies YAML files as they are")
//!     }
//!
//!     fn render(call: &Call, _: NoSettings, target: &Target, out: &mut Emitter) -> Result<()> {
//!         let source = call.source()?;
//!         for path in source.glob(&weir_sdk::join(&target.path(), "**/*.yaml"))? {
//!             out.emit(Manifest::new(source.read(&path)?).from_file(path))?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! weir_sdk::export!(renderer: Plain);
//! ```
//!
//! Built with `crate-type = ["cdylib", "rlib"]` for the target `wasm32-wasip2`, the library is the
//! component. For every other target `export!` expands to nothing, so the same crate is an
//! ordinary library there and its pure parts are tested as any other code; `weir-sdk-testing` runs
//! the component itself.
//!
//! Things to know:
//! - Each call gets a fresh instance; statics do not outlive it. Nothing that a call did takes
//!   effect unless it returns `Ok`.
//! - The host records each question a plugin asks ([`Call`], [`Dir`], [`Target`]) with its answer;
//!   that record is the cache key of the result. What is not asked does not invalidate it: prefer
//!   [`Dir::read`] of the files that matter over reading them all.
//! - There are no files, sockets or environment. [`clock`] and [`random`] exist, but make a result
//!   uncacheable.
//! - A panic is a trap: the user is told that the plugin is broken. Return an [`Error`] for what is
//!   wrong with the input.
//!
//! Functions that cross to the host abort when they are called outside a component, as in a native
//! test. Keep logic that you want to test natively free of them.
#![deny(missing_docs)]

mod about;
mod artifact;
#[doc(hidden)]
pub mod bindings;
mod call;
pub mod clock;
pub mod cluster;
mod error;
mod export;
mod files;
pub mod git;
pub mod http;
mod image_policy;
pub mod log;
mod notifier;
mod output;
pub mod random;
pub mod remote;
mod renderer;
pub mod secrets;
mod source;
mod target;

pub use about::{About, NoSettings, Problem};
pub use artifact::{Artifact, Writer};
pub use call::{Call, Subject};
pub use error::{Class, Error, Position, Result, ResultExt};
pub use files::{Blob, Dir, Entry, EntryKind, File, join};
pub use image_policy::ImagePolicy;
pub use notifier::Notifier;
pub use output::{Emitter, Manifest};
pub use renderer::Renderer;
pub use source::{Revision, Source};
pub use target::{Format, Target};

// A plugin derives its settings with these; the same versions must be used on both sides.
pub use schemars;
pub use serde;
pub use serde_json;

#[doc(hidden)]
pub mod __private {
    //! Named by the expansion of `export!`.
    pub mod image_policy {
        pub use crate::image_policy::Component;
    }
    pub mod notifier {
        pub use crate::notifier::Component;
    }
    pub mod renderer {
        pub use crate::renderer::Component;
    }
    pub mod source {
        pub use crate::source::Component;
    }
}
