//! Logs and metrics: how they are set up, and the names of their fields.
//!
//! Logs go to standard error, one JSON object a line as Flux's controllers write them, because
//! `flux logs` and log pipelines read `level`, `ts`, `msg`, `controllerKind`, `name` and
//! `namespace` at its top. Messages are constant, values are fields.

mod lines;
mod metrics;
mod process;
pub mod requests;

use std::error::Error;
use std::fmt;
use std::io::IsTerminal as _;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt as text, reload};

pub(crate) use metrics::CONTENT_TYPE as METRICS_CONTENT_TYPE;
pub use metrics::{AppliedAction, Metrics, RenderOutcome};

/// Names of log fields that more than one place writes. Those of a reconcile are Flux's.
pub mod field {
    /// `kustomization`.
    pub const CONTROLLER: &str = "controller";
    /// API group of the object.
    pub const CONTROLLER_GROUP: &str = "controllerGroup";
    /// `Kustomization`.
    pub const CONTROLLER_KIND: &str = "controllerKind";
    /// Namespace of the object.
    pub const NAMESPACE: &str = "namespace";
    /// Name of the object.
    pub const NAME: &str = "name";
    /// One run of a reconcile.
    pub const RECONCILE_ID: &str = "reconcileID";
    /// An error with its causes, from [`chain`](super::chain).
    pub const ERROR: &str = "error";
    /// The text of the line.
    pub const MESSAGE: &str = "msg";
}

/// Least level of the lines that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Level {
    /// Payloads too.
    Trace,
    /// Decisions too.
    Debug,
    /// State changes that a user asked for.
    #[default]
    Info,
    /// Recovered or skipped.
    Warn,
    /// What needs a person.
    Error,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Encoding {
    /// One JSON object a line.
    #[default]
    Json,
    /// For people.
    #[value(alias = "console")]
    Text,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// Our own crates at this level. Libraries are heard from `warn` on, because what they say at
    /// `info` and below is about themselves; at `trace` they say all.
    fn filter(self) -> EnvFilter {
        let mut directives = match self {
            Self::Trace => "trace".to_owned(),
            Self::Error => "error".to_owned(),
            level => ["weir", "weir_plugin", "weir_apply", "weir_git", "weir_api"]
                .iter()
                .fold("warn".to_owned(), |all, name| {
                    format!("{all},{name}={}", level.name())
                }),
        };
        // Each failed request is an error to kube's transport, without the object that it was for;
        // who made the request says it with the object, or tries again and has nothing to say.
        if !matches!(self, Self::Trace | Self::Debug) {
            directives.push_str(",kube_client::client::builder=off");
        }
        EnvFilter::new(directives)
    }
}

/// Changes the level of the running process.
#[derive(Clone, Debug)]
pub struct LevelHandle(reload::Handle<EnvFilter, Registry>);

impl LevelHandle {
    /// From now on this level.
    pub fn set(&self, level: Level) {
        // Fails only when the subscriber is gone, and nobody logs then.
        let _ = self.0.reload(level.filter());
    }
}

/// Installs the process's logging. Fails if it was done before.
pub fn init(level: Level, encoding: Encoding) -> Result<LevelHandle, TryInitError> {
    let (filter, handle) = reload::Layer::new(level.filter());
    let layer = match encoding {
        Encoding::Json => lines::JsonLines::new(std::io::stderr).boxed(),
        Encoding::Text => text::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .try_init()?;
    Ok(LevelHandle(handle))
}

/// An error with all its causes, `a: b: c`, for a log field or a status message. Errors of this
/// code base do not repeat their source in their own text, so nothing is said twice.
pub fn chain(error: &dyn Error) -> Chain<'_> {
    Chain(error)
}

/// See [`chain`].
pub struct Chain<'e>(&'e dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut source = self.0.source();
        while let Some(error) = source {
            let next = error.to_string();
            // Foreign errors often do repeat their source.
            if !text.contains(&next) {
                text = format!("{text}: {next}");
            }
            source = error.source();
        }
        f.write_str(&text)
    }
}
