//! The Kubernetes API of weir: kinds by group and version, and the vocabulary they share.
//!
//! Flux's kinds have Flux's names, fields, defaults and validation, so that a cluster can move
//! either way; `tests/flux_crds.rs` holds them against Flux's own CRD files. What weir adds is in
//! [`weir`]. This crate knows neither wasmtime nor HTTP nor files: it is data and small pure
//! functions over it.
//!
//! Begin with [`kustomize::v1`] for a kind, [`condition`] for status, [`crd::crds`] for what
//! `weir install` prints.

pub mod artifact;
pub mod condition;
pub mod crd;
pub mod duration;
pub mod event;
pub mod history;
pub mod inventory;
pub mod kustomize;
mod legacy;
pub mod meta;
pub mod notification;
pub mod quantity;
pub mod reference;
pub mod source;
mod string_enum;
pub mod unsupported;
pub mod weir;

pub use artifact::Artifact;
pub use condition::{Condition, ConditionStatus};
pub use crd::crds;
pub use duration::Duration;
pub use quantity::ByteSize;
pub use reference::{LocalObjectReference, NamespacedName};
pub use unsupported::Unsupported;

/// A point in time as Kubernetes writes it (RFC 3339, whole seconds).
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The current time, for conditions and statuses.
pub fn now() -> Time {
    Time(jiff::Timestamp::now())
}

/// Serde helper: leaves `false` out, which also keeps it from becoming a schema default.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde asks for"
)]
pub(crate) fn is_false(value: &bool) -> bool {
    !value
}
