//! Compiles the components that the release binary carries.
//!
//! `weir-precompile OUTPUT COMPONENT.wasm...` writes each component, its code and an index into the
//! folder `OUTPUT`; `--target` names another than this machine's.

use std::path::PathBuf;
use std::process::ExitCode;

use weir_plugin::precompile::{Precompiled, precompile};

fn main() -> ExitCode {
    let mut target = None;
    let mut paths = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--target" => target = arguments.next(),
            _ => paths.push(PathBuf::from(argument)),
        }
    }
    let [output, components @ ..] = paths.as_slice() else {
        eprintln!("usage: weir-precompile [--target TRIPLE] OUTPUT COMPONENT.wasm...");
        return ExitCode::from(2);
    };
    let target = target.unwrap_or_else(|| format!("{}-unknown-linux-gnu", std::env::consts::ARCH));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let compiled: Result<Vec<Precompiled>, Box<dyn std::error::Error>> = match runtime {
        Ok(runtime) => runtime
            .block_on(precompile(components, output, &target))
            .map_err(Into::into),
        Err(error) => Err(error.into()),
    };
    match compiled {
        Ok(entries) => {
            for entry in entries {
                let description = &entry.description;
                println!(
                    "{} {} {} {}",
                    entry.name, description.world, description.digest, target
                );
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let mut source: Option<&dyn std::error::Error> = Some(&*error);
            while let Some(error) = source {
                eprintln!("weir-precompile: {error}");
                source = error.source();
            }
            ExitCode::FAILURE
        }
    }
}
