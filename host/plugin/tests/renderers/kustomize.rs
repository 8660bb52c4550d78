//! `kustomize build`, case by case, through the component.

use std::sync::Arc;

use serde_json::json;
use weir_plugin::{CallError, DirTree, FixedTarget};

use crate::support::{
    AtLeast, Case, Expected, Verdict, cases, compare_output, component, component_file, corpus,
    judge_all, render, target,
};

#[path = "../../../../plugins/kustomize/tests/words/mod.rs"]
mod words;

/// Every object as `kustomize build` prints it, or the error.
async fn build(case: &Case) -> Result<String, String> {
    let settings = json!({
        "strict": true,
        "loadRestrictor": case.text("load_restrictor").unwrap_or("rootOnly"),
        "reorder": case.text("reorder").unwrap_or("legacy"),
    });
    let target = FixedTarget {
        path: weir_plugin::normalise(case.text("dir").unwrap()).unwrap(),
        ..target()
    };
    let tree = DirTree::open(case.folder.join("input")).unwrap();
    let plugin = component("kustomize").await;
    let called = render(&plugin, Arc::new(tree), &settings, target).await;
    match called.result {
        Ok(output) => {
            let documents = output.manifests.iter();
            let documents: Vec<_> = documents
                .map(|manifest| std::str::from_utf8(&manifest.body).unwrap())
                .collect();
            Ok(documents.join("---\n"))
        }
        Err(CallError::Failed(failure)) => Err(failure.message),
        // A build must not end in any other way.
        Err(other) => panic!("{}: {other}", case.name),
    }
}

async fn judge(case: &Case) -> Verdict {
    match (&case.expected, build(case).await) {
        (Expected::Output(expected), Ok(got)) => {
            // The corpus was made with a build of kustomize that calls itself so.
            compare_output(
                &expected.replace("kustomize-(devel)", "kustomize-v5.8.1"),
                &got,
            )
        }
        (Expected::Error(expected), Err(got)) => {
            // The root of the tree is `/` to the component.
            let expected = expected.replace("$INPUT/", "/").replace("$INPUT", "/");
            match words::compare(&expected, &got) {
                words::Words::Same => Verdict::Same,
                words::Words::SameCause => Verdict::SameCause,
                words::Words::Different => Verdict::Different(format!("{got}, not {expected}")),
            }
        }
        (Expected::Output(_), Err(got)) => Verdict::Different(format!("fails: {got}")),
        (Expected::Error(expected), Ok(_)) => {
            Verdict::Different(format!("does not fail with {expected}"))
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_corpus_builds_as_with_kustomize() {
    let Some(corpus) = corpus("kustomize") else {
        return;
    };
    let at_least = AtLeast {
        outputs: 990,
        errors: 1000,
    };
    let known = include_str!("kustomize_known.txt");
    judge_all(cases(&corpus), known, at_least, judge).await;
}

#[test]
fn the_component_is_small() {
    let size = component_file("kustomize").metadata().unwrap().len();
    println!("{} KiB", size >> 10);
    assert!(size < 3 << 20, "{size} bytes");
}
