//! Which objects something applies to.

use std::fmt;

use crate::resid::ResId;
use crate::types::decode::decode_struct;

/// Patterns for identity, and selectors for labels and annotations.
#[expect(clippy::struct_field_names, reason = "kustomize's own names")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Selector {
    pub(crate) id: ResId,
    pub(crate) annotation_selector: String,
    pub(crate) label_selector: String,
}

decode_struct!(Selector, "Selector", "types.Selector", {
    "group" => id.gvk.group,
    "version" => id.gvk.version,
    "kind" => id.gvk.kind,
    "name" => id.name,
    "namespace" => id.namespace,
    "annotationSelector" => annotation_selector,
    "labelSelector" => label_selector,
});

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:a={}:l={}",
            self.id, self.annotation_selector, self.label_selector
        )
    }
}
