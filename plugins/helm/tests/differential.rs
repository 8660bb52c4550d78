//! Random charts and values, rendered by this library and by the real Helm.
//!
//! Without Helm among the parts the test says so and passes. `DIFFERENTIAL_SEED` is the first seed,
//! `DIFFERENTIAL_COUNT` how many are tried (200); what differs is shown with its seed. What was
//! found this way stands in the tests of the modules.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test"
)]

mod generate;
#[expect(dead_code, reason = "of the support only the host is needed here")]
mod support;

use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use generate::Scenario;
use support::Native;
use weir_helm::{
    Assumed, Discovery, Error, MemoryFs, Options, OutputOptions, ValueOptions, Warnings, load,
    render,
};
use weir_tests_support::parts::Part;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// What the real one renders, or its error.
fn real(helm: &Path, scenario: &Scenario) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in &scenario.files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let output = Command::new(helm)
        .args(["template", "r", "chart"])
        .args(
            scenario
                .flags
                .iter()
                .flat_map(|(flag, line)| [*flag, line.as_str()]),
        )
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .output()
        .expect("helm starts");
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let at = text.find("Error: ").map_or(0, |at| at + "Error: ".len());
    Err(text[at..].trim_end().to_owned())
}

fn ours(scenario: &Scenario) -> Result<String, String> {
    try_ours(scenario).map_err(|err| err.command_line_text().trim_end().to_owned())
}

fn try_ours(scenario: &Scenario) -> Result<String, Error> {
    let lines = |wanted: &str| {
        let flags = scenario.flags.iter().filter(|(flag, _)| *flag == wanted);
        flags.map(|(_, line)| line.clone()).collect()
    };
    let given = ValueOptions {
        files: lines("--values"),
        set_json: lines("--set-json"),
        set: lines("--set"),
        set_string: lines("--set-string"),
        set_file: lines("--set-file"),
        set_literal: lines("--set-literal"),
    };
    let read = |name: &str| {
        let mut files = scenario.files.iter();
        match files.find(|(path, _)| path == name) {
            Some((_, content)) => Ok(content.clone().into_bytes()),
            None => Err(format!("open {name}: no such file or directory")),
        }
    };
    let values = given.merge(&read)?;
    let mut tree = MemoryFs::new();
    for (path, content) in &scenario.files {
        tree.insert(path.as_str(), content.as_bytes());
    }
    let chart = Rc::new(load(&tree, "chart", "chart")?);
    let discovery: Rc<dyn Discovery> = Rc::new(Assumed::default());
    let options = Options {
        name: "r".to_owned(),
        ..Options::default()
    };
    let warnings = Warnings::default();
    let release = render(&chart, &values, &options, &discovery, &Native, &warnings)?;
    release.print(&OutputOptions::default())
}

#[test]
fn random_charts_render_as_with_helm() {
    let Some(helm) = Part::Helm.find() else {
        println!("skipped: there is no helm among the parts");
        return;
    };
    let first = number("DIFFERENTIAL_SEED", 1);
    let last = first + number("DIFFERENTIAL_COUNT", 200);
    println!("seeds from {first}");
    let next = AtomicU64::new(first);
    let (rendered, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    let different = Mutex::new(Vec::new());
    let try_seeds = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= last {
                return;
            }
            let scenario = Scenario::new(seed);
            let (real, ours) = (real(&helm, &scenario), ours(&scenario));
            let count = if real.is_ok() { &rendered } else { &refused };
            count.fetch_add(1, Ordering::Relaxed);
            // What goes wrong first is random in Go where several things do.
            if real != ours && self::real(&helm, &scenario) == real {
                println!("seed {seed}: {scenario:#?}\n  real {real:?}\n  ours {ours:?}");
                different.lock().unwrap().push(seed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(try_seeds);
        }
    });
    println!("{rendered:?} rendered, {refused:?} refused");
    let different = different.into_inner().unwrap();
    assert!(
        different.is_empty(),
        "{} differ: {different:?}",
        different.len()
    );
}
