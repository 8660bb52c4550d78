//! Random patches and replacements.

use std::fmt::Write as _;

use super::{Random, State, indented, objects, string, text};

/// A strategic merge patch of an object.
pub(crate) fn merge_body(random: &mut Random, names: &[String], kind: &str, name: &str) -> String {
    let version = match kind {
        "ConfigMap" => "v1",
        "Thing" => "example.com/v1",
        _ => "apps/v1",
    };
    let mut out = format!("apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: \"{name}\"\n");
    if random.chance(30) {
        let _ = writeln!(out, "  labels: {{app: {}, gone: null}}", string(random));
    }
    if random.chance(10) {
        out.push_str("  annotations:\n    $patch: replace\n    only: this\n");
    }
    if kind == "ConfigMap" {
        let _ = writeln!(out, "data:\n  k: {}\n  other: null", string(random));
        return out;
    }
    if kind == "Thing" {
        let _ = writeln!(
            out,
            "spec:\n  f0: {}\n  list: [x]\n  items:\n  - {{key: b, value: {}}}\n  - {{key: c}}\n  anchor: {{k: null}}",
            text(random),
            string(random)
        );
        return out;
    }
    if random.chance(5) {
        out.push_str("$patch: delete\n");
        return out;
    }
    out.push_str("spec:\n");
    if random.chance(50) {
        let _ = writeln!(out, "  replicas: {}", random.pick(&["5", "null", "\"6\""]));
    }
    out.push_str("  template:\n    spec:\n");
    match random.below(4) {
        0 => out.push_str(&objects::pod(random, names, "      ")),
        1 => out.push_str("      containers:\n      - name: side\n        $patch: delete\n"),
        2 => out.push_str("      containers:\n      - $patch: replace\n      - name: new\n        image: busybox\n"),
        _ => {
            let _ = writeln!(
                out,
                "      containers:\n      - name: main\n        env:\n        - name: A\n          value: {}\n        - name: NEW\n          value: x\n        ports:\n        - containerPort: 80\n          protocol: TCP\n        - containerPort: 9090",
                string(random)
            );
        }
    }
    out
}

/// `patches` and `replacements` of a kustomization.
pub(crate) fn patches(random: &mut Random, out: &mut String, names: &[String], state: &State) {
    if random.chance(45) {
        out.push_str("patches:\n");
        for _ in 0..=random.below(2) {
            let kind = state.kind(random, &["Deployment", "StatefulSet", "ConfigMap", "Thing"]);
            let name = state.name(random, &[kind], names);
            if random.chance(50) {
                let body = merge_body(random, names, kind, &name);
                out.push_str("- patch: |\n");
                indented(out, &body);
                if random.chance(95) {
                    let more = random.pick(&[
                        "",
                        "",
                        "",
                        ", labelSelector: app",
                        ", labelSelector: \"app in (web, x)\"",
                        ", annotationSelector: \"!n\"",
                        ", namespace: apps",
                        ", name: w.*",
                        ", version: v1",
                    ]);
                    let _ = writeln!(out, "  target: {{kind: {kind}{more}}}");
                }
                if random.chance(8) {
                    let _ = writeln!(
                        out,
                        "  options: {{allowNameChange: {}, allowKindChange: {}}}",
                        random.chance(70),
                        random.chance(30)
                    );
                }
            } else {
                let operation = match random.below(7) {
                    4 => "- {op: copy, from: /metadata/name, path: /metadata/annotations}\n".to_owned(),
                    5 => "- {op: remove, path: /metadata/labels}\n".to_owned(),
                    6 => "- {op: add, path: /spec/template/spec/containers/-, value: {name: last, image: nginx}}\n- {op: move, from: /spec/template/spec/containers/0, path: /spec/template/spec/containers/-}\n".to_owned(),
                    0 => format!("- op: add\n  path: /metadata/annotations\n  value: {{j: {}}}\n", string(random)),
                    1 => format!("- op: add\n  path: /spec/added\n  value: {}\n", text(random)),
                    2 => "- {op: replace, path: /metadata/name, value: renamed}\n".to_owned(),
                    _ => "- op: test\n  path: /kind\n  value: Deployment\n- op: add\n  path: /spec/replicas\n  value: 1000000\n".to_owned(),
                };
                out.push_str("- patch: |\n");
                indented(out, &operation);
                let kinds: &[&str] = if operation.contains("op: test") {
                    &["Deployment"]
                } else {
                    &["Deployment", "Stateful.*", "Service"]
                };
                let _ = writeln!(
                    out,
                    "  target: {{kind: {}, name: {}}}",
                    random.pick(kinds),
                    random.pick(&[".*", "web", "a.i"])
                );
            }
        }
    }
    if random.chance(15) {
        replacements(random, out, names, state);
    }
}

fn replacements(random: &mut Random, out: &mut String, names: &[String], state: &State) {
    out.push_str("replacements:\n");
    for _ in 0..=random.below(2) {
        let kind = state.kind(random, &["ConfigMap", "Deployment", "Service"]);
        let source = state.name(random, &[kind], names);
        let own = match kind {
            "ConfigMap" => "data.k",
            "Service" => "spec.ports.[name=https].port",
            _ => "spec.template.spec.containers.0.image",
        };
        let annotation = ["metadata.annotations.[a/b]", "metadata.annotations.a/b"];
        let field = match random.below(10) {
            0 => *random.pick(&annotation),
            1..5 => own,
            _ => "metadata.name",
        };
        let _ = write!(
            out,
            "- source:\n    kind: {kind}\n    name: \"{source}\"\n    fieldPath: {field}\n"
        );
        if random.chance(20) {
            let _ = writeln!(
                out,
                "    options: {{delimiter: \":\", index: {}}}",
                random.below(3)
            );
        }
        let target = random.pick(&["Deployment", "Service", "Thing", "ConfigMap"]);
        let path = random.pick(&[
            "spec.template.spec.containers.[name=main].image",
            "spec.template.spec.containers.*.image",
            "spec.template.spec.containers.*.env.[name=A].value",
            "metadata.labels.copied",
            "metadata.annotations.example\\.com/a",
            "spec.f0",
            "spec.list.1",
            "spec.list.-",
            "spec.items.[key=b].value",
            "data.k",
        ]);
        let _ = write!(
            out,
            "  targets:\n  - select: {{kind: {target}}}\n    fieldPaths: [\"{}\"]\n",
            path.replace('\\', "\\\\")
        );
        if random.chance(15) {
            let _ = writeln!(
                out,
                "    reject: [{{name: {}}}]",
                random.pick(&["web", "api"])
            );
        }
        let create = random.chance(60);
        match random.below(5) {
            0 => {
                let _ = writeln!(
                    out,
                    "    options: {{delimiter: \":\", index: {}, create: {create}}}",
                    random.pick(&["0", "1", "-1", "5"])
                );
            }
            1 => {
                let _ = writeln!(out, "    options: {{encoding: base64, create: {create}}}");
            }
            _ => {
                let _ = writeln!(out, "    options: {{create: {create}}}");
            }
        }
    }
}
