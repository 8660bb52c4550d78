//! Every case of the conformance corpus, through the library: the output byte for byte, the errors
//! by what they name.
//!
//! The corpus stands beside the repository (`../shared/conformance/kustomize`); without it the test
//! says so and passes. Cases that are known to fail stand in `conformance_known.txt` with the
//! reason; one that passes must be taken out, so that the file only shrinks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test"
)]

mod words;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use plugin_kustomize::{LoadRestrictor, MemoryFs, Options, Reorder, build};
use words::Words;

fn corpus() -> Option<PathBuf> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/kustomize/cases");
    path.is_dir().then_some(path)
}

fn read_tree(fs: &mut MemoryFs, root: &Path, at: &Path) {
    for entry in fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_tree(fs, root, &path);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            fs.insert(&format!("/{name}"), fs::read(&path).unwrap());
        }
    }
}

mod json {
    pub(super) fn text<'a>(case: &'a str, field: &str) -> Option<&'a str> {
        let rest = case.split_once(&format!("\"{field}\":"))?.1.trim_start();
        rest.strip_prefix('"')?.split('"').next()
    }
}

enum Outcome {
    Same,
    /// The error names the same cause in other words.
    SameCause,
    Different(String),
}

fn run_case(case: &Path) -> Outcome {
    let info = fs::read_to_string(case.join("case.json")).unwrap();
    let mut tree = MemoryFs::new();
    let input = case.join("input");
    read_tree(&mut tree, &input, &input);
    let options = Options {
        load_restrictor: match json::text(&info, "load_restrictor") {
            Some("none") => LoadRestrictor::None,
            _ => LoadRestrictor::RootOnly,
        },
        reorder: match json::text(&info, "reorder") {
            Some("none") => Reorder::None,
            _ => Reorder::Legacy,
        },
        root_name: "$INPUT".to_owned(),
        version: Some("(devel)".to_owned()),
        ..Options::default()
    };
    let dir = json::text(&info, "dir").unwrap_or(".");
    let built = build(&tree, dir, &options);
    let expected = fs::read_to_string(case.join("expected.yaml"));
    let expected_error = fs::read_to_string(case.join("expected_error.txt"));
    match (built, expected, expected_error) {
        (Ok(output), Ok(expected), _) => {
            let got = output.to_yaml();
            if got == expected {
                Outcome::Same
            } else {
                Outcome::Different(difference(&expected, &got))
            }
        }
        (Err(err), _, Ok(expected)) => {
            let got = err.to_string();
            match words::compare(&expected, &got) {
                Words::Same => Outcome::Same,
                Words::SameCause => Outcome::SameCause,
                Words::Different => {
                    Outcome::Different(format!("expected {expected}\n     got      {got}"))
                }
            }
        }
        (Ok(_), _, Ok(expected)) => Outcome::Different(format!("no error; expected {expected}")),
        (Err(err), _, _) => Outcome::Different(format!("error: {err}")),
        (Ok(_), Err(_), Err(_)) => Outcome::Different("case expects nothing".to_owned()),
    }
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

#[test]
fn corpus_builds_as_with_kustomize() {
    let Some(corpus) = corpus() else {
        println!("skipped: the conformance corpus is not here");
        return;
    };
    let known = include_str!("conformance_known.txt");
    let known: BTreeMap<&str, &str> = known
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
        .collect();
    let only = std::env::var("KUSTOMIZE_CASE").ok();
    let mut cases: Vec<PathBuf> = fs::read_dir(&corpus)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    let mut groups: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let (mut other_words, mut failed, mut fixed) = (0, Vec::new(), Vec::new());
    for case in &cases {
        let name = case.file_name().unwrap().to_str().unwrap();
        if only
            .as_ref()
            .is_some_and(|only| !name.contains(only.as_str()))
        {
            continue;
        }
        let group = name.split("__").next().unwrap().to_owned();
        let counts = groups.entry(group).or_default();
        counts.1 += 1;
        match run_case(case) {
            Outcome::Different(why) => failed.push((name.to_owned(), why)),
            outcome => {
                counts.0 += 1;
                other_words += u32::from(matches!(outcome, Outcome::SameCause));
                if known.contains_key(name) {
                    fixed.push(name.to_owned());
                }
            }
        }
    }
    for (group, (passed, all)) in &groups {
        println!("{group:8} {passed:4} of {all}");
    }
    let passed: u32 = groups.values().map(|counts| counts.0).sum();
    let all: u32 = groups.values().map(|counts| counts.1).sum();
    println!("all      {passed:4} of {all}, {other_words} of them errors in other words");
    let unknown: Vec<_> = failed
        .iter()
        .filter(|(name, _)| !known.contains_key(name.as_str()))
        .collect();
    for (name, why) in &failed {
        println!("FAILED {name}\n     {why}");
    }
    assert!(
        fixed.is_empty(),
        "take these out of conformance_known.txt: {fixed:?}"
    );
    assert!(
        unknown.is_empty(),
        "{} cases fail that are not known to",
        unknown.len()
    );
}
