//! `weir build helm`: what `helm template` prints (helm/helm cmd/helm/template.go).

mod args;
mod chart;
mod files;
mod validate;

use std::io::{self, Write};
use std::sync::Arc;

use anyhow::Context as _;
use kube::Client;
use serde_json::{Value, json};
use weir_plugin::{CallError, DirTree, Limits, Plugin, RenderOutput};

use self::args::ClusterArgs;
pub(super) use self::args::HelmArgs;
use crate::builtin;
use crate::capabilities::Capabilities;
use crate::cli::Error;
use crate::cli::component::{self, Cluster, LocalRender};
use crate::lookup::Lookup;

/// What `helm template` assumes of Kubernetes without asking a cluster: Helm 3.17 is built with
/// the client library of that version.
const KUBE_VERSION: &str = "v1.32.0";

pub(super) async fn build(args: HelmArgs) -> Result<(), Error> {
    // Errors begin as Helm's do.
    run(args).await.map_err(|error| error.labelled("Error"))
}

async fn run(args: HelmArgs) -> Result<(), Error> {
    let (name, chart) = args.name_and_chart().map_err(Error::failed)?;
    let chart = chart::locate(chart)?;
    let files = files::read(&args.values)?;
    let connected = connect(&args.cluster).await?;

    let runtime = component::runtime()?;
    let plugin = builtin::load(&runtime, "helm").await?;
    let mut settings = settings(&args, name);
    settings["files"] = json!(files);
    if !args.cluster.validate {
        let version = args.cluster.kube_version.as_deref();
        settings["kubeVersion"] = version.unwrap_or(KUBE_VERSION).into();
        settings["apiVersions"] = json!(args.cluster.api_versions);
    }
    let render = Render {
        plugin: &plugin,
        chart: &chart,
        cluster: connected.as_ref().map(|connected| &connected.cluster),
        limits: Limits {
            time: args.timeout.get(),
            ..Limits::default()
        },
    };
    settings["stream"] = true.into();
    let output = render.run(&settings).await?;
    warn(output.warnings.iter().map(|warning| &*warning.message));
    if let Some(connected) = connected.as_ref().filter(|_| args.cluster.validate) {
        // What Helm holds against the cluster is neither hooks nor definitions in `crds/`.
        settings["stream"] = false.into();
        settings["noHooks"] = true.into();
        settings["showOnly"] = json!([]);
        let objects = render.run(&settings).await?;
        let release = validate::Release {
            name,
            namespace: &args.namespace,
            is_upgrade: args.is_upgrade,
        };
        validate::validate(&objects, &release, &connected.client).await?;
    }
    print(&output)
}

/// The settings of the component, but for files and what the cluster is.
fn settings(args: &HelmArgs, name: &str) -> Value {
    json!({
        "releaseName": name,
        "namespace": args.namespace,
        "valuesFiles": args.values.files,
        "setJson": args.values.set_json,
        "set": args.values.set,
        "setString": args.values.set_string,
        "setFile": args.values.set_file,
        "setLiteral": args.values.set_literal,
        "includeCrds": args.include_crds,
        "isUpgrade": args.is_upgrade,
        "noHooks": args.no_hooks,
        "skipTests": args.skip_tests,
        "showOnly": args.show_only,
        "skipSchemaValidation": args.skip_schema_validation,
        "renderSubchartNotes": args.render_subchart_notes,
    })
}

/// A cluster that is asked.
struct Connected {
    client: Client,
    cluster: Cluster,
}

/// Connects if the flags ask for a cluster.
async fn connect(args: &ClusterArgs) -> Result<Option<Connected>, Error> {
    if !args.is_asked() {
        return Ok(None);
    }
    let client = args.access().connect(None).await?;
    let mut cluster = Cluster {
        capabilities: None,
        // As Helm does, objects are looked up on a dry run of the server only.
        lookup: args
            .looks_up()
            .then(|| Arc::new(Lookup::new(client.clone()))),
    };
    if args.validate {
        let version = client.apiserver_version().await;
        version.context("Kubernetes cluster unreachable")?;
        cluster.capabilities = Some(Capabilities::look_up(client.clone()).await);
    }
    Ok(Some(Connected { client, cluster }))
}

/// A render of one chart, which may be repeated with other settings.
struct Render<'a> {
    plugin: &'a Arc<Plugin>,
    chart: &'a str,
    cluster: Option<&'a Cluster>,
    limits: Limits,
}

impl Render<'_> {
    async fn run(&self, settings: &Value) -> Result<RenderOutput, Error> {
        // Links of a chart may lead out of it, and messages name it by its full path.
        let tree = DirTree::open("/").context("failed to open the directory /")?;
        let render = LocalRender {
            tree: Arc::new(tree),
            path: self.chart.to_owned(),
            namespace: None,
            settings: settings.to_string(),
            limits: self.limits,
            cluster: self.cluster.cloned(),
        };
        let called = render.call(self.plugin).await?;
        called.result.map_err(helm_error)
    }
}

/// The error with the words of the command line: Helm adds to the cause where it stands and what
/// to do.
fn helm_error(error: CallError) -> Error {
    if let CallError::Failed(failure) = &error
        && let Some(detail) = &failure.detail
        && let Ok(detail) = serde_json::from_str::<Value>(detail)
        && let Some(text) = detail["commandLine"].as_str()
    {
        let warnings = detail["warnings"].as_array().into_iter().flatten();
        warn(warnings.filter_map(Value::as_str));
        return Error::failed(text);
    }
    component::call_error(error)
}

fn warn<'a>(messages: impl Iterator<Item = &'a str>) {
    for message in messages {
        eprintln!("WARNING: {message}");
    }
}

/// Writes the text as it is.
fn print(output: &RenderOutput) -> Result<(), Error> {
    let mut to = io::stdout().lock();
    for manifest in &output.manifests {
        to.write_all(&manifest.body)?;
    }
    Ok(to.flush()?)
}
