//! Random trees of kustomizations: valid for the most part, with what tends to go wrong.

mod legacy;
mod objects;
mod patches;
mod plugins;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

pub(crate) use patches::merge_body as merge_patch;

/// Files by path, and the directory to build.
pub(crate) struct Tree {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) dir: String,
}

/// A small generator of numbers (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            random.below(2);
        }
        random
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d);
        (number >> 33) as usize % bound.max(1)
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Texts that YAML readers disagree about.
const TEXTS: [&str; 57] = [
    "plain",
    "two words",
    "yes",
    "no",
    "on",
    "y",
    "N",
    "true",
    "null",
    "~",
    "1",
    "1.0",
    "0x1F",
    "0o17",
    "017",
    "08",
    "1e3",
    "1_000",
    "-5",
    "+7",
    ".5",
    "1:30",
    "2024-01-02",
    "a: b",
    "a #b",
    "#c",
    "- x",
    "[x]",
    "{x}",
    "*a",
    "&a",
    "!t",
    "%p",
    "@at",
    "`q`",
    "|",
    ">",
    "it's",
    "\"q\"",
    "back\\slash",
    " lead",
    "trail ",
    "tab\tin",
    "",
    "multi\nline",
    "ends\n",
    "keeps\n\n",
    "  indented\nblock\n",
    "snowman \u{2603}",
    "\u{1f680} up",
    "<<",
    "=",
    "$(V0)",
    "a $(V1) b $(V0)",
    "$$(V0) $(NONE) $(V2",
    "nginx:1",
    "1.10",
];

/// A text in one of the ways it can be written.
pub(crate) fn text(random: &mut Random) -> String {
    if random.chance(4) {
        let words = random.below(30) + 12;
        return format!("\"{}\"", vec!["word"; words].join(" "));
    }
    let text = *random.pick(&TEXTS);
    let simple = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._+:-".contains(c));
    if simple && !text.is_empty() && text != "-" && random.chance(50) {
        return text.to_owned();
    }
    if !text.contains(['\n', '\t']) && random.chance(40) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    quoted(text)
}

fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace('\t', "\\t");
    format!("\"{escaped}\"")
}

/// A text value that is a string for certain.
pub(crate) fn string(random: &mut Random) -> String {
    quoted(random.pick::<&str>(&TEXTS))
}

/// What the layers so far have made.
#[derive(Default)]
struct State {
    used: BTreeSet<(usize, String)>,
    generated: BTreeSet<(&'static str, usize)>,
    vars: usize,
    plugins: usize,
}

impl State {
    /// The name of an object that there is, of one of these kinds; now and then any name.
    fn name(&self, random: &mut Random, kinds: &[&str], names: &[String]) -> String {
        let mut known: Vec<&String> = self
            .used
            .iter()
            .filter(|(kind, _)| kinds.contains(&objects::kind_of(*kind).1))
            .map(|(_, name)| name)
            .collect();
        if known.is_empty() || random.chance(4) {
            known = names.iter().collect();
        }
        (*random.pick(&known)).clone()
    }

    /// One of these kinds, of which there is an object if there is one of any of them.
    fn kind(&self, random: &mut Random, kinds: &[&'static str]) -> &'static str {
        let is_used = |kind: &str| {
            let mut used = self.used.iter();
            used.any(|(number, _)| objects::kind_of(*number).1 == kind)
        };
        let mut known = kinds.to_vec();
        known.retain(|kind| is_used(kind));
        let from = if known.is_empty() { kinds } else { &known };
        from[random.below(from.len())]
    }
}

/// The tree of a seed.
pub(crate) fn tree(seed: u64) -> Tree {
    let random = &mut Random::of(seed);
    let mut files = BTreeMap::new();
    let names = objects::names(random);
    let mut state = State::default();
    layer(random, &mut files, "base", &names, None, &mut state);
    if random.chance(10) {
        rename_kustomization(random, &mut files, "base");
    }
    let mut top = "base".to_owned();
    if random.chance(70) {
        if random.chance(30) {
            component(random, &mut files, &names, &state);
        }
        layer(
            random,
            &mut files,
            "overlay",
            &names,
            Some("../base"),
            &mut state,
        );
        "overlay".clone_into(&mut top);
        if random.chance(30) {
            layer(
                random,
                &mut files,
                "top",
                &names,
                Some("../overlay"),
                &mut state,
            );
            "top".clone_into(&mut top);
        }
    }
    if random.chance(15) {
        for content in files.values_mut() {
            // JSON has none.
            if !content.starts_with('{') {
                comment(random, content);
            }
        }
    }
    Tree { files, dir: top }
}

fn rename_kustomization(random: &mut Random, files: &mut BTreeMap<String, String>, dir: &str) {
    let name = random.pick(&["kustomization.yml", "Kustomization"]);
    if let Some(content) = files.remove(&format!("{dir}/kustomization.yaml")) {
        files.insert(format!("{dir}/{name}"), content);
    }
}

/// Puts comments where they may stand, and at times where they become text.
fn comment(random: &mut Random, content: &mut String) {
    let mut out = String::new();
    for line in content.lines() {
        let indent = line.len() - line.trim_start().len();
        if random.chance(8) {
            let _ = writeln!(out, "{}# above", &line[..indent]);
        }
        out.push_str(line);
        let is_plain = !line.is_empty() && !line.ends_with(['|', '-', '"', '\'']);
        if is_plain && random.chance(12) {
            out.push_str(" # beside");
        }
        out.push_str(if random.chance(2) { "\r\n" } else { "\n" });
        if random.chance(2) {
            out.push('\n');
        }
    }
    if random.chance(20) {
        out.push_str("# below\n");
    }
    *content = out;
}

/// Adds a text as the content of a block, below an item of a list.
fn indented(out: &mut String, body: &str) {
    for line in body.lines() {
        let _ = writeln!(out, "    {line}");
    }
}

fn component(
    random: &mut Random,
    files: &mut BTreeMap<String, String>,
    names: &[String],
    state: &State,
) {
    let mut out = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n".to_owned();
    transformers(random, &mut out, names, state);
    if random.chance(40) {
        patches::patches(random, &mut out, names, state);
    }
    if out.lines().count() == 2 {
        out.push_str("namePrefix: comp-\n");
    }
    files.insert("component/kustomization.yaml".to_owned(), out);
}

fn layer(
    random: &mut Random,
    files: &mut BTreeMap<String, String>,
    dir: &str,
    names: &[String],
    base: Option<&str>,
    state: &mut State,
) {
    let mut out = String::new();
    let mut resources: Vec<String> = base.iter().map(|base| (*base).to_owned()).collect();
    if base.is_none() || random.chance(30) {
        let count = if base.is_none() {
            random.below(6) + 2
        } else {
            1
        };
        let documents: Vec<String> = (0..count)
            .map(|_| objects::object(random, names, dir, &mut state.used))
            .collect();
        files.insert(format!("{dir}/all.yaml"), documents.join("---\n"));
        resources.push("all.yaml".to_owned());
    }
    if random.chance(20) {
        resources.reverse();
    }
    let field = if base.is_some() && resources.len() == 1 && random.chance(8) {
        "bases"
    } else {
        "resources"
    };
    let _ = writeln!(out, "{field}: [{}]", resources.join(", "));
    if base.is_some() && files.contains_key("component/kustomization.yaml") && random.chance(60) {
        out.push_str("components: [../component]\n");
    }
    generators(random, files, &mut out, dir, state);
    transformers(random, &mut out, names, state);
    patches::patches(random, &mut out, names, state);
    legacy::patches_of_old(random, files, &mut out, dir, names, state);
    legacy::vars(random, &mut out, state);
    legacy::schemas(random, files, &mut out, dir);
    legacy::sorting(random, &mut out);
    plugins::plugins(random, files, &mut out, dir, state);
    if random.chance(10) {
        let options = [
            "originAnnotations",
            "transformerAnnotations",
            "managedByLabel",
            "originAnnotations, transformerAnnotations",
        ];
        let _ = writeln!(out, "buildMetadata: [{}]", random.pick(&options));
    }
    files.insert(format!("{dir}/kustomization.yaml"), out);
}

fn generators(
    random: &mut Random,
    files: &mut BTreeMap<String, String>,
    out: &mut String,
    dir: &str,
    state: &mut State,
) {
    for kind in ["configMapGenerator", "secretGenerator"] {
        if !random.chance(45) {
            continue;
        }
        let _ = writeln!(out, "{kind}:");
        for at in 0..=random.below(2) {
            let _ = writeln!(out, "- name: gen-{at}");
            if !state.generated.insert((kind, at)) || random.chance(2) {
                let _ = writeln!(out, "  behavior: {}", random.pick(&["merge", "replace"]));
            }
            let literals: Vec<String> = (0..=random.below(2))
                .map(|at| format!("k{at}={}", random.pick(&TEXTS)))
                .collect();
            let literals: Vec<String> = literals.iter().map(|literal| quoted(literal)).collect();
            let _ = writeln!(out, "  literals: [{}]", literals.join(", "));
            if random.chance(40) {
                let content = format!("{}\n{}", random.pick(&TEXTS), random.pick(&TEXTS));
                files.insert(format!("{dir}/data.txt"), content);
                out.push_str("  files: [data.txt, other=data.txt]\n");
            }
            if random.chance(30) {
                let content = "# comment\nA=1\n B = two\nEMPTY=\nQUOTED=\"x\"\n";
                files.insert(format!("{dir}/vars.env"), content.to_owned());
                out.push_str("  envs: [vars.env]\n");
            }
            if random.chance(25) {
                let disable = random.chance(50);
                let _ = writeln!(
                    out,
                    "  options: {{disableNameSuffixHash: {disable}, labels: {{gl: \"1\"}}, \
                     immutable: {}}}",
                    random.chance(30)
                );
            }
        }
    }
    if random.chance(15) {
        out.push_str("generatorOptions: {annotations: {made: by}, labels: {gl: global}}\n");
    }
}

fn transformers(random: &mut Random, out: &mut String, names: &[String], state: &State) {
    if random.chance(30) {
        let _ = writeln!(
            out,
            "namespace: {}",
            random.pick(&["apps", "default", "n-1"])
        );
    }
    if random.chance(35) {
        let _ = writeln!(out, "namePrefix: {}", random.pick(&["pre-", "a.", "x"]));
    }
    if random.chance(25) {
        let _ = writeln!(
            out,
            "nameSuffix: {}",
            random.pick(&["-suf", "-v2", "\"9\""])
        );
    }
    if random.chance(30) {
        let _ = writeln!(
            out,
            "commonLabels: {{team: {}, app: common}}",
            string(random)
        );
    }
    if random.chance(30) {
        let _ = writeln!(
            out,
            "labels:\n- pairs: {{tier: {}}}\n  includeSelectors: {}\n  includeTemplates: {}",
            string(random),
            random.chance(40),
            random.chance(40),
        );
        if random.chance(20) {
            out.push_str("  fields: [{kind: Thing, path: spec/own, create: true}]\n");
        }
    }
    if random.chance(25) {
        let _ = writeln!(out, "commonAnnotations: {{note: {}}}", string(random));
    }
    if random.chance(35) {
        let change = random.pick(&[
            "newTag: \"2\"",
            "newName: reg/new",
            "digest: sha256:ab",
            "tagSuffix: -x",
            "newName: a/b\n  newTag: v3",
        ]);
        let _ = writeln!(
            out,
            "images:\n- name: {}\n  {change}",
            random.pick(&["nginx", "reg:5000/app"])
        );
    }
    if random.chance(6) {
        let _ = writeln!(
            out,
            "replicas:\n- name: {}\n  count: 4",
            name_text(&state.name(random, &["Deployment", "StatefulSet"], names))
        );
    }
}

fn name_text(name: &str) -> String {
    if name.parse::<u32>().is_ok() {
        quoted(name)
    } else {
        name.to_owned()
    }
}
