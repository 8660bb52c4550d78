//! Fields that kustomize still reads and no longer recommends, and what stands in their place.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::objects::{self, kind_of};
use super::{Random, State, indented, patches, string};

/// `vars`, each of an object that there is, and of a field that it may lack.
pub(super) fn vars(random: &mut Random, out: &mut String, state: &mut State) {
    if state.used.is_empty() || !random.chance(15) {
        return;
    }
    out.push_str("vars:\n");
    for _ in 0..=random.below(2) {
        let at = random.below(state.used.len());
        let (kind, name) = state.used.iter().nth(at).cloned().unwrap_or_default();
        let (api_version, kind) = kind_of(kind);
        let own = match kind {
            "ConfigMap" => "data.k",
            "Service" => "spec.ports[0].port",
            "Thing" => "spec.list[0]",
            _ => "metadata.name",
        };
        let field = match random.below(12) {
            0 => "metadata.labels.app",
            1 => "spec.replicas",
            2..6 => own,
            _ => "metadata.name",
        };
        let _ = writeln!(
            out,
            "- name: {}\n  objref: {{apiVersion: {api_version}, kind: {kind}, name: \"{name}\"}}",
            VARIABLES[state.vars % VARIABLES.len()]
        );
        state.vars += 1;
        if field != "metadata.name" || random.chance(50) {
            let _ = writeln!(out, "  fieldref: {{fieldpath: {field}}}");
        }
    }
}

/// Names of variables; texts refer to them.
const VARIABLES: [&str; 4] = ["V0", "V1", "V2", "V3"];

/// Patches in the two fields that `patches` replaced.
pub(super) fn patches_of_old(
    random: &mut Random,
    files: &mut BTreeMap<String, String>,
    out: &mut String,
    dir: &str,
    names: &[String],
    state: &State,
) {
    if random.chance(15) {
        let kind = state.kind(random, &["Deployment", "StatefulSet", "ConfigMap"]);
        let name = state.name(random, &[kind], names);
        let body = patches::merge_body(random, names, kind, &name);
        if random.chance(50) {
            files.insert(format!("{dir}/old.yaml"), body);
            out.push_str("patchesStrategicMerge: [old.yaml]\n");
        } else {
            out.push_str("patchesStrategicMerge:\n- |-\n");
            indented(out, &body);
        }
    }
    if random.chance(10) {
        let name = state.name(random, &["Deployment"], names);
        let _ = writeln!(
            out,
            "patchesJson6902:\n- target: {{group: apps, version: v1, kind: Deployment, name: \
             \"{name}\"}}\n  patch: |-\n    - {{op: add, path: /metadata/labels, value: {{old: {}}}}}",
            string(random)
        );
    }
}

/// `sortOptions`.
pub(super) fn sorting(random: &mut Random, out: &mut String) {
    match random.below(20) {
        0 | 1 => out.push_str("sortOptions: {order: fifo}\n"),
        2 => out.push_str("sortOptions: {order: legacy}\n"),
        3 => {
            let kinds = ["Deployment", "ConfigMap", "Thing", "Service", "Secret"];
            let (first, last) = (random.pick(&kinds), random.pick(&kinds));
            let _ = writeln!(
                out,
                "sortOptions:\n  order: legacy\n  legacySortOptions:\n    orderFirst: [{first}]\n    \
                 orderLast: [{last}]"
            );
        }
        _ => {}
    }
}

/// `crds`, `openapi` and `configurations`, all about the kind that Kubernetes does not have.
pub(super) fn schemas(
    random: &mut Random,
    files: &mut BTreeMap<String, String>,
    out: &mut String,
    dir: &str,
) {
    if random.chance(12) {
        let mut config = String::new();
        for part in [
            "nameReference:\n- kind: ConfigMap\n  version: v1\n  fieldSpecs:\n  - {kind: Thing, path: spec/f0}\n  - {kind: Thing, path: spec/refs/name, create: true}\n",
            "varReference:\n- {kind: Thing, path: spec/f1}\n- {path: metadata/annotations}\n",
            "images:\n- {kind: Thing, path: spec/list/a}\n",
            "commonLabels:\n- {kind: Thing, path: spec/labels, create: true}\n",
            "commonAnnotations:\n- {kind: Thing, path: spec/notes, create: true}\n",
            "namePrefix:\n- {kind: Thing, path: spec/f2}\n",
            "nameSuffix:\n- {group: example.com, path: metadata/name}\n",
            "namespace:\n- {kind: Thing, path: spec/where, create: true}\n",
            "replicas:\n- {kind: Thing, path: spec/f3, create: true}\n",
        ] {
            if random.chance(45) {
                config.push_str(part);
            }
        }
        if !config.is_empty() {
            files.insert(format!("{dir}/config.yaml"), config);
            out.push_str("configurations: [config.yaml]\n");
        }
    }
    // The same definitions twice are a conflict.
    if dir == "base" && random.chance(10) {
        files.insert(format!("{dir}/crd.json"), objects::CRD.to_owned());
        out.push_str("crds: [crd.json]\n");
    }
    if random.chance(6) {
        files.insert(format!("{dir}/schema.json"), objects::SCHEMA.to_owned());
        out.push_str("openapi: {path: schema.json}\n");
    }
}
