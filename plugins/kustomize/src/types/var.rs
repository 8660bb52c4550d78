//! Variables, the forerunners of replacements.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{Error, Result};
use crate::resid::{Gvk, ResId};
use crate::types::decode::decode_struct;
use crate::types::replacement::DEFAULT_FIELD_PATH;

/// The object that a variable reads from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct VarTarget {
    pub(crate) api_version: String,
    pub(crate) gvk: Gvk,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

decode_struct!(VarTarget, "Target", "types.Target", {
    "apiVersion" => api_version,
    "group" => gvk.group,
    "version" => gvk.version,
    "kind" => gvk.kind,
    "name" => name,
    "namespace" => namespace,
});

/// The field that a variable reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct VarField {
    pub(crate) field_path: String,
}

decode_struct!(VarField, "FieldSelector", "types.FieldSelector", { "fieldPath" => field_path });

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Var {
    pub(crate) name: String,
    pub(crate) objref: VarTarget,
    pub(crate) fieldref: VarField,
}

decode_struct!(Var, "Var", "types.Var", {
    "name" => name,
    "objref" => objref,
    "fieldref" => fieldref,
});

impl Var {
    /// Splits `apiVersion` and gives the identity to look for.
    pub(crate) fn target_id(&mut self) -> ResId {
        let target = &mut self.objref;
        match target.api_version.split('/').collect::<Vec<_>>().as_slice() {
            [""] => {}
            [version] => (*version).clone_into(&mut target.gvk.version),
            [group, version] => {
                (*group).clone_into(&mut target.gvk.group);
                (*version).clone_into(&mut target.gvk.version);
            }
            _ => {}
        }
        ResId {
            gvk: target.gvk.clone(),
            name: target.name.clone(),
            namespace: target.namespace.clone(),
        }
    }

    fn apply_defaults(&mut self) {
        if self.fieldref.field_path.is_empty() {
            DEFAULT_FIELD_PATH.clone_into(&mut self.fieldref.field_path);
        }
        self.target_id();
    }
}

impl fmt::Display for Var {
    /// As Go prints the struct.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Embedded first, its method speaks for the whole target.
        write!(
            f,
            "{{{} {} {{{}}}}}",
            self.name, self.objref.gvk, self.fieldref.field_path
        )
    }
}

/// Variables by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct VarSet {
    vars: BTreeMap<String, Var>,
}

impl VarSet {
    pub(crate) fn merge(&mut self, mut var: Var) -> Result<()> {
        if self.vars.contains_key(&var.name) {
            return Err(Error::new(format!(
                "var '{}' already encountered",
                var.name
            )));
        }
        var.apply_defaults();
        self.vars.insert(var.name.clone(), var);
        Ok(())
    }

    pub(crate) fn merge_set(&mut self, other: Self) -> Result<()> {
        other.vars.into_values().try_for_each(|var| self.merge(var))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Var> {
        self.vars.values()
    }
}
