//! `bench kustomize`: our renderer against the real binary.

mod inputs;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use weir_plugin::FixedTarget;
use weir_tests_support::Weir;
use weir_tests_support::parts::{self, Part};

use crate::renders::{self, Effort, Host, ProcessCost, Row, stdout};
use inputs::Input;

/// As `kustomize build` does.
const SETTINGS: &str = r#"{"strict": true, "reorder": "legacy", "loadRestrictor": "rootOnly"}"#;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Seconds that each figure may take; one run at least.
    pub(crate) seconds: u64,
    /// Leave out inputs on which the real binary takes a minute.
    pub(crate) small: bool,
}

/// Measures both on each input, after a look that both print the same.
pub(crate) fn compare(options: Options) -> Result<()> {
    let parts = parts::ensure(&[Part::Kustomize])?;
    let (kustomize, weir) = (parts.get(Part::Kustomize)?, Weir::binary()?);
    let host = Host::start("kustomize")?;
    let effort = Effort {
        time: Duration::from_secs(options.seconds),
        most: 200,
    };
    let mut rows = Vec::new();
    for input in inputs::all() {
        if options.small && input.objects > 1000 {
            continue;
        }
        eprintln!("  {}", input.name);
        rows.push(
            measure(&host, kustomize, &weir, &input, effort)
                .with_context(|| format!("{} cannot be measured", input.name))?,
        );
    }
    renders::print("kustomize", &rows);
    Ok(())
}

fn measure(
    host: &Host,
    kustomize: &Path,
    weir: &Path,
    input: &Input,
    effort: Effort,
) -> Result<Row> {
    let folder = tempfile::Builder::new().prefix("weir-bench-").tempdir()?;
    for (path, content) in &input.files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(path, content)?;
    }
    let command = |program: &Path, words: &[&str]| {
        let mut command = Command::new(program);
        command
            .args(words)
            .arg(input.directory)
            .current_dir(folder.path());
        command
    };
    let theirs = || command(kustomize, &["build"]);
    let ours = || command(weir, &["build", "kustomize"]);
    let (expected, printed) = (stdout(theirs())?, stdout(ours())?);
    ensure!(expected == printed, "weir prints something else");
    let target = FixedTarget {
        path: input.directory.to_owned(),
        ..FixedTarget::default()
    };
    let tree = renders::tree(folder.path())?;
    Ok(Row {
        input: input.name.to_owned(),
        objects: expected.split("\n---\n").count(),
        render: host.measure(tree, SETTINGS, Arc::new(target), effort)?,
        weir: ProcessCost::measure(ours, effort)?,
        tool: ProcessCost::measure(theirs, effort)?,
    })
}
