//! The renderer plugin `helm`: serves HelmRelease and `weir build helm`, and a Kustomization whose
//! source holds a chart.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use schemars::JsonSchema;
use serde::Deserialize;
use weir_sdk::{About, Call, Class, Dir, Emitter, Manifest, Renderer, Result, Target};
use weir_template::{Host, Value};

use crate::capabilities::{Assumed, Discovery, KubeVersion};
use crate::error::Error;
use crate::fs::{EntryKind, FileSystem, join};
use crate::loader::{load, map_of};
use crate::output::{OutputOptions, Role};
use crate::release::Release;
use crate::render::{Options, render};
use crate::values::{ValueOptions, merge_maps};

/// Flux's reason for everything that goes wrong in a build.
const BUILD_FAILED: &str = "BuildFailed";
/// The input that a HelmRelease hands in.
const CHART: &str = "chart";

/// How to render. The defaults are those of `helm template`; names and values of a release come
/// from the object.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    /// Name of the release, where the object's kind has none.
    release_name: Option<String>,
    /// Namespace of the release, where the object says none.
    namespace: Option<String>,
    /// Files of values, merged in order under what the object says: paths from the chart's
    /// directory, or names in `files`.
    values_files: Vec<String>,
    /// Values in the syntax of `helm --set-json`.
    set_json: Vec<String>,
    /// Values in the syntax of `helm --set`.
    set: Vec<String>,
    /// Values in the syntax of `helm --set-string`.
    set_string: Vec<String>,
    /// Values in the syntax of `helm --set-file`.
    set_file: Vec<String>,
    /// Values in the syntax of `helm --set-literal`.
    set_literal: Vec<String>,
    /// Contents of files that are not in the source, by the names that other settings use.
    files: BTreeMap<String, String>,
    /// Version of Kubernetes to assume, and with it the APIs that Helm knows, rather than asking
    /// the cluster.
    kube_version: Option<String>,
    /// APIs that are there besides: `monitoring.coreos.com/v1`.
    api_versions: Vec<String>,
    /// Emit the definitions in `crds/`.
    include_crds: bool,
    /// Render as an upgrade, where the object's kind has no releases.
    is_upgrade: bool,
    /// Leave out all hooks.
    no_hooks: bool,
    /// Leave out hooks that are tests.
    skip_tests: bool,
    /// Emit only what comes from these templates.
    show_only: Vec<String>,
    /// Do not hold values against the charts' schemas.
    skip_schema_validation: bool,
    /// Take notes of subcharts into the notes.
    render_subchart_notes: bool,
}

struct Helm;

impl Renderer for Helm {
    type Settings = Settings;

    fn about() -> About {
        About::new("helm", env!("CARGO_PKG_VERSION"))
            .summary("Renders charts as Helm 3.17 does")
            .example(serde_json::json!({}))
            .example(serde_json::json!({
                "releaseName": "web",
                "valuesFiles": ["values-production.yaml"],
                "set": ["image.tag=1.2.3", "replicas=3"],
                "includeCrds": true,
            }))
            .example(serde_json::json!({
                "kubeVersion": "1.31",
                "apiVersions": ["monitoring.coreos.com/v1"],
                "skipTests": true,
            }))
    }

    fn render(call: &Call, settings: Settings, target: &Target, out: &mut Emitter) -> Result<()> {
        let (dir, path) = if call.inputs().iter().any(|input| input == CHART) {
            (call.tree(CHART)?, String::new())
        } else {
            (call.source()?, target.path())
        };
        let release_name = target.release_name();
        let kind = if release_name.is_some() {
            Kind::Releases
        } else {
            Kind::Objects
        };
        let options = options(&settings, release_name, target);
        let release = make_release(&Tree { dir }, &path, &settings, &options, target);
        let release = release.map_err(|err| failure(&err))?;
        for warning in &release.warnings {
            out.warn("Helm", warning);
        }
        emit(release, &settings, kind, out)
    }
}

weir_sdk::export!(renderer: Helm);

/// What the object's kind makes of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Releases, of which it keeps a record.
    Releases,
    /// Objects.
    Objects,
}

fn options(settings: &Settings, release_name: Option<String>, target: &Target) -> Options {
    let defaults = Options::default();
    let is_release = release_name.is_some();
    let name = release_name.or_else(|| settings.release_name.clone());
    let namespace = target.namespace().or_else(|| settings.namespace.clone());
    Options {
        name: name.unwrap_or(defaults.name),
        namespace: namespace.unwrap_or(defaults.namespace),
        revision: if is_release {
            target.release_revision()
        } else {
            defaults.revision
        },
        is_upgrade: if is_release {
            target.is_upgrade()
        } else {
            settings.is_upgrade
        },
        subchart_notes: settings.render_subchart_notes,
        skip_schema_validation: settings.skip_schema_validation,
        limits: defaults.limits,
    }
}

fn make_release(
    tree: &Tree,
    path: &str,
    settings: &Settings,
    options: &Options,
    target: &Target,
) -> Result<Release, Error> {
    let read = |name: &str| match settings.files.get(name) {
        Some(content) => Ok(content.clone().into_bytes()),
        None => tree
            .read(&join(path, name))
            .ok_or_else(|| format!("open {name}: no such file or directory")),
    };
    let given = ValueOptions {
        files: settings.values_files.clone(),
        set_json: settings.set_json.clone(),
        set: settings.set.clone(),
        set_string: settings.set_string.clone(),
        set_file: settings.set_file.clone(),
        set_literal: settings.set_literal.clone(),
    };
    let values = given.merge(&read)?;
    let of_object = weir_yaml::json::parse(&target.values())
        .map_err(|err| Error::Values(format!("failed to parse the object's values: {err}")))?;
    let values = match &of_object {
        weir_yaml::Value::Object(object) => merge_maps(&values, &map_of(object)),
        _ => values,
    };
    let chart = Rc::new(load(tree, path, path)?);
    render(
        &chart,
        &values,
        options,
        &discovery(settings, target)?,
        &Outside,
    )
}

fn discovery(settings: &Settings, target: &Target) -> Result<Rc<dyn Discovery>, Error> {
    let more_apis = settings.api_versions.clone();
    Ok(match &settings.kube_version {
        Some(version) => Rc::new(Assumed {
            kube_version: KubeVersion::parse(version)?,
            more_apis,
        }),
        None => Rc::new(Asked {
            target: target.clone(),
            more_apis,
        }),
    })
}

/// The manifests, and what else the kind has a use for.
fn emit(release: Release, settings: &Settings, kind: Kind, out: &mut Emitter) -> Result<()> {
    let shown = release.select(&OutputOptions {
        include_crds: settings.include_crds || kind == Kind::Releases,
        no_hooks: settings.no_hooks,
        skip_tests: settings.skip_tests,
        show_only: settings.show_only.clone(),
    });
    let shown = shown.map_err(|err| failure(&err))?;
    for document in shown {
        let role = match (kind, document.role) {
            (Kind::Releases, Role::Crd) => Some("crd"),
            (Kind::Releases, Role::Hook) => Some("hook"),
            _ => None,
        };
        let manifest = Manifest::new(document.content.as_bytes()).from_file(document.path);
        out.emit(match role {
            Some(role) => manifest.role(role),
            None => manifest,
        })?;
    }
    if kind == Kind::Releases {
        out.attach("notes", release.notes.as_bytes())?;
        let chart = release.chart_record().map_err(|err| failure(&err))?;
        out.attach("chart", chart.as_bytes())?;
    }
    Ok(())
}

fn failure(err: &Error) -> weir_sdk::Error {
    let class = match err {
        Error::Options(_) => Class::InvalidSettings,
        _ => Class::InvalidInput,
    };
    // What the command line says is more than the cause, and as Helm says it.
    let detail = serde_json::json!({ "commandLine": err.command_line_text() });
    weir_sdk::Error::new(class, BUILD_FAILED, err.to_string()).detail(&detail)
}

/// A cluster that is asked when a template asks.
struct Asked {
    target: Target,
    more_apis: Vec<String>,
}

impl Discovery for Asked {
    fn kube_version(&self) -> KubeVersion {
        let version = self.target.kube_version();
        KubeVersion::parse(&version).unwrap_or_default()
    }

    fn has_api(&self, name: &str) -> bool {
        self.more_apis.iter().any(|api| api == name) || self.target.has_api(name)
    }

    fn apis(&self) -> Vec<String> {
        let mut apis = self.target.apis();
        apis.extend(self.more_apis.iter().cloned());
        apis
    }
}

/// Time and randomness of the host.
struct Outside;

impl Host for Outside {
    fn now(&self) -> i128 {
        let now = weir_sdk::clock::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |now| i128::try_from(now.as_nanos()).unwrap_or(i128::MAX))
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(64 << 10) {
            let len = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
            chunk.copy_from_slice(&weir_sdk::random::bytes(len));
        }
    }

    /// Empty, as without a cluster: hosts do not serve `cluster` yet.
    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Value, String> {
        Ok(Value::map::<&str>([]))
    }
}

/// The host's tree.
struct Tree {
    dir: Dir,
}

fn kind_of(kind: weir_sdk::EntryKind) -> EntryKind {
    match kind {
        weir_sdk::EntryKind::File => EntryKind::File,
        weir_sdk::EntryKind::Directory => EntryKind::Directory,
    }
}

impl FileSystem for Tree {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        self.dir.kind(path).map(kind_of)
    }

    fn list(&self, path: &str) -> Vec<(String, EntryKind)> {
        let entries = self.dir.entries(path).unwrap_or_default();
        entries
            .into_iter()
            .map(|entry| (entry.name, kind_of(entry.kind)))
            .collect()
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.dir.read(path).ok()
    }

    fn read_many(&self, paths: &[String]) -> Result<Vec<Vec<u8>>, String> {
        let files = self.dir.read_many(paths).map_err(|err| err.to_string())?;
        Ok(files.into_iter().map(|file| file.data).collect())
    }
}
