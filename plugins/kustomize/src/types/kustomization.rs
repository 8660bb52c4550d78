//! The kustomization file.

use std::collections::BTreeMap;

use weir_yaml::Value;

use crate::error::{Context as _, Error, Result};
use crate::types::decode::{self, Decode, Decoder, Mode, decode_struct};
use crate::types::{
    ConfigMapArgs, FieldSpec, GeneratorOptions, ReplacementField, SecretArgs, Selector, Var,
};

const KIND: &str = "Kustomization";
pub(crate) const COMPONENT_KIND: &str = "Component";
const VERSION: &str = "kustomize.config.k8s.io/v1beta1";
const COMPONENT_VERSION: &str = "kustomize.config.k8s.io/v1alpha1";

/// `metadata` of configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

decode_struct!(Metadata, "ObjectMeta", "types.ObjectMeta", {
    "name" => name,
    "namespace" => namespace,
    "labels" => labels,
    "annotations" => annotations,
});

/// One of `labels`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Label {
    pub(crate) pairs: BTreeMap<String, String>,
    pub(crate) include_selectors: bool,
    pub(crate) include_templates: bool,
    pub(crate) fields: Vec<FieldSpec>,
}

decode_struct!(Label, "Label", "types.Label", {
    "pairs" => pairs,
    "includeSelectors" => include_selectors,
    "includeTemplates" => include_templates,
    "fields" => fields,
});

/// What a patch may change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PatchOptions {
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
}

decode_struct!(PatchOptions, "PatchArgs", "types.PatchArgs", {
    "allowNameChange" => allow_name_change,
    "allowKindChange" => allow_kind_change,
});

/// One of `patches`.
#[expect(clippy::struct_field_names, reason = "kustomize's own names")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Patch {
    pub(crate) path: String,
    pub(crate) patch: String,
    pub(crate) target: Option<Selector>,
    pub(crate) options: Option<PatchOptions>,
}

decode_struct!(Patch, "Patch", "types.Patch", {
    "path" => path,
    "patch" => patch,
    "target" => target,
    "options" => options,
});

/// One of `images`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) new_name: String,
    pub(crate) tag_suffix: String,
    pub(crate) new_tag: String,
    pub(crate) digest: String,
}

decode_struct!(Image, "Image", "types.Image", {
    "name" => name,
    "newName" => new_name,
    "tagSuffix" => tag_suffix,
    "newTag" => new_tag,
    "digest" => digest,
});

/// One of `replicas`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Replica {
    pub(crate) name: String,
    pub(crate) count: i64,
}

decode_struct!(Replica, "Replica", "types.Replica", { "name" => name, "count" => count });

/// Kinds that come first and last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LegacySortOptions {
    pub(crate) order_first: Vec<String>,
    pub(crate) order_last: Vec<String>,
}

decode_struct!(LegacySortOptions, "LegacySortOptions", "types.LegacySortOptions", {
    "orderFirst" => order_first,
    "orderLast" => order_last,
});

/// Order of the result.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SortOptions {
    pub(crate) order: String,
    pub(crate) legacy_sort_options: Option<LegacySortOptions>,
}

decode_struct!(SortOptions, "SortOptions", "types.SortOptions", {
    "order" => order,
    "legacySortOptions" => legacy_sort_options,
});

/// A list of patches by path or as they stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PatchStrategicMerge(pub(crate) String);

impl Decode for PatchStrategicMerge {
    fn go_type() -> String {
        "types.PatchStrategicMerge".to_owned()
    }

    fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
        match value {
            Value::String(text) => text.clone_into(&mut self.0),
            other => decoder.mismatch(other, &Self::go_type()),
        }
    }
}

/// A kustomization or component.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Kustomization {
    pub(crate) kind: String,
    pub(crate) api_version: String,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) openapi: Option<BTreeMap<String, String>>,
    pub(crate) name_prefix: String,
    pub(crate) name_suffix: String,
    pub(crate) namespace: String,
    pub(crate) common_labels: Option<BTreeMap<String, String>>,
    pub(crate) labels: Option<Vec<Label>>,
    pub(crate) common_annotations: Option<BTreeMap<String, String>>,
    pub(crate) patches_strategic_merge: Option<Vec<PatchStrategicMerge>>,
    pub(crate) patches_json6902: Option<Vec<Patch>>,
    pub(crate) patches: Option<Vec<Patch>>,
    pub(crate) images: Option<Vec<Image>>,
    pub(crate) image_tags: Option<Vec<Image>>,
    pub(crate) replacements: Option<Vec<ReplacementField>>,
    pub(crate) replicas: Option<Vec<Replica>>,
    pub(crate) vars: Option<Vec<Var>>,
    pub(crate) sort_options: Option<SortOptions>,
    pub(crate) resources: Option<Vec<String>>,
    pub(crate) components: Option<Vec<String>>,
    pub(crate) crds: Option<Vec<String>>,
    pub(crate) bases: Option<Vec<String>>,
    pub(crate) config_map_generator: Option<Vec<ConfigMapArgs>>,
    pub(crate) secret_generator: Option<Vec<SecretArgs>>,
    pub(crate) helm_globals: Option<Value>,
    pub(crate) helm_charts: Option<Vec<Value>>,
    pub(crate) helm_chart_inflation_generator: Option<Vec<Value>>,
    pub(crate) generator_options: Option<GeneratorOptions>,
    pub(crate) configurations: Option<Vec<String>>,
    pub(crate) generators: Option<Vec<String>>,
    pub(crate) transformers: Option<Vec<String>>,
    pub(crate) validators: Option<Vec<String>>,
    pub(crate) build_metadata: Option<Vec<String>>,
}

decode_struct!(Kustomization, "Kustomization", "types.Kustomization", {
    "kind" => kind,
    "apiVersion" => api_version,
    "metadata" => metadata,
    "openapi" => openapi,
    "namePrefix" => name_prefix,
    "nameSuffix" => name_suffix,
    "namespace" => namespace,
    "commonLabels" => common_labels,
    "labels" => labels,
    "commonAnnotations" => common_annotations,
    "patchesStrategicMerge" => patches_strategic_merge,
    "patchesJson6902" => patches_json6902,
    "patches" => patches,
    "images" => images,
    "imageTags" => image_tags,
    "replacements" => replacements,
    "replicas" => replicas,
    "vars" => vars,
    "sortOptions" => sort_options,
    "resources" => resources,
    "components" => components,
    "crds" => crds,
    "bases" => bases,
    "configMapGenerator" => config_map_generator,
    "secretGenerator" => secret_generator,
    "helmGlobals" => helm_globals,
    "helmCharts" => helm_charts,
    "helmChartInflationGenerator" => helm_chart_inflation_generator,
    "generatorOptions" => generator_options,
    "configurations" => configurations,
    "generators" => generators,
    "transformers" => transformers,
    "validators" => validators,
    "buildMetadata" => build_metadata,
});

/// Appends what an old name holds to the new one.
fn absorb<T>(into: &mut Option<Vec<T>>, from: &mut Option<Vec<T>>) {
    if let Some(from) = from.take().filter(|from| !from.is_empty()) {
        into.get_or_insert_default().extend(from);
    }
}

impl Kustomization {
    /// Reads a file's text.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let value = weir_yaml::from_yaml(text).context("invalid Kustomization")?;
        decode::decode_text(text, &value, Mode::Strict).context("invalid Kustomization")
    }

    /// Remarks on fields that kustomize would rather not see.
    pub(crate) fn deprecations(&self) -> Vec<String> {
        const FIX: &str = "Run 'kustomize edit fix' to update your Kustomization automatically.";
        let warn = |old: &str, new: &str| {
            let experimental = if old == "vars" { "[EXPERIMENTAL] " } else { "" };
            format!(
                "# Warning: '{old}' is deprecated. Please use '{new}' instead. {experimental}{FIX}"
            )
        };
        let checks = [
            (self.bases.is_some(), "bases", "resources"),
            (self.common_labels.is_some(), "commonLabels", "labels"),
            (self.image_tags.is_some(), "imageTags", "images"),
            (
                self.patches_json6902.is_some(),
                "patchesJson6902",
                "patches",
            ),
            (
                self.patches_strategic_merge.is_some(),
                "patchesStrategicMerge",
                "patches",
            ),
            (self.vars.is_some(), "vars", "replacements"),
        ];
        checks
            .into_iter()
            .filter(|(found, _, _)| *found)
            .map(|(_, old, new)| warn(old, new))
            .collect()
    }

    /// Fills in the kind and moves old fields to their new names.
    pub(crate) fn fix(&mut self) {
        if self.kind.is_empty() {
            KIND.clone_into(&mut self.kind);
        }
        if self.api_version.is_empty() {
            self.required_version().clone_into(&mut self.api_version);
        }
        absorb(&mut self.resources, &mut self.bases);
        absorb(&mut self.images, &mut self.image_tags);
        for generator in self.config_map_generator.iter_mut().flatten() {
            generator.args.fix();
        }
        for generator in self.secret_generator.iter_mut().flatten() {
            generator.args.fix();
        }
        absorb(
            &mut self.helm_charts,
            &mut self.helm_chart_inflation_generator,
        );
    }

    fn required_version(&self) -> &'static str {
        if self.kind == COMPONENT_KIND {
            COMPONENT_VERSION
        } else {
            VERSION
        }
    }

    /// Refuses a file that says nothing.
    pub(crate) fn check_empty(&self) -> Result<()> {
        let empty = Self {
            kind: self.kind.clone(),
            api_version: self.api_version.clone(),
            ..Self::default()
        };
        if *self == empty {
            return Err(Error::new("kustomization.yaml is empty"));
        }
        Ok(())
    }

    /// What is wrong with kind and version.
    pub(crate) fn type_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.kind != KIND && self.kind != COMPONENT_KIND {
            problems.push(format!("kind should be {KIND} or {COMPONENT_KIND}"));
        }
        let required = self.required_version();
        if self.api_version != required {
            problems.push(format!("apiVersion for {} should be {required}", self.kind));
        }
        problems
    }

    /// True if a kind of build metadata is asked for.
    pub(crate) fn wants_metadata(&self, name: &str) -> bool {
        self.build_metadata
            .iter()
            .flatten()
            .any(|option| option == name)
    }
}
