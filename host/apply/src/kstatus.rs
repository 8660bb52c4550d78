//! Health of any object, computed from what its status says (sigs.k8s.io/cli-utils
//! pkg/kstatus/status, with Flux's own rule for Jobs, fluxcd/pkg runtime/statusreaders).
//!
//! Pure: the same object gives the same answer, but for unschedulable Pods, which are given 15 s.
//! Begin with [`compute`].

mod builtin;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How an object fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// As desired.
    Current,
    /// On its way.
    InProgress,
    /// It will not get there without a change.
    Failed,
    /// It is being deleted.
    Terminating,
    /// It does not exist.
    NotFound,
    /// It could not be told.
    Unknown,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "Current",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown => "Unknown",
        })
    }
}

/// How an object fares, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// How.
    pub state: State,
    /// Why, for people; may be empty.
    pub message: String,
}

impl Status {
    pub(crate) fn new(state: State, message: impl Into<String>) -> Self {
        Self {
            state,
            message: message.into(),
        }
    }

    pub(crate) fn current(message: impl Into<String>) -> Self {
        Self::new(State::Current, message)
    }

    pub(crate) fn in_progress(message: impl Into<String>) -> Self {
        Self::new(State::InProgress, message)
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(State::Failed, message)
    }
}

/// The status of an object as the API server returned it.
pub fn compute(object: &Value) -> Status {
    compute_at(object, jiff::Timestamp::now())
}

pub(crate) fn compute_at(object: &Value, now: jiff::Timestamp) -> Status {
    if object
        .pointer("/metadata/deletionTimestamp")
        .is_some_and(|at| !at.is_null())
    {
        return Status::new(State::Terminating, "resource scheduled for deletion");
    }
    if let Some(status) = generation(object).or_else(|| generic_conditions(object)) {
        return status;
    }
    if let Some(status) = builtin::status(object, now) {
        return status;
    }
    match condition(object, "Ready") {
        None => Status::current("resource is current"),
        Some(ready) if ready.status == "True" => {
            Status::current(or(ready.message, "resource is ready"))
        }
        Some(ready) => Status::in_progress(or(ready.message, "resource is not ready")),
    }
}

/// Whether the status of this kind can change without its spec: only then is it worth watching
/// whole objects. The others are settled by the answer to their apply.
pub fn needs_watch(group: &str, kind: &str) -> bool {
    match group {
        "" => matches!(
            kind,
            "PersistentVolumeClaim" | "Pod" | "ReplicationController"
        ),
        "apps" => kind != "ControllerRevision",
        "batch" => kind == "Job",
        "policy" => kind == "PodDisruptionBudget",
        "admissionregistration.k8s.io"
        | "authentication.k8s.io"
        | "authorization.k8s.io"
        | "autoscaling"
        | "certificates.k8s.io"
        | "coordination.k8s.io"
        | "discovery.k8s.io"
        | "events.k8s.io"
        | "flowcontrol.apiserver.k8s.io"
        | "networking.k8s.io"
        | "node.k8s.io"
        | "rbac.authorization.k8s.io"
        | "resource.k8s.io"
        | "scheduling.k8s.io"
        | "storage.k8s.io" => false,
        _ => true,
    }
}

/// A status made for an older generation says nothing about this one.
fn generation(object: &Value) -> Option<Status> {
    let observed = int(object, "/status/observedGeneration")?;
    let generation = int(object, "/metadata/generation").unwrap_or(0);
    (observed != generation).then(|| {
        Status::in_progress(format!(
            "{} generation is {generation}, but latest observed generation is {observed}",
            text(object, "/kind").unwrap_or("resource")
        ))
    })
}

/// The first of Reconciling and Stalled that is True decides, for every kind.
fn generic_conditions(object: &Value) -> Option<Status> {
    conditions(object).find_map(|condition| match (condition.kind, condition.status) {
        ("Reconciling", "True") => Some(Status::in_progress(condition.message)),
        ("Stalled", "True") => Some(Status::failed(condition.message)),
        _ => None,
    })
}

#[derive(Clone, Copy)]
struct Condition<'a> {
    kind: &'a str,
    status: &'a str,
    reason: &'a str,
    message: &'a str,
    value: &'a Value,
}

fn conditions(object: &Value) -> impl Iterator<Item = Condition<'_>> {
    let list = object
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    list.into_iter().flatten().map(|value| {
        let field = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        Condition {
            kind: field("type"),
            status: field("status"),
            reason: field("reason"),
            message: field("message"),
            value,
        }
    })
}

fn condition<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    conditions(object).find(|condition| condition.kind == kind)
}

fn int(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str)
}

fn or<'a>(text: &'a str, fallback: &'a str) -> &'a str {
    if text.is_empty() { fallback } else { text }
}
