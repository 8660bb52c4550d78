//! `$patch: delete|replace|merge` (kyaml `merge2/smpdirective.go`).

use weir_yaml::{Arena, Kind, NodeId};

use crate::error::{Error, Result};
use crate::rnode;

const KEY: &str = "$patch";

/// What a patch does to a map or list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directive {
    Merge,
    Replace,
    Delete,
}

fn parse(text: &str) -> Result<Directive> {
    match text {
        "delete" => Ok(Directive::Delete),
        "replace" => Ok(Directive::Replace),
        "merge" => Ok(Directive::Merge),
        other => Err(Error::new(format!("unknown patch strategy '{other}'"))),
    }
}

/// Reads the directive of a patch and takes it out.
pub(super) fn of(arena: &mut Arena, patch: Option<NodeId>) -> Result<Directive> {
    let Some(patch) = patch else {
        return Ok(Directive::Merge);
    };
    match arena[patch].kind {
        Kind::Mapping => of_map(arena, patch),
        Kind::Sequence => of_list(arena, patch),
        _ => {
            let tag = arena[patch].tag.name();
            Err(Error::new(format!(
                "no implemented strategic merge patch strategy for '{tag}' ('{}')",
                rnode::to_text(arena, patch)
            )))
        }
    }
}

fn of_map(arena: &mut Arena, patch: NodeId) -> Result<Directive> {
    let Some(value) = rnode::get(arena, patch, KEY)? else {
        return Ok(Directive::Merge);
    };
    let directive = parse(&arena[value].value)?;
    rnode::clear(arena, patch, KEY)?;
    Ok(directive)
}

/// A list's directive is an element of its own.
fn of_list(arena: &mut Arena, patch: NodeId) -> Result<Directive> {
    let found = arena[patch]
        .content
        .iter()
        .copied()
        .find(|item| arena[*item].kind == Kind::Mapping && arena.field(*item, KEY).is_some());
    let Some(item) = found.filter(|item| arena[*item].content.len() <= 2) else {
        return Ok(Directive::Merge);
    };
    let Some(value) = arena.field(item, KEY) else {
        return Ok(Directive::Merge);
    };
    let text = arena[value].value.clone();
    let directive = parse(&text)?;
    super::associative::set_element(arena, patch, None, &[KEY.to_owned()], &[text])?;
    Ok(directive)
}
