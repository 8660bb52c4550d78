//! How commands end: exit codes in one place, and errors printed once.

use std::io;
use std::process::ExitCode;

use crate::telemetry::chain;

/// The exit codes of all commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// It failed: not found, refused, not ready, invalid input.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// It did not happen within `--timeout`.
    TimedOut = 3,
    /// A plugin trapped, passed its deadline or reached a limit: a bug of the plugin or a bound
    /// too low, not the input's fault.
    Plugin = 4,
}

/// What `--help` says about them.
pub(super) const HELP: &str = "\
Exit codes:
  0  done
  1  it failed: not found, refused, not ready, invalid input
  2  the command line is wrong (1 for `build kustomize` and `build helm`, as those tools do)
  3  it did not happen within --timeout
  4  a plugin trapped, passed its deadline or reached a limit";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended otherwise than well.
#[derive(Debug)]
pub struct Error {
    exit: Exit,
    cause: anyhow::Error,
    /// What stands before it: a command that is called like another tool's prints errors as that
    /// tool does.
    label: &'static str,
}

/// The label of most errors.
const LABEL: &str = "error";

impl Error {
    /// An error of its own text.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            cause: anyhow::Error::msg(message.into()),
            label: LABEL,
        }
    }

    /// A failure without a source.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Prints it and gives the code.
    pub(super) fn report(&self) -> ExitCode {
        // The reader of our output has enough (`weir get … | head -1`).
        let is_broken_pipe = self
            .cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        if is_broken_pipe {
            return Exit::Ok.into();
        }
        let error: &(dyn std::error::Error + 'static) = self.cause.as_ref();
        eprintln!("{}: {}", self.label, chain(error));
        self.exit.into()
    }

    /// With another exit code.
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// With another label.
    pub(super) fn labelled(mut self, label: &'static str) -> Self {
        self.label = label;
        self
    }

    /// The exit code.
    pub const fn code(&self) -> Exit {
        self.exit
    }
}

impl<E: Into<anyhow::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self {
            exit: Exit::Failed,
            cause: error.into(),
            label: LABEL,
        }
    }
}
