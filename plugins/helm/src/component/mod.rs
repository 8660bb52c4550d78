//! The renderer plugin `helm`: serves HelmRelease and `weir build helm`, and a Kustomization whose
//! source holds a chart.

mod host;
mod lookup;
mod settings;

use std::rc::Rc;

use weir_sdk::{About, Call, Class, Emitter, Manifest, Renderer, Result, Target};

use self::host::{Asked, Outside, Tree};
use self::settings::Settings;
use crate::capabilities::{Assumed, Discovery, KubeVersion};
use crate::error::Error;
use crate::fs::{FileSystem, join};
use crate::loader::{load, map_of};
use crate::output::{OutputOptions, Role};
use crate::release::Release;
use crate::render::{Options, render};
use crate::values::{ValueOptions, merge_maps};
use crate::warnings::Warnings;

/// Flux's reason for everything that goes wrong in a build.
const BUILD_FAILED: &str = "BuildFailed";
/// The input that a HelmRelease hands in.
const CHART: &str = "chart";

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
        let warnings = Warnings::default();
        let release = make_release(&Tree { dir }, &path, &settings, &options, target, &warnings);
        let release = release.map_err(|err| failure(&err, &warnings))?;
        emit(&release, &settings, kind, &warnings, out)
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
    warnings: &Warnings,
) -> Result<Release, Error> {
    let discovery = discovery(settings, target)?;
    let read = |name: &str| {
        let content = match settings.files.get(name) {
            Some(content) => content.clone().map(String::into_bytes),
            None => tree.read(&join(path, name)),
        };
        content.ok_or_else(|| format!("open {name}: no such file or directory"))
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
    render(&chart, &values, options, &discovery, &Outside, warnings)
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
fn emit(
    release: &Release,
    settings: &Settings,
    kind: Kind,
    warnings: &Warnings,
    out: &mut Emitter,
) -> Result<()> {
    let told = |err: Error| failure(&err, warnings);
    for warning in warnings.texts() {
        out.warn("Helm", &warning);
    }
    let options = OutputOptions {
        include_crds: settings.include_crds || kind == Kind::Releases,
        no_hooks: settings.no_hooks,
        skip_tests: settings.skip_tests,
        show_only: settings.show_only.clone(),
    };
    if settings.stream {
        let text = release.print(&options).map_err(told)?;
        return out.emit(Manifest::new(text));
    }
    let shown = release.select(&options).map_err(told)?;
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
        let records = [
            ("chart", release.chart_record()),
            ("hooks", release.hooks_record()),
            ("values", release.values_record()),
        ];
        for (name, record) in records {
            out.attach(name, record.map_err(told)?.as_bytes())?;
        }
    }
    Ok(())
}

fn failure(err: &Error, warnings: &Warnings) -> weir_sdk::Error {
    let class = match err {
        Error::Options(_) => Class::InvalidSettings,
        _ => Class::InvalidInput,
    };
    // What the command line says is more than the cause, and as Helm says it.
    let detail = serde_json::json!({
        "commandLine": err.command_line_text(),
        "warnings": warnings.texts(),
    });
    weir_sdk::Error::new(class, BUILD_FAILED, shortened(err.to_string())).detail(&detail)
}

/// Templates that include each other without end are told from the first to the last: where it
/// begins and what it came to is enough for a message.
fn shortened(text: String) -> String {
    const ENDS: usize = 1 << 10;
    if text.len() <= 2 * ENDS {
        return text;
    }
    let begin = text.floor_char_boundary(ENDS);
    let end = text.ceil_char_boundary(text.len() - ENDS);
    format!("{} … {}", &text[..begin], &text[end..])
}
