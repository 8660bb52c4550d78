//! `weir build kustomize` beside the real `kustomize build`: the same standard output, the same
//! files, the same exit codes. Needs no cluster.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use weir_tests_support::parts::{self, Part};
use weir_tests_support::{Weir, folders};

const TREE: [(&str, &str); 10] = [
    (
        "base/kustomization.yaml",
        "resources: [all.yaml]\nconfigMapGenerator:\n- name: settings\n  literals: [a=1]\n",
    ),
    (
        "base/all.yaml",
        "# comment\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: b}\n---\n\
         apiVersion: v1\nkind: Namespace\nmetadata:\n  name: b # of all\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    \
         spec:\n      serviceAccountName: web\n      containers:\n      - name: web\n        \
         image: web:1\n        envFrom: [{configMapRef: {name: settings}}]\n",
    ),
    (
        "overlay/kustomization.yaml",
        "namePrefix: x-\nresources: [../base]\nimages: [{name: web, newTag: '2'}]\n",
    ),
    (
        "ordered/kustomization.yaml",
        "resources: [../base]\nsortOptions: {order: fifo}\n",
    ),
    (
        "escape/kustomization.yaml",
        "resources: [../base/all.yaml]\n",
    ),
    ("plugin/kustomization.yaml", "transformers: [plugin.yaml]\n"),
    (
        "plugin/plugin.yaml",
        "apiVersion: example.com/v1\nkind: Program\nmetadata:\n  name: p\n  annotations:\n    \
         config.kubernetes.io/function: '{exec: {path: ./p}}'\n",
    ),
    ("broken/kustomization.yaml", "resources: [a.yaml\n"),
    ("unknown/kustomization.yaml", "resource: [a.yaml]\n"),
    ("empty/kustomization.yaml", "resources: []\n"),
];

fn tree() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in TREE {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// A program and how it is asked for a build.
struct Tool {
    program: PathBuf,
    words: &'static [&'static str],
}

impl Tool {
    fn both() -> [Self; 2] {
        let parts = parts::ensure(&[Part::Kustomize]).unwrap();
        [
            Self {
                program: parts.get(Part::Kustomize).unwrap().to_owned(),
                words: &["build"],
            },
            Self {
                program: Weir::binary().unwrap(),
                words: &["build", "kustomize"],
            },
        ]
    }

    fn run(&self, folder: &Path, arguments: &[&str]) -> Output {
        Command::new(&self.program)
            .args(self.words)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn flags_lead_to_the_same_output_and_the_same_code() {
    let folder = tree();
    let [real, ours] = Tool::both();
    let lines = [
        "overlay",
        "base/",
        "./overlay/../base",
        "ordered",
        "empty",
        "overlay --reorder none",
        "overlay --reorder=legacy",
        "--reorder legacy ordered",
        "overlay --reorder none --reorder legacy",
        "overlay --reorder kind",
        "escape",
        "escape --load-restrictor LoadRestrictionsNone",
        "escape --load-restrictor=LoadRestrictionsRootOnly",
        "escape --load-restrictor=",
        "escape --load-restrictor none",
        "overlay --enable-managedby-label",
        "overlay --enable-managedby-label=false",
        "overlay -e A=B --env C=D",
        "overlay --network --network-name host --as-current-user --mount type=bind,src=/a,dst=/b",
        "overlay --helm-command helm3 --helm-kube-version 1.30 --helm-api-versions a/v1 --helm-debug",
        "overlay --enable-helm=false --enable-alpha-plugins=false --enable-exec=false",
        "overlay --stack-trace",
        "overlay base",
        "overlay --unknown",
        "plugin",
        "broken",
        "unknown",
        "missing",
        "base/all.yaml",
        "",
    ];
    for line in lines {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let (real, ours) = (
            real.run(folder.path(), &arguments),
            ours.run(folder.path(), &arguments),
        );
        let errors = format!("{}\n{}", text(&real.stderr), text(&ours.stderr));
        assert_eq!(ours.status.code(), real.status.code(), "{line}: {errors}");
        assert_eq!(text(&ours.stdout), text(&real.stdout), "{line}: {errors}");
        assert_eq!(
            ours.status.success(),
            !text(&ours.stderr).contains("error: "),
            "{line}: {errors}"
        );
    }
}

#[test]
fn programs_are_refused_with_a_way_out() {
    let folder = tree();
    let [_, ours] = Tool::both();
    for (flag, way_out) in [
        ("--enable-helm", "use a HelmRelease"),
        ("--enable-alpha-plugins", "a renderer plugin of weir"),
        ("--enable-exec=true", "commit what they print"),
    ] {
        let refused = ours.run(folder.path(), &["overlay", flag]);
        let errors = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{errors}");
        assert!(errors.contains(way_out), "{errors}");
        assert!(refused.stdout.is_empty());
    }
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn files_are_written_as_kustomize_writes_them() {
    for directory in ["base", "overlay", "ordered", "empty"] {
        let written = Tool::both().map(|tool| {
            let folder = tree();
            fs::create_dir(folder.path().join("out")).unwrap();
            for output in [["-o", "out"], ["--output", "out/all"], ["-o", "no/such"]] {
                let arguments = [&[directory][..], &output].concat();
                let output = tool.run(folder.path(), &arguments);
                let expected = i32::from(arguments[2] == "no/such");
                let errors = text(&output.stderr);
                assert_eq!(output.status.code(), Some(expected), "{errors}");
                assert!(output.stdout.is_empty());
            }
            files(&folder.path().join("out"))
        });
        let [real, ours] = written;
        assert_eq!(ours, real, "{directory}");
    }
}

/// A tenth of the conformance corpus, which is checked as a whole in the runtime
/// (`host/plugin/tests/renderers`): here it is the command that is looked at.
#[test]
fn cases_of_the_corpus_are_built_in_place() {
    let corpus = folders::workspace().join("../shared/conformance/kustomize/cases");
    let Ok(entries) = fs::read_dir(&corpus) else {
        eprintln!("skipped: there is no {}", corpus.display());
        return;
    };
    let [_, ours] = Tool::both();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    for case in cases.iter().step_by(10) {
        let info = fs::read_to_string(case.join("case.json")).unwrap();
        let info: serde_json::Value = serde_json::from_str(&info).unwrap();
        let mut arguments = vec![info["dir"].as_str().unwrap()];
        if info["load_restrictor"] == "none" {
            arguments.extend(["--load-restrictor", "LoadRestrictionsNone"]);
        }
        if let Some(order) = info["reorder"].as_str() {
            arguments.extend(["--reorder", order]);
        }
        let output = ours.run(&case.join("input"), &arguments);
        let shown = format!("{}: {}", case.display(), text(&output.stderr));
        match fs::read_to_string(case.join("expected.yaml")) {
            Ok(expected) => {
                assert_eq!(output.status.code(), Some(0), "{shown}");
                // The corpus was made with a build of kustomize that calls itself so.
                let expected = expected.replace("kustomize-(devel)", "kustomize-v5.8.1");
                assert_eq!(text(&output.stdout), expected, "{shown}");
            }
            Err(_) => assert_eq!(output.status.code(), Some(1), "{shown}"),
        }
    }
}
