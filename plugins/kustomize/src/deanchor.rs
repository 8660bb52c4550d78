//! Replaces YAML aliases by copies of what they point at, and applies merge keys
//! (kyaml `RNode.DeAnchor`).

use weir_yaml::{Arena, Kind, NodeId, Tag};

use crate::error::{Error, Result};
use crate::rnode;

/// Most nodes that the aliases of a document may add to it. Far above any real document, and about
/// where go-yaml gives up (yaml.v3 decode.go `allowedAliasRatio`); it bounds what a few lines of
/// nested aliases can become, well below the memory of a call.
const MAX_GROWTH: usize = 400_000;

/// Works in place on everything below `id`.
pub(crate) fn deanchor(arena: &mut Arena, id: NodeId) -> Result<()> {
    let most = arena.len() + MAX_GROWTH;
    resolve(arena, id, most)
}

/// `most` is how many nodes the arena may come to hold.
fn resolve(arena: &mut Arena, id: NodeId, most: usize) -> Result<()> {
    if arena.len() > most {
        return Err(Error::new("yaml: document contains excessive aliasing"));
    }
    arena[id].anchor = None;
    match arena[id].kind {
        Kind::Alias => {
            let Some(target) = arena[id].alias else {
                return Ok(());
            };
            resolve(arena, target, most)?;
            let copy = arena.copy(target);
            arena.assign(id, copy);
            Ok(())
        }
        Kind::Mapping => {
            let to_merge = remove_merge_keys(arena, id)?;
            if !to_merge.is_empty() {
                merge_all(arena, id, to_merge, most)?;
            }
            children(arena, id, most)
        }
        Kind::Sequence => children(arena, id, most),
        Kind::Scalar | Kind::Zero => Ok(()),
    }
}

fn children(arena: &mut Arena, id: NodeId, most: usize) -> Result<()> {
    for at in 0..arena[id].content.len() {
        let child = arena[id].content[at];
        resolve(arena, child, most)?;
    }
    Ok(())
}

/// Takes `<<` out and gives the maps to merge, the one that counts least first.
fn remove_merge_keys(arena: &mut Arena, id: NodeId) -> Result<Vec<NodeId>> {
    let mut merges = arena
        .fields(id)
        .filter(|(key, _)| arena[*key].tag == Tag::Merge);
    let Some((_, value)) = merges.next() else {
        return Ok(Vec::new());
    };
    if merges.next().is_some() {
        return Err(Error::new("duplicate merge key"));
    }
    drop(merges);
    let found = merge_values(arena, value)?;
    rnode::clear(arena, id, "<<")?;
    Ok(found)
}

fn merge_values(arena: &Arena, id: NodeId) -> Result<Vec<NodeId>> {
    match arena[id].kind {
        Kind::Mapping => Ok(vec![id]),
        Kind::Alias => match arena[id].alias {
            Some(target) if arena[target].kind == Kind::Mapping => Ok(vec![target]),
            _ => Err(Error::new(
                "invalid map merge: received alias for a non-map value",
            )),
        },
        Kind::Sequence => {
            let mut found = Vec::new();
            for item in &arena[id].content {
                if arena[*item].kind == Kind::Sequence {
                    return Err(Error::new("invalid map merge: received a nested sequence"));
                }
                let mut first = merge_values(arena, *item)?;
                first.append(&mut found);
                found = first;
            }
            Ok(found)
        }
        Kind::Scalar | Kind::Zero => Err(Error::new(
            "map merge requires map or sequence of maps as the value",
        )),
    }
}

fn merge_all(arena: &mut Arena, id: NodeId, mut to_merge: Vec<NodeId>, most: usize) -> Result<()> {
    let own = arena.copy(id);
    let merged = arena.copy(id);
    to_merge.push(own);
    for source in to_merge {
        // What is merged may itself merge.
        resolve(arena, source, most)?;
        let copy = arena.copy(source);
        let fields: Vec<_> = arena.fields(copy).collect();
        for (key, value) in fields {
            let name = arena.text(key).to_owned();
            let at = arena
                .fields(merged)
                .position(|(known, _)| arena[known].value == name);
            let content = &mut arena[merged].content;
            match at {
                Some(at) => {
                    content[at * 2] = key;
                    content[at * 2 + 1] = value;
                }
                None => content.extend([key, value]),
            }
        }
    }
    arena.assign(id, merged);
    Ok(())
}
