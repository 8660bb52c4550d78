//! Random templates, rendered by this library and by the real Helm.
//!
//! Without Helm among the parts the test says so and passes. The generator is seeded, so that a
//! difference can be had again: `DIFFERENTIAL_SEED` is the first seed, `DIFFERENTIAL_COUNT` how many
//! are tried (150). What was found this way stands in `expressions.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test"
)]

mod generate;
mod support;

use std::path::Path;
use std::process::Command;

use weir_tests_support::parts::Part;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

fn write_chart(root: &Path) {
    std::fs::create_dir_all(root.join("templates")).unwrap();
    std::fs::write(
        root.join("Chart.yaml"),
        "apiVersion: v2\nname: c\nversion: 0.1.0\n",
    )
    .unwrap();
    std::fs::write(root.join("values.yaml"), generate::VALUES).unwrap();
}

/// What the real one renders, or its error; nothing if it does not survive the template.
fn real(helm: &Path, root: &Path, template: &str) -> Option<Result<String, String>> {
    std::fs::write(root.join("templates/t.yaml"), template).unwrap();
    let output = Command::new(helm)
        .args(["template", "r"])
        .arg(root)
        .env_clear()
        .env("HOME", root)
        .output()
        .expect("helm starts");
    if output.status.success() {
        let text = String::from_utf8(output.stdout).unwrap();
        let header = format!("---\n# Source: {}\n", support::NAME);
        return Some(Ok(text.strip_prefix(&header).unwrap_or(&text).to_owned()));
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let (_, error) = text.rsplit_once("Error: ")?;
    let hint = "\n\nUse --debug flag to render out invalid YAML";
    Some(Err(error.trim_end().trim_end_matches(hint).to_owned()))
}

/// Helm is released with Go 1.23, but the one that is built for the tests has a later Go, in which
/// `range` goes over integers, too.
fn later_go(ours: &Result<String, String>) -> bool {
    matches!(ours, Err(error) if error.contains("range can't iterate over"))
}

/// The later Go names the types that cannot be compared.
fn as_released(error: &str) -> String {
    const MESSAGE: &str = "incompatible types for comparison";
    match error.split_once(MESSAGE) {
        Some((before, _)) => format!("{before}{MESSAGE}"),
        None => error.to_owned(),
    }
}

#[test]
fn random_templates_render_as_with_helm() {
    let Some(helm) = Part::Helm.find() else {
        println!("skipped: there is no helm among the parts");
        return;
    };
    let first = number("DIFFERENTIAL_SEED", 1);
    let count = number("DIFFERENTIAL_COUNT", 150);
    let root = std::env::temp_dir().join(format!("weir-template-{}", std::process::id()));
    write_chart(&root);
    let (mut rendered, mut refused, mut different) = (0, 0, Vec::new());
    for seed in first..first + count {
        // Every fourth is one that somebody mistyped.
        let template = if seed % 4 == 0 {
            generate::mutated(seed)
        } else {
            generate::template(seed)
        };
        let Some(real) = real(&helm, &root, &template) else {
            continue;
        };
        let ours = support::render(&template, generate::VALUES);
        if real.is_ok() {
            rendered += 1;
        } else {
            refused += 1;
        }
        if later_go(&ours) {
            continue;
        }
        let real = real.map_err(|error| as_released(&error));
        if real.as_ref().map(|text| text.trim()) != ours.as_ref().map(|text| text.trim()) {
            println!("seed {seed}:\n{template}\n  real {real:?}\n  ours {ours:?}");
            different.push(seed);
        }
    }
    std::fs::remove_dir_all(&root).ok();
    println!("{rendered} rendered, {refused} refused");
    assert!(
        different.is_empty(),
        "{} differ: {different:?}",
        different.len()
    );
}
