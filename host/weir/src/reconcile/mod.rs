//! The loops: one file per kind, and what they share.
//!
//! Each reconcile reads the world, computes what to do, does it, and writes a status if it
//! differs. Nothing tells it *what* changed: a restart loses such hints, and a second code path
//! would be needed for it.

pub mod gitrepository;
pub mod kustomization;
pub mod objects;
pub mod plugin;
pub mod queue;
pub mod status;
pub mod triggers;
pub mod worker;

use weir_api::condition::{self, Condition, ConditionStatus};
use weir_api::meta::{condition as types, reason};
use weir_api::unsupported::Unsupported;
use weir_plugin::CallError;

/// The Ready condition's reason of a call that ended badly through no fault of the user; the
/// four ways are four reasons.
pub(crate) fn call_reason(error: &CallError) -> &'static str {
    match error {
        CallError::Failed(_) => "PluginFailed",
        CallError::Trapped { .. } => "PluginTrapped",
        CallError::DeadlineExceeded { .. } => "PluginDeadlineExceeded",
        CallError::LimitReached { .. } => "PluginLimitReached",
        CallError::Host(_) => "PluginUnavailable",
    }
}

/// Says on the object which of its fields are accepted but not acted on; takes the condition
/// away when there are none.
pub(crate) fn set_unsupported(
    conditions: &mut Vec<Condition>,
    fields: &[Unsupported],
    generation: Option<i64>,
) {
    if fields.is_empty() {
        condition::remove(conditions, types::UNSUPPORTED);
        return;
    }
    let names: Vec<&str> = fields.iter().map(|field| field.field).collect();
    let message = format!(
        "accepted but not acted on by this version: {}",
        names.join(", ")
    );
    condition::set(
        conditions,
        Condition::new(
            types::UNSUPPORTED,
            ConditionStatus::True,
            reason::FIELDS_NOT_ACTED_ON,
            message,
            generation,
        ),
    );
}
