//! `weir plugin`: moving, looking at and trying out components.

mod inspect;
mod registry;
mod try_out;

use clap::{Args, Subcommand, ValueEnum};

use super::Error;

/// Push, pull, inspect and try out plugins.
#[derive(Debug, Args)]
pub(super) struct PluginArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Push(registry::PushArgs),
    Pull(registry::PullArgs),
    Inspect(inspect::InspectArgs),
    List(inspect::ListArgs),
    Run(try_out::RunArgs),
}

/// Form of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    #[default]
    Text,
    Json,
    Yaml,
}

pub(super) async fn plugin(args: PluginArgs) -> Result<(), Error> {
    match args.command {
        Command::Push(args) => registry::push(args).await,
        Command::Pull(args) => registry::pull(args).await,
        Command::Inspect(args) => Box::pin(inspect::inspect(args)).await,
        Command::List(args) => inspect::list(args),
        Command::Run(args) => Box::pin(try_out::run(args)).await,
    }
}
