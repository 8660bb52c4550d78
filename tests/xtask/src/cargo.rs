//! Runs cargo, and the workspaces there are.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use weir_tests_support::folders;

/// The target that components are built for.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// Cargo in the root of the workspace.
pub(crate) fn cargo() -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(folders::workspace());
    // What `cargo run` set for this program would make the inner cargo build crates again that
    // watch these variables.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end; a failure names what was run.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("failed to start {}", command.get_program().display()))?;
    ensure!(status.success(), "{} ended with {status}", shown(command));
    Ok(())
}

/// Runs cargo with these arguments.
pub(crate) fn cargo_with(args: &[&str]) -> Result<()> {
    run(cargo().args(args))
}

/// A command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let mut text = program
        .file_name()
        .unwrap_or_default()
        .display()
        .to_string();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}

/// The manifests of the workspaces beside the main one: test guests and example plugins, which
/// must build without it.
pub(crate) fn guest_workspaces() -> Vec<PathBuf> {
    let mut manifests = Vec::new();
    for folder in ["tests/guests", "examples/plugins"] {
        let folder = folders::workspace().join(folder);
        let own = folder.join("Cargo.toml");
        if own.exists() {
            manifests.push(own);
            continue;
        }
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        let mut below: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path().join("Cargo.toml"))
            .filter(|manifest| manifest.exists())
            .collect();
        below.sort();
        manifests.extend(below);
    }
    manifests
}
