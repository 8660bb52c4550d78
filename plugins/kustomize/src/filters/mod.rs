//! Changes to single objects.

pub(crate) mod field_spec;
pub(crate) mod name_reference;
pub(crate) mod setters;
pub(crate) mod var_reference;
