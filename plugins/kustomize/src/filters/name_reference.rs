//! Follows names: where an object names another whose name has changed, the new one is written
//! (kustomize `filters/nameref`).

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use weir_yaml::{Arena, Kind, Node, NodeId};

use crate::config::NameReferences;
use crate::context::Context;
use crate::error::{Context as _, Error, Result};
use crate::filters::field_spec::{self, Create};
use crate::resid::{Gvk, ResId};
use crate::resmap::ResMap;
use crate::resource::{Handle, annotation};
use crate::rnode;
use crate::types::FieldSpec;

/// What does not change about an object while references are fixed.
struct Known {
    handle: Handle,
    current: ResId,
    previous: Vec<ResId>,
    original_namespace: String,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
}

/// All objects, and which of them ever had a name.
struct Candidates {
    known: Vec<Known>,
    by_previous_name: HashMap<String, Vec<usize>>,
}

impl Candidates {
    fn new(cx: &Context, map: &ResMap) -> Result<Self> {
        let mut known = Vec::with_capacity(map.list().len());
        let mut by_previous_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, handle) in map.list().iter().enumerate() {
            let previous = cx.prev_ids(*handle)?;
            for id in &previous {
                let places = by_previous_name.entry(id.name.clone()).or_default();
                if places.last() != Some(&at) {
                    places.push(at);
                }
            }
            let owned = |parts: Vec<&str>| parts.into_iter().map(str::to_owned).collect();
            known.push(Known {
                handle: *handle,
                current: cx.cur_id(*handle),
                original_namespace: cx.org_id(*handle)?.effective_namespace().to_owned(),
                prefixes: owned(cx.csv(*handle, annotation::PREFIXES)),
                suffixes: owned(cx.csv(*handle, annotation::SUFFIXES)),
                previous,
            });
        }
        Ok(Self {
            known,
            by_previous_name,
        })
    }
}

/// Fixes all references between the objects of a build.
pub(crate) fn fix(cx: &mut Context, map: &ResMap, references: &NameReferences) -> Result<()> {
    let candidates = Candidates::new(cx, map)?;
    // Specifications without a kind apply to every object; all others are found by their kind.
    let mut by_kind: HashMap<&str, Vec<(usize, &FieldSpec, &Gvk)>> = HashMap::new();
    let mut count = 0;
    for reference in &references.0 {
        for spec in &reference.referrers {
            let place = by_kind.entry(spec.gvk.kind.as_str()).or_default();
            place.push((count, spec, &reference.gvk));
            count += 1;
        }
    }
    let none = Vec::new();
    for (at, known) in candidates.known.iter().enumerate() {
        let Some(node) = cx.node(known.handle) else {
            continue;
        };
        let original = known.previous.first().unwrap_or(&known.current);
        let own_kind = by_kind.get(original.gvk.kind.as_str()).unwrap_or(&none);
        let any_kind = by_kind.get("").unwrap_or(&none);
        let mut specs: Vec<_> = own_kind
            .iter()
            .chain(any_kind)
            .filter(|(_, spec, _)| original.gvk.is_selected(&spec.gvk))
            .collect();
        specs.sort_by_key(|(place, _, _)| *place);
        if specs.is_empty() {
            continue;
        }
        let mut referrer = Referrer::new(cx, &candidates, at, node)?;
        for (_, spec, target) in specs {
            referrer.apply(cx, spec, target)?;
        }
        for referral in referrer.referrals {
            let id = referrer.known.current.to_string();
            cx.append_csv(referral, annotation::REF_BY, &id)?;
        }
    }
    Ok(())
}

struct Referrer<'a> {
    candidates: &'a Candidates,
    known: &'a Known,
    node: NodeId,
    gvk: Gvk,
    /// Namespaces of the service accounts that a role binding names.
    subject_namespaces: HashSet<String>,
    referrals: Vec<Handle>,
}

impl<'a> Referrer<'a> {
    fn new(cx: &Context, candidates: &'a Candidates, at: usize, node: NodeId) -> Result<Self> {
        let known = &candidates.known[at];
        let gvk = Gvk {
            cluster_scoped: false,
            ..known.current.gvk.clone()
        };
        let subject_namespaces = if known.current.gvk.cluster_scoped || gvk.kind != "RoleBinding" {
            HashSet::new()
        } else {
            subject_namespaces(cx, known, node)?
        };
        Ok(Self {
            candidates,
            known,
            node,
            gvk,
            subject_namespaces,
            referrals: Vec::new(),
        })
    }

    fn apply(&mut self, cx: &mut Context, spec: &FieldSpec, target: &Gvk) -> Result<()> {
        let spec = FieldSpec {
            gvk: self.gvk.clone(),
            ..spec.clone()
        };
        // The closure works on the arena while the rest of the context is only read.
        let mut arena = std::mem::take(&mut cx.arena);
        let outcome = field_spec::apply(
            &mut arena,
            self.node,
            &spec,
            &Create::NOTHING,
            &mut |arena, node| self.set(arena, node, &spec, target),
        );
        cx.arena = arena;
        outcome.map_err(|err| {
            let err = self.complete(cx, err);
            err.context(format!(
                "updating name reference in '{}' field of '{}'",
                spec.path, self.known.current
            ))
        })
    }

    /// Adds to a message what only the whole context can tell.
    fn complete(&self, cx: &Context, err: Error) -> Error {
        let Some((_, list)) = err.message().split_once('\u{1}') else {
            return err;
        };
        let mut details = String::from("\n**** Too many possible referral targets to referrer:\n");
        let yaml = |handle| cx.to_yaml(handle).unwrap_or_default();
        let _ = writeln!(details, "{}", yaml(self.known.handle));
        for (i, at) in list
            .split(',')
            .filter_map(|at| at.parse::<usize>().ok())
            .enumerate()
        {
            let candidate = &self.candidates.known[at];
            let _ = writeln!(
                details,
                "--- possible referral {i}:\n{}",
                yaml(candidate.handle)
            );
        }
        err.reworded(|message| {
            let (message, _) = message.split_once('\u{1}').unwrap_or((message, ""));
            format!("{message}{details}")
        })
    }

    fn set(
        &mut self,
        arena: &mut Arena,
        node: NodeId,
        spec: &FieldSpec,
        target: &Gvk,
    ) -> Result<()> {
        if arena.is_null(node) {
            return Ok(());
        }
        match arena[node].kind {
            Kind::Scalar => self.set_scalar(arena, node, spec, target),
            Kind::Mapping => self.set_mapping(arena, node, spec, target),
            Kind::Sequence => {
                for item in arena[node].content.clone() {
                    match arena[item].kind {
                        _ if arena.is_null(item) => {}
                        Kind::Scalar => self.set_scalar(arena, item, spec, target)?,
                        Kind::Mapping => self.set_mapping(arena, item, spec, target)?,
                        _ => {
                            return Err(Error::new(
                                "item is expected to be either a string or a map of string",
                            ));
                        }
                    }
                }
                Ok(())
            }
            _ => Err(Error::new("node must be a scalar, sequence or map")),
        }
    }

    fn set_scalar(
        &mut self,
        arena: &mut Arena,
        node: NodeId,
        spec: &FieldSpec,
        target: &Gvk,
    ) -> Result<()> {
        let old = arena[node].value.clone();
        let found = self.select(arena, &old, None, spec, target, false)?;
        let Some(at) = found else { return Ok(()) };
        let referral = &self.candidates.known[at];
        self.referrals.push(referral.handle);
        if referral.current.name == old {
            return Ok(());
        }
        let value = arena.add(Node::scalar(referral.current.name.as_str()));
        rnode::set_scalar(arena, node, value)
    }

    fn set_mapping(
        &mut self,
        arena: &mut Arena,
        node: NodeId,
        spec: &FieldSpec,
        target: &Gvk,
    ) -> Result<()> {
        let Some(name) = rnode::get(arena, node, "name").context("trying to match 'name' field")?
        else {
            return Err(Error::new("path config error; no 'name' field in node"));
        };
        let namespace = rnode::get(arena, node, "namespace")?.map(|ns| arena[ns].value.clone());
        let old = arena[name].value.clone();
        let found = self.select(arena, &old, namespace.as_deref(), spec, target, true)?;
        let Some(at) = found else { return Ok(()) };
        let referral = &self.candidates.known[at];
        self.referrals.push(referral.handle);
        let ResId {
            name, namespace, ..
        } = &referral.current;
        if *name == old && namespace.is_empty() {
            return Ok(());
        }
        let value = arena.add(Node::scalar(name.as_str()));
        rnode::set_field(arena, node, "name", Some(value))?;
        if namespace.is_empty() {
            return Ok(());
        }
        let value = arena.add(Node::scalar(namespace.as_str()));
        rnode::set_field(arena, node, "namespace", Some(value)).map(|_| ())
    }

    /// True for objects that this one may name at all.
    fn in_reach(&self, candidate: &Known) -> bool {
        let own = &self.known.current;
        own.gvk.cluster_scoped
            || candidate.current.gvk.cluster_scoped
            || candidate.current.same_namespace(own)
            || self
                .subject_namespaces
                .contains(&candidate.current.namespace)
    }

    fn in_own_namespace(&self, candidate: &Known) -> bool {
        let own = &self.known.current;
        own.gvk.cluster_scoped
            || candidate.current.gvk.cluster_scoped
            || candidate.current.gvk.kind == "ServiceAccount"
            || candidate.current.same_namespace(own)
    }

    fn select(
        &self,
        arena: &Arena,
        old: &str,
        namespace: Option<&str>,
        spec: &FieldSpec,
        target: &Gvk,
        with_namespace: bool,
    ) -> Result<Option<usize>> {
        let Some(named) = self.candidates.by_previous_name.get(old) else {
            return Ok(None);
        };
        let known = |at: &usize| &self.candidates.known[*at];
        let had_kind =
            |at: &usize, gvk: &Gvk| known(at).previous.iter().any(|id| id.gvk.is_selected(gvk));
        let role_ref = if spec.path.ends_with("roleRef/name") {
            role_ref_gvk(arena, self.node)
        } else {
            None
        };
        let mut found: Vec<usize> = named
            .iter()
            .copied()
            .filter(|at| self.in_reach(known(at)))
            .collect();
        if let Some(namespace) = namespace {
            found = self.in_namespace(found, namespace);
        }
        found.retain(|at| {
            had_kind(at, target)
                && role_ref.as_ref().is_none_or(|gvk| had_kind(at, gvk))
                && self.in_own_namespace(known(at))
        });
        if let [one] = found.as_slice() {
            return Ok(Some(*one));
        }
        found.retain(|at| self.same_prefixes_suffixes(known(at), true));
        if found.len() > 1 {
            found.retain(|at| self.same_prefixes_suffixes(known(at), false));
        }
        let Some(first) = found.first().copied() else {
            return Ok(None);
        };
        let same = |at: &usize| {
            let (a, b) = (&known(&first).current, &known(at).current);
            a.name == b.name && (!with_namespace || a.namespace == b.namespace)
        };
        if found.iter().all(same) {
            return Ok(Some(first));
        }
        let ids: Vec<_> = found
            .iter()
            .map(|at| known(at).current.to_string())
            .collect();
        let places: Vec<_> = found.iter().map(ToString::to_string).collect();
        Err(Error::new(format!(
            "found multiple possible referrals: {}\n\u{1}{}",
            ids.join(", "),
            places.join(",")
        )))
    }

    /// Objects that were in the namespace at first; if no object at all was, those that are now.
    fn in_namespace(&self, mut found: Vec<usize>, namespace: &str) -> Vec<usize> {
        let known = &self.candidates.known;
        let cluster = crate::resid::NOT_A_NAMESPACE;
        if namespace == cluster {
            return Vec::new();
        }
        let any_original = known
            .iter()
            .any(|candidate| candidate.original_namespace == namespace && self.in_reach(candidate));
        found.retain(|at| {
            let candidate = &known[*at];
            if any_original {
                candidate.original_namespace == namespace
            } else {
                candidate.current.effective_namespace() == namespace
            }
        });
        found
    }

    fn same_prefixes_suffixes(&self, other: &Known, allow_empty: bool) -> bool {
        let own = self.known;
        let same = |a: &[String], b: &[String]| {
            (allow_empty && (a.is_empty() || b.is_empty())) || same_ending(a, b)
        };
        same(&other.prefixes, &own.prefixes) && same(&other.suffixes, &own.suffixes)
    }
}

/// True if the longer list ends in the shorter one; an empty list only fits an empty one.
fn same_ending(a: &[String], b: &[String]) -> bool {
    let (shorter, longer) = if a.len() > b.len() { (b, a) } else { (a, b) };
    if shorter.is_empty() {
        longer.is_empty()
    } else {
        longer.ends_with(shorter)
    }
}

fn role_ref_gvk(arena: &Arena, node: NodeId) -> Option<Gvk> {
    let role_ref = arena.field(node, "roleRef")?;
    let text = |name| {
        arena
            .field(role_ref, name)
            .map(|value| arena[value].value.clone())
    };
    Some(Gvk {
        group: text("apiGroup")?,
        kind: text("kind")?,
        ..Gvk::default()
    })
}

fn subject_namespaces(cx: &Context, known: &Known, node: NodeId) -> Result<HashSet<String>> {
    let mut namespaces = HashSet::new();
    let arena = &cx.arena;
    let Some(subjects) = arena.field(node, "subjects") else {
        return Ok(namespaces);
    };
    if arena[subjects].kind != Kind::Sequence {
        return Ok(namespaces);
    }
    for subject in &arena[subjects].content {
        let is_account = arena
            .field(*subject, "kind")
            .is_some_and(|kind| arena[kind].value == "ServiceAccount");
        let Some(namespace) = arena.field(*subject, "namespace").filter(|_| is_account) else {
            continue;
        };
        if !arena[namespace].is_string() {
            return Err(Error::new(format!(
                "Invalid Input: namespace is blank for resource {:?}\n",
                known.current.to_string()
            )));
        }
        namespaces.insert(arena[namespace].value.clone());
    }
    Ok(namespaces)
}
