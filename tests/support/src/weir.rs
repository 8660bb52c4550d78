//! The weir binary, run against a cluster, with what it used.

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;

use crate::folders;
use crate::net::{self, Answer};
use crate::process::{Process, ProcessOptions};
use crate::reaper;

/// How the host is to run.
#[derive(Clone, Debug)]
pub struct WeirOptions {
    /// Whose rights it has.
    pub kubeconfig: PathBuf,
    /// Arguments after the ones that this module sets.
    pub args: Vec<OsString>,
    /// Variables set for it.
    pub env: Vec<(String, OsString)>,
    /// A folder for artifacts and compiled plugins that outlives the process, to test restarts;
    /// one of its own if there is none.
    pub storage: Option<PathBuf>,
    /// It is to stand by while another host leads: it has started when it answers at all.
    pub stands_by: bool,
    /// It goes on when a file cannot grow, for [`Weir::limit_files`].
    pub meets_full_disk: bool,
}

impl WeirOptions {
    /// Runs with these rights and nothing else set.
    pub fn new(kubeconfig: impl Into<PathBuf>) -> Self {
        Self {
            kubeconfig: kubeconfig.into(),
            args: Vec::new(),
            env: Vec::new(),
            storage: None,
            stands_by: false,
            meets_full_disk: false,
        }
    }
}

/// A running host.
#[derive(Debug)]
pub struct Weir {
    process: Process,
    metrics: SocketAddr,
    health: SocketAddr,
    _folder: TempDir,
}

/// What a process used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Peak resident memory in bytes.
    pub peak_memory: u64,
    /// Processor time, user and system.
    pub cpu: Duration,
}

impl Weir {
    /// The binary under test: `WEIR_BIN`, else the newest of those that this workspace built.
    pub fn binary() -> Result<PathBuf> {
        if let Some(path) = std::env::var_os("WEIR_BIN") {
            let path = PathBuf::from(path);
            ensure!(
                folders::is_executable(&path),
                "WEIR_BIN names {}, which is no program",
                path.display()
            );
            return Ok(path);
        }
        let target = folders::target();
        ["release/weir", "debug/weir"]
            .iter()
            .map(|name| target.join(name))
            .filter(|path| folders::is_executable(path))
            .max_by_key(|path| path.metadata().and_then(|meta| meta.modified()).ok())
            .context("weir is not built: run `cargo xtask build`, or set WEIR_BIN")
    }

    /// Starts `weir run` and waits until it says that it is ready.
    pub fn start(options: &WeirOptions) -> Result<Self> {
        let binary = Self::binary()?;
        let folder = tempfile::Builder::new().prefix("weir-host-").tempdir()?;
        reaper::remove_folder(folder.path());
        let storage = options
            .storage
            .clone()
            .unwrap_or_else(|| folder.path().to_path_buf());
        let metrics = SocketAddr::from((Ipv4Addr::LOCALHOST, net::free_port()?));
        let health = SocketAddr::from((Ipv4Addr::LOCALHOST, net::free_port()?));
        let artifacts = SocketAddr::from((Ipv4Addr::LOCALHOST, net::free_port()?));
        let log = folder.path().join("weir.log");
        let process = if options.meets_full_disk {
            // The signal would end it; on a full disk there is none.
            let script = r#"trap '' XFSZ; exec "$0" "$@""#;
            let shell = ProcessOptions::new("weir", "/bin/sh", log);
            shell.arg("-c").arg(script).arg(binary)
        } else {
            ProcessOptions::new("weir", binary, log)
        };
        let mut process = process
            .env("KUBECONFIG", &options.kubeconfig)
            .arg("run")
            .arg("--storage-path")
            .arg(storage)
            .arg(format!("--storage-addr={artifacts}"))
            .arg(format!("--storage-adv-addr={artifacts}"))
            .arg(format!("--metrics-addr={metrics}"))
            .arg(format!("--health-addr={health}"));
        process.args.extend(options.args.iter().cloned());
        process.env.extend(options.env.iter().cloned());
        // It drains its work for longer than a test part does.
        process.grace = Duration::from_secs(20);
        let probe = if options.stands_by {
            "/healthz"
        } else {
            "/readyz"
        };
        let process = Process::start(&process, || {
            net::get(health, probe).is_ok_and(|answer| answer.status == 200)
        })?;
        Ok(Self {
            process,
            metrics,
            health,
            _folder: folder,
        })
    }

    /// Runs the binary to its end with these rights; fails with what it printed if it fails.
    pub fn command(kubeconfig: &Path, args: &[&str]) -> Result<String> {
        let output = Command::new(Self::binary()?)
            .args(args)
            .env("KUBECONFIG", kubeconfig)
            .output()
            .context("failed to start weir")?;
        if !output.status.success() {
            bail!(
                "weir {} ended with {}: {}{}",
                args.join(" "),
                output.status,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The process, to stop or to kill it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// From now on no file can grow beyond so many bytes, as if the disk were full; `None`: as
    /// large as ever.
    pub fn limit_files(&self, bytes: Option<u64>) -> Result<()> {
        let id = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw);
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(id, Resource::Fsize, limit)
            .map(drop)
            .context("failed to set the limit of file sizes")
    }

    /// The end of its log.
    pub fn log_tail(&self, lines: usize) -> String {
        self.process.log_tail(lines)
    }

    /// All of its log.
    pub fn log(&self) -> Result<String> {
        fs::read_to_string(self.process.log()).context("failed to read the log")
    }

    /// `GET` on the health port.
    pub fn health(&self, path: &str) -> Result<Answer> {
        net::get(self.health, path)
    }

    /// The text of `/metrics`.
    pub fn metrics(&self) -> Result<String> {
        Ok(net::get(self.metrics, "/metrics")?.body)
    }

    /// The sum of all samples of a metric whose labels hold every one of `labels`, each written
    /// `name="value"`. 0 where there is no such sample.
    pub fn metric(&self, name: &str, labels: &[&str]) -> Result<f64> {
        Ok(sum(&self.metrics()?, name, labels))
    }

    /// What it used so far.
    pub fn usage(&self) -> Result<Usage> {
        Usage::of(self.process.id())
    }
}

impl Usage {
    /// What a process used so far, from `/proc`.
    pub fn of(pid: u32) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<u64>().ok())
            .context("no VmHWM in /proc status")?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The second field is the name in parentheses, and may hold spaces; user and system time
        // are the 14th and 15th.
        let (_, rest) = stat.rsplit_once(')').context("no name in /proc stat")?;
        let ticks: u64 = rest
            .split_ascii_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Self {
            peak_memory: peak * 1024,
            cpu: Duration::from_secs_f64(ticks as f64 / per_second as f64),
        })
    }
}

/// Adds up the samples of a metric in the Prometheus text format.
fn sum(text: &str, name: &str, labels: &[&str]) -> f64 {
    text.lines()
        .filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let (found, value) = match rest.strip_prefix('{') {
                Some(rest) => rest.rsplit_once('}')?,
                None if rest.starts_with(' ') => ("", rest),
                None => return None,
            };
            let matches = labels.iter().all(|label| found.contains(label));
            matches.then(|| value.split_ascii_whitespace().next()?.parse::<f64>().ok())?
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_summed_over_the_labels_not_named() {
        let text = "# TYPE a_total counter\na_total{kind=\"x\",outcome=\"ok\"} 2\n\
                    a_total{kind=\"x\",outcome=\"failed\"} 1\na_total_other 9\nplain 4\n";
        assert!((sum(text, "a_total", &["kind=\"x\""]) - 3.0).abs() < f64::EPSILON);
        assert!((sum(text, "a_total", &["outcome=\"ok\""]) - 2.0).abs() < f64::EPSILON);
        assert!((sum(text, "plain", &[]) - 4.0).abs() < f64::EPSILON);
    }

    #[test]
    fn usage_of_this_process_is_read() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.peak_memory > 1 << 20);
    }
}
