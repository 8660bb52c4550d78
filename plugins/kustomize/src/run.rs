//! A whole build, from a directory to the objects in order (kustomize `krusty`).

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::context::Context;
use crate::error::{Context as _, Result};
use crate::fs::FileSystem;
use crate::go_syntax;
use crate::loader::{LoadRestrictor, Loader, Source};
use crate::resid::ResId;
use crate::resource::{Handle, annotation};
use crate::target::Target;
use crate::transformers;
use crate::types::{FieldSpec, SortOptions};

/// Order of the result where the kustomization does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reorder {
    /// By kind, so that what others need comes first.
    #[default]
    Legacy,
    /// As read.
    None,
}

/// How to build.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How far file references may reach.
    pub load_restrictor: LoadRestrictor,
    /// Order of the result.
    pub reorder: Reorder,
    /// Put in front of absolute paths in messages.
    pub root_name: String,
    /// What the managed-by label says.
    pub version: Option<String>,
    /// Add the managed-by label whatever the kustomization says.
    pub managed_by_label: bool,
}

/// An object of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The object as a YAML document, without `---`.
    pub yaml: String,
    /// The file that it comes from, relative to the root of the tree.
    pub origin: Option<String>,
    /// The file that `kustomize build -o DIR` writes it to.
    pub file_name: String,
}

/// A finished build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// The objects in order.
    pub objects: Vec<Object>,
    /// Remarks, such as on deprecated fields.
    pub warnings: Vec<String>,
}

impl Output {
    /// All objects as `kustomize build` prints them.
    pub fn to_yaml(&self) -> String {
        let documents: Vec<&str> = self
            .objects
            .iter()
            .map(|object| object.yaml.as_str())
            .collect();
        documents.join("---\n")
    }
}

/// Builds the directory `dir` of a tree.
pub fn build(fs: &dyn FileSystem, dir: &str, options: &Options) -> Result<Output> {
    let source = Rc::new(Source::local(fs, options));
    let mut cx = Context::new();
    let loader = Rc::new(Loader::at(source, dir)?);
    let target = Target::load(&mut cx, loader)?;
    run(cx, target, options)
}

/// Builds a kustomization that has been loaded.
pub(crate) fn run(mut cx: Context, mut target: Target<'_>, options: &Options) -> Result<Output> {
    let mut map = target
        .set_schema(&cx, true)
        .and_then(|()| target.build(&mut cx))
        .map_err(|err| target.at_file(err))?;
    let kustomization = &target.kustomization;
    match (&kustomization.sort_options, options.reorder) {
        (Some(order), _) => transformers::sort(&cx, &mut map, order)?,
        (None, Reorder::Legacy) => {
            let order = SortOptions {
                order: "legacy".to_owned(),
                ..SortOptions::default()
            };
            transformers::sort(&cx, &mut map, &order)?;
        }
        (None, Reorder::None) => {}
    }
    if options.managed_by_label || kustomization.wants_metadata("managedByLabel") {
        let version = options.version.as_deref().unwrap_or("v5.8.1");
        let label = (
            "app.kubernetes.io/managed-by".to_owned(),
            format!("kustomize-{version}"),
        );
        let specs = [FieldSpec::of_all("metadata/labels", true)];
        transformers::set_entries(&mut cx, &map, &BTreeMap::from([label]), &specs)?;
    }
    let keeps_origin = kustomization.wants_metadata("originAnnotations");
    let keeps_transformations = kustomization.wants_metadata("transformerAnnotations");
    let mut output = Output::default();
    for handle in map.list() {
        cx.remove_build_annotations(*handle)?;
        if !keeps_origin {
            cx.drop_annotation(*handle, annotation::ORIGIN)
                .context("failed to clean up origin tracking annotations")?;
        }
        if !keeps_transformations {
            cx.drop_annotation(*handle, annotation::TRANSFORMATIONS)
                .context("failed to clean up transformer annotations")?;
        }
    }
    let file_names = file_names(&cx, map.list());
    for (handle, file_name) in map.list().iter().zip(file_names) {
        let yaml = cx.to_yaml(*handle).map_err(|err| {
            let shown = cx.node(*handle).map(|node| go_syntax::of(&cx.arena, node));
            let err = err.context(shown.unwrap_or_default());
            match &cx.resources[handle.0].file {
                Some(file) => err.at_file(file),
                None => err,
            }
        })?;
        let origin = cx.resources[handle.0].file.as_deref().map(str::to_owned);
        output.objects.push(Object {
            yaml,
            origin,
            file_name,
        });
    }
    output.warnings = cx.warnings;
    Ok(output)
}

/// Names of files for objects; the namespace is part of them where there are several (kustomize
/// `commands/build/writer.go`).
fn file_names(cx: &Context, objects: &[Handle]) -> Vec<String> {
    let ids: Vec<ResId> = objects.iter().map(|handle| cx.cur_id(*handle)).collect();
    let namespaced = ids.iter().filter(|id| !id.gvk.cluster_scoped);
    let namespaces: BTreeSet<&str> = namespaced.map(ResId::effective_namespace).collect();
    let name = |id: &ResId| {
        let namespace = Some(id.effective_namespace())
            .filter(|_| namespaces.len() > 1 && !id.gvk.cluster_scoped)
            .unwrap_or_default();
        let parts = [
            namespace,
            &id.gvk.group,
            &id.gvk.version,
            &id.gvk.kind,
            &id.name,
        ];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{}.yaml", parts.join("_").to_lowercase())
    };
    ids.iter().map(name).collect()
}
