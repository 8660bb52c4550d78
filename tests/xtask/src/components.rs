//! Builds the components and stages them where the host, the demo and the tests look for them:
//! `components/` in the target folder for the plugins of this repository, `guests-components/`
//! for test guests and examples.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use weir_tests_support::folders;

use crate::cargo::{WASM_TARGET, cargo, guest_workspaces, run, shown};

/// Makes sure that the toolchain can build for the components' target.
pub(crate) fn ensure_target() -> Result<()> {
    if target_installed()? {
        return Ok(());
    }
    ensure!(
        folders::on_path("rustup").is_some(),
        "the standard library for {WASM_TARGET} is missing, and there is no rustup to add it"
    );
    eprintln!("  rustup target add {WASM_TARGET}");
    run(Command::new("rustup")
        .current_dir(folders::workspace())
        .args(["target", "add", WASM_TARGET]))
}

fn target_installed() -> Result<bool> {
    let output = Command::new("rustc")
        .current_dir(folders::workspace())
        .args(["--print", "target-libdir", "--target", WASM_TARGET])
        .output()
        .context("failed to start rustc")?;
    ensure!(
        output.status.success(),
        "rustc cannot be run in this workspace: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(Path::new(&folder).is_dir())
}

/// Builds the plugins of this workspace, in one call, and stages them as `components/{name}.wasm`,
/// named by their folder.
pub(crate) fn build_plugins() -> Result<()> {
    let plugins = plugins()?;
    let mut command = cargo();
    command.args(["build", "--profile", "component", "--target", WASM_TARGET]);
    for plugin in &plugins {
        command.args(["-p", &plugin.package]);
    }
    let built = build(&mut command)?;
    let staging = folders::target().join("components");
    for plugin in &plugins {
        let artifact = built
            .iter()
            .find(|built| built.package == plugin.package)
            .with_context(|| format!("{} gave no component", plugin.package))?;
        stage(
            &artifact.file,
            &staging.join(format!("{}.wasm", plugin.name)),
        )?;
    }
    eprintln!("  {} components in {}", plugins.len(), staging.display());
    Ok(())
}

/// Builds the workspaces of test guests and examples, and stages what they give under the names of
/// their packages.
pub(crate) fn build_guests() -> Result<()> {
    let staging = folders::guests();
    let mut count = 0;
    for manifest in guest_workspaces() {
        let mut command = cargo();
        command
            .args(["build", "--release", "--target", WASM_TARGET])
            .arg("--target-dir")
            .arg(folders::target().join("guests"))
            .arg("--manifest-path")
            .arg(&manifest);
        for artifact in build(&mut command)? {
            stage(
                &artifact.file,
                &staging.join(format!("{}.wasm", artifact.package)),
            )?;
            count += 1;
        }
    }
    eprintln!("  {count} guests in {}", staging.display());
    Ok(())
}

struct Plugin {
    /// Its folder below `plugins/`.
    name: String,
    package: String,
}

/// The folders below `plugins/` whose package is a component, by their crate type.
fn plugins() -> Result<Vec<Plugin>> {
    let root = folders::workspace().join("plugins");
    let mut plugins = Vec::new();
    for entry in fs::read_dir(&root).context("failed to list plugins/")? {
        let folder = entry?.path();
        let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else {
            continue;
        };
        if !manifest.contains("\"cdylib\"") {
            continue;
        }
        let package = manifest
            .lines()
            .find_map(|line| line.strip_prefix("name = "))
            .with_context(|| format!("no package name in {}", folder.display()))?;
        plugins.push(Plugin {
            name: folder.file_name().unwrap_or_default().display().to_string(),
            package: package.trim_matches('"').to_owned(),
        });
    }
    plugins.sort_by(|a, b| a.name.cmp(&b.name));
    if plugins.is_empty() {
        bail!("no folder below plugins/ is a component yet");
    }
    Ok(plugins)
}

struct Built {
    package: String,
    file: PathBuf,
}

/// Runs a build and returns the components that it gave, also those that were up to date.
fn build(command: &mut Command) -> Result<Vec<Built>> {
    command.args(["--message-format", "json-render-diagnostics"]);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("failed to start cargo")?;
    ensure!(
        output.status.success(),
        "{} ended with {}",
        shown(command),
        output.status
    );
    let mut built = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        if message["reason"] != "compiler-artifact" {
            continue;
        }
        let manifest = message["manifest_path"].as_str().unwrap_or_default();
        let files = message["filenames"].as_array().into_iter().flatten();
        for file in files.filter_map(Value::as_str).map(PathBuf::from) {
            if file
                .extension()
                .is_some_and(|extension| extension == "wasm")
            {
                let package = package_name(Path::new(manifest))?;
                built.push(Built { package, file });
            }
        }
    }
    Ok(built)
}

fn package_name(manifest: &Path) -> Result<String> {
    let text = fs::read_to_string(manifest)
        .with_context(|| format!("failed to read {}", manifest.display()))?;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("name = "))
        .with_context(|| format!("no package name in {}", manifest.display()))?;
    Ok(name.trim_matches('"').to_owned())
}

/// Copies only what changed, so that what is made from it is not made again.
fn stage(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("failed to read {}", from.display()))?;
    if fs::read(to).is_ok_and(|staged| staged == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, &bytes).with_context(|| format!("failed to write {}", to.display()))?;
    eprintln!("  {} ({} kB)", to.display(), bytes.len() / 1000);
    Ok(())
}
