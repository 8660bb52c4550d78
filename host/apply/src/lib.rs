//! Objects in, cluster out: order, server-side apply, inventory, prune, health, drift.
//!
//! [`Engine`] is the door. It is given the objects that an owner (a Kustomization, say) wants and
//! brings the cluster there with as few requests as it can: what it applied before and nobody has
//! touched since costs none, because one metadata watch per kind tells of every change
//! ([`Engine::next_event`]). The rest is dry-run first, stage by stage, and then written; a single
//! changed object is written at once. Order, stages, annotations and error texts are Flux's.
//!
//! This crate knows the API server and nothing of components, sources or artifacts. Begin reading
//! at [`engine`], then `plan` (what to do, pure) and `index` (what is known of the cluster).

pub mod changeset;
mod discovery;
pub mod engine;
pub mod error;
pub mod fingerprint;
pub mod health;
mod index;
pub mod known;
pub mod kstatus;
pub mod object;
pub mod order;
pub mod owner;
mod plan;
mod request;

pub use changeset::{Action, Change, ChangeSet};
pub use engine::{ApplyRequest, Engine, EngineOptions, PruneReport};
pub use error::{ApplyError, ObjectError, Operation, RequestError};
pub use fingerprint::Fingerprint;
pub use health::HealthReport;
pub use index::events::Event;
pub use known::KnownState;
pub use kstatus::{State, Status};
pub use object::{Gvk, InvalidObject, Object};
pub use order::Stage;
pub use owner::Owner;
