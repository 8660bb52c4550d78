//! Running components from the command line: the runtime, a target of plain values, and what a
//! failed call means.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_plugin::{
    Call, CallError, Called, Failure, FixedTarget, Grants, Input, Limits, Plugin, RenderOutput,
    Runtime, RuntimeConfig, Services, Subject, Trace, Tree,
};

use super::{Error, Exit};
use crate::capabilities::Capabilities;
use crate::lookup::Lookup;

/// Calls at a time; a command makes one.
const CALLS: u32 = 2;

/// A runtime for one command. What it compiles is kept in the user's cache folder, and from there
/// the code that the binary carries is mapped too, where else all of it would be copied.
pub(super) fn runtime() -> Result<Runtime, Error> {
    let config = |cache_dir| RuntimeConfig {
        cache_dir,
        max_calls: CALLS,
        ..RuntimeConfig::default()
    };
    // A home that cannot be written is no reason to fail: the component is compiled or copied.
    let cached = cache_folder().and_then(|folder| Runtime::new(config(Some(folder))).ok());
    match cached {
        Some(runtime) => Ok(runtime),
        None => Ok(Runtime::new(config(None))?),
    }
}

fn cache_folder() -> Option<PathBuf> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(cache.join("weir").join("plugins"))
}

/// A render of a local tree.
pub(super) struct LocalRender {
    pub(super) tree: Arc<dyn Tree>,
    /// Directory in it.
    pub(super) path: String,
    pub(super) namespace: Option<String>,
    /// JSON.
    pub(super) settings: String,
    pub(super) limits: Limits,
    /// One that may be asked.
    pub(super) cluster: Option<Cluster>,
}

/// A cluster that a render may ask.
#[derive(Clone)]
pub(super) struct Cluster {
    /// What it serves, where that counts.
    pub(super) capabilities: Option<Arc<Capabilities>>,
    /// Its objects, where they may be looked up.
    pub(super) lookup: Option<Arc<Lookup>>,
}

impl LocalRender {
    /// Checks the settings and renders; returns what was asked too.
    pub(super) async fn run(self, plugin: &Arc<Plugin>) -> Result<(RenderOutput, Trace), Error> {
        self.run_in(plugin, Path::new("")).await
    }

    /// As [`run`](Self::run), of the tree in a directory: errors name its files from here.
    pub(super) async fn run_in(
        self,
        plugin: &Arc<Plugin>,
        root: &Path,
    ) -> Result<(RenderOutput, Trace), Error> {
        let called = self.call(plugin).await?;
        let output = called.result.map_err(|mut error| {
            if let CallError::Failed(failure) = &mut error {
                for position in &mut failure.positions {
                    position.path = from_here(&root.join(&position.path));
                }
            }
            call_error(error)
        })?;
        for warning in &output.warnings {
            eprintln!("warning: {}: {}", warning.code, warning.message);
        }
        Ok((output, called.trace))
    }

    /// Checks the settings and renders, however that ends.
    pub(super) async fn call(self, plugin: &Arc<Plugin>) -> Result<Called<RenderOutput>, Error> {
        check_settings(plugin, &self.settings)?;
        let (capabilities, lookup) = match self.cluster {
            Some(cluster) => (cluster.capabilities, cluster.lookup),
            None => (None, None),
        };
        // Who renders by hand reads with rights of their own.
        let grants = Grants {
            cluster: lookup.iter().map(|_| "*".to_owned()).collect(),
            ..Grants::default()
        };
        let call = Call {
            subject: Subject {
                api_version: "kustomize.toolkit.fluxcd.io/v1".into(),
                kind: "Kustomization".into(),
                namespace: self.namespace.clone().unwrap_or_default(),
                name: "local".into(),
                uid: String::new(),
            },
            settings: self.settings.into(),
            inputs: vec![Input {
                name: "source".into(),
                revision: "local".into(),
                tree: self.tree,
            }],
            grants: Arc::new(grants),
            limits: self.limits,
            services: Services {
                cluster: lookup.map(|lookup| lookup as _),
                ..Services::none()
            },
        };
        let mut target = FixedTarget {
            path: self.path,
            namespace: self.namespace,
            ..FixedTarget::default()
        };
        match capabilities {
            Some(capabilities) => {
                target.kube_version = capabilities.kube_version();
                target.apis = capabilities.apis().iter().cloned().collect();
            }
            None => target.apis = APIS.iter().copied().map(str::to_owned).collect(),
        }
        Ok(plugin.render(call, Arc::new(target)).await)
    }
}

/// A path as one would type it in the current directory.
fn from_here(path: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(&here).unwrap_or(path);
    path.display().to_string()
}

/// Every problem of the settings in one error.
pub(super) fn check_settings(plugin: &Plugin, settings: &str) -> Result<(), Error> {
    let problems = plugin.validate_settings(settings);
    if problems.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let message = format!("the plugin refuses the settings: {}", lines.join("; "));
    Err(Error::new(Exit::Usage, message))
}

/// Writes the manifests to standard output, separated by `---`.
pub(super) fn print(output: &RenderOutput) -> Result<(), Error> {
    let mut to = io::BufWriter::new(io::stdout().lock());
    write(&mut to, output)?;
    Ok(to.flush()?)
}

/// Writes the manifests, separated by `---`.
pub(super) fn write(to: &mut impl Write, output: &RenderOutput) -> io::Result<()> {
    let bodies = output.manifests.iter().map(|manifest| &manifest.body[..]);
    separated(to, bodies)
}

fn separated<'b>(
    to: &mut impl Write,
    documents: impl IntoIterator<Item = &'b [u8]>,
) -> io::Result<()> {
    for (at, document) in documents.into_iter().enumerate() {
        if at > 0 {
            to.write_all(b"---\n")?;
        }
        to.write_all(document)?;
        if !document.ends_with(b"\n") {
            to.write_all(b"\n")?;
        }
    }
    Ok(())
}

/// The guest's own error is the input's fault; any other end is the plugin's.
pub(super) fn call_error(error: CallError) -> Error {
    match error {
        CallError::Failed(failure) => Error::failed(describe(&failure)),
        CallError::Host(_) => Error::from(error),
        _ => Error::from(error).exit(Exit::Plugin),
    }
}

/// The message, and where it happened unless that is in it.
fn describe(failure: &Failure) -> String {
    let mut text = failure.message.clone();
    for position in &failure.positions {
        let mut place = position.path.clone();
        for number in [position.line, position.column].into_iter().flatten() {
            place = format!("{place}:{number}");
        }
        if !text.contains(&place) {
            text = format!("{text} ({place})");
        }
    }
    text
}

/// Groups that every cluster serves.
const APIS: [&str; 10] = [
    "admissionregistration.k8s.io/v1",
    "apiextensions.k8s.io/v1",
    "apps/v1",
    "autoscaling/v2",
    "batch/v1",
    "networking.k8s.io/v1",
    "policy/v1",
    "rbac.authorization.k8s.io/v1",
    "storage.k8s.io/v1",
    "v1",
];

#[cfg(test)]
mod tests {
    use weir_plugin::{FailureClass, Position};

    use super::*;

    #[test]
    fn documents_are_separated_and_end_with_a_newline() {
        let mut written = Vec::new();
        separated(&mut written, [&b"a: 1\n"[..], b"b: 2"]).unwrap();
        assert_eq!(written, b"a: 1\n---\nb: 2\n");
        let mut written = Vec::new();
        separated(&mut written, []).unwrap();
        assert!(written.is_empty());
    }

    #[test]
    fn places_are_told_once() {
        let mut failure = Failure::new(FailureClass::InvalidInput, "BuildFailed", "bad indent");
        failure.positions = vec![Position {
            path: "a.yaml".into(),
            line: Some(3),
            column: Some(1),
        }];
        assert_eq!(describe(&failure), "bad indent (a.yaml:3:1)");
        failure.message = "a.yaml:3:1: bad indent".into();
        assert_eq!(describe(&failure), "a.yaml:3:1: bad indent");
    }

    #[test]
    fn whose_fault_it_was_is_in_the_exit_code() {
        let failed = Failure::new(FailureClass::InvalidInput, "BuildFailed", "no");
        assert_eq!(call_error(CallError::Failed(failed)).code(), Exit::Failed);
        let trapped = CallError::Trapped {
            message: "unreachable".into(),
        };
        assert_eq!(call_error(trapped).code(), Exit::Plugin);
        let after = std::time::Duration::from_secs(1);
        assert_eq!(
            call_error(CallError::DeadlineExceeded { after }).code(),
            Exit::Plugin
        );
    }
}
