//! kustomize's `build` as a library and as a renderer component.
//!
//! The library takes a tree ([`FileSystem`]), a directory and [`Options`], and gives the objects
//! that kustomize 5.8 would print, byte for byte, or its error. Modules carry kustomize's terms:
//! a *target* is a loaded kustomization, an *accumulator* what it has gathered, a *field
//! specification* names a field of a kind.
//!
//! Bounded by the limits of `weir-yaml` for single documents and by the host's for the whole; what
//! a sandbox cannot do (programs, containers, Helm, Git) is refused with a reason.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests"
    )
)]

mod accumulator;
mod component;
mod config;
mod context;
mod deanchor;
mod error;
mod factory;
mod filters;
mod flux;
mod fs;
mod generators;
mod go_syntax;
mod hash;
mod json_patch;
mod loader;
mod merge;
mod openapi;
mod origin;
mod path;
mod places;
mod plugins;
mod remote;
mod resid;
mod resmap;
mod resource;
mod rnode;
mod run;
mod selector;
mod target;
mod transformers;
mod types;

pub use error::{Error, Kind as ErrorKind, Position, Result};
pub use flux::{FluxOptions, ImageOverride, PatchOverride, SelectorOverride, build_as_flux};
pub use fs::{EntryKind, FileSystem, MemoryFs};
pub use loader::LoadRestrictor;
pub use run::{Object, Options, Output, Reorder, build};
