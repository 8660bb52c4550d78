//! Which field of which kind a transformer touches.

use crate::error::{Error, Result};
use crate::resid::{Gvk, gvk_order};
use crate::types::decode::decode_struct;

/// A field of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FieldSpec {
    pub(crate) gvk: Gvk,
    /// `/` between fields; `[]` marks a list.
    pub(crate) path: String,
    /// Make what is missing.
    pub(crate) create: bool,
}

decode_struct!(FieldSpec, "FieldSpec", "types.FieldSpec", {
    "group" => gvk.group,
    "version" => gvk.version,
    "kind" => gvk.kind,
    "path" => path,
    "create" => create,
});

impl FieldSpec {
    /// A field of every kind.
    pub(crate) fn of_all(path: &str, create: bool) -> Self {
        Self {
            gvk: Gvk::default(),
            path: path.to_owned(),
            create,
        }
    }
}

/// Adds a field unless one that covers it is there.
pub(crate) fn merge_one(specs: &mut Vec<FieldSpec>, incoming: &FieldSpec) -> Result<()> {
    let known = specs
        .iter()
        .find(|spec| spec.gvk.is_selected(&incoming.gvk) && spec.path == incoming.path);
    match known {
        Some(known) if known.create != incoming.create => Err(Error::new("conflicting fieldspecs")),
        Some(_) => Ok(()),
        None => {
            specs.push(incoming.clone());
            Ok(())
        }
    }
}

/// Adds fields one by one.
pub(crate) fn merge_all(specs: &mut Vec<FieldSpec>, incoming: &[FieldSpec]) -> Result<()> {
    incoming.iter().try_for_each(|spec| merge_one(specs, spec))
}

/// Orders fields by what they apply to.
pub(crate) fn sort_field_specs(specs: &mut [FieldSpec]) {
    specs.sort_by_cached_key(|spec| gvk_order(&spec.gvk));
}
