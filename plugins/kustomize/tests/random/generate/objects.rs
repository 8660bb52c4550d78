//! Random objects.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Random, string, text};

/// Names that objects of a tree use and refer to.
pub(crate) fn names(random: &mut Random) -> Vec<String> {
    let mut names: Vec<String> = ["web", "api", "db"].map(str::to_owned).to_vec();
    if random.chance(20) {
        names.push("123".to_owned());
    }
    names
}

fn name_text(name: &str) -> String {
    if name.parse::<u32>().is_ok() {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}

fn metadata(random: &mut Random, name: &str) -> String {
    let mut out = format!("metadata:\n  name: {}\n", name_text(name));
    if random.chance(25) {
        let _ = writeln!(
            out,
            "  namespace: {}",
            random.pick(&["apps", "default", "other"])
        );
    }
    if random.chance(35) {
        let _ = writeln!(
            out,
            "  labels: {{app: {}, extra: {}}}",
            string(random),
            string(random)
        );
    }
    if random.chance(30) {
        let _ = writeln!(
            out,
            "  annotations:\n    a/b: {}\n    n: {}",
            string(random),
            text(random)
        );
    }
    if random.chance(5) {
        out.push_str("  annotations: {}\n");
    }
    out
}

/// A pod's specification, indented by `indent`.
pub(crate) fn pod(random: &mut Random, names: &[String], indent: &str) -> String {
    let mut out = String::new();
    if random.chance(40) {
        let _ = writeln!(
            out,
            "serviceAccountName: {}",
            name_text(random.pick::<String>(names))
        );
    }
    out.push_str("containers:\n");
    for container in ["main", "side"].iter().take(random.below(2) + 1) {
        let image = random.pick(&[
            "nginx:1",
            "nginx",
            "reg:5000/app:1.2",
            "reg:5000/app@sha256:00",
        ]);
        let _ = writeln!(out, "- name: {container}\n  image: {image}");
        if random.chance(50) {
            let _ = writeln!(out, "  env:\n  - name: A\n    value: {}", string(random));
            let _ = writeln!(
                out,
                "  - name: B\n    valueFrom:\n      configMapKeyRef:\n        name: {}\n        key: k",
                name_text(random.pick::<String>(names))
            );
        }
        if random.chance(30) {
            let name = random.pick(&["gen-0", "gen-1", "web"]);
            let _ = writeln!(
                out,
                "  envFrom:\n  - configMapRef: {{name: {name}}}\n  - secretRef: {{name: {name}}}"
            );
        }
        if random.chance(40) {
            out.push_str("  ports:\n  - containerPort: 80\n    name: http\n  - containerPort: 80\n    protocol: UDP\n");
        }
        if random.chance(30) {
            let _ = writeln!(out, "  args: [{}, {}]", string(random), string(random));
        }
    }
    if random.chance(30) {
        out.push_str(
            "volumes:\n- name: v\n  secret: {secretName: gen-0}\n- name: e\n  emptyDir: {}\n",
        );
    }
    out.lines().fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "{indent}{line}");
        all
    })
}

fn workload(random: &mut Random, names: &[String], kind: &str, name: &str) -> String {
    let mut out = format!(
        "apiVersion: apps/v1\nkind: {kind}\n{}",
        metadata(random, name)
    );
    out.push_str("spec:\n");
    if random.chance(60) {
        let _ = writeln!(out, "  replicas: {}", random.below(4));
    }
    if random.chance(60) {
        out.push_str("  selector:\n    matchLabels:\n      app: web\n");
    }
    out.push_str("  template:\n");
    if random.chance(60) {
        out.push_str("    metadata:\n      labels:\n        app: web\n");
    }
    out.push_str("    spec:\n");
    out.push_str(&pod(random, names, "      "));
    out
}

fn custom(random: &mut Random, name: &str) -> String {
    let mut out = format!(
        "apiVersion: example.com/v1\nkind: Thing\n{}spec:\n",
        metadata(random, name)
    );
    for at in 0..random.below(6) {
        let _ = writeln!(out, "  f{at}: {}", text(random));
    }
    let _ = writeln!(
        out,
        "  list:\n  - {}\n  - {{a: {}, b: [{}]}}",
        text(random),
        string(random),
        string(random)
    );
    let _ = writeln!(
        out,
        "  block: |\n    {}\n    second\n  folded: >-\n    one\n    two",
        random.pick(&["a", "x: y", "# z"])
    );
    if random.chance(30) {
        out.push_str("  anchor: &x {k: v, l: [1]}\n  alias: *x\n");
    }
    if random.chance(30) {
        let _ = writeln!(
            out,
            "  items:\n  - {{key: a, value: {}}}\n  - key: b\n    value: {}",
            string(random),
            text(random)
        );
    }
    if random.chance(20) {
        out.push_str("  merged: {<<: {m: 1}, n: 2}\n");
    }
    if random.chance(20) {
        out.push_str("  nothing:\n  tilde: ~\n  empty: {}\n  none: []\n");
    }
    out
}

/// The version and kind of a number that [`object`] notes.
pub(crate) fn kind_of(number: usize) -> (&'static str, &'static str) {
    match number {
        0 | 1 => ("apps/v1", "Deployment"),
        2 => ("apps/v1", "StatefulSet"),
        3 | 4 => ("v1", "ConfigMap"),
        5 => ("v1", "Service"),
        6 => ("v1", "ServiceAccount"),
        7 => ("networking.k8s.io/v1", "Ingress"),
        8 => ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        9 => ("autoscaling/v2", "HorizontalPodAutoscaler"),
        10 => ("batch/v1", "CronJob"),
        _ => ("example.com/v1", "Thing"),
    }
}

/// Definitions as `crds` has them: what of a Thing names other objects.
pub(crate) const CRD: &str = r#"{
  "github.com/example/v1.Thing": {
    "Schema": {
      "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"$ref": "k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta"},
        "spec": {"$ref": "github.com/example/v1.ThingSpec"}
      }
    },
    "Dependencies": ["github.com/example/v1.ThingSpec"]
  },
  "github.com/example/v1.ThingSpec": {
    "Schema": {
      "properties": {
        "f0": {
          "x-kubernetes-object-ref-api-version": "v1",
          "x-kubernetes-object-ref-kind": "ConfigMap",
          "x-kubernetes-object-ref-name-key": "name"
        },
        "labels": {"x-kubernetes-label-selector": ""}
      }
    }
  }
}
"#;

/// A schema by which the list of a Thing is merged.
pub(crate) const SCHEMA: &str = r#"{
  "definitions": {
    "v1.Thing": {
      "type": "object",
      "x-kubernetes-group-version-kind": [
        {"group": "example.com", "kind": "Thing", "version": "v1"}
      ],
      "properties": {
        "spec": {
          "type": "object",
          "properties": {
            "items": {
              "type": "array",
              "x-kubernetes-patch-strategy": "merge",
              "x-kubernetes-patch-merge-key": "key",
              "items": {
                "type": "object",
                "properties": {"key": {"type": "string"}, "value": {"type": "string"}}
              }
            }
          }
        }
      }
    }
  }
}
"#;

/// An object of a random kind. `used`: what there is already.
pub(crate) fn object(
    random: &mut Random,
    names: &[String],
    dir: &str,
    used: &mut BTreeSet<(usize, String)>,
) -> String {
    let mut name = random.pick::<String>(names).clone();
    let kind = random.below(12);
    while !used.insert((kind.max(1), name.clone())) {
        name.push('x');
    }
    let other = name_text(random.pick::<String>(names));
    match kind {
        0 | 1 => workload(random, names, "Deployment", &name),
        2 => workload(random, names, "StatefulSet", &name),
        3 | 4 => {
            let data = format!(
                "data:\n  k: {}\n  other: {}\n",
                string(random),
                string(random)
            );
            format!(
                "apiVersion: v1\nkind: ConfigMap\n{}{data}",
                metadata(random, &name)
            )
        }
        5 => {
            let ports = "spec:\n  selector: {app: web}\n  ports:\n  - port: 80\n    targetPort: http\n  - {port: 443, name: https}\n";
            format!(
                "apiVersion: v1\nkind: Service\n{}{ports}",
                metadata(random, &name)
            )
        }
        6 => format!(
            "apiVersion: v1\nkind: ServiceAccount\n{}",
            metadata(random, &name)
        ),
        7 => {
            let spec = format!(
                "spec:\n  rules:\n  - host: {dir}.example.com\n    http:\n      paths:\n      - path: /\n        pathType: Prefix\n        backend: {{service: {{name: {other}, port: {{number: 80}}}}}}\n"
            );
            format!(
                "apiVersion: networking.k8s.io/v1\nkind: Ingress\n{}{spec}",
                metadata(random, &name)
            )
        }
        8 => {
            let binding = format!(
                "roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {other}}}\nsubjects:\n- kind: ServiceAccount\n  name: {}\n  namespace: {}\n",
                random.pick(&["default", "web"]),
                random.pick(&["apps", "default"])
            );
            let kind = random.pick(&["RoleBinding", "ClusterRoleBinding"]);
            format!(
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\n{}{binding}",
                metadata(random, &name)
            )
        }
        9 => {
            let spec = format!(
                "spec:\n  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {other}}}\n  maxReplicas: 3\n"
            );
            format!(
                "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n{}{spec}",
                metadata(random, &name)
            )
        }
        10 => {
            let body = pod(random, names, "          ");
            let spec = format!(
                "spec:\n  schedule: \"* * * * *\"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n{body}"
            );
            format!(
                "apiVersion: batch/v1\nkind: CronJob\n{}{spec}",
                metadata(random, &name)
            )
        }
        _ => custom(random, &name),
    }
}
