//! Built-in plugins as objects under `generators` and `transformers`, inline or in files.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Random, State, indented, string};

/// `generators` and `transformers` of a kustomization.
pub(super) fn plugins(
    random: &mut Random,
    files: &mut BTreeMap<String, String>,
    out: &mut String,
    dir: &str,
    state: &mut State,
) {
    if random.chance(10) {
        let body = generator(random, state);
        add(random, files, out, dir, "generators", &body);
    }
    if random.chance(15) {
        let body = transformer(random);
        add(random, files, out, dir, "transformers", &body);
    }
}

fn add(
    random: &mut Random,
    files: &mut BTreeMap<String, String>,
    out: &mut String,
    dir: &str,
    field: &str,
    body: &str,
) {
    let body = format!("apiVersion: builtin\n{body}");
    if random.chance(50) {
        files.insert(format!("{dir}/{field}.yaml"), body);
        let _ = writeln!(out, "{field}: [{field}.yaml]");
    } else {
        let _ = writeln!(out, "{field}:\n- |-");
        indented(out, &body);
    }
}

fn generator(random: &mut Random, state: &mut State) -> String {
    let kind = *random.pick(&["ConfigMapGenerator", "SecretGenerator"]);
    state.plugins += 1;
    let mut out = format!(
        "kind: {kind}\nmetadata: {{name: plugin-{}}}\n",
        state.plugins
    );
    let _ = writeln!(out, "literals: [{}, B=2]", string_entry(random));
    if random.chance(40) {
        let _ = writeln!(
            out,
            "options: {{disableNameSuffixHash: {}, annotations: {{by: plugin}}}}",
            random.chance(50)
        );
    }
    out
}

fn string_entry(random: &mut Random) -> String {
    let text = string(random);
    // `"text"` becomes `"A=text"`.
    format!("\"A={}", &text[1..])
}

fn transformer(random: &mut Random) -> String {
    let head = |kind: &str| format!("kind: {kind}\nmetadata: {{name: t}}\n");
    match random.below(8) {
        0 => head("PrefixTransformer") + "prefix: tp-\nfieldSpecs: [{path: metadata/name}]\n",
        1 => {
            head("SuffixTransformer")
                + "suffix: -ts\nfieldSpecs: [{kind: Deployment, path: metadata/name}]\n"
        }
        2 => format!(
            "{}labels: {{lt: {}}}\nfieldSpecs:\n- {{path: metadata/labels, create: {}}}\n- {{kind: Deployment, path: spec/template/metadata/labels, create: true}}\n",
            head("LabelTransformer"),
            string(random),
            random.chance(60)
        ),
        3 => format!(
            "{}annotations: {{at: {}}}\nfieldSpecs: [{{path: metadata/annotations, create: {}}}]\n",
            head("AnnotationsTransformer"),
            string(random),
            random.chance(60)
        ),
        4 => format!(
            "kind: NamespaceTransformer\nmetadata: {{name: t, namespace: moved}}\nunsetOnly: {}\nsetRoleBindingSubjects: {}\nfieldSpecs: [{{path: metadata/namespace, create: true}}]\n",
            random.chance(50),
            random.pick(&["defaultOnly", "allServiceAccounts", "none"])
        ),
        5 => {
            head("ImageTagTransformer")
                + "imageTag: {name: nginx, newTag: t5}\nfieldSpecs: [{path: spec/template/spec/containers/image}]\n"
        }
        6 => {
            head("ReplicaCountTransformer")
                + "replica: {name: web, count: 9}\nfieldSpecs: [{path: spec/replicas, kind: Deployment, create: true}]\n"
        }
        _ => format!(
            "{}patch: '[{{\"op\": \"add\", \"path\": \"/metadata/annotations\", \"value\": {{\"pt\": \"1\"}}}}]'\ntarget: {{kind: {}}}\n",
            head("PatchTransformer"),
            random.pick(&["Deployment", "ConfigMap", "Service|Thing"])
        ),
    }
}
