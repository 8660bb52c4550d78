//! The demo: a commit becomes objects in a real cluster, through components pulled from a real
//! registry; then the figures that weir promises, measured on the spot.
//!
//! `cargo xtask demo` builds all it needs and runs this.

mod acts;
mod figures;
mod report;
mod rig;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::report::Report;
use crate::rig::Rig;

/// Show a commit become objects in a real cluster.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask demo")]
struct Args {
    /// Leave everything running at the end, and say how to look around; Enter or Ctrl-C ends it
    #[arg(long)]
    keep: bool,
    /// Skip the figures, show only what happens
    #[arg(long)]
    no_figures: bool,
    /// Use this cluster instead of starting one. The demo makes the namespaces flux-system and
    /// podinfo there, and the CRDs of weir, and removes what it made
    #[arg(long, env = "KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let mut report = Report::default();
    let mut rig = Rig::start(args.kubeconfig.as_deref(), &mut report)?;
    let outcome = play(args, &mut rig, &mut report);
    if let Err(error) = &outcome {
        eprintln!(
            "\nerror: {error:#}\n\nThe host's last words:\n{}",
            rig.host_log(30)
        );
    }
    report.print();
    if args.keep {
        show::look_around(&rig);
    }
    // With a cluster of one's own there is nothing to remove: it goes.
    rig.clean_up()?;
    outcome
}

fn play(args: &Args, rig: &mut Rig, report: &mut Report) -> Result<()> {
    acts::install(rig, report)?;
    acts::first_commit(rig, report)?;
    acts::second_commit(rig, report)?;
    acts::edit_by_hand(rig, report)?;
    acts::new_component(rig, report)?;
    acts::alert(rig, report)?;
    if !args.no_figures {
        figures::measure(rig, report)?;
    }
    Ok(())
}
