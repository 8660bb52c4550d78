//! `cargo xtask`: everything that is done to this repository, one command each.
//!
//! Each task announces its steps with their number and, at the end, what each took. All of them
//! can be run again at any time, and do only what is left to do.

mod cargo;
mod components;
mod fuzz;
mod steps;
mod tasks;
mod test;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Tasks of this repository", version)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Find or build what tests and the demo run against; check the toolchain
    Setup {
        /// Also the parts that only some tests use, and that are skipped where they are missing
        #[arg(long)]
        all: bool,
    },
    /// Build the components (plugins, examples, test guests) and stage them below the target folder
    Components,
    /// Build the components and the weir binary with them inside
    Build {
        /// Build as it is released
        #[arg(long)]
        release: bool,
    },
    /// Formatting, lints, every test, docs; what CI runs
    Test {
        /// Only tests that start no process
        #[arg(long)]
        quick: bool,
        /// Passed on to `cargo test`
        #[arg(last = true)]
        rest: Vec<String>,
    },
    /// Formatting and lints
    Lint,
    /// Format all code
    Fmt,
    /// Build the API documentation, warnings denied
    Docs,
    /// Show a commit become objects in a real cluster
    Demo {
        /// Passed on to the demo; `-- --help` lists it
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Feed the fuzz targets until the time is over or one of them fails
    Fuzz(fuzz::Options),
    /// Random commits, edits, deletions and faults for a while; then nothing may be lost
    Soak {
        /// `--minutes 20`, `--kustomizations 300`, `--seed N`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Measure
    Bench {
        /// Passed on to the bench: `kustomizations --n 100 [--peers DIR]`, `helm`, `kustomize`, `plugin`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
}

fn main() -> ExitCode {
    if let Some(code) = fuzz::as_compiler() {
        return code;
    }
    let args = Args::parse();
    match run(args.task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Setup { all } => tasks::setup(all),
        Task::Components => tasks::components(),
        Task::Build { release } => tasks::build(release),
        Task::Test { quick: true, rest } => Ok(test::quick(&rest)),
        Task::Test { quick: false, rest } => Ok(test::full(&rest)),
        Task::Lint => tasks::lint(),
        Task::Fmt => tasks::fmt(),
        Task::Docs => tasks::docs(),
        Task::Demo { rest } => tasks::demo(&rest),
        Task::Soak { rest } => tasks::soak(&rest),
        Task::Fuzz(options) => fuzz::fuzz(&options),
        Task::Bench { rest } => tasks::bench(&rest),
    }
}
