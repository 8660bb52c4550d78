//! What is written into fields (kustomize `filtersutil`).

use weir_yaml::{Arena, Kind, Node, NodeId, Tag};

use crate::error::Result;
use crate::rnode;

/// Sets a scalar (no key), or an entry of a map. One node is shared by all places that are set
/// with the same setter, as kustomize shares it: a later change of one shows in all.
pub(crate) struct EntrySetter {
    key: String,
    value: NodeId,
}

impl EntrySetter {
    pub(crate) fn new(arena: &mut Arena, key: &str, value: &str, tag: Tag) -> Self {
        let value = arena.add(Node::tagged(value, tag));
        Self {
            key: key.to_owned(),
            value,
        }
    }

    pub(crate) fn set(&self, arena: &mut Arena, target: NodeId) -> Result<()> {
        // Something to be set in nothing is no error (kyaml `Pipe` stops at a null).
        rnode::set_field(arena, target, &self.key, Some(self.value)).map(|_| ())
    }

    /// As [`Self::set`], unless something stands there.
    pub(crate) fn set_if_empty(&self, arena: &mut Arena, target: NodeId) -> Result<()> {
        if has_value(arena, target, &self.key) {
            return Ok(());
        }
        self.set(arena, target)
    }
}

fn has_value(arena: &Arena, node: NodeId, key: &str) -> bool {
    if arena[node].is_nil_or_empty() {
        return false;
    }
    if arena[node].kind == Kind::Scalar {
        return !arena.text(node).is_empty();
    }
    arena
        .field(node, key)
        .is_some_and(|entry| !arena[entry].is_nil_or_empty() && !arena.text(entry).is_empty())
}
