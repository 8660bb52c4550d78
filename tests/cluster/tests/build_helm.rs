//! `weir build helm` beside the real `helm template`: the same standard output, the same words on
//! standard error, the same exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use weir_tests_support::parts::{self, Part};
use weir_tests_support::{Cluster, Weir, folders};

/// A program and how it is asked for a render.
struct Tool {
    program: PathBuf,
    words: &'static [&'static str],
    /// Helm keeps its files there.
    home: TempDir,
    /// Of the cluster that may be asked.
    kubeconfig: PathBuf,
}

/// What a run gave, as far as it is compared.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    code: Option<i32>,
    output: String,
    errors: Vec<String>,
}

impl Tool {
    fn helm() -> Self {
        let parts = parts::ensure(&[Part::Helm]).unwrap();
        Self {
            program: parts.get(Part::Helm).unwrap().to_owned(),
            words: &["template"],
            home: tempfile::tempdir().unwrap(),
            kubeconfig: "/nonexistent".into(),
        }
    }

    fn weir() -> Self {
        Self {
            program: Weir::binary().unwrap(),
            words: &["build", "helm"],
            home: tempfile::tempdir().unwrap(),
            kubeconfig: "/nonexistent".into(),
        }
    }

    fn run(&self, folder: &Path, arguments: &[String], input: &str) -> Ended {
        let mut child = Command::new(&self.program)
            .args(self.words)
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("HOME", self.home.path())
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that does not read its input may have ended.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        ended(&child.wait_with_output().unwrap())
    }
}

fn ended(output: &Output) -> Ended {
    let errors = String::from_utf8_lossy(&output.stderr);
    Ended {
        code: output.status.code(),
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: errors.lines().filter_map(told).collect(),
    }
}

/// What a line of standard error says. Helm's remarks about values begin with the line of its
/// source that makes them, and ours as the warnings of Helm do that are for everybody.
fn told(line: &str) -> Option<String> {
    let is_source = |word: &str| {
        let (name, number) = word.rsplit_once(':').unwrap_or((word, ""));
        name.strip_suffix(".go").is_some() && number.parse::<u32>().is_ok()
    };
    let said = match line.split_once(": ") {
        Some((place, said)) if is_source(place) => said,
        _ => line.strip_prefix("WARNING: ").unwrap_or(line),
    };
    // The later Go that Helm is built with for tests names the types, too.
    let comparison = "incompatible types for comparison";
    let said = match said.find(comparison) {
        Some(at) => &said[..at + comparison.len()],
        None => said,
    };
    // Links are followed without a word about it.
    (!said.starts_with("found symbolic link") && !said.is_empty()).then(|| said.to_owned())
}

/// Runs both, and compares; `false` when Helm itself does not give the same twice.
fn compare(helm: &Tool, weir: &Tool, folder: &Path, arguments: &[String], input: &str) -> bool {
    let (theirs, ours) = (
        helm.run(folder, arguments, input),
        weir.run(folder, arguments, input),
    );
    if ours != theirs && helm.run(folder, arguments, input) != theirs {
        return false;
    }
    let line = arguments.join(" ");
    assert_eq!(ours.errors, theirs.errors, "{line}");
    assert_eq!(ours.code, theirs.code, "{line}");
    let mut lines = ours.output.lines().zip(theirs.output.lines()).zip(1..);
    let differ = lines.find(|((a, b), _)| a != b);
    assert!(ours.output == theirs.output, "{line}: {differ:?}");
    true
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

const CHART: &str = "apiVersion: v2\nname: web\nversion: 0.1.0\n";
const FILES: [(&str, &str); 19] = [
    ("web/Chart.yaml", CHART),
    ("web/values.yaml", "name: web\nreplicas: 2\nport: 80\n"),
    (
        "web/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-{{ .Values.name }}\n  \
         namespace: {{ .Release.Namespace }}\ndata:\n  {{- toYaml .Values | nindent 2 }}\n  \
         upgrade: {{ .Release.IsUpgrade | quote }}\n  kube: {{ .Capabilities.KubeVersion }}\n  \
         crd: {{ .Capabilities.APIVersions.Has \"example.com/v1\" | quote }}\n",
    ),
    (
        "web/templates/b.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: b}\nstringData:\n  \
         found: {{ lookup \"v1\" \"Secret\" \"default\" \"b\" | toJson | quote }}\n",
    ),
    (
        "web/templates/hook.yaml",
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: before\n  \
         annotations: {helm.sh/hook: pre-install}\n",
    ),
    (
        "web/templates/tests/test.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: test\n  annotations: {helm.sh/hook: test}\n",
    ),
    ("web/templates/NOTES.txt", "Welcome to {{ .Values.name }}\n"),
    (
        "web/values.schema.json",
        "{\"properties\": {\"replicas\": {\"type\": \"integer\"}}}",
    ),
    (
        "web/crds/c.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
         metadata: {name: c}\n",
    ),
    ("more.yaml", "name: more\nnested: {a: 1, b: [1, 2]}\n"),
    ("other.yaml", "name: other\nnested: {b: null}\n"),
    ("wrong.yaml", "a: b: c\n"),
    ("list.yaml", "- a\n"),
    ("note.txt", "a text, with a comma\n"),
    ("broken/Chart.yaml", CHART),
    ("broken/templates/a.yaml", "a: {{ .Values.a | fail }}\n"),
    (
        "old/Chart.yaml",
        "name: old\nversion: 0.1.0\ndeprecated: true\n",
    ),
    (
        "old/templates/a.yaml",
        "a: {{ required \"a is missing\" .Values.a }}\n",
    ),
    ("empty/values.yaml", "a: 1\n"),
];

fn tree() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in FILES {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// Command lines whose every word counts.
const LINES: &[&str] = &[
    "web",
    "r web",
    "r ./web/",
    "r web/../web",
    "r web -n apps",
    "r web --namespace=apps",
    "r web -f more.yaml",
    "r web -f more.yaml -f other.yaml",
    "r web --values more.yaml,other.yaml",
    "r web -f -",
    "r web --set name=a",
    "r web --set name=a,port=81,list={a,b} --set-string port=82",
    "r web --set nested.a[0].b=1,name=null",
    "r web --set-json nested={\"a\":[1,2.50,null]}",
    "r web --set-literal name=a,b=c",
    "r web --set-file note=note.txt",
    "r web --set-file note=note.txt,list[0]=more.yaml",
    "r web --set-file note=note.txt --set name=b -f more.yaml --set-json port=1 --set port=2",
    "r web --set replicas=x",
    "r web --set replicas=x --skip-schema-validation",
    "r web --kube-version 1.29",
    "r web --kube-version v1.30.4",
    "r web --kube-version x",
    "r web -a example.com/v1",
    "r web --api-versions a/v1,example.com/v1",
    "r web --include-crds",
    "r web --is-upgrade",
    "r web --no-hooks",
    "r web --skip-tests",
    "r web -s templates/a.yaml",
    "r web -s templates/*.yaml --no-hooks",
    "r web -s templates/hook.yaml -s templates/a.yaml",
    "r web --show-only crds/c.yaml --include-crds",
    "r web -s nope.yaml",
    "r web -s templates/hook.yaml --no-hooks",
    "r web --render-subchart-notes",
    "r web --dry-run",
    "r web --dry-run=client",
    "Big web",
    "r web more words",
    "nope",
    "r ./nope",
    "r /nope/at/all",
    "r repo/chart",
    "r web -f nope.yaml",
    "r web -f web",
    "r web -f wrong.yaml",
    "r web -f list.yaml",
    "r web --set name",
    "r web --set name[=a",
    "r web --set-json name=[",
    "r web --set-string a.=b",
    "r web --set-file note=nope.txt",
    "r web --set-file note=web",
    "r web --set-file note",
    "r broken",
    "r broken --set a=said",
    "r old",
    "r old --set a=1",
    "r empty",
    "r more.yaml",
    "r note.txt",
];

#[test]
fn flags_lead_to_the_same_output_words_and_codes() {
    let folder = tree();
    let (helm, weir) = (Tool::helm(), Tool::weir());
    for line in LINES {
        let same = compare(
            &helm,
            &weir,
            folder.path(),
            &words(line),
            "name: from-input\n",
        );
        assert!(same, "{line}");
    }
}

#[test]
fn archives_and_links_are_charts_as_directories_are() {
    let folder = tree();
    let (helm, weir) = (Tool::helm(), Tool::weir());
    let packed = Command::new(&helm.program)
        .args(["package", "web"])
        .current_dir(folder.path())
        .env("HOME", helm.home.path())
        .output()
        .unwrap();
    assert!(packed.status.success());
    let link = |to: &str, at: &str| {
        std::os::unix::fs::symlink(to, folder.path().join(at)).unwrap();
    };
    link("web", "linked");
    link("../../web/templates/b.yaml", "old/templates/b.yaml");
    for line in ["r web-0.1.0.tgz", "r linked", "r old --set a=1"] {
        assert!(compare(&helm, &weir, folder.path(), &words(line), ""));
    }
}

#[test]
fn clusters_are_asked_as_by_helm() {
    let folder = tree();
    let cluster = Cluster::start().unwrap();
    let [mut helm, mut weir] = [Tool::helm(), Tool::weir()];
    helm.kubeconfig = cluster.kubeconfig();
    weir.kubeconfig = cluster.kubeconfig();
    let same = |line: &str| {
        assert!(compare(&helm, &weir, folder.path(), &words(line), ""));
    };
    same("r web --validate");
    same("r web --dry-run=server");
    let secret = "create secret generic b --from-literal=found=it";
    cluster
        .kubectl(&secret.split(' ').collect::<Vec<_>>())
        .unwrap();
    same("r web --dry-run=server");
    // The Secret is there, and somebody else's.
    same("r web --validate");
    same("r web --validate --is-upgrade");
    let labels = "label secret b app.kubernetes.io/managed-by=Helm";
    cluster
        .kubectl(&labels.split(' ').collect::<Vec<_>>())
        .unwrap();
    let marks = "annotate secret b meta.helm.sh/release-name=other \
                 meta.helm.sh/release-namespace=default";
    cluster
        .kubectl(&marks.split_whitespace().collect::<Vec<_>>())
        .unwrap();
    same("r web --validate");
    same("other web --validate");
    let unknown = "apiVersion: example.com/v1\nkind: Unknown\nmetadata: {name: u}\n";
    fs::write(folder.path().join("web/templates/u.yaml"), unknown).unwrap();
    same("other web --validate");
    same("other web --validate --include-crds --no-hooks");
}

/// Flags that are tried on charts as they are published.
const FLAGS: [&str; 12] = [
    "",
    "--include-crds",
    "--no-hooks",
    "--skip-tests",
    "--is-upgrade",
    "--kube-version 1.27 -a monitoring.coreos.com/v1,cert-manager.io/v1/Certificate",
    "--set global.x=1,a.b[1]=c,replicaCount=3 --set-string nameOverride=12",
    "-s templates/*.yaml",
    "-s templates/service.yaml -s templates/deployment.yaml",
    "--set-json nodeSelector={\"a\":\"b\"} --set-literal fullnameOverride=x",
    "--skip-schema-validation --set replicas=many",
    "--render-subchart-notes",
];

/// The arguments of a case of the corpus, from its folder.
fn arguments(name: &str, info: &Value) -> Vec<String> {
    let text = |field: &str| info[field].as_str().map(str::to_owned);
    let mut arguments = vec![
        text("release").unwrap(),
        format!("charts/{}", text("chart").unwrap()),
        "--namespace".to_owned(),
        text("namespace").unwrap(),
    ];
    let mut add = |flag: &str, value: String| arguments.extend([flag.to_owned(), value]);
    for file in info["values_files"].as_array().into_iter().flatten() {
        add("-f", format!("cases/{name}/{}", file.as_str().unwrap()));
    }
    if let Some(version) = text("kube_version") {
        add("--kube-version", version);
    }
    for api in info["api_versions"].as_array().into_iter().flatten() {
        add("--api-versions", api.as_str().unwrap().to_owned());
    }
    let flags = ["include_crds", "is_upgrade", "skip_tests"];
    let given = flags.iter().filter(|flag| info[**flag] == true);
    arguments.extend(given.map(|flag| format!("--{}", flag.replace('_', "-"))));
    arguments
}

/// Helm as it is built for tests has a later Go than the released one: it goes over integers, too.
fn is_of_later_go(name: &str) -> bool {
    name.starts_with("engine__range-forms")
}

#[test]
fn published_charts_render_the_same_with_any_flags() {
    let corpus = folders::workspace().join("../shared/conformance/helm");
    if !corpus.is_dir() {
        println!("skipped: there is no {}", corpus.display());
        return;
    }
    let (helm, weir) = (Tool::helm(), Tool::weir());
    let mut cases: Vec<String> = fs::read_dir(corpus.join("cases"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !is_of_later_go(name))
        .collect();
    cases.sort();
    let step: usize = match std::env::var("BUILD_HELM_EVERY") {
        Ok(text) => text.parse().unwrap(),
        Err(_) => 7,
    };
    let (mut compared, mut random) = (0, 0);
    for (number, name) in cases.iter().step_by(step).enumerate() {
        let info = fs::read_to_string(corpus.join("cases").join(name).join("case.json")).unwrap();
        let mut arguments = arguments(name, &serde_json::from_str(&info).unwrap());
        arguments.extend(words(FLAGS[number % FLAGS.len()]));
        if compare(&helm, &weir, &corpus, &arguments, "") {
            compared += 1;
        } else {
            random += 1;
        }
    }
    println!("{compared} are the same, {random} are not the same twice");
    assert!(compared > random * 20);
}
