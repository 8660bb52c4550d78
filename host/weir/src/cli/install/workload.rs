//! The Deployment of the host, and how others reach it.

use serde_json::{Value, json};
use weir_api::meta;

use super::access::ACCOUNT;
use super::{labels, with};

/// Deployment, container and pods.
const NAME: &str = "weir";
/// Where consumers of artifacts look for them, as in Flux.
const ARTIFACTS: &str = "source-controller";

pub(super) fn manifests(namespace: &str, image: &str, run: &[String]) -> Vec<Value> {
    vec![
        quota(namespace),
        service(namespace),
        deployment(namespace, image, run),
        policy(
            namespace,
            "allow-egress",
            &json!({
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{ "from": [{ "podSelector": {} }] }],
                "egress": [{}],
            }),
        ),
        policy(
            namespace,
            "allow-scraping",
            &json!({
                "podSelector": {},
                "policyTypes": ["Ingress"],
                "ingress": [{ "from": [{ "namespaceSelector": {} }], "ports": [{ "port": 8080, "protocol": "TCP" }] }],
            }),
        ),
    ]
}

fn selector() -> Value {
    json!({ "app": NAME })
}

/// Some clusters allow critical pods in a namespace only where a quota says so.
fn quota(namespace: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {
            "name": format!("critical-pods-{namespace}"),
            "namespace": namespace,
            "labels": labels(namespace),
        },
        "spec": {
            "hard": { "pods": "1000" },
            "scopeSelector": { "matchExpressions": [{
                "operator": "In",
                "scopeName": "PriorityClass",
                "values": ["system-node-critical", "system-cluster-critical"],
            }] },
        },
    })
}

fn service(namespace: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": ARTIFACTS,
            "namespace": namespace,
            "labels": with(&labels(namespace), &[(meta::labels::COMPONENT, NAME)]),
        },
        "spec": {
            "type": "ClusterIP",
            "selector": selector(),
            "ports": [{ "name": "http", "port": 80, "protocol": "TCP", "targetPort": "artifacts" }],
        },
    })
}

fn deployment(namespace: &str, image: &str, run: &[String]) -> Value {
    let labels = with(&labels(namespace), &[(meta::labels::COMPONENT, NAME)]);
    let mut arguments = vec![
        "run".to_owned(),
        "--enable-leader-election".to_owned(),
        // The trailing dot spares the search list of the resolver.
        format!("--storage-adv-addr={ARTIFACTS}.$(RUNTIME_NAMESPACE).svc.cluster.local."),
    ];
    arguments.extend(run.iter().cloned());
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": NAME, "namespace": namespace, "labels": labels },
        "spec": {
            "replicas": 1,
            // More replicas stand by. A new version starts when the old one has given its lease back
            // and its memory is free.
            "strategy": { "type": "Recreate" },
            "selector": { "matchLabels": selector() },
            "template": {
                "metadata": {
                    "labels": with(&labels, &[("app", NAME)]),
                    "annotations": {
                        "prometheus.io/scrape": "true",
                        "prometheus.io/port": "8080",
                    },
                },
                "spec": {
                    "serviceAccountName": ACCOUNT,
                    "priorityClassName": "system-cluster-critical",
                    "terminationGracePeriodSeconds": 60,
                    "securityContext": { "fsGroup": 1337 },
                    "containers": [container(image, &arguments)],
                    "volumes": [
                        { "name": "data", "emptyDir": {} },
                        { "name": "tmp", "emptyDir": {} },
                    ],
                    "nodeSelector": { "kubernetes.io/os": "linux" },
                },
            },
        },
    })
}

fn container(image: &str, arguments: &[String]) -> Value {
    let probe = |path: &str| json!({ "httpGet": { "path": path, "port": "healthz" } });
    let port = |name: &str, number: u16| json!({ "name": name, "containerPort": number, "protocol": "TCP" });
    json!({
        // `flux logs` reads this container.
        "name": "manager",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments,
        "env": [{
            "name": "RUNTIME_NAMESPACE",
            "valueFrom": { "fieldRef": { "fieldPath": "metadata.namespace" } },
        }],
        "ports": [port("artifacts", 9090), port("http-prom", 8080), port("healthz", 9440)],
        "livenessProbe": probe("/healthz"),
        "readinessProbe": probe("/readyz"),
        "resources": {
            "requests": { "cpu": "100m", "memory": "64Mi" },
            "limits": { "memory": "1Gi" },
        },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": { "drop": ["ALL"] },
            "readOnlyRootFilesystem": true,
            "runAsNonRoot": true,
            "runAsUser": 65534,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "volumeMounts": [
            { "name": "data", "mountPath": "/data" },
            { "name": "tmp", "mountPath": "/tmp" },
        ],
    })
}

fn policy(namespace: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": { "name": name, "namespace": namespace, "labels": labels(namespace) },
        "spec": spec,
    })
}
