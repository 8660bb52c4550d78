//! Benches against real parts: a control plane, or the tools that our renderers stand for.
//! `cargo xtask bench` builds all they need and runs this.
//!
//! Seconds move from machine to machine; requests and the ratio between two subjects of the same
//! run hold.

mod helm;
mod kustomizations;
mod kustomize;
mod load;
mod renders;
mod subject;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask bench",
    about = "Measure weir, and its peers in the same run"
)]
struct Args {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// A Git repository of n folders with four objects each, a Kustomization for each folder:
    /// installed, upgraded, one file committed, reconciled with nothing to do
    Kustomizations {
        /// Folders and Kustomizations
        #[arg(long, default_value_t = 100)]
        n: usize,
        /// Folder with Flux's source-controller and kustomize-controller, measured after weir
        #[arg(long, value_name = "DIR")]
        peers: Option<PathBuf>,
        /// Measure the peers alone
        #[arg(long, requires = "peers")]
        only_peers: bool,
        /// Seconds after which a phase is given up, and the subject with it
        #[arg(long, value_name = "SECONDS", default_value_t = 900)]
        timeout: u64,
    },
    /// The renderer helm against the real binary, on charts of the conformance corpus
    Helm {
        /// How long each figure may take
        #[arg(long, value_name = "SECONDS", default_value_t = 2)]
        seconds: u64,
    },
    /// The renderer kustomize against the real binary: small trees, and 1,000 and 5,000 objects
    Kustomize {
        /// How long each figure may take
        #[arg(long, value_name = "SECONDS", default_value_t = 2)]
        seconds: u64,
        /// Leave out the inputs on which the real binary takes a minute
        #[arg(long)]
        small: bool,
    },
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    match args.bench {
        Bench::Kustomizations {
            n,
            peers,
            only_peers,
            timeout,
        } => {
            let options = kustomizations::Options {
                count: n,
                timeout: Duration::from_secs(timeout),
            };
            let mut kinds = Vec::new();
            if !only_peers {
                kinds.push(subject::Kind::Weir);
            }
            match peers {
                Some(folder) => kinds.push(subject::Kind::Flux(folder)),
                None => eprintln!("Flux is left out: no --peers given"),
            }
            kustomizations::compare(&kinds, &options)
        }
        Bench::Helm { seconds } => helm::compare(seconds),
        Bench::Kustomize { seconds, small } => {
            kustomize::compare(kustomize::Options { seconds, small })
        }
    }
}
