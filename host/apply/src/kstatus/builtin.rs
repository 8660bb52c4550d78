//! The rules for Kubernetes' own kinds (kstatus/status/core.go).

use jiff::Timestamp;
use serde_json::Value;

use super::{Condition, State, Status, condition, conditions, int, or, text};

/// How long a Pod may be unschedulable before that counts as a failure.
const SCHEDULE_WINDOW_SECONDS: i64 = 15;

/// `None` for kinds without a rule of their own.
pub(super) fn status(object: &Value, now: Timestamp) -> Option<Status> {
    let api_version = text(object, "/apiVersion").unwrap_or_default();
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    match (group, text(object, "/kind").unwrap_or_default()) {
        ("apps" | "extensions", "Deployment") => Some(deployment(object)),
        ("apps" | "extensions", "ReplicaSet") => Some(replica_set(object)),
        ("apps", "StatefulSet") => Some(stateful_set(object)),
        ("apps" | "extensions", "DaemonSet") => Some(daemon_set(object)),
        ("", "Pod") => Some(pod(object, now)),
        ("", "PersistentVolumeClaim") => Some(claim(object)),
        ("", "Service") => Some(service(object)),
        ("batch", "Job") => Some(job(object)),
        ("", "ConfigMap" | "Secret") | ("batch", "CronJob") => {
            Some(Status::current("resource is always ready"))
        }
        ("policy", "PodDisruptionBudget") => Some(disruption_budget(object)),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Some(definition(object)),
        _ => None,
    }
}

fn or_zero(object: &Value, pointer: &str) -> i64 {
    int(object, pointer).unwrap_or(0)
}

fn deployment(object: &Value) -> Status {
    // Without a deadline the controller writes no Progressing condition.
    let mut progressing = int(object, "/spec/progressDeadlineSeconds")
        .is_none_or(|seconds| seconds == i64::from(i32::MAX));
    let mut available = false;
    for condition in conditions(object) {
        match condition.kind {
            "Progressing" if condition.reason == "ProgressDeadlineExceeded" => {
                return Status::failed("progress deadline exceeded");
            }
            "Progressing"
                if condition.status == "True" && condition.reason == "NewReplicaSetAvailable" =>
            {
                progressing = true;
            }
            "Available" if condition.status == "True" => available = true,
            _ => {}
        }
    }
    let wanted = int(object, "/spec/replicas").unwrap_or(1);
    let replicas = or_zero(object, "/status/replicas");
    let updated = or_zero(object, "/status/updatedReplicas");
    let ready = or_zero(object, "/status/readyReplicas");
    let available_replicas = or_zero(object, "/status/availableReplicas");
    if wanted > replicas {
        return Status::in_progress(format!("replicas: {replicas}/{wanted}"));
    }
    if wanted > updated {
        return Status::in_progress(format!("updated: {updated}/{wanted}"));
    }
    if replicas > wanted {
        return Status::in_progress(format!("pending termination: {}", replicas - wanted));
    }
    if updated > available_replicas {
        return Status::in_progress(format!("available: {available_replicas}/{updated}"));
    }
    if wanted > ready {
        return Status::in_progress(format!("ready: {ready}/{wanted}"));
    }
    if !progressing {
        return Status::in_progress("ReplicaSet not available");
    }
    if !available {
        return Status::in_progress("deployment is not available");
    }
    Status::current(format!("deployment is available, replicas: {replicas}"))
}

fn replica_set(object: &Value) -> Status {
    if let Some(failure) = condition(object, "ReplicaFailure")
        && failure.status == "True"
    {
        return Status::in_progress(or(failure.message, "replica failure"));
    }
    let wanted = int(object, "/spec/replicas").unwrap_or(1);
    let replicas = or_zero(object, "/status/replicas");
    let labelled = or_zero(object, "/status/fullyLabeledReplicas");
    let available = or_zero(object, "/status/availableReplicas");
    let ready = or_zero(object, "/status/readyReplicas");
    if wanted > labelled {
        return Status::in_progress(format!("labelled: {labelled}/{wanted}"));
    }
    if wanted > available {
        return Status::in_progress(format!("available: {available}/{wanted}"));
    }
    if wanted > ready {
        return Status::in_progress(format!("ready: {ready}/{wanted}"));
    }
    if replicas > wanted {
        return Status::in_progress(format!("pending termination: {}", replicas - wanted));
    }
    Status::current(format!("ReplicaSet is available, replicas: {replicas}"))
}

fn stateful_set(object: &Value) -> Status {
    if text(object, "/spec/updateStrategy/type") == Some("OnDelete") {
        return Status::current("StatefulSet is using the OnDelete update strategy");
    }
    let wanted = int(object, "/spec/replicas").unwrap_or(1);
    let replicas = or_zero(object, "/status/replicas");
    let ready = or_zero(object, "/status/readyReplicas");
    let current = or_zero(object, "/status/currentReplicas");
    let updated = or_zero(object, "/status/updatedReplicas");
    let partition = int(object, "/spec/updateStrategy/rollingUpdate/partition");
    if wanted > replicas {
        return Status::in_progress(format!("replicas: {replicas}/{wanted}"));
    }
    if wanted > ready {
        return Status::in_progress(format!("ready: {ready}/{wanted}"));
    }
    if replicas > wanted {
        return Status::in_progress(format!("pending termination: {}", replicas - wanted));
    }
    // With a partition only the pods above it are updated.
    if let Some(partition) = partition
        && partition != -1
        && partition > 0
    {
        return if updated < wanted - partition {
            Status::in_progress(format!(
                "updated: {updated}/{} (partition: {partition})",
                wanted - partition
            ))
        } else {
            Status::current(format!("partition rollout complete, updated: {updated}"))
        };
    }
    if wanted > current {
        return Status::in_progress(format!("current: {current}/{wanted}"));
    }
    let current_revision = text(object, "/status/currentRevision");
    if current_revision != text(object, "/status/updateRevision") {
        return Status::in_progress("waiting for updated revision to match current");
    }
    Status::current(format!(
        "all replicas scheduled as expected, replicas: {replicas}"
    ))
}

fn daemon_set(object: &Value) -> Status {
    if int(object, "/status/observedGeneration").is_none() {
        return Status::in_progress("missing .status.observedGeneration");
    }
    let Some(wanted) = int(object, "/status/desiredNumberScheduled") else {
        return Status::in_progress("missing .status.desiredNumberScheduled");
    };
    let scheduled = or_zero(object, "/status/currentNumberScheduled");
    let updated = or_zero(object, "/status/updatedNumberScheduled");
    let available = or_zero(object, "/status/numberAvailable");
    let ready = or_zero(object, "/status/numberReady");
    for (name, value) in [
        ("current", scheduled),
        ("updated", updated),
        ("available", available),
        ("ready", ready),
    ] {
        if wanted > value {
            return Status::in_progress(format!("{name}: {value}/{wanted}"));
        }
    }
    Status::current(format!(
        "all replicas scheduled as expected, replicas: {wanted}"
    ))
}

fn pod(object: &Value, now: Timestamp) -> Status {
    let ready = condition(object, "Ready");
    let is_ready = ready.is_some_and(|condition| condition.status == "True");
    match text(object, "/status/phase").unwrap_or_default() {
        "Succeeded" => Status::current("pod has completed successfully"),
        "Failed" => Status::current("pod has completed, but not successfully"),
        "Running" if is_ready => Status::current("pod is ready"),
        "Running" => {
            let crashing = crash_looping(object);
            if crashing.is_empty() {
                Status::in_progress("pod is running but is not ready")
            } else {
                Status::failed(format!(
                    "containers in CrashLoop state: {}",
                    crashing.join(",")
                ))
            }
        }
        "Pending" => {
            if let Some(scheduled) = condition(object, "PodScheduled")
                && scheduled.status == "False"
                && scheduled.reason == "Unschedulable"
            {
                return unschedulable(object, &scheduled, now);
            }
            let crashing = crash_looping(object);
            if crashing.is_empty() {
                Status::in_progress("pod is in the Pending phase")
            } else {
                Status::failed(format!(
                    "containers in CrashLoop state: {}",
                    crashing.join(",")
                ))
            }
        }
        "" => Status::in_progress("pod phase not available"),
        phase => Status::new(State::Failed, format!("unknown phase {phase}")),
    }
}

fn unschedulable(object: &Value, scheduled: &Condition<'_>, now: Timestamp) -> Status {
    let since = scheduled
        .value
        .get("lastTransitionTime")
        .and_then(Value::as_str)
        .or_else(|| text(object, "/metadata/creationTimestamp"))
        .and_then(|at| at.parse::<Timestamp>().ok());
    let lasted = since.map_or(0, |since| now.as_second().saturating_sub(since.as_second()));
    if lasted >= SCHEDULE_WINDOW_SECONDS {
        Status::failed("pod could not be scheduled")
    } else {
        Status::in_progress("pod has not been scheduled")
    }
}

fn crash_looping(object: &Value) -> Vec<&str> {
    ["/status/initContainerStatuses", "/status/containerStatuses"]
        .iter()
        .filter_map(|pointer| object.pointer(pointer).and_then(Value::as_array))
        .flatten()
        .filter(|container| text(container, "/state/waiting/reason") == Some("CrashLoopBackOff"))
        .filter_map(|container| text(container, "/name"))
        .collect()
}

fn claim(object: &Value) -> Status {
    match text(object, "/status/phase").unwrap_or("unknown") {
        "Bound" => Status::current("PVC is bound"),
        phase => Status::in_progress(format!("PVC is not bound, phase: {phase}")),
    }
}

fn service(object: &Value) -> Status {
    let is_balancer = text(object, "/spec/type") == Some("LoadBalancer");
    if is_balancer
        && text(object, "/spec/clusterIP")
            .unwrap_or_default()
            .is_empty()
    {
        return Status::in_progress("cluster IP is not assigned yet");
    }
    Status::current("service is ready")
}

/// Flux's rule: a Job is current once it is complete, not when it has started.
fn job(object: &Value) -> Status {
    for condition in conditions(object).filter(|condition| condition.status == "True") {
        match condition.kind {
            "Complete" => {
                let succeeded = or_zero(object, "/status/succeeded");
                return Status::current(format!("job completed, succeeded: {succeeded}"));
            }
            "Failed" => {
                let failed = or_zero(object, "/status/failed");
                return Status::failed(format!("job failed, failed: {failed}"));
            }
            _ => {}
        }
    }
    Status::in_progress("job in progress")
}

fn disruption_budget(object: &Value) -> Status {
    if int(object, "/status/observedGeneration").is_none() {
        return Status::in_progress("missing .status.observedGeneration");
    }
    let current = or_zero(object, "/status/currentHealthy");
    let wanted = or_zero(object, "/status/desiredHealthy");
    if current < wanted {
        return Status::in_progress(format!("budget not met, healthy: {current}/{wanted}"));
    }
    Status::current("budget met")
}

fn definition(object: &Value) -> Status {
    for condition in conditions(object) {
        match (condition.kind, condition.status) {
            // A conflict of names is not resolved by waiting.
            ("NamesAccepted", "False") => {
                return Status::failed(or(condition.message, "names are not accepted"));
            }
            ("Established", "True") => return Status::current("definition is established"),
            ("Established", "False") if condition.reason != "Installing" => {
                return Status::failed(or(condition.message, "definition is not established"));
            }
            _ => {}
        }
    }
    Status::in_progress("definition is being installed")
}
