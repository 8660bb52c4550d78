//! The monorepo load: one Git repository of n folders with four objects each, and a Kustomization
//! for each folder, which patches what it applies.
//!
//! The same load that the published comparison figures were taken with, so that runs compare.

use serde_json::{Value, json};

/// Namespace of the source and the Kustomizations.
pub const SYSTEM_NAMESPACE: &str = "flux-system";
/// Namespace of the objects that are applied.
pub const NAMESPACE: &str = "monorepo";
/// Name of the GitRepository.
pub const SOURCE: &str = "monorepo";
/// Objects in each folder.
pub const OBJECTS: usize = 4;

/// Name of the n-th folder, its Kustomization and its objects.
pub fn name(index: usize) -> String {
    format!("app-{index:04}")
}

/// Path of the Service of a folder, which a commit changes that
/// touches this folder alone.
pub fn service_file(index: usize) -> String {
    format!("apps/{}/service.yaml", name(index))
}

/// All files of the repository.
pub fn files(count: usize) -> Vec<(String, String)> {
    let mut files = Vec::with_capacity(count * (OBJECTS + 1));
    for index in 0..count {
        let name = name(index);
        let folder = format!("apps/{name}");
        files.push((
            format!("{folder}/kustomization.yaml"),
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n\
             - account.yaml\n- deployment.yaml\n- ingress.yaml\n- service.yaml\n"
                .to_owned(),
        ));
        files.push((format!("{folder}/account.yaml"), account(&name)));
        files.push((format!("{folder}/deployment.yaml"), deployment(&name)));
        files.push((format!("{folder}/ingress.yaml"), ingress(&name)));
        files.push((service_file(index), service(&name, 80)));
    }
    files
}

fn account(name: &str) -> String {
    format!("apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n")
}

/// The Service of a folder, with the port that a commit changes.
pub fn service(name: &str, port: u16) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  selector:\n    \
         app: {name}\n  ports:\n  - name: http\n    port: {port}\n    targetPort: http\n"
    )
}

fn deployment(name: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  replicas: 0\n  \
         selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      \
         labels:\n        app: {name}\n    spec:\n      serviceAccountName: {name}\n      \
         containers:\n      - name: app\n        image: example.com/app:1.0.0\n        ports:\n        \
         - name: http\n          containerPort: 8080\n        resources:\n          requests:\n            \
         cpu: 10m\n            memory: 32Mi\n"
    )
}

fn ingress(name: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {name}\nspec:\n  \
         rules:\n  - host: {name}.example.com\n    http:\n      paths:\n      - path: /\n        \
         pathType: Prefix\n        backend:\n          service:\n            name: {name}\n            \
         port:\n              name: http\n"
    )
}

/// The namespaces that the load needs.
pub fn namespaces() -> Vec<Value> {
    [SYSTEM_NAMESPACE, NAMESPACE]
        .iter()
        .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
        .collect()
}

/// The GitRepository, polled every `interval` (`1s`, `10m`).
pub fn source(url: &str, interval: &str) -> Value {
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": SOURCE, "namespace": SYSTEM_NAMESPACE},
        "spec": {"url": url, "ref": {"branch": "main"}, "interval": interval},
    })
}

/// The Kustomization of a folder, whose patch sets the CPU request of the Deployment.
pub fn kustomization(index: usize, cpu: &str) -> Value {
    let name = name(index);
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": SYSTEM_NAMESPACE},
        "spec": {
            "sourceRef": {"kind": "GitRepository", "name": SOURCE},
            "path": format!("./apps/{name}"),
            "targetNamespace": NAMESPACE,
            "interval": "1h",
            "timeout": "5m",
            "prune": true,
            "wait": true,
            "patches": patches(cpu),
        },
    })
}

/// The `patches` of a Kustomization for one CPU request.
pub fn patches(cpu: &str) -> Value {
    json!([{
        "target": {"kind": "Deployment"},
        "patch": format!(
            "- op: replace\n  path: /spec/template/spec/containers/0/resources/requests/cpu\n  \
             value: {cpu}\n"
        ),
    }])
}
