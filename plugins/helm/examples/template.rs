//! `helm template` on a workstation, without the component: for comparing and timing.
//!
//! `cargo run --release -p weir-helm --example template -- [NAME] CHART [flags]` prints the result.
//! It takes the flags of `helm template` that have a meaning here, and `--repeat N`, which prints
//! how long one render takes instead.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool"
)]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use weir_helm::{
    Assumed, Discovery, EntryKind, Error, FileSystem, KubeVersion, Options, OutputOptions,
    ValueOptions, Warnings, load, render,
};
use weir_template::{Host, Value};

/// Folders and files of this machine.
struct Disk {
    root: PathBuf,
}

impl Disk {
    fn path(&self, path: &str) -> PathBuf {
        if path.is_empty() {
            self.root.clone()
        } else {
            self.root.join(path)
        }
    }
}

impl FileSystem for Disk {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        let metadata = fs::metadata(self.path(path)).ok()?;
        Some(if metadata.is_dir() {
            EntryKind::Directory
        } else {
            EntryKind::File
        })
    }

    fn list(&self, path: &str) -> Vec<(String, EntryKind)> {
        let entries = fs::read_dir(self.path(path))
            .into_iter()
            .flatten()
            .flatten();
        let mut entries: Vec<(String, EntryKind)> = entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let is_dir = entry.path().is_dir();
                Some((
                    name,
                    if is_dir {
                        EntryKind::Directory
                    } else {
                        EntryKind::File
                    },
                ))
            })
            .collect();
        entries.sort();
        entries
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        fs::read(self.path(path)).ok()
    }
}

/// The clock and randomness of this machine, and no cluster.
struct Native;

impl Host for Native {
    fn now(&self) -> i128 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |now| i128::try_from(now.as_nanos()).unwrap_or_default())
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        let random = fs::File::open("/dev/urandom");
        if random.and_then(|mut file| file.read_exact(buffer)).is_err() {
            eprintln!("WARNING: no randomness");
        }
    }

    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Value, String> {
        Ok(Value::map::<&str>([]))
    }
}

#[derive(Default)]
struct Arguments {
    positional: Vec<String>,
    values: ValueOptions,
    output: OutputOptions,
    options: Options,
    kube_version: Option<String>,
    api_versions: Vec<String>,
    repeat: u32,
}

fn arguments(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut parsed = Arguments::default();
    while let Some(argument) = arguments.next() {
        let (flag, given) = match argument.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => {
                (flag.to_owned(), Some(value.to_owned()))
            }
            _ => (argument, None),
        };
        let mut value = || {
            let value = given.clone().or_else(|| arguments.next());
            value.ok_or_else(|| format!("flag needs an argument: {flag}"))
        };
        match flag.as_str() {
            "-f" | "--values" => parsed.values.files.push(value()?),
            "--set" => parsed.values.set.push(value()?),
            "--set-string" => parsed.values.set_string.push(value()?),
            "--set-json" => parsed.values.set_json.push(value()?),
            "--set-file" => parsed.values.set_file.push(value()?),
            "--set-literal" => parsed.values.set_literal.push(value()?),
            "-n" | "--namespace" => parsed.options.namespace = value()?,
            "--kube-version" => parsed.kube_version = Some(value()?),
            "-a" | "--api-versions" => {
                parsed
                    .api_versions
                    .extend(value()?.split(',').map(str::to_owned));
            }
            "-s" | "--show-only" => parsed.output.show_only.push(value()?),
            "--include-crds" => parsed.output.include_crds = true,
            "--no-hooks" => parsed.output.no_hooks = true,
            "--skip-tests" => parsed.output.skip_tests = true,
            "--is-upgrade" => parsed.options.is_upgrade = true,
            "--skip-schema-validation" => parsed.options.skip_schema_validation = true,
            "--repeat" => parsed.repeat = value()?.parse().map_err(|_| "not a number")?,
            flag if flag.starts_with('-') => return Err(format!("unknown flag: {flag}")),
            _ => parsed.positional.push(flag),
        }
    }
    Ok(parsed)
}

fn run(arguments: &Arguments) -> Result<String, Error> {
    let (name, chart) = match arguments.positional.as_slice() {
        [chart] => (arguments.options.name.as_str(), chart),
        [name, chart] => (name.as_str(), chart),
        _ => return Err(Error::Options("expected [NAME] CHART".to_owned())),
    };
    let read = |name: &str| fs::read(name).map_err(|err| format!("open {name}: {err}"));
    let values = arguments.values.merge(&read)?;
    let path = fs::canonicalize(chart).unwrap_or_else(|_| Path::new(chart).to_owned());
    let disk = Disk { root: path };
    let chart = Rc::new(load(&disk, "", chart)?);
    let kube_version = match &arguments.kube_version {
        Some(version) => KubeVersion::parse(version)?,
        None => KubeVersion::default(),
    };
    let discovery: Rc<dyn Discovery> = Rc::new(Assumed {
        kube_version,
        more_apis: arguments.api_versions.clone(),
    });
    let options = Options {
        name: name.to_owned(),
        ..arguments.options.clone()
    };
    let warnings = Warnings::default();
    let release = render(&chart, &values, &options, &discovery, &Native, &warnings);
    for warning in warnings.texts() {
        eprintln!("{warning}");
    }
    release?.print(&arguments.output)
}

fn main() -> ExitCode {
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(text) => {
            eprintln!("Error: {text}");
            return ExitCode::FAILURE;
        }
    };
    match run(&arguments) {
        Ok(_) if arguments.repeat > 0 => {
            let start = Instant::now();
            for _ in 0..arguments.repeat {
                if run(&arguments).is_err() {
                    return ExitCode::FAILURE;
                }
            }
            println!("{:?} per render", start.elapsed() / arguments.repeat);
            ExitCode::SUCCESS
        }
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(err) => {
            eprintln!("Error: {}", err.command_line_text());
            ExitCode::FAILURE
        }
    }
}
