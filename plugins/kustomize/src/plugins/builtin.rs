//! The plugins that fields of a kustomization stand for.

use std::rc::Rc;

use weir_yaml::{Object, Value};

use super::{Configured, Generated, Generator, helm_refused};
use crate::config::TransformerConfig;
use crate::context::Context;
use crate::error::{Context as _, Error, Result};
use crate::origin::Origin;
use crate::places::Place;
use crate::target::Target;
use crate::transformers::{
    AnnotationsTransformer, ImageTagTransformer, LabelTransformer, NamespaceTransformer,
    PatchJson6902Transformer, PatchStrategicMergeTransformer, PatchTransformer, PrefixTransformer,
    ReplacementTransformer, ReplicaCountTransformer, SuffixTransformer, Transformer, shown_patch,
    shown_selector,
};
use crate::types::{FieldSpec, GeneratorOptions, merge_all, merge_one};

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
        for (at, args) in kustomization
            .config_map_generator
            .iter()
            .flatten()
            .enumerate()
        {
            let mut args = args.clone();
            args.args.options = GeneratorOptions::merged(args.args.options.as_ref(), global);
            made.push(Generated {
                generator: Generator::ConfigMap(Rc::clone(&self.loader), args),
                origin: self.builtin_origin("ConfigMapGenerator"),
                place: Place::Field("configMapGenerator", Some(at)),
            });
        }
        for (at, args) in kustomization.secret_generator.iter().flatten().enumerate() {
            let mut args = args.clone();
            args.args.options = GeneratorOptions::merged(args.args.options.as_ref(), global);
            made.push(Generated {
                generator: Generator::Secret(Rc::clone(&self.loader), args),
                origin: self.builtin_origin("SecretGenerator"),
                place: Place::Field("secretGenerator", Some(at)),
            });
        }
        if kustomization
            .helm_charts
            .as_ref()
            .is_some_and(|charts| !charts.is_empty())
        {
            return Err(self.at(helm_refused(), &Place::Field("helmCharts", None)));
        }
        Ok(made)
    }

    /// Transformers of the kustomization's own fields, in kustomize's order.
    pub(crate) fn builtin_transformers(
        &self,
        cx: &mut Context,
        config: &TransformerConfig,
    ) -> Result<Vec<Configured>> {
        let k = &self.kustomization;
        let loader = &*self.loader;
        let mut made = Vec::new();
        let mut push = |transformer, kind: &str, field, at| {
            made.push(Configured {
                transformer,
                origin: self.builtin_origin(kind),
                place: Place::Field(field, at),
            });
        };
        if let Some(paths) = k
            .patches_strategic_merge
            .as_ref()
            .filter(|paths| !paths.is_empty())
        {
            let (kind, field) = ("PatchStrategicMergeTransformer", "patchesStrategicMerge");
            let paths: Vec<String> = paths.iter().map(|path| path.0.clone()).collect();
            let shown = object([("paths", strings(&paths))]);
            let transformer = PatchStrategicMergeTransformer::new(paths)
                .load(cx, loader)
                .map_err(|err| self.trouble(err, kind, &shown, field, None))?;
            push(
                Transformer::PatchStrategicMerge(transformer),
                kind,
                field,
                None,
            );
        }
        for (at, patch) in k.patches.iter().flatten().enumerate() {
            let (kind, field, at) = ("PatchTransformer", "patches", Some(at));
            let shown = shown_patch(patch);
            let transformer = PatchTransformer::load(cx, loader, patch.clone(), &shown)
                .map_err(|err| self.trouble(err, kind, &shown, field, at))?;
            push(Transformer::Patch(transformer), kind, field, at);
        }
        if !k.namespace.is_empty() {
            let transformer = NamespaceTransformer::new(&k.namespace, config.namespace.clone());
            let transformer = Transformer::Namespace(transformer);
            push(transformer, "NamespaceTransformer", "namespace", None);
        }
        if !k.name_prefix.is_empty() {
            let field_specs = Some(config.name_prefix.clone());
            let prefix = k.name_prefix.clone();
            let transformer = PrefixTransformer {
                prefix,
                field_specs,
            };
            let transformer = Transformer::Prefix(transformer);
            push(transformer, "PrefixTransformer", "namePrefix", None);
        }
        if !k.name_suffix.is_empty() {
            let field_specs = Some(config.name_suffix.clone());
            let suffix = k.name_suffix.clone();
            let transformer = SuffixTransformer {
                suffix,
                field_specs,
            };
            let transformer = Transformer::Suffix(transformer);
            push(transformer, "SuffixTransformer", "nameSuffix", None);
        }
        let labels = self.label_transformers(config)?;
        let entries = labels.len().saturating_sub(1);
        for (at, transformer) in labels.into_iter().enumerate() {
            // The last one is of all labels that are common.
            let (field, at) = if at < entries {
                ("labels", Some(at))
            } else {
                ("commonLabels", None)
            };
            let transformer = Transformer::Label(transformer);
            push(transformer, "LabelTransformer", field, at);
        }
        if let Some(annotations) = k.common_annotations.as_ref().filter(|map| !map.is_empty()) {
            let annotations = annotations.clone();
            let field_specs = config.common_annotations.clone();
            let transformer = AnnotationsTransformer {
                annotations,
                field_specs,
            };
            let transformer = Transformer::Annotations(transformer);
            push(
                transformer,
                "AnnotationsTransformer",
                "commonAnnotations",
                None,
            );
        }
        for (at, patch) in k.patches_json6902.iter().flatten().enumerate() {
            let (kind, field, at) = ("PatchJson6902Transformer", "patchesJson6902", Some(at));
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
                .map_err(|err| self.trouble(err, kind, &shown, field, at))?;
            push(Transformer::PatchJson6902(transformer), kind, field, at);
        }
        for (at, replica) in k.replicas.iter().flatten().enumerate() {
            let field_specs = config.replicas.clone();
            let transformer = ReplicaCountTransformer {
                replica: replica.clone(),
                field_specs,
            };
            let transformer = Transformer::ReplicaCount(transformer);
            push(transformer, "ReplicaCountTransformer", "replicas", Some(at));
        }
        for (at, image) in k.images.iter().flatten().enumerate() {
            let field_specs = config.images.clone();
            let transformer = ImageTagTransformer {
                image: image.clone(),
                field_specs,
            };
            let transformer = Transformer::ImageTag(transformer);
            push(transformer, "ImageTagTransformer", "images", Some(at));
        }
        if let Some(replacements) = k.replacements.as_ref().filter(|list| !list.is_empty()) {
            let (kind, field) = ("ReplacementTransformer", "replacements");
            let transformer = ReplacementTransformer::load(loader, replacements.clone())
                .map_err(|err| self.trouble(err, kind, &Value::Null, field, None))?;
            push(Transformer::Replacement(transformer), kind, field, None);
        }
        Ok(made)
    }

    /// Names the plugin that cannot be configured, with its configuration.
    fn trouble(
        &self,
        err: Error,
        kind: &str,
        config: &Value,
        field: &'static str,
        at: Option<usize>,
    ) -> Error {
        let config = if config.is_null() {
            String::new()
        } else {
            weir_yaml::to_yaml(config)
        };
        let err = err.context(format!(
            "trouble configuring builtin {kind} with config: `\n{config}`"
        ));
        self.at(err, &Place::Field(field, at))
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
