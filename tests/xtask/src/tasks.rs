//! The tasks, as lists of steps.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use weir_tests_support::folders;
use weir_tests_support::parts::{self, Part};

use crate::cargo::{WASM_TARGET, cargo, cargo_with, guest_workspaces, run};
use crate::components;
use crate::steps::{self, Step, step};

/// `setup`.
pub(crate) fn setup(all: bool) -> Result<ExitCode> {
    let mut work = vec![
        step("toolchain", components::ensure_target),
        step("parts", || find_parts(&Part::TESTS)),
    ];
    if all {
        work.push(step("optional parts", || {
            find_optional_parts();
            Ok(())
        }));
    }
    done(steps::run("setup", work))
}

/// `components`.
pub(crate) fn components() -> Result<ExitCode> {
    let mut work = component_steps();
    work.push(step("guests", components::build_guests));
    done(steps::run("components", work))
}

/// `build`.
pub(crate) fn build(release: bool) -> Result<ExitCode> {
    let profile = if release {
        Profile::Release
    } else {
        Profile::Dev
    };
    let mut work = component_steps();
    work.extend(host_steps(profile, vec!["weir"]));
    steps::run("build", work)?;
    eprintln!("\nweir is at {}", profile.folder().join("weir").display());
    Ok(ExitCode::SUCCESS)
}

/// `lint`.
pub(crate) fn lint() -> Result<ExitCode> {
    done(steps::run("lint", lint_steps()))
}

/// `fmt`.
pub(crate) fn fmt() -> Result<ExitCode> {
    for manifest in workspaces() {
        run(cargo()
            .args(["fmt", "--all", "--manifest-path"])
            .arg(manifest))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `docs`.
pub(crate) fn docs() -> Result<ExitCode> {
    done(steps::run("docs", vec![step("docs", document)]))
}

/// `demo`: release builds, then the demo itself.
pub(crate) fn demo(rest: &[String]) -> Result<ExitCode> {
    run_program("demo", "weir-demo", &Part::CLUSTER, rest)
}

/// `bench`: release builds, then the bench itself.
pub(crate) fn bench(rest: &[String]) -> Result<ExitCode> {
    if rest.first().is_some_and(|bench| bench == "plugin") {
        return bench_plugin();
    }
    let needed: &[Part] = match rest.first().map(String::as_str) {
        Some("helm") => &[Part::Helm],
        Some("kustomize") => &[Part::Kustomize],
        _ => &Part::CLUSTER,
    };
    run_program("bench", "weir-bench", needed, rest)
}

/// `soak`: release builds, then a host under load and faults.
pub(crate) fn soak(rest: &[String]) -> Result<ExitCode> {
    run_program("soak", "weir-soak", &Part::CLUSTER, rest)
}

/// What the plugin runtime costs: a program of its own crate, with the test guests.
fn bench_plugin() -> Result<ExitCode> {
    let work = vec![
        step("toolchain", components::ensure_target),
        step("guests", components::build_guests),
        step("program", || {
            cargo_with(&["build", "--workspace", "--release", "--example", "overhead"])
        }),
    ];
    steps::run("bench plugin", work)?;
    eprintln!();
    run(
        Command::new(Profile::Release.folder().join("examples/overhead"))
            .env("WEIR_GUESTS", folders::guests()),
    )?;
    Ok(ExitCode::SUCCESS)
}

fn run_program(
    task: &'static str,
    program: &'static str,
    needed: &'static [Part],
    rest: &[String],
) -> Result<ExitCode> {
    if rest.iter().any(|arg| arg == "--help" || arg == "-h") {
        build_programs(Profile::Release, &[program])?;
    } else {
        let mut work = component_steps();
        work.insert(1, step("parts", || find_parts(needed)));
        work.extend(host_steps(Profile::Release, vec!["weir", program]));
        steps::run(task, work)?;
        eprintln!();
    }
    let folder = Profile::Release.folder();
    let status = Command::new(folder.join(program))
        .args(rest)
        .env("WEIR_BIN", folder.join("weir"))
        .env("WEIR_COMPONENTS", folders::target().join("components"))
        .status()
        .with_context(|| format!("failed to start {program}"))?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What the host is built as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

impl Profile {
    /// Where cargo puts what it builds.
    pub(crate) fn folder(self) -> PathBuf {
        folders::target().join(match self {
            Self::Dev => "debug",
            Self::Release => "release",
        })
    }

    fn flag(self) -> &'static str {
        match self {
            Self::Dev => "--profile=dev",
            Self::Release => "--release",
        }
    }
}

/// The plugins of this workspace, ready to be put into the host.
pub(crate) fn component_steps() -> Vec<Step<'static>> {
    vec![
        step("toolchain", components::ensure_target),
        step("components", components::build_plugins),
    ]
}

/// The host with the components inside, and other programs beside it.
pub(crate) fn host_steps(profile: Profile, programs: Vec<&'static str>) -> Vec<Step<'static>> {
    vec![
        step("built-in plugins", move || precompile(profile)),
        step("host", move || build_programs(profile, &programs)),
    ]
}

/// Builds programs of this workspace.
///
/// All packages are selected, whichever programs are wanted: the features of the dependencies are
/// then the same for every program and for the tests, and nothing heavy is built twice.
fn build_programs(profile: Profile, programs: &[&str]) -> Result<()> {
    let mut command = cargo();
    command.args(["build", "--workspace", profile.flag()]);
    for program in programs {
        command.args(["--bin", program]);
    }
    run(&mut command)
}

/// Compiles the staged components for this machine, as the host carries them.
pub(crate) fn precompile(profile: Profile) -> Result<()> {
    build_programs(profile, &["weir-precompile"])?;
    let program = profile.folder().join("weir-precompile");
    let mut staged: Vec<PathBuf> = fs::read_dir(folders::target().join("components"))
        .context("no components are staged")?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wasm")
        })
        .collect();
    staged.sort();
    // It leaves alone what it has compiled before.
    run(Command::new(program)
        .arg(folders::target().join("builtin"))
        .args(staged))
}

/// Formatting and lints of every workspace.
pub(crate) fn lint_steps() -> Vec<Step<'static>> {
    vec![
        step("formatting", check_formatting),
        step("toolchain", components::ensure_target),
        step("clippy", || {
            cargo_with(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ])
        }),
        step("clippy of guests and examples", lint_guests),
        step("dependencies", check_dependencies),
    ]
}

fn check_formatting() -> Result<()> {
    for manifest in workspaces() {
        run(cargo()
            .args(["fmt", "--all", "--check", "--manifest-path"])
            .arg(manifest))
        .context("`cargo xtask fmt` puts it right")?;
    }
    Ok(())
}

fn lint_guests() -> Result<()> {
    for manifest in guest_workspaces() {
        run(cargo()
            .args(["clippy", "--release", "--target", WASM_TARGET])
            .arg("--target-dir")
            .arg(folders::target().join("guests"))
            .arg("--manifest-path")
            .arg(&manifest)
            .args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

/// Licences, sources and duplicate versions. Advisories are left out: news from elsewhere must
/// not fail work that was fine yesterday.
fn check_dependencies() -> Result<()> {
    if folders::on_path("cargo-deny").is_none() {
        eprintln!("  left out: cargo-deny is not installed (`cargo install cargo-deny`)");
        return Ok(());
    }
    cargo_with(&["deny", "check", "bans", "licenses", "sources"])
}

/// The API documentation, with every warning an error.
pub(crate) fn document() -> Result<()> {
    run(cargo()
        .args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings"))
}

/// The manifests of all workspaces.
fn workspaces() -> Vec<PathBuf> {
    let mut manifests = vec![folders::workspace().join("Cargo.toml")];
    manifests.extend(guest_workspaces());
    manifests
}

/// Finds or builds parts, and says which they are.
pub(crate) fn find_parts(needed: &[Part]) -> Result<()> {
    let paths = parts::ensure(needed)?;
    for part in needed {
        eprintln!("  {:24} {}", part.name(), paths.get(*part)?.display());
    }
    Ok(())
}

/// Parts that cannot be had everywhere: what is missing is said, and no failure.
pub(crate) fn find_optional_parts() {
    for part in Part::OPTIONAL {
        if let Err(error) = find_parts(&[part]) {
            eprintln!("  {:24} left out: {error:#}", part.name());
        }
    }
}

fn done(outcome: Result<()>) -> Result<ExitCode> {
    outcome.map(|()| ExitCode::SUCCESS)
}
