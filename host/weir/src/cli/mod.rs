//! The command line: one binary, one file per command.
//!
//! Results go to standard output, everything else to standard error. A command ends with one of
//! the codes of [`Exit`], after printing its error once with all its causes.

mod build;
mod component;
mod connection;
mod exit;
mod get;
mod install;
mod kinds;
mod output;
mod plugin;
#[cfg(test)]
mod reference;
mod request;
mod run;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

pub use exit::{Error, Exit};

/// GitOps for Kubernetes whose moving parts are WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "weir", version, propagate_version = true, after_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Run(Box<run::RunArgs>),
    Install(install::InstallArgs),
    Get(get::GetArgs),
    Reconcile(request::ReconcileArgs),
    Suspend(request::SuspendArgs),
    Resume(request::ResumeArgs),
    Build(build::BuildArgs),
    Plugin(plugin::PluginArgs),
}

/// Parses the arguments of the process and does what they say.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` are no failures; clap prints to the right stream.
            let exit = if error.use_stderr() {
                usage_exit(std::env::args_os().skip(1))
            } else {
                Exit::Ok
            };
            let _ = error.print();
            return exit.into();
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return Error::from(error).report(),
    };
    let done = runtime.block_on(dispatch(cli.command));
    // A blocking thread that hangs in a file system must not hold up the exit.
    runtime.shutdown_background();
    match done {
        Ok(()) => Exit::Ok.into(),
        Err(error) => error.report(),
    }
}

/// The code of a wrong command line. What stands for another tool ends as that tool does.
fn usage_exit(mut arguments: impl Iterator<Item = OsString>) -> Exit {
    let stands_for_another = arguments.next().is_some_and(|command| command == "build")
        && arguments
            .next()
            .is_some_and(|tool| tool == "kustomize" || tool == "helm");
    if stands_for_another {
        Exit::Failed
    } else {
        Exit::Usage
    }
}

async fn dispatch(command: Command) -> Result<(), Error> {
    match command {
        Command::Run(args) => run::run(*args).await,
        Command::Install(args) => install::install(&args),
        Command::Get(args) => get::get(args).await,
        Command::Reconcile(args) => request::reconcile(args).await,
        Command::Suspend(args) => request::suspend(args).await,
        Command::Resume(args) => request::resume(args).await,
        Command::Build(args) => build::build(args).await,
        Command::Plugin(args) => Box::pin(plugin::plugin(args)).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn a_wrong_command_line_of_another_tool_ends_as_there() {
        let exit = |line: &str| usage_exit(line.split(' ').map(OsString::from));
        assert_eq!(exit("build kustomize --foo"), Exit::Failed);
        assert_eq!(exit("build helm"), Exit::Failed);
        assert_eq!(exit("get kustomize"), Exit::Usage);
        assert_eq!(exit("build"), Exit::Usage);
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_run_has_an_environment_variable_and_a_description() {
        let command = Cli::command();
        let run = command.find_subcommand("run").unwrap();
        for argument in run.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{} has no description",
                argument.get_id()
            );
            assert!(
                argument.get_env().is_some(),
                "{} has no variable",
                argument.get_id()
            );
        }
    }
}
