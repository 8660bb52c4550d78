//! `helm template` as a library and as a renderer component.
//!
//! The library takes a chart in a tree ([`FileSystem`]), values ([`ValueOptions`]) and
//! [`Options`], and gives the [`Release`] that Helm 3.17 would make of them: manifests byte for
//! byte, hooks, notes, or its error. Modules carry Helm's terms: *coalescing* merges values of a
//! chart and its subcharts, a *hook* is a manifest that an event runs, a *release* is a chart under
//! a name.
//!
//! Templates themselves are `weir-template`'s; here is what Helm does around them. Nothing is read
//! but through the traits that the caller gives. Bounded by the limits of the template engine and
//! by Helm's own for charts.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests"
    )
)]

mod archive;
mod capabilities;
mod chart;
mod component;
mod decode;
mod dependencies;
mod engine;
mod error;
mod fs;
mod glob;
mod hook;
mod ignore;
mod loader;
mod manifest;
mod metadata;
mod objects;
mod output;
mod plain;
mod record;
mod release;
mod render;
mod schema;
mod strvals;
mod tree;
mod values;
mod warnings;

pub use capabilities::{Assumed, Discovery, HelmVersion, KubeVersion};
pub use chart::{Chart, File, Lock, Template};
pub use error::Error;
pub use fs::{EntryKind, FileSystem, MemoryFs};
pub use hook::{Hook, HookEvent};
pub use loader::load;
pub use manifest::Manifest;
pub use metadata::{Dependency, Import, Maintainer, Metadata, ValidationError};
pub use output::{Document, OutputOptions, Role};
pub use release::{Crd, Release};
pub use render::{Options, render};
pub use values::ValueOptions;
pub use warnings::Warnings;
