//! Choosing objects: by pattern of group, version, kind, name and namespace, by label and
//! annotation.

mod labels;
mod pattern;

pub(crate) use labels::LabelSelector;
pub(crate) use pattern::Pattern;

use crate::error::Result;
use crate::resid::Gvk;
use crate::types::Selector;

/// A [`Selector`] with its patterns compiled. Patterns match the whole text.
pub(crate) struct SelectorPatterns {
    group: Option<Pattern>,
    version: Option<Pattern>,
    kind: Option<Pattern>,
    name: Option<Pattern>,
    namespace: Option<Pattern>,
}

impl SelectorPatterns {
    pub(crate) fn new(selector: &Selector) -> Result<Self> {
        let compile = |pattern: &str| {
            if pattern.is_empty() {
                Ok(None)
            } else {
                Pattern::anchored(pattern).map(Some)
            }
        };
        Ok(Self {
            group: compile(&selector.id.gvk.group)?,
            version: compile(&selector.id.gvk.version)?,
            kind: compile(&selector.id.gvk.kind)?,
            name: compile(&selector.id.name)?,
            namespace: compile(&selector.id.namespace)?,
        })
    }

    pub(crate) fn match_gvk(&self, gvk: &Gvk) -> bool {
        matches(self.group.as_ref(), &gvk.group)
            && matches(self.version.as_ref(), &gvk.version)
            && matches(self.kind.as_ref(), &gvk.kind)
    }

    pub(crate) fn match_name(&self, name: &str) -> bool {
        matches(self.name.as_ref(), name)
    }

    pub(crate) fn match_namespace(&self, namespace: &str) -> bool {
        matches(self.namespace.as_ref(), namespace)
    }
}

fn matches(pattern: Option<&Pattern>, text: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.is_match(text))
}
