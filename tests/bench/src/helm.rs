//! `bench helm`: our renderer against the real binary.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use weir_plugin::FixedTarget;
use weir_tests_support::parts::{self, Part};
use weir_tests_support::{Weir, folders};

use crate::renders::{self, Effort, Host, ProcessCost, Row, stdout};

/// Charts of the conformance corpus, from one Deployment with a Service to the largest.
const CHARTS: [&str; 4] = [
    "prometheus-community__prometheus-conntrack-stats-exporter",
    "podinfo__podinfo",
    "argo__argo-cd",
    "prometheus-community__kube-prometheus-stack",
];

/// As `helm template` does.
const SETTINGS: &str = r#"{"kubeVersion": "v1.32.0", "releaseName": "bench"}"#;

/// Measures both on each chart for some time, after a look that both print the same.
pub(crate) fn compare(seconds: u64) -> Result<()> {
    let parts = parts::ensure(&[Part::Helm])?;
    let (helm, weir) = (parts.get(Part::Helm)?, Weir::binary()?);
    let charts = folders::workspace().join("../shared/conformance/helm/charts");
    ensure!(
        charts.is_dir(),
        "the charts are those of the conformance corpus, and there is no {}",
        charts.display()
    );
    let host = Host::start("helm")?;
    let effort = Effort {
        time: Duration::from_secs(seconds),
        most: 200,
    };
    let mut rows = Vec::new();
    for chart in CHARTS {
        eprintln!("  {chart}");
        let row = measure(&host, helm, &weir, &charts.join(chart), effort);
        rows.push(Row {
            input: chart.split("__").last().unwrap_or(chart).to_owned(),
            ..row.with_context(|| format!("{chart} cannot be measured"))?
        });
    }
    renders::print("helm", &rows);
    Ok(())
}

fn measure(host: &Host, helm: &Path, weir: &Path, chart: &Path, effort: Effort) -> Result<Row> {
    // Helm writes to its home folder.
    let home = tempfile::Builder::new().prefix("weir-bench-").tempdir()?;
    let command = |program: &Path, words: &[&str]| {
        let mut command = Command::new(program);
        command
            .args(words)
            .arg("bench")
            .arg(chart)
            .env("HOME", home.path())
            .env("KUBECONFIG", "/nonexistent");
        command
    };
    let theirs = || command(helm, &["template"]);
    let ours = || command(weir, &["build", "helm"]);
    let (expected, printed) = (stdout(theirs())?, stdout(ours())?);
    // Passwords and certificates are drawn anew each time: what is compared is how much there is.
    ensure!(
        expected.lines().count() == printed.lines().count(),
        "weir prints something else"
    );
    let tree = renders::tree(chart)?;
    let target = FixedTarget {
        ..FixedTarget::default()
    };
    Ok(Row {
        input: String::new(),
        objects: expected.matches("\n# Source: ").count(),
        render: host.measure(tree, SETTINGS, Arc::new(target), effort)?,
        weir: ProcessCost::measure(ours, effort)?,
        tool: ProcessCost::measure(theirs, effort)?,
    })
}
