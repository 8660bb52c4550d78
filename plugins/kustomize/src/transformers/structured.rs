//! Paths that match several fields, and values inside of texts that are YAML or JSON themselves
//! (kyaml `PathMatcher`, kustomize `filters/replacement`).

use weir_yaml::resolve::Dialect;
use weir_yaml::{Arena, Kind, Node, NodeId, decode, emit, json, parse};

use crate::error::{Context as _, Error, Result};
use crate::rnode;
use crate::selector::Pattern;

/// Finds all fields that a path matches; may make what is missing.
pub(super) struct PathMatcher {
    create: Option<Kind>,
}

impl PathMatcher {
    /// `create`: kind of the field at the end of the path.
    pub(super) fn new(create: Option<Kind>) -> Self {
        Self { create }
    }

    pub(super) fn matches(
        &self,
        arena: &mut Arena,
        at: NodeId,
        path: &[String],
    ) -> Result<Vec<NodeId>> {
        let Some((part, rest)) = path.split_first() else {
            return Ok(vec![at]);
        };
        if let Some(index) = rnode::parse_index(part).filter(|index| *index >= 0) {
            return self.index(arena, at, part, index as usize, rest);
        }
        if rnode::is_list_index(part) {
            return self.elements(arena, at, part, rest, true);
        }
        if part == "*" {
            rnode::expect_kind(arena, at, Kind::Sequence)?;
            let mut found = Vec::new();
            for item in arena[at].content.clone() {
                found.extend(self.matches(arena, item, rest)?);
            }
            return Ok(found);
        }
        self.field(arena, at, part, rest)
    }

    fn next_kind(&self, rest: &[String]) -> Option<Kind> {
        let create = self.create?;
        Some(match rest.first() {
            None => create,
            Some(next)
                if rnode::is_list_index(next)
                    || rnode::parse_index(next).is_some_and(|index| index >= 0) =>
            {
                Kind::Sequence
            }
            Some(next) if next.is_empty() => create,
            Some(_) => Kind::Mapping,
        })
    }

    fn field(
        &self,
        arena: &mut Arena,
        at: NodeId,
        part: &str,
        rest: &[String],
    ) -> Result<Vec<NodeId>> {
        let field = match (rnode::get(arena, at, part)?, self.next_kind(rest)) {
            (Some(field), _) => field,
            (None, Some(kind)) => {
                let made = arena.add(Node::of_kind(kind));
                rnode::set_field(arena, at, part, Some(made))?;
                made
            }
            (None, None) => return Ok(Vec::new()),
        };
        if arena[field].kind == Kind::Scalar && !rest.is_empty() {
            // The text may hold structure; what is found there is not what will be printed.
            let text = arena[field].value.clone();
            let Some(root) = parse::parse(arena, &text, Dialect::V3)? else {
                return Ok(Vec::new());
            };
            return self.matches(arena, root, rest);
        }
        self.matches(arena, field, rest)
    }

    fn index(
        &self,
        arena: &mut Arena,
        at: NodeId,
        part: &str,
        index: usize,
        rest: &[String],
    ) -> Result<Vec<NodeId>> {
        rnode::expect_kind(arena, at, Kind::Sequence)?;
        let len = arena[at].content.len();
        if let Some(kind) = self.next_kind(rest).filter(|_| len == index) {
            let made = arena.add(Node::of_kind(kind));
            if arena.is_null(at) {
                return Err(Error::new(format!("failed to append element for {part:?}")));
            }
            arena[at].content.push(made);
        }
        match arena[at].content.get(index).copied() {
            Some(element) => self.matches(arena, element, rest),
            None => Err(Error::new(format!(
                "index {index} specified but only {len} elements found"
            ))),
        }
    }

    fn elements(
        &self,
        arena: &mut Arena,
        at: NodeId,
        part: &str,
        rest: &[String],
        may_create: bool,
    ) -> Result<Vec<NodeId>> {
        let (name, wanted) = rnode::split_list_index(part)?;
        rnode::expect_kind(arena, at, Kind::Sequence)?;
        let mut found = Vec::new();
        let mut pattern = None;
        for item in arena[at].content.clone() {
            let value = if name.is_empty() {
                Some(item)
            } else {
                arena.field(item, name)
            };
            let Some(value) = value else { continue };
            let pattern = match &pattern {
                Some(pattern) => pattern,
                None => pattern.insert(Pattern::search(wanted)?),
            };
            if !pattern.is_match(rnode::to_text(arena, value).trim()) {
                continue;
            }
            if name.is_empty() {
                found.push(item);
            } else {
                found.extend(self.matches(arena, item, rest)?);
            }
        }
        if !found.is_empty() || self.create.is_none() {
            return Ok(found);
        }
        if !may_create || arena.is_null(at) {
            return Err(Error::new(format!("failed to create element for {part:?}")));
        }
        let scalar = arena.add(Node::scalar(wanted));
        let made = if name.is_empty() {
            scalar
        } else {
            let key = arena.add(Node::scalar(name));
            let node = Node {
                kind: Kind::Mapping,
                content: vec![key, scalar],
                ..Node::default()
            };
            arena.add(node)
        };
        arena[at].content.push(made);
        self.elements(arena, at, part, rest, false)
    }
}

/// Sets a value inside a text that a part of the path leads to. An error means that there is no
/// such text, and that nothing was changed.
pub(super) fn set_inside_scalar(
    arena: &mut Arena,
    object: NodeId,
    value: NodeId,
    path: &[String],
    create: Option<Kind>,
) -> Result<()> {
    if path.len() < 2 {
        return Err(Error::new("not a structured data path"));
    }
    let mut scalar = None;
    for end in 1..path.len() {
        let Ok(Some(found)) = rnode::lookup(arena, object, &path[..end]) else {
            continue;
        };
        if arena[found].kind == Kind::Scalar {
            let text = arena[found].value.clone();
            if let Ok(Some(root)) = parse::parse(arena, &text, Dialect::V3) {
                scalar = Some((found, text, root, end));
                break;
            }
        }
    }
    let Some((scalar, original, root, end)) = scalar else {
        return Err(Error::new("no structured data found in path"));
    };
    let fields = PathMatcher::new(create).matches(arena, root, &path[end..])?;
    if fields.is_empty() {
        return Err(Error::new("unable to find field in structured data"));
    }
    for field in fields {
        if arena[field].kind == Kind::Scalar {
            let text = arena[value].value.clone();
            arena[field].value = text;
        } else {
            arena.assign(field, value);
        }
    }
    arena[scalar].value = serialize(arena, root, &original)?;
    Ok(())
}

/// The structure as text again, in the form that it had.
fn serialize(arena: &Arena, root: NodeId, original: &str) -> Result<String> {
    let is_json = original.trim().starts_with(['{', '[']);
    if !is_json {
        let text = emit::node_to_string(arena, root).context("failed to serialize YAML data")?;
        return Ok(text.trim().to_owned());
    }
    let value = decode::marshal_json(arena, root)?;
    let pretty = original.contains('\n') && original.contains("  ");
    Ok(if pretty {
        json::to_string_indented(&value, "  ")?
    } else {
        json::to_string(&value)?
    })
}
