//! Lists whose elements have an identity (kyaml `walk/associative_sequence.go`). What the patch
//! adds comes first.

use std::collections::HashSet;

use weir_yaml::{Arena, Kind, Node, NodeId};

use super::{Sources, Walker};
use crate::error::Result;
use crate::openapi::{ListMerge, Schema};
use crate::rnode;

/// Replaces, removes (no element) or appends the element that the keys and values identify
/// (kyaml `ElementSetter`).
pub(super) fn set_element(
    arena: &mut Arena,
    list: NodeId,
    element: Option<NodeId>,
    keys: &[String],
    values: &[String],
) -> Result<()> {
    rnode::expect_kind(arena, list, Kind::Sequence)?;
    let by_fields = keys.first().is_some_and(|key| !key.is_empty())
        && values.first().is_some_and(|value| !value.is_empty());
    let scalar_key = [String::new()];
    let keys: &[String] = if keys.is_empty() { &scalar_key } else { keys };
    let mut content = Vec::with_capacity(arena[list].content.len() + 1);
    let mut found = false;
    for item in arena[list].content.clone() {
        let node = &arena[item];
        let empty_map = node.kind == Kind::Mapping && node.content.is_empty();
        if arena.is_null(item) || empty_map {
            continue;
        }
        if node.kind != Kind::Mapping && by_fields {
            content.push(item);
            continue;
        }
        if !matches_element(arena, item, keys, values)? {
            if !values.is_empty() {
                content.push(item);
            }
            continue;
        }
        found = true;
        content.extend(element);
    }
    if let Some(element) = element.filter(|element| !arena.is_null(*element) && !found) {
        content.push(element);
    }
    arena[list].content = content;
    Ok(())
}

fn matches_element(
    arena: &Arena,
    item: NodeId,
    keys: &[String],
    values: &[String],
) -> Result<bool> {
    let mut matched = false;
    for (i, key) in keys.iter().enumerate() {
        // A key without a value asks what the key before asked.
        if let Some(value) = values.get(i) {
            matched = if key.is_empty() {
                rnode::expect_kind(arena, item, Kind::Scalar)?;
                arena.text(item) == value
            } else {
                rnode::expect_kind(arena, item, Kind::Mapping)?;
                arena
                    .field(item, key)
                    .is_some_and(|field| value.is_empty() || arena[field].value == *value)
            };
        }
        if !matched {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Keys that occur at all, with their values; without any, all keys.
fn valid_keys(
    all: &[Vec<String>],
    values: &[String],
    keys: &[String],
) -> (Vec<String>, Vec<String>) {
    let used = |at: usize| {
        all.iter()
            .any(|values| values.get(at).is_some_and(|value| !value.is_empty()))
    };
    if !(0..keys.len()).any(used) {
        return (keys.to_vec(), values.to_vec());
    }
    let keep = |list: &[String]| {
        list.iter()
            .enumerate()
            .filter(|(at, _)| used(*at))
            .map(|(_, text)| text.clone())
            .collect()
    };
    (keep(keys), keep(values))
}

/// Values of elements that agree in some keys and contradict each other in none become one.
fn unify(all: &mut [Vec<String>]) {
    for i in 0..all.len() {
        let own = all[i].clone();
        for j in 0..all.len() {
            if let Some(values) = unified(&own, &all[j]) {
                all[i].clone_from(&values);
                all[j] = values;
            }
        }
    }
}

fn unified(a: &[String], b: &[String]) -> Option<Vec<String>> {
    if a.len() != b.len() {
        return None;
    }
    let mut common = false;
    let mut values = Vec::with_capacity(a.len());
    for (x, y) in a.iter().zip(b) {
        if x == y {
            common = true;
        } else if !x.is_empty() && !y.is_empty() {
            return None;
        }
        values.push(if x.is_empty() { y.clone() } else { x.clone() });
    }
    common.then_some(values)
}

impl Walker<'_> {
    pub(super) fn walk_associative(
        &mut self,
        sources: Sources,
        schema: &Schema,
        merge: &ListMerge,
        path: &mut Vec<String>,
    ) -> Result<Option<NodeId>> {
        let Some(dest) = self.visit_list(sources)? else {
            return Ok(None);
        };
        let sources = Sources {
            dest: Some(dest),
            ..sources
        };
        let values = self.element_values(sources, &merge.keys);
        if !values.is_empty() || !merge.keys.is_empty() {
            return self.merge_elements(sources, dest, values, &merge.keys, schema, path);
        }
        let values = self.scalar_values(sources);
        self.merge_elements(sources, dest, values, &[String::new()], schema, path)
    }

    /// The lists, those of the patch first.
    fn in_order(sources: Sources) -> impl Iterator<Item = NodeId> {
        [sources.patch, sources.dest].into_iter().flatten()
    }

    fn element_values(&self, sources: Sources, keys: &[String]) -> Vec<Vec<String>> {
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        if keys.is_empty() {
            return all;
        }
        for list in Self::in_order(sources) {
            if self.arena[list].kind != Kind::Sequence {
                continue;
            }
            for item in &self.arena[list].content {
                let value = |key: &String| {
                    self.arena
                        .field(*item, key)
                        .map(|field| &self.arena[field])
                        .filter(|field| !field.is_nil_or_empty())
                        .map_or_else(String::new, |field| field.value.clone())
                };
                let values: Vec<String> = keys.iter().map(value).collect();
                if seen.insert(values.clone()) {
                    all.push(values);
                }
            }
        }
        all
    }

    fn scalar_values(&self, sources: Sources) -> Vec<Vec<String>> {
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        for list in Self::in_order(sources) {
            for item in &self.arena[list].content {
                let value = self.arena[*item].value.clone();
                if seen.insert(value.clone()) {
                    all.push(vec![value]);
                }
            }
        }
        all
    }

    /// The element of a list that has the values.
    fn find(&self, list: Option<NodeId>, keys: &[String], values: &[String]) -> Option<NodeId> {
        let list = list.filter(|list| self.arena[*list].kind == Kind::Sequence)?;
        let (keys, values) = valid_keys(&[values.to_vec()], values, keys);
        rnode::match_element(self.arena, list, &keys, &values)
            .ok()
            .flatten()
    }

    fn merge_elements(
        &mut self,
        sources: Sources,
        dest: NodeId,
        mut all: Vec<Vec<String>>,
        keys: &[String],
        schema: &Schema,
        path: &mut Vec<String>,
    ) -> Result<Option<NodeId>> {
        let element_schema = self.schemas.elements(schema);
        let added = self.arena.add(Node::of_kind(Kind::Sequence));
        if keys.len() > 1 {
            unify(&mut all);
        }
        let mut valid = Vec::new();
        for values in &all {
            let (valid_keys, valid_values) = valid_keys(&all, values, keys);
            valid = valid_keys;
            let child = Sources {
                dest: self.find(sources.dest, &valid, &valid_values),
                patch: self.find(sources.patch, &valid, &valid_values),
            };
            let value = self.walk(child, element_schema.clone(), path)?.node;
            let gone = value.is_none_or(|id| {
                let node = &self.arena[id];
                self.arena.is_null(id) || (node.kind == Kind::Mapping && node.content.is_empty())
            });
            if gone {
                for _ in &valid {
                    set_element(self.arena, dest, None, &valid, &valid_values)?;
                }
                if !valid.is_empty() {
                    continue;
                }
            }
            let Some(value) = value else { continue };
            for (key, text) in valid.iter().zip(&valid_values) {
                if !text.is_empty() && self.arena.field(value, key).is_none() {
                    let text = self.arena.add(Node::scalar(text.as_str()));
                    rnode::set_field(self.arena, value, key, Some(text))?;
                }
            }
            set_element(self.arena, added, Some(value), &valid, &valid_values)?;
        }
        if all.is_empty() {
            return Ok(Some(dest).filter(|dest| !self.arena.is_null(*dest)));
        }
        self.append_elements(added, dest, &valid)?;
        Ok(Some(added))
    }

    /// Adds what is in `from` and not yet in `into`.
    fn append_elements(&mut self, into: NodeId, from: NodeId, keys: &[String]) -> Result<()> {
        for item in self.arena[from].content.clone() {
            if keys.first().is_none_or(String::is_empty) {
                let value = self.arena[item].value.clone();
                set_element(self.arena, into, Some(item), &[String::new()], &[value])?;
                continue;
            }
            let mut values = Vec::with_capacity(keys.len());
            for key in keys {
                match rnode::get(self.arena, item, key)? {
                    Some(field) => values.push(self.arena[field].value.clone()),
                    None => self.arena[into].content.push(item),
                }
            }
            if keys.len() > 1 {
                set_element(self.arena, into, None, keys, &values)?;
            }
            set_element(self.arena, into, Some(item), keys, &values)?;
        }
        Ok(())
    }
}
