//! Arguments of the ConfigMap and Secret generators.

use std::collections::BTreeMap;

use crate::types::decode::decode_struct;

/// Where keys and values come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct KvPairSources {
    pub(crate) literals: Vec<String>,
    pub(crate) files: Vec<String>,
    pub(crate) envs: Vec<String>,
    /// The old name for one of `envs`.
    pub(crate) env: String,
}

/// What is set on a generated object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct GeneratorOptions {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) disable_name_suffix_hash: bool,
    pub(crate) immutable: bool,
}

decode_struct!(GeneratorOptions, "GeneratorOptions", "types.GeneratorOptions", {
    "labels" => labels,
    "annotations" => annotations,
    "disableNameSuffixHash" => disable_name_suffix_hash,
    "immutable" => immutable,
});

impl GeneratorOptions {
    /// Options of one generator over those of the kustomization.
    pub(crate) fn merged(local: Option<&Self>, global: Option<&Self>) -> Option<Self> {
        let Some(global) = global else {
            return local.cloned();
        };
        let mut merged = local.cloned().unwrap_or_default();
        for (key, value) in &global.labels {
            merged
                .labels
                .entry(key.clone())
                .or_insert_with(|| value.clone());
        }
        for (key, value) in &global.annotations {
            merged
                .annotations
                .entry(key.clone())
                .or_insert_with(|| value.clone());
        }
        merged.disable_name_suffix_hash |= global.disable_name_suffix_hash;
        merged.immutable |= global.immutable;
        Some(merged)
    }
}

/// What both generators share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct GeneratorArgs {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) behavior: String,
    pub(crate) sources: KvPairSources,
    pub(crate) options: Option<GeneratorOptions>,
}

/// One `configMapGenerator`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ConfigMapArgs {
    pub(crate) args: GeneratorArgs,
}

decode_struct!(ConfigMapArgs, "ConfigMapArgs", "types.ConfigMapArgs", {
    "namespace" => args.namespace,
    "name" => args.name,
    "behavior" => args.behavior,
    "literals" => args.sources.literals,
    "files" => args.sources.files,
    "envs" => args.sources.envs,
    "env" => args.sources.env,
    "options" => args.options,
});

/// One `secretGenerator`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SecretArgs {
    pub(crate) args: GeneratorArgs,
    pub(crate) type_: String,
}

decode_struct!(SecretArgs, "SecretArgs", "types.SecretArgs", {
    "namespace" => args.namespace,
    "name" => args.name,
    "behavior" => args.behavior,
    "literals" => args.sources.literals,
    "files" => args.sources.files,
    "envs" => args.sources.envs,
    "env" => args.sources.env,
    "options" => args.options,
    "type" => type_,
});

impl GeneratorArgs {
    /// Moves the old `env` to `envs`.
    pub(crate) fn fix(&mut self) {
        if !self.sources.env.is_empty() {
            let env = std::mem::take(&mut self.sources.env);
            self.sources.envs.push(env);
        }
    }
}
