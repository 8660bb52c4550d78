//! The recipes: how a missing part is built.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use super::{Recipe, Spec};
use crate::folders;
use crate::progress;

/// Builds the part into the file `output`, using `scratch` for what lies between.
pub(super) fn run(spec: &Spec, scratch: &Path, output: &Path, label: &str) -> Result<()> {
    match spec.recipe {
        Recipe::Go {
            module,
            package,
            ldflags,
        } => {
            let folder = module_folder(module);
            go_build(&folder, package, ldflags, scratch, output, label)
        }
        Recipe::Flux => flux(spec, scratch, output, label),
        Recipe::Crate { name } => install_crate(spec, name, scratch, output, label),
        Recipe::Debian { package, suite } => {
            debian_program(spec, package, suite, scratch, output, label)
        }
    }
}

fn module_folder(module: &str) -> PathBuf {
    folders::workspace().join("tests/parts").join(module)
}

fn go() -> Result<Command> {
    let Some(go) = folders::on_path("go") else {
        bail!("Go 1.26 or newer is needed to build it, and `go` is not on PATH");
    };
    let mut command = Command::new(go);
    // A workspace file above the checkout must not change what is built.
    command.env("GOWORK", "off").env("CGO_ENABLED", "0");
    Ok(command)
}

fn go_build(
    folder: &Path,
    package: &str,
    ldflags: &str,
    scratch: &Path,
    output: &Path,
    label: &str,
) -> Result<()> {
    let mut command = go()?;
    command
        .current_dir(folder)
        // -v names each package, which shows how far it is.
        .args(["build", "-v", "-trimpath", "-mod=readonly"])
        .arg("-buildvcs=false")
        .arg("-ldflags")
        .arg(format!("-s -w {ldflags}"))
        .arg("-o")
        .arg(output)
        .arg(package);
    logged(command, scratch, label)
}

/// The CLI's main embeds `cmd/flux/manifests/*.yaml`, generated files that the published module
/// does not hold: it is built from a copy with a file put there. `flux install` would lack its
/// manifests; the commands that tests run do not read them.
fn flux(spec: &Spec, scratch: &Path, output: &Path, label: &str) -> Result<()> {
    let mut command = go()?;
    command
        .current_dir(module_folder("flux"))
        .args(["mod", "download", "-json", "github.com/fluxcd/flux2/v2"])
        .stdin(Stdio::null());
    let answer = command.output().context("failed to run go mod download")?;
    ensure!(
        answer.status.success(),
        "go mod download failed: {}{}",
        String::from_utf8_lossy(&answer.stdout),
        String::from_utf8_lossy(&answer.stderr)
    );
    let answer: serde_json::Value = serde_json::from_slice(&answer.stdout)?;
    let module = answer["Dir"]
        .as_str()
        .context("go mod download named no folder")?;
    let copy = scratch.join("flux2");
    copy_writable(Path::new(module), &copy)?;
    let manifests = copy.join("cmd/flux/manifests");
    fs::create_dir_all(&manifests)?;
    fs::write(manifests.join("none.yaml"), "# not built\n")?;
    let ldflags = format!("-X main.VERSION={}", spec.version);
    go_build(&copy, "./cmd/flux", &ldflags, scratch, output, label)
}

/// Copies a folder of the read-only module cache.
fn copy_writable(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_writable(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
            fs::set_permissions(&target, fs::Permissions::from_mode(0o644))?;
        }
    }
    Ok(())
}

fn install_crate(
    spec: &Spec,
    name: &str,
    scratch: &Path,
    output: &Path,
    label: &str,
) -> Result<()> {
    let root = scratch.join("root");
    let mut command = Command::new("cargo");
    command
        .current_dir(scratch)
        .args(["install", "--locked", "--no-track", name, "--version"])
        .arg(spec.version)
        .arg("--root")
        .arg(&root)
        .arg("--target-dir")
        .arg(scratch.join("target"))
        // A program run a handful of times: compile time matters more than its speed.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    logged(command, scratch, label)?;
    fs::rename(root.join("bin").join(name), output).context("cargo installed no such program")
}

/// Downloads a package of another suite from the mirror that this machine's apt is set up with,
/// with apt's own signature checks but none of its state, and takes the program out of it.
fn debian_program(
    spec: &Spec,
    package: &str,
    suite: &str,
    scratch: &Path,
    output: &Path,
    label: &str,
) -> Result<()> {
    for tool in ["apt-get", "dpkg-deb"] {
        ensure!(
            folders::on_path(tool).is_some(),
            "it is taken from a Debian package, and {tool} is not on PATH"
        );
    }
    let mirror = apt_mirror().context("no Debian mirror found in apt's sources")?;
    let sources = scratch.join("sources.list");
    fs::write(&sources, format!("deb {mirror} {suite} main\n"))?;
    for folder in ["state/lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(scratch.join(folder))?;
    }
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .current_dir(scratch)
            .arg("-o")
            .arg(format!("Dir::Etc::sourcelist={}", sources.display()))
            .args(["-o", "Dir::Etc::sourceparts=-", "-o", "APT::Sandbox::User="])
            .arg("-o")
            .arg(format!("Dir::State={}", scratch.join("state").display()))
            .arg("-o")
            .arg(format!("Dir::Cache={}", scratch.join("cache").display()))
            .args(args);
        command
    };
    logged(apt(&["update"]), scratch, label)?;
    logged(apt(&["download", package]), scratch, label)?;
    let file = fs::read_dir(scratch)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt downloaded no package")?;
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("-x").arg(file).arg(scratch.join("unpacked"));
    logged(unpack, scratch, label)?;
    fs::rename(scratch.join("unpacked/usr/bin").join(spec.name), output)
        .context("the package holds no such program")
}

/// The address of the first Debian archive in apt's sources, in either of its two formats.
fn apt_mirror() -> Option<String> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(folder) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(folder.filter_map(Result::ok).map(|entry| entry.path()));
    }
    files
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .find_map(|text| {
            text.lines()
                .filter(|line| line.starts_with("deb ") || line.starts_with("URIs:"))
                .flat_map(str::split_whitespace)
                .find(|word| {
                    word.starts_with("http") && word.trim_end_matches('/').ends_with("/debian")
                })
                .map(ToOwned::to_owned)
        })
}

/// Runs a command with its output in a log file, which is shown when it fails.
fn logged(mut command: Command, scratch: &Path, label: &str) -> Result<()> {
    let log = scratch.join("build.log");
    let output = File::create(&log)?;
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("failed to start {}", command.get_program().display()))?;
    let status = progress::wait_with_heartbeat(&mut child, label, &log, started)?;
    ensure!(
        status.success(),
        "{} ended with {status}:\n{}",
        command.get_program().display(),
        progress::tail(&log, 40)
    );
    Ok(())
}
