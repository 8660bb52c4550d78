//! `cargo xtask fuzz`: coverage-guided fuzzing of the targets in `tests/fuzz`, with the compiler
//! and the dependencies that everything else is built with.
//!
//! `cargo fuzz` instruments all crates, so that wasmtime and the Kubernetes client would be built
//! once more for it. Here this very program stands in as the compiler (`RUSTC_WRAPPER`), and adds
//! the instrumentation to the crates of this workspace alone; a profile of their own keeps them
//! apart from those that are not instrumented. The folder is laid out as `cargo fuzz` wants it, for
//! those who have it: `cargo fuzz run --fuzz-dir tests/fuzz --features libfuzzer TARGET`.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use weir_tests_support::folders;

use crate::cargo::{cargo, run, shown};
use crate::steps::{self, Step, step};
use crate::tasks::{Profile, component_steps, precompile};

/// Names the crates to instrument, to this program as the compiler.
const INSTRUMENTED: &str = "WEIR_FUZZ_CRATES";
/// What `cargo fuzz` passes for a build without a sanitizer: counters at every branch, and the
/// operands of comparisons.
const INSTRUMENTATION: [&str; 6] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];
/// Memory of a target, MiB: beyond it the input counts as a failure.
const MEMORY: u32 = 2048;
/// Seconds for one input: beyond them it counts as a failure.
const PATIENCE: u32 = 20;
/// What a target gets beyond its time: it ends after the input that it is at.
const GRACE: Duration = Duration::from_secs(PATIENCE as u64 + 40);

/// What to fuzz, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only these targets; all without it
    targets: Vec<String>,
    /// Seconds for each target
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
    /// Targets at once
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// Where the random sequence begins; another place each time without it
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Run one target once with this input, such as one that failed before
    #[arg(long, value_name = "FILE", requires = "targets")]
    input: Option<PathBuf>,
    /// Add to the kept corpus what reaches code that it does not reach yet
    #[arg(long)]
    keep: bool,
}

/// The task.
pub(crate) fn fuzz(options: &Options) -> Result<ExitCode> {
    let mut work = component_steps();
    work.push(step("built-in plugins", || precompile(Profile::Dev)));
    work.extend(fuzz_steps(options));
    steps::run("fuzz", work)?;
    Ok(ExitCode::SUCCESS)
}

/// Everything a bounded run takes, after the built-in plugins are there.
pub(crate) fn bounded_steps(options: &Options) -> Vec<Step<'_>> {
    if folders::on_path("c++").is_none() {
        return vec![step("fuzz targets", || {
            eprintln!("  left out: there is no compiler of C++ (`c++`), which libFuzzer needs");
            Ok(())
        })];
    }
    fuzz_steps(options)
}

impl Default for Options {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            seconds: 60,
            jobs: 2,
            // The same inputs each time: what is found by chance is not for CI to find.
            seed: Some(1),
            input: None,
            keep: false,
        }
    }
}

fn fuzz_steps(options: &Options) -> Vec<Step<'_>> {
    vec![
        step("fuzz targets", move || build(&wanted(options)?)),
        step("fuzzing", move || {
            let targets = wanted(options)?;
            match &options.input {
                Some(input) => once(&targets, input),
                None => all(&targets, options),
            }
        }),
    ]
}

/// The names of the targets there are, or of those asked for.
fn wanted(options: &Options) -> Result<Vec<String>> {
    let folder = folders::workspace().join("tests/fuzz/fuzz_targets");
    let mut known = Vec::new();
    for entry in fs::read_dir(&folder).context("failed to list the fuzz targets")? {
        let name = entry?.file_name();
        if let Some(name) = name.to_str().and_then(|name| name.strip_suffix(".rs")) {
            known.push(name.to_owned());
        }
    }
    known.sort();
    if options.targets.is_empty() {
        return Ok(known);
    }
    for target in &options.targets {
        let names = known.join(", ");
        ensure!(
            known.contains(target),
            "no fuzz target `{target}`; there are {names}"
        );
    }
    Ok(options.targets.clone())
}

/// Builds the targets with instrumentation.
fn build(targets: &[String]) -> Result<()> {
    let packages = packages()?;
    let mut command = cargo();
    command
        .args(["build", "--workspace", "--features", "weir-fuzz/libfuzzer"])
        .env(
            "RUSTC_WRAPPER",
            env::current_exe().context("no path of this program")?,
        )
        .env(INSTRUMENTED, packages.join(","));
    for package in &packages {
        // Apart from the builds without instrumentation, and fast.
        let profile = format!("profile.dev.package.{package}.opt-level=3");
        command.args(["--config", &profile]);
    }
    for target in targets {
        command.args(["--bin", target]);
    }
    run(&mut command)
}

/// The packages of this workspace.
fn packages() -> Result<Vec<String>> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version=1"])
        .stderr(Stdio::inherit())
        .output()
        .context("failed to start cargo")?;
    ensure!(output.status.success(), "cargo metadata failed");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("what cargo metadata printed")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    Ok(packages
        .filter_map(|package| package["name"].as_str())
        .filter(|name| *name != "xtask")
        .map(str::to_owned)
        .collect())
}

/// This program as the compiler's wrapper; `None` when it was not started as that.
pub(crate) fn as_compiler() -> Option<ExitCode> {
    let instrumented = env::var(INSTRUMENTED).ok()?;
    let mut args = env::args_os().skip(1);
    let mut command = Command::new(args.next()?);
    let args: Vec<OsString> = args.collect();
    let ours = env::var("CARGO_PKG_NAME")
        .is_ok_and(|name| instrumented.split(',').any(|package| package == name));
    command.args(&args);
    if ours && !runs_at_build(&args) {
        command.args(INSTRUMENTATION);
    }
    let status = command.status();
    Some(match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed to start the compiler: {error}");
            ExitCode::FAILURE
        }
    })
}

/// Build scripts and macros, which run in or beside the compiler, without libFuzzer.
fn runs_at_build(args: &[OsString]) -> bool {
    args.windows(2).any(|pair| {
        pair[0] == "--crate-type" && pair[1] == "proc-macro"
            || pair[0] == "--crate-name"
                && pair[1]
                    .to_str()
                    .is_some_and(|name| name.starts_with("build_script"))
    })
}

/// Where a target's found inputs, failures and logs go.
fn findings(target: &str) -> PathBuf {
    folders::target().join("fuzz").join(target)
}

/// The inputs that the repository keeps.
fn kept(target: &str) -> PathBuf {
    folders::workspace().join("tests/fuzz/corpus").join(target)
}

fn program(target: &str) -> Command {
    let mut command = Command::new(Profile::Dev.folder().join(target));
    command.current_dir(folders::workspace());
    command
}

fn once(targets: &[String], input: &Path) -> Result<()> {
    let [target] = targets else {
        bail!("an input is for one target");
    };
    run(program(target).arg(input))
}

/// Runs some targets at a time, each to the end of its time.
fn all(targets: &[String], options: &Options) -> Result<()> {
    let mut waiting: VecDeque<&String> = targets.iter().collect();
    let mut running: Vec<Running> = Vec::new();
    let mut failed = Vec::new();
    while !waiting.is_empty() || !running.is_empty() {
        while running.len() < options.jobs.max(1) {
            let Some(target) = waiting.pop_front() else {
                break;
            };
            running.push(Running::start(target, options)?);
        }
        thread::sleep(Duration::from_millis(200));
        let mut still = Vec::new();
        for mut run in running {
            match run.ended()? {
                None => still.push(run),
                Some(true) => eprintln!("  {:24} {}", run.target, run.summary()),
                Some(false) => {
                    eprintln!("  {:24} FAILED\n{}", run.target, run.tail());
                    failed.push(run.target.clone());
                }
            }
        }
        running = still;
    }
    if options.keep {
        for target in targets {
            keep(target)?;
        }
    }
    ensure!(
        failed.is_empty(),
        "failed: {}; the inputs are in {}, and `cargo xtask fuzz TARGET --input FILE` runs one again",
        failed.join(", "),
        folders::target().join("fuzz").display()
    );
    Ok(())
}

/// A target at work.
struct Running {
    target: String,
    child: Child,
    log: PathBuf,
    end: Instant,
}

impl Running {
    fn start(target: &str, options: &Options) -> Result<Self> {
        let seconds = options.seconds;
        let folder = findings(target);
        let found = folder.join("corpus");
        fs::create_dir_all(&found).context("failed to make a folder for findings")?;
        let log = folder.join("log");
        let file = File::create(&log).context("failed to write a log")?;
        let mut command = program(target);
        command
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .arg(format!("-timeout={PATIENCE}"))
            // 0: by the time.
            .arg(format!("-seed={}", options.seed.unwrap_or(0)))
            .arg("-print_final_stats=1")
            .arg(format!("-artifact_prefix={}/", folder.display()))
            .arg(found);
        if kept(target).is_dir() {
            command.arg(kept(target));
        }
        let child = command
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .with_context(|| format!("failed to start {}", shown(&command)))?;
        Ok(Self {
            target: target.to_owned(),
            child,
            log,
            end: Instant::now() + Duration::from_secs(seconds.into()) + GRACE,
        })
    }

    /// Whether it did well, once it has ended. What does not end by itself has failed.
    fn ended(&mut self) -> Result<Option<bool>> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if Instant::now() > self.end {
            self.child.kill()?;
            self.child.wait()?;
            return Ok(Some(false));
        }
        Ok(None)
    }

    fn log(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Inputs tried and coverage, from what libFuzzer prints at its end.
    fn summary(&self) -> String {
        let log = self.log();
        let tried = log
            .lines()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
            .unwrap_or("?");
        let reached = log
            .lines()
            .rev()
            .find_map(|line| line.split_once(" cov: ")?.1.split_whitespace().next())
            .unwrap_or("?");
        format!("{:>10} inputs, {reached:>6} places reached", tried.trim())
    }

    fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let start = lines.len().saturating_sub(40);
        lines.get(start..).unwrap_or_default().join("\n")
    }
}

/// Merges what was found into the kept corpus: only what reaches something new.
fn keep(target: &str) -> Result<()> {
    let kept = kept(target);
    fs::create_dir_all(&kept).context("failed to make a corpus")?;
    run(program(target)
        .arg("-merge=1")
        .arg(kept)
        .arg(findings(target).join("corpus"))
        .stderr(Stdio::null()))
}
