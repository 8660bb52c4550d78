//! Building as Flux does: a kustomization file is made where there is none, and the spec of the
//! Flux object is merged into it (fluxcd/pkg kustomize/kustomize_generator.go).

use std::rc::Rc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::context::Context;
use crate::error::{Context as _, Error, Kind, Result};
use crate::fs::{EntryKind, FileSystem};
use crate::loader::{Loader, Source, is_remote_repository};
use crate::path;
use crate::run::{self, Options, Output};
use crate::target::{FILE_NAMES, Target, find_file};
use crate::types::decode::{self, Mode};
use crate::types::{Image, Kustomization, Patch, Selector};

/// Which objects a patch applies to; every field is a pattern for the whole text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SelectorOverride {
    /// API group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Label selector.
    pub label_selector: String,
    /// The same for annotations.
    pub annotation_selector: String,
}

/// A patch that is appended to those of the kustomization.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatchOverride {
    /// A strategic merge patch, or a list of JSON patch operations.
    pub patch: String,
    /// What it applies to; without one, the object that has its identity.
    pub target: Option<SelectorOverride>,
}

/// An image to change, merged by its name with those of the kustomization.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageOverride {
    /// Image without tag.
    pub name: String,
    /// Another image in its place.
    #[serde(default)]
    pub new_name: String,
    /// Another tag.
    #[serde(default)]
    pub new_tag: String,
    /// A digest; wins over the tag.
    #[serde(default)]
    pub digest: String,
}

/// What a Flux object adds to the kustomization that it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FluxOptions {
    /// Make a kustomization file where there is none.
    pub generate: bool,
    /// Overwrites the namespace.
    pub namespace: Option<String>,
    /// Overwrites the prefix of names.
    pub name_prefix: Option<String>,
    /// Overwrites the suffix of names.
    pub name_suffix: Option<String>,
    /// Appended patches.
    pub patches: Vec<PatchOverride>,
    /// Images, merged by name.
    pub images: Vec<ImageOverride>,
    /// Appended components, by relative path.
    pub components: Vec<String>,
    /// Leave out components that are not there.
    pub ignore_missing_components: bool,
    /// Replaces the kustomization's own.
    pub build_metadata: Vec<String>,
}

/// Builds the directory `dir` of a tree as Flux would.
pub fn build_as_flux(
    fs: &dyn FileSystem,
    dir: &str,
    options: &Options,
    flux: &FluxOptions,
) -> Result<Output> {
    let source = Rc::new(Source::local(fs, options));
    let mut cx = Context::new();
    let loader = Rc::new(Loader::at(source, dir)?);
    let (mut kustomization, file_name, text) = match find_file(&loader) {
        Ok((content, name)) => {
            let (kustomization, text) =
                read(&content).map_err(|err| err.at_file(&loader.relative(name)))?;
            (kustomization, name, Some(text))
        }
        Err(err) if err.kind() == Kind::NotFound && flux.generate => {
            let mut resources = Vec::new();
            scan(fs, loader.root(), ".", &mut resources);
            let resources = Some(resources).filter(|found| !found.is_empty());
            (
                Kustomization {
                    resources,
                    ..Kustomization::default()
                },
                FILE_NAMES[0],
                None,
            )
        }
        Err(err) => return Err(err),
    };
    merge(fs, &loader, &mut kustomization, flux)?;
    let target = Target::of(&mut cx, loader, kustomization, file_name, text)?;
    run::run(cx, target, options)
}

/// Reads an existing file. Flux reads and writes it once more, which forgives what kustomize
/// itself refuses: unknown fields, and numbers where text is meant.
fn read(content: &[u8]) -> Result<(Kustomization, Rc<str>)> {
    let text = weir_yaml::parse::decode_text(content).context("invalid Kustomization")?;
    let value = weir_yaml::from_yaml(&text).context("error converting YAML to JSON")?;
    let mut kustomization: Kustomization = decode::decode_text(&text, &value, Mode::Lenient)
        .context("error unmarshaling JSON: while decoding JSON")?;
    let empty = |list: &Option<Vec<String>>| list.as_ref().is_none_or(Vec::is_empty);
    if empty(&kustomization.resources) && empty(&kustomization.build_metadata) {
        // Without resources a file may still be there for what the spec adds.
        kustomization.build_metadata = Some(vec!["originAnnotations".to_owned()]);
    }
    Ok((kustomization, Rc::from(text)))
}

/// Every YAML file below a directory; a directory with a kustomization file of its own counts as
/// one resource.
fn scan(fs: &dyn FileSystem, dir: &str, relative: &str, found: &mut Vec<String>) {
    for (name, kind) in fs.list(dir) {
        let (absolute, relative) = (path::join(dir, &name), format!("{relative}/{name}"));
        match kind {
            EntryKind::Directory => {
                let is_kustomization = FILE_NAMES
                    .iter()
                    .any(|file| fs.kind(&path::join(&absolute, file)) == Some(EntryKind::File));
                if is_kustomization {
                    found.push(relative);
                } else {
                    scan(fs, &absolute, &relative, found);
                }
            }
            EntryKind::File if matches!(extension(&name), Some("yaml" | "yml")) => {
                found.push(relative);
            }
            EntryKind::File => {}
        }
    }
}

fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension)
}

fn merge(
    fs: &dyn FileSystem,
    loader: &Loader<'_>,
    kustomization: &mut Kustomization,
    flux: &FluxOptions,
) -> Result<()> {
    let overwrite = |field: &mut String, value: &Option<String>| {
        if let Some(value) = value {
            value.clone_into(field);
        }
    };
    overwrite(&mut kustomization.namespace, &flux.namespace);
    overwrite(&mut kustomization.name_prefix, &flux.name_prefix);
    overwrite(&mut kustomization.name_suffix, &flux.name_suffix);
    for patch in &flux.patches {
        kustomization.patches.get_or_insert_default().push(Patch {
            patch: patch.patch.clone(),
            target: patch.target.as_ref().map(selector),
            ..Patch::default()
        });
    }
    for component in &flux.components {
        if component.starts_with('/') || is_remote_repository(component) {
            return Err(Error::new(format!(
                "component path '{component}' must be local and relative"
            )));
        }
        let absolute = path::join(loader.root(), component);
        if flux.ignore_missing_components && fs.kind(&absolute) != Some(EntryKind::Directory) {
            continue;
        }
        kustomization
            .components
            .get_or_insert_default()
            .push(component.clone());
    }
    for image in &flux.images {
        merge_image(kustomization.images.get_or_insert_default(), image);
    }
    if !flux.build_metadata.is_empty() {
        kustomization.build_metadata = Some(flux.build_metadata.clone());
    }
    Ok(())
}

fn selector(selector: &SelectorOverride) -> Selector {
    let mut made = Selector {
        annotation_selector: selector.annotation_selector.clone(),
        label_selector: selector.label_selector.clone(),
        ..Selector::default()
    };
    made.id.gvk.group.clone_from(&selector.group);
    made.id.gvk.version.clone_from(&selector.version);
    made.id.gvk.kind.clone_from(&selector.kind);
    made.id.name.clone_from(&selector.name);
    made.id.namespace.clone_from(&selector.namespace);
    made
}

fn merge_image(images: &mut Vec<Image>, image: &ImageOverride) {
    let at = images
        .iter()
        .position(|known| known.name == image.name)
        .unwrap_or_else(|| {
            images.push(Image {
                name: image.name.clone(),
                ..Image::default()
            });
            images.len() - 1
        });
    let Some(known) = images.get_mut(at) else {
        return;
    };
    if !image.new_name.is_empty() {
        known.new_name.clone_from(&image.new_name);
    }
    if !image.new_tag.is_empty() || !image.digest.is_empty() {
        known.new_tag.clone_from(&image.new_tag);
        known.digest.clone_from(&image.digest);
    }
}
