//! Which kinds have a namespace, of the built-in Kubernetes version.

/// Kinds without namespace, by kind and apiVersion, sorted.
const CLUSTER: [(&str, &str); 36] = [
    ("APIService", "apiregistration.k8s.io/v1"),
    ("APIService", "apiregistration.k8s.io/v1beta1"),
    ("CSIDriver", "storage.k8s.io/v1"),
    ("CSIDriver", "storage.k8s.io/v1beta1"),
    ("CSINode", "storage.k8s.io/v1"),
    ("CSINode", "storage.k8s.io/v1beta1"),
    ("CertificateSigningRequest", "certificates.k8s.io/v1"),
    ("CertificateSigningRequest", "certificates.k8s.io/v1beta1"),
    ("ClusterRole", "rbac.authorization.k8s.io/v1"),
    ("ClusterRole", "rbac.authorization.k8s.io/v1beta1"),
    ("ClusterRoleBinding", "rbac.authorization.k8s.io/v1"),
    ("ClusterRoleBinding", "rbac.authorization.k8s.io/v1beta1"),
    ("ComponentStatus", "v1"),
    ("CustomResourceDefinition", "apiextensions.k8s.io/v1"),
    ("CustomResourceDefinition", "apiextensions.k8s.io/v1beta1"),
    ("FlowSchema", "flowcontrol.apiserver.k8s.io/v1beta1"),
    ("IngressClass", "networking.k8s.io/v1"),
    ("IngressClass", "networking.k8s.io/v1beta1"),
    (
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
    ),
    (
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1beta1",
    ),
    ("Namespace", "v1"),
    ("Node", "v1"),
    ("NodeProxyOptions", "v1"),
    ("PersistentVolume", "v1"),
    ("PodSecurityPolicy", "policy/v1beta1"),
    ("PriorityClass", "scheduling.k8s.io/v1"),
    ("PriorityClass", "scheduling.k8s.io/v1beta1"),
    (
        "PriorityLevelConfiguration",
        "flowcontrol.apiserver.k8s.io/v1beta1",
    ),
    ("RuntimeClass", "node.k8s.io/v1"),
    ("RuntimeClass", "node.k8s.io/v1beta1"),
    ("StorageClass", "storage.k8s.io/v1"),
    ("StorageClass", "storage.k8s.io/v1beta1"),
    (
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
    ),
    (
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1beta1",
    ),
    ("VolumeAttachment", "storage.k8s.io/v1"),
    ("VolumeAttachment", "storage.k8s.io/v1beta1"),
];

/// Kinds with a namespace, sorted.
const NAMESPACED: [(&str, &str); 46] = [
    ("CSIStorageCapacity", "storage.k8s.io/v1beta1"),
    ("ConfigMap", "v1"),
    ("ControllerRevision", "apps/v1"),
    ("CronJob", "batch/v1"),
    ("CronJob", "batch/v1beta1"),
    ("DaemonSet", "apps/v1"),
    ("Deployment", "apps/v1"),
    ("EndpointSlice", "discovery.k8s.io/v1"),
    ("EndpointSlice", "discovery.k8s.io/v1beta1"),
    ("Endpoints", "v1"),
    ("Event", "events.k8s.io/v1"),
    ("Event", "events.k8s.io/v1beta1"),
    ("Event", "v1"),
    ("HorizontalPodAutoscaler", "autoscaling/v1"),
    ("HorizontalPodAutoscaler", "autoscaling/v2beta1"),
    ("HorizontalPodAutoscaler", "autoscaling/v2beta2"),
    ("Ingress", "extensions/v1beta1"),
    ("Ingress", "networking.k8s.io/v1"),
    ("Ingress", "networking.k8s.io/v1beta1"),
    ("Job", "batch/v1"),
    ("Lease", "coordination.k8s.io/v1"),
    ("Lease", "coordination.k8s.io/v1beta1"),
    ("LimitRange", "v1"),
    ("NetworkPolicy", "networking.k8s.io/v1"),
    ("PersistentVolumeClaim", "v1"),
    ("Pod", "v1"),
    ("PodAttachOptions", "v1"),
    ("PodDisruptionBudget", "policy/v1"),
    ("PodDisruptionBudget", "policy/v1beta1"),
    ("PodExecOptions", "v1"),
    ("PodPortForwardOptions", "v1"),
    ("PodProxyOptions", "v1"),
    ("PodTemplate", "v1"),
    ("ReplicaSet", "apps/v1"),
    ("ReplicationController", "v1"),
    ("ResourceQuota", "v1"),
    ("Role", "rbac.authorization.k8s.io/v1"),
    ("Role", "rbac.authorization.k8s.io/v1beta1"),
    ("RoleBinding", "rbac.authorization.k8s.io/v1"),
    ("RoleBinding", "rbac.authorization.k8s.io/v1beta1"),
    ("Scale", "autoscaling/v1"),
    ("Secret", "v1"),
    ("Service", "v1"),
    ("ServiceAccount", "v1"),
    ("ServiceProxyOptions", "v1"),
    ("StatefulSet", "apps/v1"),
];

/// `None` for kinds that are not known.
pub(super) fn is_namespaced(api_version: &str, kind: &str) -> Option<bool> {
    let wanted = (kind, api_version);
    if CLUSTER.binary_search(&wanted).is_ok() {
        Some(false)
    } else if NAMESPACED.binary_search(&wanted).is_ok() {
        Some(true)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(CLUSTER.is_sorted());
        assert!(NAMESPACED.is_sorted());
    }
}
