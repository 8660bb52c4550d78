//! The plugins that objects configure, inline or in files.

use std::rc::Rc;

use weir_yaml::Value;

use super::{Configured, Generated, Generator, helm_refused};
use crate::accumulator::Accumulator;
use crate::context::Context;
use crate::error::{Context as _, Error, Kind, Result};
use crate::generators::IamPolicyGenerator;
use crate::places::Place;
use crate::resource::Handle;
use crate::target::Target;
use crate::transformers::Transformer;
use crate::types::decode::{self, Mode};
use crate::types::{ConfigMapArgs, Metadata, SecretArgs};

impl<'a> Target<'a> {
    /// Objects that configure plugins: given inline, or by file or directory.
    fn plugin_configs(
        &mut self,
        cx: &mut Context,
        field: &'static str,
        entries: &[String],
    ) -> Result<Vec<Handle>> {
        let mut gathered = Accumulator::default();
        let mut paths = Vec::new();
        for entry in entries {
            let found = cx.resources_from_bytes(entry.as_bytes()).and_then(|found| {
                crate::resmap::ResMap::from_resources(cx, found.clone())?;
                Ok(found)
            });
            let Ok(found) = found else {
                paths.push(entry.clone());
                continue;
            };
            if let Some(origin) = &self.origin {
                let origin = origin.append(self.file_name);
                for handle in &found {
                    cx.set_origin(*handle, &origin)?;
                }
            }
            gathered.map.append_all(cx, &found)?;
        }
        gathered = self.resources(cx, gathered, field, &paths)?;
        Ok(gathered.map.list().to_vec())
    }

    /// Generators that objects configure.
    pub(crate) fn external_generators(&mut self, cx: &mut Context) -> Result<Vec<Generated<'a>>> {
        let entries = self.kustomization.generators.clone().unwrap_or_default();
        let mut made = Vec::new();
        let field = "generators";
        for handle in self.plugin_configs(cx, field, &entries)? {
            let place = place_of(cx, field, handle);
            let generator = self
                .external_generator(cx, handle)
                .context("failed to load generator")
                .map_err(|err| self.at(err, &place))?;
            made.push(Generated {
                generator,
                origin: cx.plugin_origin(handle),
                place,
            });
        }
        Ok(made)
    }

    fn external_generator(&self, cx: &Context, handle: Handle) -> Result<Generator<'a>> {
        let kind = cx.kind(handle).to_owned();
        refuse_external(cx, handle)?;
        let config = printed(cx, handle)?;
        let loader = Rc::clone(&self.loader);
        let fails = |err: Error| fails_configuration(cx, handle, err);
        match kind.as_str() {
            "ConfigMapGenerator" => {
                let mut args: ConfigMapArgs =
                    decode::decode(&config, Mode::Lenient).map_err(fails)?;
                let metadata = metadata_of(&config).map_err(fails)?;
                fill(&mut args.args.name, metadata.name);
                fill(&mut args.args.namespace, metadata.namespace);
                Ok(Generator::ConfigMap(loader, args))
            }
            "SecretGenerator" => {
                let mut args: SecretArgs = decode::decode(&config, Mode::Lenient).map_err(fails)?;
                let metadata = metadata_of(&config).map_err(fails)?;
                fill(&mut args.args.name, metadata.name);
                fill(&mut args.args.namespace, metadata.namespace);
                Ok(Generator::Secret(loader, args))
            }
            "IAMPolicyGenerator" => IamPolicyGenerator::configure(&config)
                .map(Generator::IamPolicy)
                .map_err(fails),
            "HelmChartInflationGenerator" => Err(helm_refused()),
            _ if is_transformer(&kind) => {
                let id = cx.org_id(handle)?;
                Err(Error::new(format!("plugin {id} not a generator")))
            }
            _ => Err(Error::new(format!(
                "unable to load builtin {}",
                cx.gvk(handle)
            ))),
        }
    }

    /// Transformers or validators that objects configure.
    pub(crate) fn external_transformers(
        &mut self,
        cx: &mut Context,
        field: &'static str,
        entries: &[String],
    ) -> Result<Vec<Configured>> {
        let mut made = Vec::new();
        for handle in self.plugin_configs(cx, field, entries)? {
            let place = place_of(cx, field, handle);
            let transformer = self
                .external_transformer(cx, handle)
                .map_err(|err| self.at(err, &place))?;
            made.push(Configured {
                transformer,
                origin: cx.plugin_origin(handle),
                place,
            });
        }
        Ok(made)
    }

    fn external_transformer(&self, cx: &mut Context, handle: Handle) -> Result<Transformer> {
        let kind = cx.kind(handle).to_owned();
        refuse_external(cx, handle)?;
        let config = printed(cx, handle)?;
        let loader = Rc::clone(&self.loader);
        let transformer = Transformer::configure(cx, &loader, &kind, &config)
            .map_err(|err| fails_configuration(cx, handle, err))?;
        match transformer {
            Some(transformer) => Ok(transformer),
            None if is_generator(&kind) => {
                let id = cx.org_id(handle)?;
                Err(Error::new(format!("plugin {id} not a transformer")))
            }
            None => Err(Error::new(format!(
                "unable to load builtin {}",
                cx.gvk(handle)
            ))),
        }
    }
}

/// The file of the object that configures a plugin; one that stands inline is told by its field.
fn place_of(cx: &Context, field: &'static str, handle: Handle) -> Place {
    match &cx.resources[handle.0].file {
        Some(file) => Place::File(file.to_string()),
        None => Place::Field(field, None),
    }
}

fn fill(field: &mut String, default: String) {
    if field.is_empty() {
        *field = default;
    }
}

fn metadata_of(config: &Value) -> Result<Metadata> {
    match config.get("metadata") {
        Some(metadata) => decode::decode(metadata, Mode::Lenient),
        None => Ok(Metadata::default()),
    }
}

/// An object as its plugin reads it: printed and read again.
fn printed(cx: &Context, handle: Handle) -> Result<Value> {
    let text = cx
        .to_yaml(handle)
        .context(format!("marshalling yaml from res {}", cx.org_id(handle)?))?;
    Ok(weir_yaml::from_yaml(&text)?)
}

fn fails_configuration(cx: &Context, handle: Handle, err: Error) -> Error {
    match cx.org_id(handle) {
        Ok(id) => err.context(format!("plugin {id} fails configuration")),
        Err(_) => err,
    }
}

/// Refuses what is not built in: programs and containers cannot be run here.
fn refuse_external(cx: &Context, handle: Handle) -> Result<()> {
    let gvk = cx.gvk(handle);
    if gvk.group.is_empty() && gvk.version == "builtin" {
        return Ok(());
    }
    Err(Error::new(format!(
        "external plugins disabled; unable to load external plugin '{}'",
        cx.org_id(handle)?.gvk.kind
    ))
    .of_kind(Kind::Unsupported))
}

fn is_generator(kind: &str) -> bool {
    matches!(
        kind,
        "ConfigMapGenerator"
            | "SecretGenerator"
            | "IAMPolicyGenerator"
            | "HelmChartInflationGenerator"
    )
}

fn is_transformer(kind: &str) -> bool {
    matches!(
        kind,
        "AnnotationsTransformer"
            | "HashTransformer"
            | "ImageTagTransformer"
            | "LabelTransformer"
            | "NamespaceTransformer"
            | "PatchJson6902Transformer"
            | "PatchStrategicMergeTransformer"
            | "PatchTransformer"
            | "PrefixSuffixTransformer"
            | "PrefixTransformer"
            | "ReplacementTransformer"
            | "ReplicaCountTransformer"
            | "SuffixTransformer"
            | "ValueAddTransformer"
    )
}
