//! Real parts for tests, the demo and the benches, in plain blocking code.
//!
//! [`parts`] finds or builds the programs; with the feature `run` the other modules start them:
//! a control plane ([`Cluster`]), an OCI registry ([`Registry`]), a Git server over smart HTTP
//! ([`GitServer`]), a webhook receiver ([`Webhook`]) and the weir binary itself ([`Weir`]).
//!
//! Whatever is started ends with the value that stands for it. Should this process die first, a
//! watchdog ends it (see `reaper`), so that nothing is left running.

pub mod folders;
pub mod parts;
pub mod progress;

#[cfg(feature = "run")]
mod audit;
#[cfg(feature = "run")]
mod cluster;
#[cfg(feature = "run")]
mod fault_proxy;
#[cfg(feature = "run")]
mod git;
#[cfg(feature = "run")]
mod git_server;
#[cfg(feature = "run")]
pub mod http;
#[cfg(feature = "run")]
pub mod monorepo;
#[cfg(feature = "run")]
pub mod net;
#[cfg(feature = "run")]
mod process;
#[cfg(feature = "run")]
mod reaper;
#[cfg(feature = "run")]
mod registry;
#[cfg(feature = "run")]
pub mod tls;
#[cfg(feature = "run")]
mod wait;
#[cfg(feature = "run")]
mod webhook;
#[cfg(feature = "run")]
mod weir;

#[cfg(feature = "run")]
pub use self::{
    audit::{AuditLog, AuditMark, Request, Tally},
    cluster::{Cluster, ClusterOptions, kubectl},
    fault_proxy::{FaultProxy, Rule, Verdict},
    git::{Change, Repo, run as run_git},
    git_server::{Fault, GitAuth, GitServer, GitServerOptions},
    process::{Process, ProcessOptions},
    reaper::remove_folder,
    registry::{Registry, RegistryOptions},
    wait::{eventually, try_eventually},
    webhook::{Webhook, WebhookRequest},
    weir::{Usage, Weir, WeirOptions},
};
