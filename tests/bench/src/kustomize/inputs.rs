//! The trees that are built.

use std::fmt::Write as _;

/// A tree, and the directory of it that is built.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) name: &'static str,
    pub(crate) directory: &'static str,
    /// Roughly.
    pub(crate) objects: usize,
    pub(crate) files: Vec<(&'static str, String)>,
}

/// From small to large.
pub(crate) fn all() -> Vec<Input> {
    vec![
        overlay(),
        flux_example(),
        generated("1,000 generated", 1000),
        generated("5,000 generated", 5000),
        objects("1,000 objects in a file", 1000),
        objects("5,000 objects in a file", 5000),
    ]
}

/// What most builds are like: an application's base, and an overlay that renames, patches and
/// tags it.
fn overlay() -> Input {
    let base = "resources: [deployment.yaml, service.yaml]\n\
                configMapGenerator:\n- name: settings\n  literals: [LEVEL=info, PORT=8080]\n";
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  \
        replicas: 1\n  selector:\n    matchLabels:\n      app: web\n  template:\n    metadata:\n      \
        labels:\n        app: web\n    spec:\n      containers:\n      - name: web\n        image: \
        registry.example.com/web:1.0.0\n        ports:\n        - containerPort: 8080\n          \
        name: http\n        envFrom:\n        - configMapRef:\n            name: settings\n        \
        resources:\n          requests:\n            cpu: 100m\n            memory: 64Mi\n";
    let service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector:\n    \
        app: web\n  ports:\n  - name: http\n    port: 80\n    targetPort: http\n";
    let overlay = "namespace: production\nnamePrefix: prod-\nresources: [../base]\n\
        labels:\n- pairs: {environment: production}\n  includeSelectors: true\n\
        images:\n- name: registry.example.com/web\n  newTag: 1.2.3\n\
        patches:\n- path: scale.yaml\n\
        configMapGenerator:\n- name: settings\n  behavior: merge\n  literals: [LEVEL=warn]\n";
    let scale = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: \
        3\n  template:\n    spec:\n      containers:\n      - name: web\n        resources:\n          \
        limits:\n            memory: 128Mi\n";
    Input {
        name: "small overlay",
        directory: "overlay",
        objects: 3,
        files: vec![
            ("base/kustomization.yaml", base.to_owned()),
            ("base/deployment.yaml", deployment.to_owned()),
            ("base/service.yaml", service.to_owned()),
            ("overlay/kustomization.yaml", overlay.to_owned()),
            ("overlay/scale.yaml", scale.to_owned()),
        ],
    }
}

/// Shaped as the example repository of Flux that most people start from: sources, releases and
/// namespaces in a base, patched for a cluster.
fn flux_example() -> Input {
    let mut controllers = String::new();
    let mut apps = String::new();
    for name in ["cert-manager", "ingress-nginx", "podinfo", "metrics"] {
        let _ = write!(
            controllers,
            "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels:\n    \
             toolkit.fluxcd.io/tenant: sre-team\n---\napiVersion: source.toolkit.fluxcd.io/v1\n\
             kind: HelmRepository\nmetadata:\n  name: {name}\n  namespace: {name}\nspec:\n  \
             interval: 24h\n  url: https://charts.example.com/{name}\n"
        );
        let _ = write!(
            apps,
            "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: \
             {name}\n  namespace: {name}\nspec:\n  interval: 50m\n  install:\n    remediation:\n      \
             retries: 3\n  chart:\n    spec:\n      chart: {name}\n      version: \"1.x\"\n      \
             sourceRef:\n        kind: HelmRepository\n        name: {name}\n        namespace: \
             {name}\n      interval: 12h\n  values:\n    redis:\n      enabled: true\n    ingress:\n      \
             enabled: true\n      className: nginx\n      hosts:\n      - host: {name}.staging\n        \
             paths:\n        - path: /\n          pathType: ImplementationSpecific\n"
        );
    }
    let cluster = "resources:\n- ../../infrastructure\n- ../../apps\n\
        patches:\n- path: values.yaml\n  target:\n    kind: HelmRelease\n    name: podinfo\n\
        - target: {kind: HelmRelease}\n  patch: |\n    - op: replace\n      path: /spec/interval\n      \
        value: 10m\n";
    let values = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: \
        podinfo\n  namespace: podinfo\nspec:\n  chart:\n    spec:\n      version: \">=1.0.0-alpha\"\n  \
        test:\n    enable: false\n  values:\n    ingress:\n      hosts:\n      - host: \
        podinfo.production\n";
    Input {
        name: "flux2-kustomize-helm-example",
        directory: "clusters/production",
        objects: 12,
        files: vec![
            (
                "infrastructure/kustomization.yaml",
                "resources: [all.yaml]\n".to_owned(),
            ),
            ("infrastructure/all.yaml", controllers),
            (
                "apps/kustomization.yaml",
                "resources: [all.yaml]\n".to_owned(),
            ),
            ("apps/all.yaml", apps),
            ("clusters/production/kustomization.yaml", cluster.to_owned()),
            ("clusters/production/values.yaml", values.to_owned()),
        ],
    }
}

const HEAD: &str = "namespace: load\nnamePrefix: p-\nlabels:\n- pairs: {team: a}\n  \
                    includeSelectors: true\n";

/// ConfigMaps that the kustomization itself makes.
fn generated(name: &'static str, count: usize) -> Input {
    let mut text = format!("{HEAD}configMapGenerator:\n");
    for at in 0..count {
        let _ = writeln!(text, "- name: cm-{at}\n  literals: [a={at}, b=hello]");
    }
    Input {
        name,
        directory: ".",
        objects: count,
        files: vec![("kustomization.yaml", text)],
    }
}

/// Deployments of one file, some of which refer to ConfigMaps beside them.
fn objects(name: &'static str, count: usize) -> Input {
    let kustomization = format!(
        "{HEAD}resources: [all.yaml]\nimages: [{{name: nginx, newTag: '2'}}]\npatches:\n\
         - target: {{kind: Deployment, name: d-7}}\n  patch: |\n    apiVersion: apps/v1\n    kind: \
         Deployment\n    metadata: {{name: d-7}}\n    spec: {{replicas: 3}}\n"
    );
    let mut all = String::new();
    for at in 0..count / 2 {
        let _ = write!(
            all,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c-{at}\ndata:\n  at: \
             \"{at}\"\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d-{at}\nspec:\n  \
             selector:\n    matchLabels: {{app: d-{at}}}\n  template:\n    metadata:\n      labels: \
             {{app: d-{at}}}\n    spec:\n      containers:\n      - name: main\n        image: nginx:1\n        \
             envFrom:\n        - configMapRef: {{name: c-{at}}}\n"
        );
    }
    Input {
        name,
        directory: ".",
        objects: count,
        files: vec![("kustomization.yaml", kustomization), ("all.yaml", all)],
    }
}
