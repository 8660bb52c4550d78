//! Random patches and replacements.

use std::fmt::Write as _;

use super::{Random, objects, string, text};

fn indented(out: &mut String, body: &str) {
    for line in body.lines() {
        let _ = writeln!(out, "    {line}");
    }
}

fn merge_body(random: &mut Random, names: &[String], kind: &str, name: &str) -> String {
    let version = if kind == "ConfigMap" { "v1" } else { "apps/v1" };
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
pub(crate) fn patches(random: &mut Random, out: &mut String, names: &[String]) {
    if random.chance(45) {
        out.push_str("patches:\n");
        for _ in 0..=random.below(2) {
            let kind = *random.pick(&["Deployment", "StatefulSet", "ConfigMap"]);
            let name = random.pick(names).clone();
            if random.chance(50) {
                let body = merge_body(random, names, kind, &name);
                out.push_str("- patch: |\n");
                indented(out, &body);
                if random.chance(95) {
                    let _ = writeln!(out, "  target: {{kind: {kind}}}");
                }
            } else {
                let operation = match random.below(4) {
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
    if random.chance(12) {
        let source = random.pick(names).clone();
        let field = random.pick(&["metadata.name", "data.k", "metadata.annotations.[a/b]"]);
        let _ = writeln!(
            out,
            "replacements:\n- source: {{kind: ConfigMap, name: \"{source}\", fieldPath: {field}}}\n  targets:\n  - select: {{kind: {}}}\n    fieldPaths: [{}]\n    options: {{create: {}}}",
            random.pick(&["Deployment", "Service", "Thing"]),
            random.pick(&[
                "spec.template.spec.containers.[name=main].image",
                "metadata.labels.copied",
                "spec.f0",
                "spec.list.1"
            ]),
            random.chance(60),
        );
    }
}
