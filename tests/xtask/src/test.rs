//! `cargo xtask test`: the order fails fast, and the last line sums up what cargo's test runner
//! said.

use std::io::{BufRead, BufReader};
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, ensure};
use weir_tests_support::folders;
use weir_tests_support::parts::Part;

use crate::cargo::{cargo, cargo_with, shown};
use crate::components;
use crate::fuzz;
use crate::steps::{self, step};
use crate::tasks::{
    Profile, component_steps, document, find_optional_parts, find_parts, lint_steps, precompile,
};

/// Tests counted over all of cargo's result lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Only tests that need no other process: those inside the crates.
pub(crate) fn quick(rest: &[String]) -> ExitCode {
    let mut count = Count::default();
    let outcome = steps::run(
        "test --quick",
        vec![step("unit tests", || {
            test(&["--workspace", "--lib", "--bins"], rest, &mut count)
        })],
    );
    finish(outcome, &count)
}

/// Everything.
pub(crate) fn full(rest: &[String]) -> ExitCode {
    let mut count = Count::default();
    let fuzzing = fuzz::Options::default();
    let mut work = vec![];
    // What takes seconds comes first, what takes minutes after it.
    work.extend(lint_steps());
    work.push(step("parts", || find_parts(&Part::TESTS)));
    work.push(step("optional parts", || {
        find_optional_parts();
        Ok(())
    }));
    // The toolchain was a step of the lints.
    work.extend(component_steps().into_iter().skip(1));
    work.push(step("guests", components::build_guests));
    work.push(step("built-in plugins", || precompile(Profile::Dev)));
    // All of it in one call: the features of the dependencies are those that the tests use, so
    // that nothing is built twice.
    work.push(step("build", || {
        cargo_with(&["build", "--workspace", "--all-targets"])
    }));
    work.push(step("tests", || {
        test(&["--workspace", "--no-fail-fast"], rest, &mut count)
    }));
    work.push(step("docs", document));
    work.extend(fuzz::bounded_steps(&fuzzing));
    let outcome = steps::run("test", work);
    finish(outcome, &count)
}

fn finish(outcome: Result<()>, count: &Count) -> ExitCode {
    let code = match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    };
    let skipped = match count.skipped {
        0 => String::new(),
        skipped => format!(", {skipped} skipped"),
    };
    println!("{} passed, {} failed{skipped}", count.passed, count.failed);
    code
}

/// Runs `cargo test`, passing its output on and counting its results.
fn test(args: &[&str], rest: &[String], count: &mut Count) -> Result<()> {
    let mut command = cargo();
    command
        .arg("test")
        .args(args)
        .args(rest)
        .env("WEIR_BIN", Profile::Dev.folder().join("weir"))
        .env("WEIR_COMPONENTS", folders::target().join("components"))
        .env("WEIR_GUESTS", folders::guests())
        .stdout(Stdio::piped());
    let mut child = command.spawn().context("failed to start cargo")?;
    let output = child.stdout.take().context("no standard output")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("failed to read what cargo prints")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        count.add(&line);
    }
    let status = child.wait()?;
    ensure!(status.success(), "{} ended with {status}", shown(&command));
    Ok(())
}

impl Count {
    /// Adds a line of the form `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        for part in result.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_summed() {
        let mut count = Count::default();
        for line in [
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.50s",
            "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 12.00s",
        ] {
            count.add(line);
        }
        let expected = Count {
            passed: 13,
            failed: 2,
            skipped: 1,
        };
        assert_eq!(count, expected);
    }
}
