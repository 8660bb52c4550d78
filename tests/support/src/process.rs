//! A child process with its output in a file, a readiness probe, and a certain end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::progress;
use crate::reaper;

/// What to start and how to tell that it is ready.
#[derive(Clone, Debug)]
pub struct ProcessOptions {
    /// For messages.
    pub name: String,
    /// The executable.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables set on top of this process's own.
    pub env: BTreeMap<String, OsString>,
    /// Where its standard output and error go.
    pub log: PathBuf,
    /// How long it may take to become ready.
    pub ready_within: Duration,
    /// How long it may take to end after SIGTERM before it is killed.
    pub grace: Duration,
}

impl ProcessOptions {
    /// A program whose output goes to `log`; ready within a minute, ended within five seconds.
    pub fn new(name: &str, program: impl Into<PathBuf>, log: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            log: log.into(),
            ready_within: Duration::from_mins(1),
            grace: Duration::from_secs(5),
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Sets one variable.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }
}

/// A running child; it is ended, by its id, when this is dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    grace: Duration,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts a program and waits until `ready` holds. A program that ends before, or is not
    /// ready in time, is an error that quotes the end of its log.
    pub fn start(options: &ProcessOptions, mut ready: impl FnMut() -> bool) -> Result<Self> {
        let output = File::create(&options.log)
            .with_context(|| format!("failed to create {}", options.log.display()))?;
        let child = Command::new(&options.program)
            .args(&options.args)
            .envs(&options.env)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("failed to start {}", options.program.display()))?;
        reaper::add(child.id());
        let mut process = Self {
            name: options.name.clone(),
            child,
            log: options.log.clone(),
            grace: options.grace,
            ended: None,
        };
        let started = Instant::now();
        while !ready() {
            let problem = if let Some(status) = process.poll()? {
                format!("ended with {status}")
            } else if started.elapsed() >= options.ready_within {
                format!("was not ready within {} s", options.ready_within.as_secs())
            } else {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            };
            bail!("{} {problem}:\n{}", process.name, process.log_tail(40));
        }
        Ok(process)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The file that holds what it printed.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last lines of what it printed.
    pub fn log_tail(&self, lines: usize) -> String {
        progress::tail(&self.log, lines)
    }

    /// How it ended, if it did.
    pub fn poll(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self
                .child
                .try_wait()
                .context("failed to wait for a child")?;
            if self.ended.is_some() {
                reaper::remove(self.child.id());
            }
        }
        Ok(self.ended)
    }

    /// Asks it to end (SIGTERM) and waits for the grace period; kills it after that.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.wait_or_kill()
    }

    /// Ends it at once (SIGKILL), as a crash would.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::KILL)?;
        self.wait_or_kill()
    }

    fn wait_or_kill(&mut self) -> Result<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.poll()? {
                return Ok(status);
            }
            if started.elapsed() >= self.grace {
                self.signal(Signal::KILL)?;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn signal(&mut self, signal: Signal) -> Result<()> {
        // Once it was waited for, its id may be another process's.
        if self.poll()?.is_some() {
            return Ok(());
        }
        let pid = i32::try_from(self.child.id()).context("no such process id")?;
        let pid = Pid::from_raw(pid).context("no such process id")?;
        kill_process(pid, signal).with_context(|| format!("failed to signal {}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{} could not be ended: {error:#}", self.name);
        }
    }
}
