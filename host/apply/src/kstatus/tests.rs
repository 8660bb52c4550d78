use jiff::Timestamp;
use serde_json::{Value, json};

use super::{State, compute_at, needs_watch};

/// `kind` is `apiVersion Kind`.
fn check(kind: &str, spec: Value, status: Value, expected: State) {
    let (api_version, kind) = kind.split_once(' ').unwrap();
    let object = json!({
        "apiVersion": api_version,
        "kind": kind,
        "metadata": { "name": "x", "generation": 2, "creationTimestamp": "2026-01-01T00:00:00Z" },
        "spec": spec,
        "status": status,
    });
    let now: Timestamp = "2026-01-01T00:01:00Z".parse().unwrap();
    let got = compute_at(&object, now);
    assert_eq!(got.state, expected, "{object}: {}", got.message);
}

fn conditions(list: &[(&str, &str, &str)]) -> Value {
    list.iter()
        .map(|(kind, status, reason)| json!({ "type": kind, "status": status, "reason": reason }))
        .collect()
}

use State::{Current, Failed, InProgress, Terminating};

#[test]
fn deletion_comes_first() {
    let object = json!({
        "kind": "ConfigMap", "apiVersion": "v1",
        "metadata": { "name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z" }
    });
    assert_eq!(super::compute(&object).state, Terminating);
}

#[test]
fn generation_and_generic_conditions_come_before_the_kind() {
    let custom = "example.com/v1 Widget";
    check(
        custom,
        json!({}),
        json!({ "observedGeneration": 1 }),
        InProgress,
    );
    check(
        custom,
        json!({}),
        json!({ "observedGeneration": 2 }),
        Current,
    );
    check(
        custom,
        json!({}),
        json!({ "observedGeneration": -1 }),
        InProgress,
    );
    let stalled = conditions(&[("Stalled", "True", ""), ("Reconciling", "True", "")]);
    check(custom, json!({}), json!({ "conditions": stalled }), Failed);
    let reconciling = conditions(&[("Reconciling", "True", ""), ("Stalled", "True", "")]);
    check(
        custom,
        json!({}),
        json!({ "conditions": reconciling }),
        InProgress,
    );
    let service = conditions(&[("Stalled", "True", "")]);
    check(
        "v1 Service",
        json!({}),
        json!({ "conditions": service }),
        Failed,
    );
}

#[test]
fn other_kinds_go_by_ready() {
    let custom = "example.com/v1 Widget";
    check(custom, json!({}), Value::Null, Current);
    for (ready, expected) in [
        ("True", Current),
        ("False", InProgress),
        ("Unknown", InProgress),
    ] {
        let status = json!({ "conditions": conditions(&[("Ready", ready, "")]) });
        check(custom, json!({}), status, expected);
    }
    check(
        "v1 Namespace",
        json!({}),
        json!({ "phase": "Active" }),
        Current,
    );
    check(
        "networking.k8s.io/v1 Ingress",
        json!({}),
        json!({ "loadBalancer": {} }),
        Current,
    );
}

#[test]
fn deployments() {
    let kind = "apps/v1 Deployment";
    let done = conditions(&[
        ("Progressing", "True", "NewReplicaSetAvailable"),
        ("Available", "True", "MinimumReplicasAvailable"),
    ]);
    let spec = json!({ "replicas": 2, "progressDeadlineSeconds": 600 });
    let status = |replicas: i64, updated: i64, ready: i64, available: i64, list: &Value| {
        json!({
            "observedGeneration": 2, "replicas": replicas, "updatedReplicas": updated,
            "readyReplicas": ready, "availableReplicas": available, "conditions": list
        })
    };
    check(kind, spec.clone(), Value::Null, InProgress);
    check(kind, spec.clone(), status(2, 2, 2, 2, &done), Current);
    check(kind, spec.clone(), status(1, 1, 1, 1, &done), InProgress);
    check(kind, spec.clone(), status(2, 1, 2, 2, &done), InProgress);
    check(kind, spec.clone(), status(3, 2, 2, 2, &done), InProgress);
    check(kind, spec.clone(), status(2, 2, 2, 1, &done), InProgress);
    check(kind, spec.clone(), status(2, 2, 1, 2, &done), InProgress);
    let unavailable = conditions(&[("Progressing", "True", "NewReplicaSetAvailable")]);
    check(
        kind,
        spec.clone(),
        status(2, 2, 2, 2, &unavailable),
        InProgress,
    );
    let moving = conditions(&[
        ("Progressing", "True", "ReplicaSetUpdated"),
        ("Available", "True", ""),
    ]);
    check(kind, spec.clone(), status(2, 2, 2, 2, &moving), InProgress);
    let failed = conditions(&[("Progressing", "False", "ProgressDeadlineExceeded")]);
    check(kind, spec.clone(), status(2, 2, 1, 1, &failed), Failed);
    // No deadline, no Progressing condition to wait for.
    let no_deadline = conditions(&[("Available", "True", "")]);
    check(
        kind,
        json!({ "replicas": 2 }),
        status(2, 2, 2, 2, &no_deadline),
        Current,
    );
    // Scaled to nothing.
    let nothing = json!({ "replicas": 0, "progressDeadlineSeconds": 600 });
    check(kind, nothing, status(0, 0, 0, 0, &done), Current);
}

#[test]
fn stateful_sets() {
    let kind = "apps/v1 StatefulSet";
    let status = |replicas: i64, ready: i64, current: i64, updated: i64, same: bool| {
        json!({
            "observedGeneration": 2, "replicas": replicas, "readyReplicas": ready,
            "currentReplicas": current, "updatedReplicas": updated,
            "currentRevision": "a", "updateRevision": if same { "a" } else { "b" }
        })
    };
    let spec = json!({ "replicas": 2 });
    check(kind, spec.clone(), status(2, 2, 2, 2, true), Current);
    check(kind, spec.clone(), status(1, 1, 1, 1, true), InProgress);
    check(kind, spec.clone(), status(2, 1, 2, 2, true), InProgress);
    check(kind, spec.clone(), status(3, 3, 3, 3, true), InProgress);
    check(kind, spec.clone(), status(2, 2, 1, 2, true), InProgress);
    check(kind, spec, status(2, 2, 2, 2, false), InProgress);
    let on_delete = json!({ "replicas": 2, "updateStrategy": { "type": "OnDelete" } });
    check(kind, on_delete, status(0, 0, 0, 0, false), Current);
    let partition =
        json!({ "replicas": 3, "updateStrategy": { "rollingUpdate": { "partition": 2 } } });
    check(kind, partition.clone(), status(3, 3, 2, 1, false), Current);
    check(kind, partition, status(3, 3, 3, 0, false), InProgress);
}

#[test]
fn daemon_sets() {
    let kind = "apps/v1 DaemonSet";
    let status = |scheduled: i64, updated: i64, available: i64, ready: i64| {
        json!({
            "observedGeneration": 2, "desiredNumberScheduled": 2,
            "currentNumberScheduled": scheduled, "updatedNumberScheduled": updated,
            "numberAvailable": available, "numberReady": ready
        })
    };
    check(kind, json!({}), Value::Null, InProgress);
    check(
        kind,
        json!({}),
        json!({ "observedGeneration": 2 }),
        InProgress,
    );
    check(kind, json!({}), status(2, 2, 2, 2), Current);
    for short in [
        status(1, 2, 2, 2),
        status(2, 1, 2, 2),
        status(2, 2, 1, 2),
        status(2, 2, 2, 1),
    ] {
        check(kind, json!({}), short, InProgress);
    }
}

#[test]
fn replica_sets() {
    let kind = "apps/v1 ReplicaSet";
    let status = |labelled: i64, available: i64, ready: i64, replicas: i64| {
        json!({
            "observedGeneration": 2, "fullyLabeledReplicas": labelled,
            "availableReplicas": available, "readyReplicas": ready, "replicas": replicas
        })
    };
    let spec = json!({ "replicas": 2 });
    check(kind, spec.clone(), status(2, 2, 2, 2), Current);
    for short in [
        status(1, 2, 2, 2),
        status(2, 1, 2, 2),
        status(2, 2, 1, 2),
        status(2, 2, 2, 3),
    ] {
        check(kind, spec.clone(), short, InProgress);
    }
}

#[test]
fn pods() {
    let kind = "v1 Pod";
    let phase = |phase: &str| json!({ "phase": phase });
    check(kind, json!({}), Value::Null, InProgress);
    check(kind, json!({}), phase("Pending"), InProgress);
    check(kind, json!({}), phase("Running"), InProgress);
    check(kind, json!({}), phase("Succeeded"), Current);
    check(kind, json!({}), phase("Failed"), Current);
    check(kind, json!({}), phase("Odd"), Failed);
    let ready = json!({ "phase": "Running", "conditions": conditions(&[("Ready", "True", "")]) });
    check(kind, json!({}), ready, Current);
    let crashing = json!({
        "phase": "Running",
        "containerStatuses": [
            { "name": "app", "state": { "waiting": { "reason": "CrashLoopBackOff" } } }
        ]
    });
    check(kind, json!({}), crashing, Failed);
    let unschedulable = |since: &str| {
        json!({
            "phase": "Pending",
            "conditions": [{
                "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "lastTransitionTime": since
            }]
        })
    };
    check(
        kind,
        json!({}),
        unschedulable("2026-01-01T00:00:50Z"),
        InProgress,
    );
    check(
        kind,
        json!({}),
        unschedulable("2026-01-01T00:00:40Z"),
        Failed,
    );
}

#[test]
fn jobs_are_current_only_when_complete() {
    let kind = "batch/v1 Job";
    check(
        kind,
        json!({}),
        json!({ "active": 1, "startTime": "2026-01-01T00:00:00Z" }),
        InProgress,
    );
    let complete = json!({ "conditions": conditions(&[("Complete", "True", "")]) });
    check(kind, json!({}), complete, Current);
    let failed = json!({ "conditions": conditions(&[("Failed", "True", "")]) });
    check(kind, json!({}), failed, Failed);
    check("batch/v1 CronJob", json!({}), Value::Null, Current);
}

#[test]
fn the_other_kinds_with_a_rule() {
    check(
        "v1 PersistentVolumeClaim",
        json!({}),
        json!({ "phase": "Bound" }),
        Current,
    );
    check(
        "v1 PersistentVolumeClaim",
        json!({}),
        json!({ "phase": "Pending" }),
        InProgress,
    );
    check(
        "v1 Service",
        json!({ "type": "ClusterIP" }),
        Value::Null,
        Current,
    );
    check(
        "v1 Service",
        json!({ "type": "LoadBalancer" }),
        Value::Null,
        InProgress,
    );
    // The address of the balancer is not waited for.
    let assigned = json!({ "type": "LoadBalancer", "clusterIP": "10.0.0.1" });
    check(
        "v1 Service",
        assigned,
        json!({ "loadBalancer": {} }),
        Current,
    );
    let budget = |healthy: i64| json!({ "observedGeneration": 2, "currentHealthy": healthy, "desiredHealthy": 2 });
    check(
        "policy/v1 PodDisruptionBudget",
        json!({}),
        budget(2),
        Current,
    );
    check(
        "policy/v1 PodDisruptionBudget",
        json!({}),
        budget(1),
        InProgress,
    );
    check(
        "policy/v1 PodDisruptionBudget",
        json!({}),
        Value::Null,
        InProgress,
    );
    check("v1 ConfigMap", json!({}), Value::Null, Current);
    check("v1 Secret", json!({}), Value::Null, Current);
}

#[test]
fn definitions() {
    let kind = "apiextensions.k8s.io/v1 CustomResourceDefinition";
    let status = |list: &[(&str, &str, &str)]| json!({ "conditions": conditions(list) });
    check(kind, json!({}), Value::Null, InProgress);
    check(
        kind,
        json!({}),
        status(&[("NamesAccepted", "True", "")]),
        InProgress,
    );
    check(
        kind,
        json!({}),
        status(&[("Established", "False", "Installing")]),
        InProgress,
    );
    let established = [("NamesAccepted", "True", ""), ("Established", "True", "")];
    check(kind, json!({}), status(&established), Current);
    let conflict = [
        ("NamesAccepted", "False", "PluralConflict"),
        ("Established", "False", ""),
    ];
    check(kind, json!({}), status(&conflict), Failed);
}

#[test]
fn only_kinds_whose_status_moves_are_watched_whole() {
    for (group, kind) in [
        ("apps", "Deployment"),
        ("batch", "Job"),
        ("", "Pod"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("kustomize.toolkit.fluxcd.io", "Kustomization"),
        ("example.com", "Widget"),
    ] {
        assert!(needs_watch(group, kind), "{group}/{kind}");
    }
    for (group, kind) in [
        ("", "ConfigMap"),
        ("", "Secret"),
        ("", "Service"),
        ("", "Namespace"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("networking.k8s.io", "Ingress"),
        ("batch", "CronJob"),
    ] {
        assert!(!needs_watch(group, kind), "{group}/{kind}");
    }
}
