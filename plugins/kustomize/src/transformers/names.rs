//! Prefixes and suffixes of names.

use weir_yaml::{Node, Tag, Value};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::filters::field_spec::{self, Create};
use crate::resid::Gvk;
use crate::resmap::ResMap;
use crate::resource::annotation;
use crate::rnode;
use crate::types::FieldSpec;
use crate::types::decode::{self, Mode, decode_struct};

const NAME: &str = "metadata/name";

/// Puts a prefix in front of names.
#[derive(Debug, Clone, Default)]
pub(crate) struct PrefixTransformer {
    pub(crate) prefix: String,
    pub(crate) field_specs: Option<Vec<FieldSpec>>,
}

decode_struct!(PrefixTransformer, "PrefixTransformerPlugin", "builtins.PrefixTransformerPlugin", {
    "prefix" => prefix,
    "fieldSpecs" => field_specs,
});

/// Puts a suffix behind names.
#[derive(Debug, Clone, Default)]
pub(crate) struct SuffixTransformer {
    pub(crate) suffix: String,
    pub(crate) field_specs: Option<Vec<FieldSpec>>,
}

decode_struct!(SuffixTransformer, "SuffixTransformerPlugin", "builtins.SuffixTransformerPlugin", {
    "suffix" => suffix,
    "fieldSpecs" => field_specs,
});

fn demand(specs: Option<&Vec<FieldSpec>>) -> Result<()> {
    match specs {
        Some(_) => Ok(()),
        None => Err(Error::new("fieldSpecs is not expected to be nil")),
    }
}

impl PrefixTransformer {
    pub(super) fn configure(config: &Value) -> Result<Self> {
        let made: Self = decode::decode(config, Mode::Lenient)?;
        demand(made.field_specs.as_ref())?;
        Ok(made)
    }

    pub(super) fn transform(&self, cx: &mut Context, map: &ResMap) -> Result<()> {
        let specs = self.field_specs.as_deref().unwrap_or_default();
        rename(cx, map, specs, annotation::PREFIXES, &self.prefix, |name| {
            format!("{}{name}", self.prefix)
        })
    }
}

impl SuffixTransformer {
    pub(super) fn configure(config: &Value) -> Result<Self> {
        let made: Self = decode::decode(config, Mode::Lenient)?;
        demand(made.field_specs.as_ref())?;
        Ok(made)
    }

    pub(super) fn transform(&self, cx: &mut Context, map: &ResMap) -> Result<()> {
        let specs = self.field_specs.as_deref().unwrap_or_default();
        rename(cx, map, specs, annotation::SUFFIXES, &self.suffix, |name| {
            format!("{name}{}", self.suffix)
        })
    }
}

/// Kinds whose names mean something outside of the build.
fn is_exempt(gvk: &Gvk) -> bool {
    matches!(gvk.kind.as_str(), "CustomResourceDefinition" | "Namespace")
        || (gvk.kind == "APIService" && gvk.group == "apiregistration.k8s.io")
}

fn rename(
    cx: &mut Context,
    map: &ResMap,
    specs: &[FieldSpec],
    memory: &str,
    affix: &str,
    new_name: impl Fn(&str) -> String,
) -> Result<()> {
    for handle in super::present(cx, map) {
        let id = cx.org_id(handle)?;
        if is_exempt(&id.gvk) {
            continue;
        }
        for spec in specs.iter().filter(|spec| id.gvk.is_selected(&spec.gvk)) {
            if spec.path == NAME {
                cx.append_csv(handle, memory, affix)?;
                if !affix.is_empty() {
                    cx.store_previous_id(handle)?;
                }
            }
            let Some(node) = cx.node(handle) else {
                continue;
            };
            field_spec::apply(
                &mut cx.arena,
                node,
                spec,
                &Create::scalar(Tag::Str),
                &mut |arena, target| {
                    let text = new_name(&arena[target].value);
                    let value = arena.add(Node::scalar(text));
                    rnode::set_scalar(arena, target, value)
                },
            )?;
        }
    }
    Ok(())
}
