//! The renderer plugin `kustomize`: serves Flux's Kustomization, and `weir build kustomize`.

use schemars::JsonSchema;
use serde::Deserialize;
use weir_sdk::{
    About, Call, Class, Dir, Emitter, Error, Manifest, Problem, Renderer, Result, Target, remote,
};

use crate::ErrorKind;
use crate::flux::{FluxOptions, ImageOverride, PatchOverride, build_as_flux};
use crate::fs::{EntryKind, FileSystem};
use crate::loader::LoadRestrictor;
use crate::run::{Options, Reorder, build};

/// Flux's reason for everything that goes wrong in a build.
const BUILD_FAILED: &str = "BuildFailed";

/// How far file references may reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Restrictor {
    /// In or below the directory of the kustomization that names the file.
    RootOnly,
    /// Anywhere in the artifact.
    #[default]
    None,
}

/// Order of the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Order {
    /// By kind, as the command line does.
    Legacy,
    /// As the files name them.
    #[default]
    None,
}

/// How to build. The defaults are what Flux does.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    /// Build strictly as `kustomize build` does: no file is made where there is none, and nothing
    /// is forgiven that kustomize refuses. The settings that change a kustomization do not apply.
    strict: bool,
    /// Make a kustomization of all YAML files where there is none; true unless given.
    generate: Option<bool>,
    /// How far file references may reach.
    load_restrictor: Restrictor,
    /// Order of the result where the kustomization does not say.
    reorder: Order,
    /// Label every object as managed by kustomize, as `--enable-managedby-label` does.
    managed_by_label: bool,
    /// Give as the origin of each object the file that `kustomize build -o DIR` writes it to.
    individual_files: bool,
    /// Overwrites the namespace (Flux's `targetNamespace`).
    namespace: Option<String>,
    /// Overwrites the prefix of names.
    name_prefix: Option<String>,
    /// Overwrites the suffix of names.
    name_suffix: Option<String>,
    /// Patches to append.
    patches: Vec<PatchOverride>,
    /// Images to change, merged by name.
    images: Vec<ImageOverride>,
    /// Components to append, by path relative to the directory.
    components: Vec<String>,
    /// Leave out components that are not there.
    ignore_missing_components: bool,
    /// Replaces the kustomization's `buildMetadata`.
    build_metadata: Vec<String>,
}

struct Kustomize;

impl Renderer for Kustomize {
    type Settings = Settings;

    fn about() -> About {
        About::new("kustomize", env!("CARGO_PKG_VERSION"))
            .summary("Builds kustomizations as kustomize 5.8 does")
            .example(serde_json::json!({}))
            .example(serde_json::json!({
                "namespace": "apps",
                "images": [{ "name": "podinfo", "newTag": "6.9.0" }],
                "patches": [{
                    "patch": "- {op: replace, path: /spec/replicas, value: 3}",
                    "target": { "kind": "Deployment", "name": "podinfo" },
                }],
            }))
            .example(serde_json::json!({
                "strict": true,
                "reorder": "legacy",
                "loadRestrictor": "rootOnly",
            }))
    }

    fn check(settings: &Settings) -> Vec<Problem> {
        let absolute = settings.components.iter().enumerate();
        absolute
            .filter(|(_, component)| component.starts_with('/'))
            .map(|(at, _)| Problem::new(format!("/components/{at}"), "must be a relative path"))
            .collect()
    }

    fn render(call: &Call, settings: Settings, target: &Target, out: &mut Emitter) -> Result<()> {
        let tree = Tree {
            dir: call.source()?,
        };
        let options = Options {
            load_restrictor: match settings.load_restrictor {
                Restrictor::RootOnly => LoadRestrictor::RootOnly,
                Restrictor::None => LoadRestrictor::None,
            },
            reorder: match settings.reorder {
                Order::Legacy => Reorder::Legacy,
                Order::None => Reorder::None,
            },
            managed_by_label: settings.managed_by_label,
            ..Options::default()
        };
        let dir = match target.path() {
            dir if dir.is_empty() => ".".to_owned(),
            dir => dir,
        };
        let built = if settings.strict {
            build(&tree, &dir, &options)
        } else {
            let flux = FluxOptions {
                generate: settings.generate.unwrap_or(true),
                namespace: settings.namespace,
                name_prefix: settings.name_prefix,
                name_suffix: settings.name_suffix,
                patches: settings.patches,
                images: settings.images,
                components: settings.components,
                ignore_missing_components: settings.ignore_missing_components,
                build_metadata: settings.build_metadata,
            };
            build_as_flux(&tree, &dir, &options, &flux)
        };
        let output = built.map_err(|err| failure(&err))?;
        for warning in output.warnings {
            out.warn("Deprecated", warning.trim_start_matches("# Warning: "));
        }
        for object in output.objects {
            let manifest = Manifest::new(object.yaml);
            let origin = if settings.individual_files {
                Some(object.file_name)
            } else {
                object.origin
            };
            out.emit(match origin {
                Some(origin) => manifest.from_file(origin),
                None => manifest,
            })?;
        }
        Ok(())
    }
}

weir_sdk::export!(renderer: Kustomize);

fn failure(err: &crate::Error) -> Error {
    let class = match err.kind() {
        ErrorKind::Input => Class::InvalidInput,
        ErrorKind::NotFound => Class::NotFound,
        ErrorKind::Unsupported => Class::Unsupported,
        ErrorKind::Denied => Class::Denied,
        ErrorKind::Unavailable => Class::Unavailable,
    };
    let failure = Error::new(class, BUILD_FAILED, err.message());
    match err.position() {
        Some(position) => match (position.line, position.column) {
            (Some(line), Some(column)) => failure.at_column(position.path.as_str(), line, column),
            (Some(line), None) => failure.at(position.path.as_str(), line),
            _ => failure.in_file(position.path.as_str()),
        },
        None => failure,
    }
}

/// The host's tree. Its paths are relative to the root.
struct Tree {
    dir: Dir,
}

fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

fn kind_of(kind: weir_sdk::EntryKind) -> EntryKind {
    match kind {
        weir_sdk::EntryKind::File => EntryKind::File,
        weir_sdk::EntryKind::Directory => EntryKind::Directory,
    }
}

impl FileSystem for Tree {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        self.dir.kind(relative(path)).map(kind_of)
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.dir.read(relative(path)).ok()
    }

    fn list(&self, path: &str) -> Vec<(String, EntryKind)> {
        let entries = self.dir.entries(relative(path)).unwrap_or_default();
        entries
            .into_iter()
            .map(|entry| (entry.name, kind_of(entry.kind)))
            .collect()
    }

    fn repository(&self, url: &str, reference: Option<&str>) -> crate::Result<Box<dyn FileSystem>> {
        let dir = remote::repository(url, reference).map_err(|err| refused(&err))?;
        Ok(Box::new(Tree { dir }))
    }

    fn download(&self, url: &str) -> crate::Result<Vec<u8>> {
        let file = remote::file(url).map_err(|err| refused(&err))?;
        let size = u32::try_from(file.size()).unwrap_or(u32::MAX);
        file.read(0, size).map_err(|err| refused(&err))
    }
}

/// Why the host did not fetch something.
fn refused(err: &Error) -> crate::Error {
    let kind = match err.class() {
        Class::NotFound => ErrorKind::NotFound,
        Class::Denied | Class::Unauthorized => ErrorKind::Denied,
        Class::Unavailable => ErrorKind::Unavailable,
        Class::Unsupported => ErrorKind::Unsupported,
        Class::InvalidSettings | Class::InvalidInput | Class::Internal => ErrorKind::Input,
    };
    crate::Error::new(err.message()).of_kind(kind)
}
