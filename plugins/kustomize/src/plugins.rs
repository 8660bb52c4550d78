//! Generators and transformers as a kustomization configures them, by its own fields or by
//! objects under `generators`, `transformers` and `validators`.

use std::rc::Rc;

use weir_yaml::{Object, Value};

use crate::accumulator::Accumulator;
use crate::config::TransformerConfig;
use crate::context::Context;
use crate::error::{Context as _, Error, Kind, Result};
use crate::generators::{self, IamPolicyGenerator};
use crate::loader::Loader;
use crate::origin::Origin;
use crate::resource::Handle;
use crate::target::Target;
use crate::transformers::{
    AnnotationsTransformer, ImageTagTransformer, LabelTransformer, NamespaceTransformer,
    PatchJson6902Transformer, PatchStrategicMergeTransformer, PatchTransformer, PrefixTransformer,
    ReplacementTransformer, ReplicaCountTransformer, SuffixTransformer, Transformer, shown_patch,
    shown_selector,
};
use crate::types::decode::{self, Mode};
use crate::types::{
    ConfigMapArgs, FieldSpec, GeneratorOptions, Metadata, SecretArgs, merge_all, merge_one,
};

/// A configured generator.
pub(crate) enum Generator<'a> {
    ConfigMap(Rc<Loader<'a>>, ConfigMapArgs),
    Secret(Rc<Loader<'a>>, SecretArgs),
    IamPolicy(IamPolicyGenerator),
}

impl Generator<'_> {
    pub(crate) fn generate(&self, cx: &mut Context) -> Result<Vec<Handle>> {
        let made = match self {
            Self::ConfigMap(loader, args) => generators::config_map(cx, loader, &args.args)?,
            Self::Secret(loader, args) => generators::secret(cx, loader, args)?,
            Self::IamPolicy(generator) => generator.generate(cx)?,
        };
        Ok(vec![made])
    }
}

/// A generator and where it is configured.
pub(crate) struct Generated<'a> {
    pub(crate) generator: Generator<'a>,
    pub(crate) origin: Option<Origin>,
}

/// Transformers and where they are configured.
pub(crate) type Configured = Vec<(Transformer, Option<Origin>)>;

fn helm_refused() -> Error {
    Error::new(
        "must specify --enable-helm: Helm charts are not inflated here; use a HelmRelease for the \
         chart, or commit its rendered manifests",
    )
    .of_kind(Kind::Unsupported)
}

/// Names the plugin that cannot be configured, with its configuration.
fn trouble(err: Error, kind: &str, config: &Value) -> Error {
    let config = if config.is_null() {
        String::new()
    } else {
        weir_yaml::to_yaml(config)
    };
    err.context(format!(
        "trouble configuring builtin {kind} with config: `\n{config}`"
    ))
}

impl<'a> Target<'a> {
    fn builtin_origin(&self, kind: &str) -> Option<Origin> {
        self.origin
            .as_ref()
            .map(|origin| origin.builtin(self.file_name, kind))
    }

    /// Generators of the kustomization's own fields.
    pub(crate) fn builtin_generators(&self, _cx: &Context) -> Result<Vec<Generated<'a>>> {
        let kustomization = &self.kustomization;
        let global = kustomization.generator_options.as_ref();
        let mut made = Vec::new();
        for args in kustomization.config_map_generator.iter().flatten() {
            let mut args = args.clone();
            args.args.options = GeneratorOptions::merged(args.args.options.as_ref(), global);
            made.push(Generated {
                generator: Generator::ConfigMap(Rc::clone(&self.loader), args),
                origin: self.builtin_origin("ConfigMapGenerator"),
            });
        }
        for args in kustomization.secret_generator.iter().flatten() {
            let mut args = args.clone();
            args.args.options = GeneratorOptions::merged(args.args.options.as_ref(), global);
            made.push(Generated {
                generator: Generator::Secret(Rc::clone(&self.loader), args),
                origin: self.builtin_origin("SecretGenerator"),
            });
        }
        if kustomization
            .helm_charts
            .as_ref()
            .is_some_and(|charts| !charts.is_empty())
        {
            return Err(helm_refused());
        }
        Ok(made)
    }

    /// Objects that configure plugins: given inline, or by file or directory.
    fn plugin_configs(&mut self, cx: &mut Context, entries: &[String]) -> Result<Vec<Handle>> {
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
        gathered = self.resources(cx, gathered, &paths)?;
        Ok(gathered.map.list().to_vec())
    }

    /// Generators that objects configure.
    pub(crate) fn external_generators(&mut self, cx: &mut Context) -> Result<Vec<Generated<'a>>> {
        let entries = self.kustomization.generators.clone().unwrap_or_default();
        let mut made = Vec::new();
        for handle in self.plugin_configs(cx, &entries)? {
            let generator = self
                .external_generator(cx, handle)
                .context("failed to load generator")?;
            made.push(Generated {
                generator,
                origin: cx.plugin_origin(handle),
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
        entries: &[String],
    ) -> Result<Configured> {
        let mut made = Vec::new();
        for handle in self.plugin_configs(cx, entries)? {
            let kind = cx.kind(handle).to_owned();
            refuse_external(cx, handle)?;
            let config = printed(cx, handle)?;
            let loader = Rc::clone(&self.loader);
            let transformer = Transformer::configure(cx, &loader, &kind, &config)
                .map_err(|err| fails_configuration(cx, handle, err))?;
            let Some(transformer) = transformer else {
                let message = if is_generator(&kind) {
                    format!("plugin {} not a transformer", cx.org_id(handle)?)
                } else {
                    format!("unable to load builtin {}", cx.gvk(handle))
                };
                return Err(Error::new(message));
            };
            made.push((transformer, cx.plugin_origin(handle)));
        }
        Ok(made)
    }

    /// Transformers of the kustomization's own fields, in kustomize's order.
    pub(crate) fn builtin_transformers(
        &self,
        cx: &mut Context,
        config: &TransformerConfig,
    ) -> Result<Configured> {
        let k = &self.kustomization;
        let loader = &*self.loader;
        let mut made = Vec::new();
        let mut push = |transformer, kind: &str| {
            made.push((transformer, self.builtin_origin(kind)));
        };
        if let Some(paths) = k
            .patches_strategic_merge
            .as_ref()
            .filter(|paths| !paths.is_empty())
        {
            let kind = "PatchStrategicMergeTransformer";
            let paths: Vec<String> = paths.iter().map(|path| path.0.clone()).collect();
            let shown = object([("paths", strings(&paths))]);
            let transformer = PatchStrategicMergeTransformer::new(paths)
                .load(cx, loader)
                .map_err(|err| trouble(err, kind, &shown))?;
            push(Transformer::PatchStrategicMerge(transformer), kind);
        }
        for patch in k.patches.iter().flatten() {
            let kind = "PatchTransformer";
            let shown = shown_patch(patch);
            let transformer = PatchTransformer::load(cx, loader, patch.clone(), &shown)
                .map_err(|err| trouble(err, kind, &shown))?;
            push(Transformer::Patch(transformer), kind);
        }
        if !k.namespace.is_empty() {
            let transformer = NamespaceTransformer::new(&k.namespace, config.namespace.clone());
            push(Transformer::Namespace(transformer), "NamespaceTransformer");
        }
        if !k.name_prefix.is_empty() {
            let field_specs = Some(config.name_prefix.clone());
            let prefix = k.name_prefix.clone();
            let transformer = PrefixTransformer {
                prefix,
                field_specs,
            };
            push(Transformer::Prefix(transformer), "PrefixTransformer");
        }
        if !k.name_suffix.is_empty() {
            let field_specs = Some(config.name_suffix.clone());
            let suffix = k.name_suffix.clone();
            let transformer = SuffixTransformer {
                suffix,
                field_specs,
            };
            push(Transformer::Suffix(transformer), "SuffixTransformer");
        }
        for transformer in self.label_transformers(config)? {
            push(Transformer::Label(transformer), "LabelTransformer");
        }
        if let Some(annotations) = k.common_annotations.as_ref().filter(|map| !map.is_empty()) {
            let annotations = annotations.clone();
            let field_specs = config.common_annotations.clone();
            let transformer = AnnotationsTransformer {
                annotations,
                field_specs,
            };
            push(
                Transformer::Annotations(transformer),
                "AnnotationsTransformer",
            );
        }
        for patch in k.patches_json6902.iter().flatten() {
            let kind = "PatchJson6902Transformer";
            let shown = object([
                (
                    "target",
                    patch.target.as_ref().map_or(Value::Null, shown_selector),
                ),
                ("path", text(&patch.path)),
                ("jsonOp", text(&patch.patch)),
            ]);
            let target = patch.target.clone();
            let transformer = PatchJson6902Transformer::new(target, &patch.path, &patch.patch)
                .load(loader)
                .map_err(|err| trouble(err, kind, &shown))?;
            push(Transformer::PatchJson6902(transformer), kind);
        }
        for replica in k.replicas.iter().flatten() {
            let field_specs = config.replicas.clone();
            let transformer = ReplicaCountTransformer {
                replica: replica.clone(),
                field_specs,
            };
            push(
                Transformer::ReplicaCount(transformer),
                "ReplicaCountTransformer",
            );
        }
        for image in k.images.iter().flatten() {
            let field_specs = config.images.clone();
            let transformer = ImageTagTransformer {
                image: image.clone(),
                field_specs,
            };
            push(Transformer::ImageTag(transformer), "ImageTagTransformer");
        }
        if let Some(replacements) = k.replacements.as_ref().filter(|list| !list.is_empty()) {
            let kind = "ReplacementTransformer";
            let transformer = ReplacementTransformer::load(loader, replacements.clone())
                .map_err(|err| trouble(err, kind, &Value::Null))?;
            push(Transformer::Replacement(transformer), kind);
        }
        Ok(made)
    }

    fn label_transformers(&self, config: &TransformerConfig) -> Result<Vec<LabelTransformer>> {
        let k = &self.kustomization;
        let common = k.common_labels.clone().unwrap_or_default();
        let labels = k.labels.as_deref().unwrap_or_default();
        if labels.is_empty() && common.is_empty() {
            return Ok(Vec::new());
        }
        let mut made = Vec::with_capacity(labels.len() + 1);
        for label in labels {
            let mut specs = label.fields.clone();
            let mut merge = || -> Result<()> {
                merge_all(&mut specs, &config.labels)?;
                if label.include_selectors {
                    return merge_all(&mut specs, &config.common_labels);
                }
                if label.include_templates {
                    merge_all(&mut specs, &config.template_labels)
                        .context("failed to merge template fieldSpec")?;
                }
                merge_one(&mut specs, &FieldSpec::of_all("metadata/labels", true))
            };
            merge().context("failed to merge labels")?;
            made.push(LabelTransformer {
                labels: label.pairs.clone(),
                field_specs: specs,
            });
        }
        let field_specs = config.common_labels.clone();
        made.push(LabelTransformer {
            labels: common,
            field_specs,
        });
        Ok(made)
    }
}

fn text(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        Value::from(text)
    }
}

fn strings(list: &[String]) -> Value {
    Value::Array(list.iter().map(|item| Value::from(item.as_str())).collect())
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(
        fields
            .map(|(key, value)| (key.to_owned(), value))
            .collect::<Object>(),
    )
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
