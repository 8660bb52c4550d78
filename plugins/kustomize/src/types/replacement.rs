//! Values copied from one object to others.

use std::fmt;

use crate::resid::ResId;
use crate::types::Selector;
use crate::types::decode::decode_struct;

/// Field that is read or written when none is named.
pub(crate) const DEFAULT_FIELD_PATH: &str = "metadata.name";

/// Takes or sets a part of a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FieldOptions {
    pub(crate) delimiter: String,
    pub(crate) index: isize,
    pub(crate) encoding: String,
    pub(crate) create: bool,
}

decode_struct!(FieldOptions, "FieldOptions", "types.FieldOptions", {
    "delimiter" => delimiter,
    "index" => index,
    "encoding" => encoding,
    "create" => create,
});

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SourceSelector {
    pub(crate) id: ResId,
    pub(crate) field_path: String,
    pub(crate) options: Option<FieldOptions>,
}

decode_struct!(SourceSelector, "SourceSelector", "types.SourceSelector", {
    "group" => id.gvk.group,
    "version" => id.gvk.version,
    "kind" => id.gvk.kind,
    "name" => id.name,
    "namespace" => id.namespace,
    "fieldPath" => field_path,
    "options" => options,
});

impl fmt::Display for SourceSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        if !self.field_path.is_empty() {
            write!(f, ":{}", self.field_path)?;
        }
        match &self.options {
            Some(options) if !options.delimiter.is_empty() || options.create => {
                let FieldOptions {
                    delimiter,
                    index,
                    create,
                    ..
                } = options;
                write!(f, ":{delimiter}({index}), create={create}")
            }
            _ => Ok(()),
        }
    }
}

/// Where a value goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TargetSelector {
    pub(crate) select: Option<Selector>,
    pub(crate) reject: Vec<Selector>,
    pub(crate) field_paths: Vec<String>,
    pub(crate) options: Option<FieldOptions>,
}

decode_struct!(TargetSelector, "TargetSelector", "types.TargetSelector", {
    "select" => select,
    "reject" => reject,
    "fieldPaths" => field_paths,
    "options" => options,
});

/// One replacement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Replacement {
    pub(crate) source: Option<SourceSelector>,
    /// `None`: not given at all.
    pub(crate) targets: Option<Vec<TargetSelector>>,
    pub(crate) source_value: Option<String>,
}

decode_struct!(Replacement, "Replacement", "types.Replacement", {
    "source" => source,
    "targets" => targets,
    "sourceValue" => source_value,
});

/// A replacement, or the file that holds some.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ReplacementField {
    pub(crate) replacement: Replacement,
    pub(crate) path: String,
}

decode_struct!(ReplacementField, "ReplacementField", "types.ReplacementField", {
    "source" => replacement.source,
    "targets" => replacement.targets,
    "sourceValue" => replacement.source_value,
    "path" => path,
});
