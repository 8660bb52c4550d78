//! `weir build`: rendering without a cluster, through the very components that the host runs.

mod helm;
mod kustomize;

use clap::{Args, Subcommand};

use super::Error;

/// Render locally, as the host would.
#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Kustomize(Box<kustomize::KustomizeArgs>),
    Helm(Box<helm::HelmArgs>),
}

pub(super) async fn build(args: BuildArgs) -> Result<(), Error> {
    match args.what {
        What::Kustomize(args) => kustomize::build(*args).await,
        What::Helm(args) => helm::build(*args).await,
    }
}
