//! What a kustomization says (kustomize `api/types`).

pub(crate) mod decode;
mod field_spec;
mod generator;
mod kustomization;
mod replacement;
mod selector;
mod var;

pub(crate) use field_spec::{FieldSpec, merge_all, merge_one, sort_field_specs};
pub(crate) use generator::{ConfigMapArgs, GeneratorArgs, GeneratorOptions, SecretArgs};
pub(crate) use kustomization::{
    COMPONENT_KIND, Image, Kustomization, Metadata, Patch, Replica, SortOptions,
};
pub(crate) use replacement::{
    FieldOptions, Replacement, ReplacementField, SourceSelector, TargetSelector,
};
pub(crate) use selector::Selector;
pub(crate) use var::{Var, VarSet};
