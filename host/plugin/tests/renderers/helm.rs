//! `helm template`, case by case, through the component: as a release's documents, put together as
//! Helm prints them, and as the one text that `weir build helm` prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use weir_plugin::{CallError, DirTree, FixedTarget, RenderOutput};

use crate::support::{
    AtLeast, Case, Expected, Verdict, cases, compare_output, component, component_file, corpus,
    judge_all, render, target,
};

/// A render, or the text of the command line's error.
async fn renders(
    corpus: &Path,
    case: &Case,
    settings: &Value,
    target: FixedTarget,
) -> Result<RenderOutput, String> {
    let plugin = component("helm").await;
    let tree = DirTree::open(corpus).unwrap();
    match render(&plugin, Arc::new(tree), settings, target)
        .await
        .result
    {
        Ok(output) => Ok(output),
        Err(CallError::Failed(failure)) => {
            let detail: Value = serde_json::from_str(&failure.detail.unwrap()).unwrap();
            Err(detail["commandLine"].as_str().unwrap().to_owned())
        }
        // A render must not end in any other way.
        Err(other) => panic!("{}: {other}", case.name),
    }
}

fn texts(case: &Case, field: &str) -> Vec<String> {
    let items = case.info[field].as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

fn is(case: &Case, field: &str) -> bool {
    case.info[field].as_bool().unwrap_or_default()
}

/// What both ways have in common.
fn settings(case: &Case) -> Value {
    let files = texts(case, "values_files").into_iter().map(|file| {
        let content = fs::read_to_string(case.folder.join(&file)).unwrap();
        (format!("cases/{}/{file}", case.name), content)
    });
    let files: Vec<(String, String)> = files.collect();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    json!({
        "valuesFiles": names,
        "kubeVersion": case.text("kube_version").unwrap_or("v1.32.0"),
        "apiVersions": texts(case, "api_versions"),
        "includeCrds": is(case, "include_crds"),
        "skipTests": is(case, "skip_tests"),
        "files": files.iter().cloned().collect::<BTreeMap<_, _>>(),
    })
}

/// The chart as a tree of its own, the input of a HelmRelease's kind.
fn chart(case: &Case) -> String {
    format!("charts/{}", case.text("chart").unwrap())
}

/// As the command line asks for it.
async fn stream(corpus: &Path, case: &Case) -> Result<String, String> {
    let mut settings = settings(case);
    settings["stream"] = true.into();
    settings["releaseName"] = case.info["release"].clone();
    settings["namespace"] = case.info["namespace"].clone();
    settings["isUpgrade"] = is(case, "is_upgrade").into();
    let target = FixedTarget {
        path: chart(case),
        ..target()
    };
    let output = renders(corpus, case, &settings, target).await?;
    let bodies = output.manifests.iter().map(|manifest| &manifest.body[..]);
    Ok(String::from_utf8(bodies.collect::<Vec<_>>().concat()).unwrap())
}

/// As a kind that keeps releases asks for it: hooks and definitions say what they are, and names
/// come from the object.
async fn release(corpus: &Path, case: &Case) -> Result<String, String> {
    let target = FixedTarget {
        path: chart(case),
        release_name: case.text("release").map(str::to_owned),
        namespace: case.text("namespace").map(str::to_owned),
        is_upgrade: is(case, "is_upgrade"),
        ..target()
    };
    let output = renders(corpus, case, &settings(case), target).await?;
    let (mut objects, mut hooks) = (String::new(), String::new());
    for manifest in &output.manifests {
        let into = match manifest.role.as_deref() {
            // Helm prints those of a new release only if it is asked to.
            Some("crd") if !is(case, "include_crds") => continue,
            Some("hook") => &mut hooks,
            _ => &mut objects,
        };
        let body = std::str::from_utf8(&manifest.body).unwrap();
        let origin = manifest.origin.as_deref().unwrap();
        writeln!(into, "---\n# Source: {origin}\n{body}").unwrap();
    }
    Ok(format!("{}\n{hooks}", objects.trim()))
}

/// The innermost part of an error with the first place that it names.
fn cause(text: &str) -> (Option<&str>, &str) {
    let text = text.split("\n\nUse --debug").next().unwrap_or(text).trim();
    let words = text.split([' ', '(', ')']);
    let mut places = words.filter(|word| word.contains(".yaml:") || word.contains(".tpl:"));
    (places.next(), text.rsplit(": ").next().unwrap_or(text))
}

fn judge(case: &Case, got: &Result<String, String>) -> Verdict {
    match (&case.expected, got) {
        (Expected::Output(expected), Ok(got)) => compare_output(expected, got),
        (Expected::Error(expected), Err(got)) => {
            // Warnings may stand before it.
            let at = expected.find("Error: ").unwrap_or(0);
            let (expected, got) = (expected[at..].trim(), format!("Error: {got}"));
            if got.trim() == expected {
                Verdict::Same
            } else if cause(&got) == cause(expected) {
                Verdict::SameCause
            } else {
                Verdict::Different(format!("{got}, not {expected}"))
            }
        }
        (Expected::Output(_), Err(got)) => Verdict::Different(format!("fails: {got}")),
        (Expected::Error(expected), Ok(_)) => {
            Verdict::Different(format!("does not fail with {expected}"))
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_corpus_renders_as_with_helm() {
    let Some(corpus) = corpus("helm") else {
        return;
    };
    let at_least = AtLeast {
        outputs: 980,
        errors: 950,
    };
    let known = include_str!("helm_known.txt");
    judge_all(cases(&corpus), known, at_least, async |case| {
        match judge(case, &stream(&corpus, case).await) {
            Verdict::Different(what) => Verdict::Different(what),
            verdict => match judge(case, &release(&corpus, case).await) {
                Verdict::Different(what) => Verdict::Different(format!("as a release: {what}")),
                _ => verdict,
            },
        }
    })
    .await;
}

#[test]
fn the_component_is_small() {
    let size = component_file("helm").metadata().unwrap().len();
    println!("{} KiB", size >> 10);
    assert!(size < 4 << 20, "{size} bytes");
}
