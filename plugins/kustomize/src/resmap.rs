//! The objects of a build in order, each identity once (kustomize `resmap`).

use std::collections::HashMap;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::resid::ResId;
use crate::resource::{Behavior, Handle, annotation};
use crate::selector::{LabelSelector, SelectorPatterns};
use crate::types::Selector;

/// Resources in order. The index by identity is built when it is first needed and thrown away
/// when identities may have changed, so that adding many objects stays linear.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResMap {
    list: Vec<Handle>,
    by_current: Option<HashMap<String, u32>>,
    by_any: Option<HashMap<String, Vec<Handle>>>,
}

impl ResMap {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn from_list(list: Vec<Handle>) -> Self {
        Self {
            list,
            ..Self::default()
        }
    }

    /// Every resource must have another identity.
    pub(crate) fn from_resources(cx: &Context, resources: Vec<Handle>) -> Result<Self> {
        let mut map = Self::new();
        map.append_all(cx, &resources)?;
        Ok(map)
    }

    pub(crate) fn list(&self) -> &[Handle] {
        &self.list
    }

    /// To be called whenever names, kinds or namespaces may have changed.
    pub(crate) fn touch(&mut self) {
        self.by_current = None;
        self.by_any = None;
    }

    /// Replaces the list without looking at identities.
    pub(crate) fn set_list(&mut self, list: Vec<Handle>) {
        self.list = list;
        self.touch();
    }

    fn current_index(&mut self, cx: &Context) -> &mut HashMap<String, u32> {
        self.by_current.get_or_insert_with(|| {
            let mut index = HashMap::with_capacity(self.list.len());
            for handle in &self.list {
                *index.entry(cx.cur_id(*handle).key()).or_default() += 1;
            }
            index
        })
    }

    fn any_index(&mut self, cx: &Context) -> Result<&mut HashMap<String, Vec<Handle>>> {
        if self.by_any.is_none() {
            let mut index = HashMap::with_capacity(self.list.len());
            for handle in &self.list {
                index_any(&mut index, cx, *handle)?;
            }
            self.by_any = Some(index);
        }
        Ok(self.by_any.get_or_insert_default())
    }

    /// Adds a resource of a new identity.
    pub(crate) fn append(&mut self, cx: &Context, handle: Handle) -> Result<()> {
        let id = cx.cur_id(handle);
        let count = self.current_index(cx).entry(id.key()).or_default();
        if *count > 0 {
            return Err(Error::new(format!(
                "may not add resource with an already registered id: {id}"
            )));
        }
        *count += 1;
        if let Some(index) = &mut self.by_any {
            index_any(index, cx, handle)?;
        }
        self.list.push(handle);
        Ok(())
    }

    pub(crate) fn append_all(&mut self, cx: &Context, handles: &[Handle]) -> Result<()> {
        handles
            .iter()
            .try_for_each(|handle| self.append(cx, *handle))
    }

    /// Resources that have or had an identity that matches.
    pub(crate) fn matching_any(
        &self,
        cx: &Context,
        matches: impl Fn(&ResId) -> bool,
    ) -> Result<Vec<Handle>> {
        let mut found = Vec::new();
        for handle in &self.list {
            if cx.is_nil_or_empty(*handle) {
                continue;
            }
            if cx.prev_ids(*handle)?.iter().any(&matches) || matches(&cx.cur_id(*handle)) {
                found.push(*handle);
            }
        }
        Ok(found)
    }

    /// Resources that have or had this identity.
    pub(crate) fn by_any_id(&mut self, cx: &Context, id: &ResId) -> Result<Vec<Handle>> {
        let mut found = self
            .any_index(cx)?
            .get(&id.key())
            .cloned()
            .unwrap_or_default();
        found.retain(|handle| !cx.is_nil_or_empty(*handle));
        Ok(found)
    }

    /// The one resource that has or had this identity.
    pub(crate) fn get_by_id(&mut self, cx: &Context, id: &ResId) -> Result<Handle> {
        let found = self.by_any_id(cx, id)?;
        let problem = match found.as_slice() {
            [one] => return Ok(*one),
            [] => "no matches",
            _ => "multiple matches",
        };
        Err(Error::new(format!(
            "{problem} for Id {id}; failed to find unique target for patch {id}"
        )))
    }

    /// Takes in what a generator made: by its behavior it is new, or replaces or extends an object
    /// that is there.
    pub(crate) fn absorb_all(&mut self, cx: &mut Context, made: &[Handle]) -> Result<()> {
        made.iter().try_for_each(|handle| self.absorb(cx, *handle))
    }

    fn absorb(&mut self, cx: &mut Context, handle: Handle) -> Result<()> {
        let id = cx.cur_id(handle);
        let behavior = cx.behavior(handle);
        let matches = self.by_any_id(cx, &id)?;
        let old = match matches.as_slice() {
            [] => {
                return match behavior {
                    Behavior::Merge | Behavior::Replace => Err(Error::new(format!(
                        "id {} does not exist; cannot merge or replace",
                        id.go_syntax()
                    ))),
                    _ => self.append(cx, handle),
                };
            }
            [old] => *old,
            several => {
                let shown: Vec<_> = several.iter().map(|handle| cx.to_json(*handle)).collect();
                return Err(Error::new(format!(
                    "found multiple objects [{}] that could accept merge of {id}",
                    shown.join(" ")
                )));
            }
        };
        match behavior {
            Behavior::Replace => cx.copy_merge_metadata(handle, old)?,
            Behavior::Merge => {
                let origin = cx.annotation(old, annotation::ORIGIN).map(str::to_owned);
                cx.copy_merge_metadata(handle, old)?;
                cx.merge_data(handle, old)?;
                if let Some(origin) = origin {
                    cx.put_annotation(handle, annotation::ORIGIN, &origin)?;
                }
            }
            other => {
                return Err(Error::new(format!(
                    "id {} exists; can not use behavior: '{}', behavior must be merge or replace",
                    id.go_syntax(),
                    other.name()
                )));
            }
        }
        if let Some(slot) = self.list.iter_mut().find(|handle| **handle == old) {
            *slot = handle;
        }
        // It took over every identity of the old one.
        if let Some(index) = &mut self.by_any {
            for key in any_keys(cx, handle)? {
                let slot = index
                    .get_mut(&key)
                    .and_then(|found| found.iter_mut().find(|h| **h == old));
                if let Some(slot) = slot {
                    *slot = handle;
                }
            }
        }
        Ok(())
    }

    /// Drops what has been deleted.
    pub(crate) fn drop_empties(&mut self, cx: &Context) {
        let before = self.list.len();
        self.list.retain(|handle| !cx.is_nil_or_empty(*handle));
        if self.list.len() != before {
            self.touch();
        }
    }

    /// Resources that a selector selects.
    pub(crate) fn select(&self, cx: &Context, selector: &Selector) -> Result<Vec<Handle>> {
        let patterns = SelectorPatterns::new(selector)?;
        let mut parsed = None;
        let mut found = Vec::new();
        for handle in &self.list {
            let current = cx.cur_id(*handle);
            let original = cx.org_id(*handle)?;
            let namespace = |id: &ResId| patterns.match_namespace(id.effective_namespace());
            if !(namespace(&original) || namespace(&current))
                || !(patterns.match_name(&original.name) || patterns.match_name(&current.name))
                || !patterns.match_gvk(&current.gvk)
            {
                continue;
            }
            // A selector that is never reached is never found wrong.
            let (labels, annotations) = match &parsed {
                Some(selectors) => selectors,
                None => parsed.insert((
                    LabelSelector::parse(&selector.label_selector)?,
                    LabelSelector::parse(&selector.annotation_selector)?,
                )),
            };
            if (labels.is_empty() || labels.matches(&cx.labels(*handle)))
                && (annotations.is_empty() || annotations.matches(&cx.annotations(*handle)))
            {
                found.push(*handle);
            }
        }
        Ok(found)
    }
}

fn index_any(index: &mut HashMap<String, Vec<Handle>>, cx: &Context, handle: Handle) -> Result<()> {
    for key in any_keys(cx, handle)? {
        index.entry(key).or_default().push(handle);
    }
    Ok(())
}

/// Every identity of a resource, once.
fn any_keys(cx: &Context, handle: Handle) -> Result<Vec<String>> {
    let mut keys: Vec<String> = cx.prev_ids(handle)?.iter().map(ResId::key).collect();
    keys.push(cx.cur_id(handle).key());
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}
