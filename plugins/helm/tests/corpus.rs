//! Every case of the conformance corpus, through the library: the output byte for byte, the errors
//! by what they name.
//!
//! The corpus stands beside the repository (`../shared/conformance/helm`); without it the test says
//! so and passes. Cases that are known to fail stand in `corpus_known.txt` with the reason; one
//! that passes must be taken out, so that the file only shrinks. `HELM_CASE` runs the cases whose
//! names contain it and shows what they give.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Mutex;

use serde_json::Value as Json;
use support::{Native, read_tree};
use weir_helm::{
    Assumed, Chart, Discovery, Error, KubeVersion, Options, OutputOptions, ValueOptions, Warnings,
    load, render,
};

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/helm");
    path.is_dir().then_some(path)
}

/// What a case is, as its `case.json` says.
struct Case {
    name: String,
    info: Json,
}

impl Case {
    fn text(&self, field: &str) -> Option<String> {
        self.info[field].as_str().map(str::to_owned)
    }

    fn texts(&self, field: &str) -> Vec<String> {
        let items = self.info[field].as_array().into_iter().flatten();
        items
            .map(|item| item.as_str().unwrap().to_owned())
            .collect()
    }

    fn is(&self, field: &str) -> bool {
        self.info[field].as_bool().unwrap_or_default()
    }
}

enum Outcome {
    Same,
    /// The error names the same cause in other words.
    SameCause,
    Different(String),
}

fn run(corpus: &Path, chart: &Result<Rc<Chart>, Error>, case: &Case) -> Result<String, Error> {
    let files = case.texts("values_files").into_iter();
    let values = ValueOptions {
        files: files
            .map(|file| format!("cases/{}/{file}", case.name))
            .collect(),
        ..ValueOptions::default()
    };
    let read = |name: &str| fs::read(corpus.join(name)).map_err(|err| err.to_string());
    let values = values.merge(&read)?;
    let chart = chart.as_ref().map_err(Clone::clone)?;
    let kube_version = match case.text("kube_version") {
        Some(version) => KubeVersion::parse(&version)?,
        None => KubeVersion::default(),
    };
    let discovery: Rc<dyn Discovery> = Rc::new(Assumed {
        kube_version,
        more_apis: case.texts("api_versions"),
    });
    let options = Options {
        name: case.text("release").unwrap(),
        namespace: case.text("namespace").unwrap(),
        is_upgrade: case.is("is_upgrade"),
        ..Options::default()
    };
    let warnings = Warnings::default();
    let release = render(chart, &values, &options, &discovery, &Native, &warnings)?;
    release.print(&OutputOptions {
        include_crds: case.is("include_crds"),
        skip_tests: case.is("skip_tests"),
        ..OutputOptions::default()
    })
}

fn judge(folder: &Path, result: Result<String, Error>) -> Outcome {
    let expected = fs::read_to_string(folder.join("expected.yaml"));
    let expected_error = fs::read_to_string(folder.join("expected_error.txt"));
    match (result, expected, expected_error) {
        (Ok(text), Ok(expected), _) if text == expected => Outcome::Same,
        (Ok(text), Ok(expected), _) => Outcome::Different(difference(&expected, &text)),
        (Err(err), _, Ok(expected)) => {
            // Remarks may stand before the error.
            let at = expected.find("Error: ").unwrap_or(0);
            let expected = expected[at..].trim();
            let text = format!("Error: {}", err.command_line_text());
            if text.trim() == expected {
                Outcome::Same
            } else if cause(&text) == cause(expected) {
                Outcome::SameCause
            } else {
                Outcome::Different(format!("expected {expected}\n     got      {text}"))
            }
        }
        (Ok(_), _, Ok(expected)) => Outcome::Different(format!("no error; expected {expected}")),
        (Err(err), _, _) => Outcome::Different(format!("error: {err}")),
        (Ok(_), Err(_), Err(_)) => Outcome::Different("the case expects nothing".to_owned()),
    }
}

/// The innermost part of an error with the first place that it names.
fn cause(text: &str) -> (Option<&str>, &str) {
    let text = text.split("\n\nUse --debug").next().unwrap_or(text).trim();
    let words = text.split([' ', '(', ')']);
    let mut places = words.filter(|word| word.contains(".yaml:") || word.contains(".tpl:"));
    (places.next(), text.rsplit(": ").next().unwrap_or(text))
}

fn difference(expected: &str, got: &str) -> String {
    let mut lines = expected.lines().zip(got.lines()).enumerate();
    match lines.find(|(_, (a, b))| a != b) {
        Some((at, (a, b))) => format!("line {}\n     expected {a:?}\n     got      {b:?}", at + 1),
        None => format!(
            "{} lines expected, {} got",
            expected.lines().count(),
            got.lines().count()
        ),
    }
}

/// Cases by chart, so that each chart is loaded once.
fn cases(corpus: &Path, only: Option<&str>) -> Vec<(String, Vec<Case>)> {
    let mut by_chart: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for entry in fs::read_dir(corpus.join("cases")).unwrap() {
        let folder = entry.unwrap();
        let name = folder.file_name().into_string().unwrap();
        if only.is_some_and(|only| !name.contains(only)) {
            continue;
        }
        let info = fs::read_to_string(folder.path().join("case.json")).unwrap();
        let info: Json = serde_json::from_str(&info).unwrap();
        let chart = info["chart"].as_str().unwrap().to_owned();
        by_chart.entry(chart).or_default().push(Case { name, info });
    }
    by_chart.into_iter().collect()
}

fn run_all(corpus: &Path, only: Option<&str>) -> BTreeMap<String, Outcome> {
    let work = Mutex::new(cases(corpus, only));
    let outcomes = Mutex::new(BTreeMap::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            // Templates within templates need room, as in the component.
            let worker = std::thread::Builder::new().stack_size(64 << 20);
            let run_cases = || loop {
                let next = work.lock().unwrap().pop();
                let Some((chart, cases)) = next else { return };
                let path = format!("charts/{chart}");
                let tree = read_tree(&corpus.join(&path), &path);
                let chart = load(&tree, &path, &path).map(Rc::new);
                for case in cases {
                    let folder = corpus.join("cases").join(&case.name);
                    let result = run(corpus, &chart, &case);
                    if only.is_some() {
                        println!(
                            "{}",
                            result
                                .as_ref()
                                .map_or_else(ToString::to_string, Clone::clone)
                        );
                    }
                    outcomes
                        .lock()
                        .unwrap()
                        .insert(case.name, judge(&folder, result));
                }
            };
            worker.spawn_scoped(scope, run_cases).unwrap();
        }
    });
    outcomes.into_inner().unwrap()
}

#[test]
fn corpus_renders_as_with_helm() {
    let Some(corpus) = corpus() else {
        println!("skipped: the conformance corpus is not here");
        return;
    };
    let known: BTreeMap<&str, &str> = include_str!("corpus_known.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
        .collect();
    let only = std::env::var("HELM_CASE").ok();
    let outcomes = run_all(&corpus, only.as_deref());
    let (mut same, mut same_cause) = (0, 0);
    let mut problems = Vec::new();
    for (name, outcome) in &outcomes {
        match outcome {
            Outcome::Different(what) if !known.contains_key(name.as_str()) => {
                problems.push(format!("{name}: {what}"));
            }
            Outcome::Different(_) => {}
            Outcome::Same => same += 1,
            Outcome::SameCause => same_cause += 1,
        }
        if known.contains_key(name.as_str()) && !matches!(outcome, Outcome::Different(_)) {
            problems.push(format!(
                "{name}: passes now, take it out of corpus_known.txt"
            ));
        }
    }
    println!(
        "{} cases: {same} the same, {same_cause} with the same cause, {} unexpected, {} known",
        outcomes.len(),
        problems.len(),
        known.len()
    );
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
