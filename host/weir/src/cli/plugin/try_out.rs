//! `weir plugin run`: one call of a component on local input.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use weir_api::ByteSize;
use weir_plugin::{
    Call, DirTree, Grants, Limits, MemoryTree, Plugin, Question, Services, Subject, Trace, World,
};

use super::registry::{RegistryArgs, load};
use crate::cli::component::{self, LocalRender, call_error, check_settings};
use crate::cli::{Error, Exit};

/// Call a plugin on local input and print what it returns: a renderer's manifests, or what an
/// image policy selects.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// A file, an image (oci://host/repository:tag) or the name of a built-in plugin
    component: String,
    /// Directory with the files of the source
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Directory inside the tree to render
    #[arg(long, value_name = "PATH", default_value = "")]
    path: String,
    /// Settings as JSON, or @FILE
    #[arg(long, value_name = "JSON", default_value = "{}")]
    settings: String,
    /// Namespace to render for
    #[arg(long, value_name = "NAME")]
    target_namespace: Option<String>,
    /// Tag to select from, for an image policy; may be repeated
    #[arg(long = "candidate", value_name = "TAG")]
    candidates: Vec<String>,
    /// Tell on standard error what the plugin read
    #[arg(long)]
    reads: bool,
    /// Memory it may use
    #[arg(long, value_name = "SIZE", default_value = "256Mi")]
    memory: ByteSize,
    /// How long it may take
    #[arg(long, value_name = "TIME", default_value = "60s")]
    timeout: weir_api::Duration,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(super) async fn run(args: RunArgs) -> Result<(), Error> {
    let settings = settings(&args.settings)?;
    let limits = Limits {
        memory: args.memory.0,
        time: args.timeout.get(),
        ..Limits::default()
    };
    let runtime = component::runtime()?;
    let plugin = load(&runtime, &args.component, &args.registry).await?;
    match plugin.world() {
        World::Renderer => render(args, &plugin, settings, limits).await,
        World::ImagePolicy => select(args, &plugin, settings, limits).await,
        world => Err(Error::failed(format!(
            "a {world} needs its peers: name it in a Plugin object, or test it with weir-sdk-testing"
        ))),
    }
}

fn settings(text: &str) -> Result<String, Error> {
    let json = match text.strip_prefix('@') {
        Some(path) => {
            std::fs::read_to_string(path).with_context(|| format!("failed to read {path}"))?
        }
        None => text.to_owned(),
    };
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&json) {
        Ok(_) => Ok(json),
        Err(error) => {
            let message = format!("--settings is no JSON object: {error}");
            Err(Error::new(Exit::Usage, message))
        }
    }
}

async fn render(
    args: RunArgs,
    plugin: &Arc<Plugin>,
    settings: String,
    limits: Limits,
) -> Result<(), Error> {
    let path = weir_plugin::normalise(&args.path)
        .ok_or_else(|| Error::new(Exit::Usage, "--path leads out of the tree".to_owned()))?;
    let tree: Arc<dyn weir_plugin::Tree> = match &args.tree {
        Some(directory) => Arc::new(
            DirTree::open(directory)
                .with_context(|| format!("failed to open the directory {}", directory.display()))?,
        ),
        None => Arc::new(MemoryTree::default()),
    };
    let render = LocalRender {
        tree,
        path,
        namespace: args.target_namespace,
        settings,
        limits,
        cluster: None,
    };
    let (output, trace) = render.run(plugin).await?;
    if args.reads {
        tell_reads(&trace);
    }
    component::print(&output)
}

async fn select(
    args: RunArgs,
    plugin: &Arc<Plugin>,
    settings: String,
    limits: Limits,
) -> Result<(), Error> {
    check_settings(plugin, &settings)?;
    let call = Call {
        subject: Subject {
            kind: "ImagePolicy".into(),
            name: "local".into(),
            ..Subject::default()
        },
        settings: settings.into(),
        inputs: Vec::new(),
        grants: Arc::new(Grants::default()),
        limits,
        services: Services::none(),
    };
    let called = plugin.select(call, args.candidates.clone()).await;
    let selected = called.result.map_err(call_error)?;
    let Some(candidate) = selected.and_then(|index| args.candidates.get(index as usize)) else {
        return Err(Error::failed("no candidate fits"));
    };
    let mut to = io::stdout().lock();
    writeln!(to, "{candidate}")?;
    Ok(())
}

/// What the result depends on: the key of the host's cache.
fn tell_reads(trace: &Trace) {
    for recorded in &trace.recorded {
        match &recorded.question {
            Question::Read(input, path) => eprintln!("read {input}/{path}"),
            Question::Entries(input, path) => eprintln!("list {input}/{path}"),
            Question::Kind(input, path) => eprintln!("look {input}/{path}"),
            Question::Glob(input, pattern) => eprintln!("glob {input}/{pattern}"),
            other => eprintln!("ask  {}", serde_json::to_string(other).unwrap_or_default()),
        }
    }
    if !trace.impurity.is_pure() {
        eprintln!(
            "its result is not cached: it asked for time, randomness, the cluster or a remote"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_an_object_from_the_line_or_a_file() {
        assert_eq!(settings(r#"{"a":1}"#).unwrap(), r#"{"a":1}"#);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"b":2}"#).unwrap();
        assert_eq!(
            settings(&format!("@{}", file.path().display())).unwrap(),
            r#"{"b":2}"#
        );
        for wrong in ["[]", "{", "text"] {
            assert_eq!(settings(wrong).unwrap_err().code(), Exit::Usage);
        }
        assert_eq!(
            settings("@/nowhere/at/all").unwrap_err().code(),
            Exit::Failed
        );
    }
}
