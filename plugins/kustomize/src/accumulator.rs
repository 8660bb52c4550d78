//! Objects of a kustomization with the rules that apply to them later: where names and variables
//! stand (kustomize `ResAccumulator`).

use std::rc::Rc;

use weir_yaml::{Kind, Tag};

use crate::config::TransformerConfig;
use crate::context::Context;
use crate::error::{Context as _, Error, Result};
use crate::filters::name_reference;
use crate::filters::var_reference::{self, VarValue, VarValues};
use crate::resmap::ResMap;
use crate::rnode;
use crate::types::{Var, VarSet};

/// What has been gathered.
#[derive(Default)]
pub(crate) struct Accumulator {
    pub(crate) map: ResMap,
    pub(crate) config: Rc<TransformerConfig>,
    vars: VarSet,
}

impl Accumulator {
    /// Takes in the variables of a kustomization; the objects that they read from remember it.
    pub(crate) fn merge_vars(&mut self, cx: &mut Context, vars: &[Var]) -> Result<()> {
        for var in vars {
            let mut var = var.clone();
            let id = var.target_id();
            let cluster_scoped = cx
                .schemas
                .is_certainly_cluster_scoped(&id.gvk.api_version(), &id.gvk.kind);
            let exact = !id.namespace.is_empty() || (cluster_scoped && id.gvk.cluster_scoped);
            let matched = self.map.matching_any(cx, |other| {
                if exact {
                    id.equals(other)
                } else {
                    id.gvkn_equals(other)
                }
            })?;
            match matched.as_slice() {
                [] => {}
                [one] => cx.resources[one.0].ref_var_names.push(var.name.clone()),
                several => {
                    return Err(Error::new(format!(
                        "found {} resId matches for var {var} (unable to disambiguate)",
                        several.len()
                    )));
                }
            }
        }
        vars.iter().try_for_each(|var| self.vars.merge(var.clone()))
    }

    /// Takes in what a base has gathered.
    pub(crate) fn merge(&mut self, cx: &Context, other: Self) -> Result<()> {
        self.map.append_all(cx, other.map.list())?;
        TransformerConfig::merge_shared(&mut self.config, &other.config)?;
        self.vars.merge_set(other.vars)
    }

    /// Writes changed names wherever they are referred to.
    pub(crate) fn fix_back_references(&mut self, cx: &mut Context) -> Result<()> {
        if self.config.name_reference.0.is_empty() {
            return Ok(());
        }
        let outcome = name_reference::fix(cx, &self.map, &self.config.name_reference);
        self.map.touch();
        outcome
    }

    /// Replaces variables by their values.
    pub(crate) fn resolve_vars(&mut self, cx: &mut Context) -> Result<()> {
        let mut values = VarValues::new();
        for var in self.vars.iter() {
            values.insert(var.name.clone(), self.value_of(cx, var)?);
        }
        if values.is_empty() {
            return Ok(());
        }
        for handle in self.map.list() {
            let Some(node) = cx.node(*handle) else {
                continue;
            };
            for spec in &self.config.var_reference {
                var_reference::apply(&mut cx.arena, node, spec, &values)?;
            }
        }
        self.map.touch();
        Ok(())
    }

    fn value_of(&self, cx: &mut Context, var: &Var) -> Result<VarValue> {
        for handle in self.map.list() {
            if !cx.resources[handle.0].ref_var_names.contains(&var.name) {
                continue;
            }
            return field_value(cx, *handle, &var.fieldref.field_path).map_err(|err| {
                err.reworded(|_| {
                    format!("field specified in var '{var}' not found in corresponding resource")
                })
            });
        }
        Err(Error::new(format!(
            "var '{var}' cannot be mapped to a field in the set of known resources"
        )))
    }
}

/// A field's value with its type (kyaml `GetFieldValue`).
fn field_value(cx: &mut Context, handle: crate::resource::Handle, path: &str) -> Result<VarValue> {
    let parts = split_indexes(&rnode::split_path_smart(path));
    let found = match cx.node(handle) {
        Some(node) => rnode::lookup(&mut cx.arena, node, &parts)?,
        None => None,
    };
    let Some(found) = found else {
        return Err(Error::new(format!("no field named '{path}'")));
    };
    let node = &cx.arena[found];
    if node.kind != Kind::Scalar {
        return Ok(VarValue::Other);
    }
    let text = node.value.as_str();
    let invalid = || Error::new(format!("parsing {text:?}: invalid syntax"));
    match node.tag {
        Tag::Int => text.parse().map(VarValue::Int).map_err(|_| invalid()),
        Tag::Float => text.parse().map(VarValue::Float).map_err(|_| invalid()),
        Tag::Bool => match text {
            "true" | "True" | "TRUE" => Ok(VarValue::Bool(true)),
            "false" | "False" | "FALSE" => Ok(VarValue::Bool(false)),
            _ => Err(invalid()),
        },
        _ => Ok(VarValue::Text(text.to_owned())),
    }
    .context("reading a field")
}

/// `ports[0]` becomes `ports`, `0`.
fn split_indexes(parts: &[String]) -> Vec<String> {
    let mut result = Vec::with_capacity(parts.len());
    for part in parts {
        let indexed = part
            .strip_suffix(']')
            .and_then(|rest| rest.rsplit_once('['));
        match indexed {
            Some((name, index))
                if !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit()) =>
            {
                if !name.is_empty() {
                    result.push(name.to_owned());
                }
                result.push(index.to_owned());
            }
            _ => result.push(part.clone()),
        }
    }
    result
}
