//! Which fields the built-in transformers touch: kustomize's defaults, with what
//! `configurations` and `crds` add (kustomize `builtinconfig`).

mod crds;

pub(crate) use crds::from_crds;

use std::rc::Rc;

use crate::context::Context;
use crate::error::{Context as _, Result};
use crate::loader::Loader;
use crate::resid::{Gvk, gvk_order};
use crate::types::decode::{self, Mode, decode_struct};
use crate::types::{FieldSpec, merge_all, sort_field_specs};

/// The defaults. A section per transformer; per line whether to create (`+`), what kind
/// (group/version/kind, `*` for any) and which field. Below `nameReference`, `>` starts a kind that
/// is referred to.
const DEFAULTS: &str = include_str!("default.txt");

/// A kind and the fields that hold its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NameBackReferences {
    pub(crate) gvk: Gvk,
    pub(crate) referrers: Vec<FieldSpec>,
}

decode_struct!(NameBackReferences, "NameBackReferences", "builtinconfig.NameBackReferences", {
    "group" => gvk.group,
    "version" => gvk.version,
    "kind" => gvk.kind,
    "fieldSpecs" => referrers,
});

/// Fields by transformer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TransformerConfig {
    pub(crate) name_prefix: Vec<FieldSpec>,
    pub(crate) name_suffix: Vec<FieldSpec>,
    pub(crate) namespace: Vec<FieldSpec>,
    pub(crate) common_labels: Vec<FieldSpec>,
    pub(crate) labels: Vec<FieldSpec>,
    pub(crate) template_labels: Vec<FieldSpec>,
    pub(crate) common_annotations: Vec<FieldSpec>,
    pub(crate) name_reference: NameReferences,
    pub(crate) var_reference: Vec<FieldSpec>,
    pub(crate) images: Vec<FieldSpec>,
    pub(crate) replicas: Vec<FieldSpec>,
    /// The defaults as they are: merged into nothing they stay the same.
    is_default: bool,
}

/// A list of [`NameBackReferences`]; a type of its own for its Go name in messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NameReferences(pub(crate) Vec<NameBackReferences>);

/// As [`NameReferences`], for fields.
struct FsSlice(Vec<FieldSpec>);

macro_rules! decode_list {
    ($type:ty, $name:literal) => {
        impl decode::Decode for $type {
            fn go_type() -> String {
                $name.to_owned()
            }

            fn decode(&mut self, value: &weir_yaml::Value, decoder: &mut decode::Decoder) {
                match value {
                    weir_yaml::Value::Array(_) | weir_yaml::Value::Null => {
                        self.0.decode(value, decoder);
                    }
                    other => decoder.mismatch(other, $name),
                }
            }
        }
    };
}

decode_list!(NameReferences, "builtinconfig.nbrSlice");
decode_list!(FsSlice, "types.FsSlice");

impl decode::Decode for TransformerConfig {
    fn go_type() -> String {
        "builtinconfig.TransformerConfig".to_owned()
    }

    fn decode(&mut self, value: &weir_yaml::Value, decoder: &mut decode::Decoder) {
        const FIELDS: [&str; 11] = [
            "namePrefix",
            "nameSuffix",
            "namespace",
            "commonLabels",
            "labels",
            "templateLabels",
            "commonAnnotations",
            "nameReference",
            "varReference",
            "images",
            "replicas",
        ];
        decoder.structure(
            value,
            "TransformerConfig",
            "builtinconfig.TransformerConfig",
            &FIELDS,
            |name, value, decoder| match self.section(name) {
                Some(section) => {
                    let mut list = FsSlice(std::mem::take(section));
                    decode::Decode::decode(&mut list, value, decoder);
                    *section = list.0;
                }
                None => decode::Decode::decode(&mut self.name_reference, value, decoder),
            },
        );
    }
}

impl TransformerConfig {
    /// The defaults.
    pub(crate) fn default_config() -> Self {
        let mut config = Self::default();
        let mut section = "";
        for line in DEFAULTS.lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']');
                continue;
            }
            let mut words = line.split(' ');
            let mark = words.next().unwrap_or_default();
            let gvk = words.next().map(parse_gvk).unwrap_or_default();
            if mark == ">" {
                let referrers = Vec::new();
                config
                    .name_reference
                    .0
                    .push(NameBackReferences { gvk, referrers });
                continue;
            }
            let path = words.next().unwrap_or_default().to_owned();
            let spec = FieldSpec {
                gvk,
                path,
                create: mark == "+",
            };
            match config.section(section) {
                Some(list) => list.push(spec),
                None => {
                    if let Some(last) = config.name_reference.0.last_mut() {
                        last.referrers.push(spec);
                    }
                }
            }
        }
        config.sort();
        config.is_default = true;
        config
    }

    fn section(&mut self, name: &str) -> Option<&mut Vec<FieldSpec>> {
        Some(match name {
            "namePrefix" => &mut self.name_prefix,
            "nameSuffix" => &mut self.name_suffix,
            "namespace" => &mut self.namespace,
            "commonLabels" => &mut self.common_labels,
            "labels" => &mut self.labels,
            "templateLabels" => &mut self.template_labels,
            "commonAnnotations" => &mut self.common_annotations,
            "varReference" => &mut self.var_reference,
            "images" => &mut self.images,
            "replicas" => &mut self.replicas,
            _ => return None,
        })
    }

    fn sections(&mut self) -> [(&'static str, &mut Vec<FieldSpec>); 10] {
        [
            ("NamePrefix", &mut self.name_prefix),
            ("NameSuffix", &mut self.name_suffix),
            ("NameSpace", &mut self.namespace),
            ("CommonAnnotations", &mut self.common_annotations),
            ("CommonLabels", &mut self.common_labels),
            ("Labels", &mut self.labels),
            ("TemplateLabels", &mut self.template_labels),
            ("VarReference", &mut self.var_reference),
            ("Images", &mut self.images),
            ("Replicas", &mut self.replicas),
        ]
    }

    fn sort(&mut self) {
        for (_, list) in self.sections() {
            sort_field_specs(list);
        }
        self.name_reference
            .0
            .sort_by_cached_key(|reference| gvk_order(&reference.gvk));
    }

    /// Adds another configuration.
    pub(crate) fn merge(&mut self, mut other: Self) -> Result<()> {
        other.is_default = self.is_default;
        if *self == other {
            return Ok(());
        }
        self.is_default = false;
        let mine = self.sections().into_iter();
        for ((name, into), (_, from)) in mine.zip(other.sections()) {
            merge_all(into, from).context(format!("failed to merge {name} fieldSpec"))?;
        }
        for reference in other.name_reference.0 {
            self.merge_reference(reference)
                .context("failed to merge NameReference fieldSpec")?;
        }
        self.sort();
        Ok(())
    }

    /// Adds the fields that hold the name of a kind.
    pub(crate) fn merge_reference(&mut self, other: NameBackReferences) -> Result<()> {
        let mut found = false;
        for known in &mut self.name_reference.0 {
            if known.gvk.equals(&other.gvk) {
                merge_all(&mut known.referrers, &other.referrers)?;
                found = true;
            }
        }
        if !found {
            self.name_reference.0.push(other);
        }
        Ok(())
    }

    /// Adds another configuration to one that may be shared. Most kustomizations use the defaults
    /// throughout: then nothing is compared and nothing copied.
    pub(crate) fn merge_shared(into: &mut Rc<Self>, other: &Rc<Self>) -> Result<()> {
        if Rc::ptr_eq(into, other) || other.is_empty() {
            return Ok(());
        }
        if into.is_empty() && other.is_default {
            *into = Rc::clone(other);
            return Ok(());
        }
        Rc::make_mut(into).merge(Self::clone(other))
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The defaults with what the files of `configurations` add.
    pub(crate) fn load(cx: &Context, loader: &Loader<'_>, paths: &[String]) -> Result<Rc<Self>> {
        if paths.is_empty() {
            return Ok(Rc::clone(&cx.default_config));
        }
        let mut config = Self::clone(&cx.default_config);
        config.is_default = false;
        for path in paths {
            let content = loader.load(path)?;
            let added = parse(&content).map_err(|err| err.at_file(&loader.relative(path)))?;
            config.merge(added)?;
        }
        Ok(Rc::new(config))
    }
}

fn parse(content: &[u8]) -> Result<TransformerConfig> {
    let text = weir_yaml::parse::decode_text(content)?;
    let value = weir_yaml::from_yaml_strict(&text).context("error converting YAML to JSON")?;
    let mut config: TransformerConfig = decode::decode(&value, Mode::StrictCoercing)
        .context("error unmarshaling JSON: while decoding JSON")?;
    config.sort();
    Ok(config)
}

fn parse_gvk(text: &str) -> Gvk {
    let mut parts = text
        .split('/')
        .map(|part| if part == "*" { "" } else { part });
    let mut next = || parts.next().unwrap_or_default().to_owned();
    Gvk {
        group: next(),
        version: next(),
        kind: next(),
        cluster_scoped: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_merged_into_nothing_stay_the_same() {
        let defaults = TransformerConfig::default_config();
        let mut merged = TransformerConfig::default();
        merged.merge(defaults.clone()).unwrap();
        merged.is_default = true;
        assert_eq!(merged, defaults);
    }
}
