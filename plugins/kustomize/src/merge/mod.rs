//! Strategic merge of one tree into another (kyaml `merge2` over `walk`): maps by key, lists by
//! what the schema says, `$patch` directives on the way.

mod associative;
mod directive;

use std::collections::BTreeSet;

use weir_yaml::{Arena, Kind, NodeId, Style};

use crate::error::Result;
use crate::openapi::{Schema, Schemas};
use crate::rnode;
use directive::Directive;

/// Destination and patch; either may be missing.
#[derive(Debug, Clone, Copy)]
struct Sources {
    dest: Option<NodeId>,
    patch: Option<NodeId>,
}

/// What a place becomes.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    node: Option<NodeId>,
    /// A null that was there before and stays.
    keep_null: bool,
}

impl Outcome {
    fn of(node: Option<NodeId>) -> Self {
        Self {
            node,
            keep_null: false,
        }
    }
}

/// Merges `patch` into `dest` and gives what becomes of it; nothing if the patch deletes it.
pub(crate) fn merge(
    arena: &mut Arena,
    schemas: &Schemas,
    dest: NodeId,
    patch: NodeId,
) -> Result<Option<NodeId>> {
    let mut walker = Walker { arena, schemas };
    let sources = Sources {
        dest: Some(dest),
        patch: Some(patch),
    };
    Ok(walker.walk(sources, None, &mut Vec::new())?.node)
}

struct Walker<'a> {
    arena: &'a mut Arena,
    schemas: &'a Schemas,
}

impl Walker<'_> {
    fn present(&self, id: Option<NodeId>) -> Option<NodeId> {
        id.filter(|id| !self.arena.is_null(*id))
    }

    fn is_missing_or_null(&self, id: Option<NodeId>) -> bool {
        self.present(id).is_none()
    }

    fn walk(
        &mut self,
        sources: Sources,
        schema: Option<Schema>,
        path: &mut Vec<String>,
    ) -> Result<Outcome> {
        let schema = schema.or_else(|| self.schema_of(sources));
        let first = self
            .present(sources.dest)
            .or_else(|| self.present(sources.patch));
        let kind = first.map_or(Kind::Zero, |id| self.arena[id].kind);
        match kind {
            Kind::Zero => self.walk_map(sources, schema.as_ref(), path),
            Kind::Mapping => {
                self.expect(sources, Kind::Mapping)?;
                self.walk_map(sources, schema.as_ref(), path)
            }
            Kind::Sequence => {
                self.expect(sources, Kind::Sequence)?;
                let merge = schema
                    .as_ref()
                    .and_then(|schema| self.schemas.list_merge(schema));
                if let (Some(merge), Some(schema)) = (merge, &schema) {
                    self.walk_associative(sources, schema, &merge, path)
                        .map(Outcome::of)
                } else {
                    self.copy_style(sources);
                    Ok(Outcome::of(sources.patch.or(sources.dest)))
                }
            }
            Kind::Scalar => {
                self.expect(sources, Kind::Scalar)?;
                Ok(Outcome::of(sources.patch.or(sources.dest)))
            }
            Kind::Alias => Ok(Outcome::of(None)),
        }
    }

    fn expect(&self, sources: Sources, kind: Kind) -> Result<()> {
        for id in [sources.dest, sources.patch].into_iter().flatten() {
            rnode::expect_kind(self.arena, id, kind)?;
        }
        Ok(())
    }

    /// Without a schema from above, an object that says what it is has its own.
    fn schema_of(&self, sources: Sources) -> Option<Schema> {
        [sources.dest, sources.patch]
            .into_iter()
            .flatten()
            .find_map(|id| {
                let field = |name| {
                    self.arena
                        .field(id, name)
                        .filter(|value| !self.arena[*value].is_nil_or_empty())
                        .map_or("", |value| self.arena.text(value))
                };
                let (api_version, kind) = (field("apiVersion"), field("kind"));
                if api_version.is_empty() || kind.is_empty() {
                    return None;
                }
                self.schemas.of_kind(api_version, kind)
            })
    }

    /// An empty map or list takes the style of the patch.
    fn copy_style(&mut self, sources: Sources) {
        if let (Some(dest), Some(patch)) = (sources.dest, sources.patch) {
            let node = &self.arena[dest];
            if node.kind != Kind::Scalar && node.content.is_empty() {
                self.arena[dest].style = self.arena[patch].style;
            }
        }
    }

    fn visit_map(&mut self, sources: Sources) -> Result<Outcome> {
        self.copy_style(sources);
        let Sources { dest, patch } = sources;
        if self.is_missing_or_null(dest) {
            // What is wrong with a directive does not matter where nothing is merged.
            if directive::of(self.arena, patch).is_ok_and(|found| found == Directive::Delete) {
                return Ok(Outcome::of(None));
            }
            if patch.is_none()
                && let Some(dest) = dest
                && !self.arena[dest].value.is_empty()
            {
                return Ok(Outcome {
                    node: Some(dest),
                    keep_null: true,
                });
            }
            return Ok(Outcome::of(patch));
        }
        if patch.is_some_and(|patch| self.arena.is_null(patch)) {
            return Ok(Outcome::of(None));
        }
        Ok(Outcome::of(match directive::of(self.arena, patch)? {
            Directive::Delete => None,
            Directive::Replace => patch,
            Directive::Merge => dest,
        }))
    }

    fn walk_map(
        &mut self,
        sources: Sources,
        schema: Option<&Schema>,
        path: &mut Vec<String>,
    ) -> Result<Outcome> {
        let outcome = self.visit_map(sources)?;
        let Some(dest) = outcome.node else {
            return Ok(outcome);
        };
        let sources = Sources {
            dest: Some(dest),
            ..sources
        };
        let names: BTreeSet<String> = [Some(dest), sources.patch]
            .into_iter()
            .flatten()
            .flat_map(|id| self.arena.fields(id))
            .map(|(key, _)| self.arena[key].value.clone())
            .collect();
        for name in names {
            let field = |walker: &Self, id: Option<NodeId>| {
                let (key, value) = walker
                    .arena
                    .fields(id?)
                    .find(|(key, _)| walker.arena[*key].value == name)?;
                Some((value, walker.arena[key].style))
            };
            let in_dest = field(self, Some(dest));
            let in_patch = field(self, sources.patch);
            if in_patch.is_none() && self.is_plain_leaf(in_dest) {
                continue;
            }
            let child = Sources {
                dest: in_dest.map(|(value, _)| value),
                patch: in_patch.map(|(value, _)| value),
            };
            let child_schema = schema.and_then(|schema| self.schemas.field(schema, &name));
            path.push(name.clone());
            let value = self.walk(child, child_schema, path)?;
            path.pop();
            let key_style = [in_dest, in_patch]
                .into_iter()
                .flatten()
                .find(|(id, _)| Some(*id) == value.node)
                .map_or(Style::PLAIN, |(_, style)| style);
            rnode::set_field_styled(
                self.arena,
                dest,
                &name,
                value.node,
                key_style,
                value.keep_null,
            )?;
        }
        Ok(outcome)
    }

    /// A scalar that nothing is merged into stays as it is.
    fn is_plain_leaf(&self, field: Option<(NodeId, Style)>) -> bool {
        field.is_some_and(|(id, _)| {
            let node = &self.arena[id];
            node.kind == Kind::Scalar
                && !self.arena.is_null(id)
                && !(node.style == Style::PLAIN && node.is_string())
        })
    }

    fn visit_list(&mut self, sources: Sources) -> Result<Option<NodeId>> {
        self.copy_style(sources);
        let Sources { dest, patch } = sources;
        if self.is_missing_or_null(dest) {
            return Ok(patch);
        }
        if patch.is_some_and(|patch| self.arena.is_null(patch)) {
            return Ok(None);
        }
        Ok(match directive::of(self.arena, patch)? {
            Directive::Delete => None,
            Directive::Replace => patch,
            Directive::Merge => dest,
        })
    }
}
