//! Finds the fields that a specification means, and makes them if it says so
//! (kustomize `filters/fieldspec`).

use weir_yaml::{Arena, Kind, NodeId, Tag};

use crate::error::{Context as _, Error, Result};
use crate::resid::{Gvk, ResId, parse_group_version};
use crate::rnode;
use crate::types::FieldSpec;

/// What to make where a field is missing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Create {
    pub(crate) kind: Option<Kind>,
    pub(crate) tag: Tag,
}

impl Create {
    pub(crate) const NOTHING: Self = Self {
        kind: None,
        tag: Tag::Empty,
    };

    pub(crate) fn map() -> Self {
        Self {
            kind: Some(Kind::Mapping),
            tag: Tag::Map,
        }
    }

    pub(crate) fn scalar(tag: Tag) -> Self {
        Self {
            kind: Some(Kind::Scalar),
            tag,
        }
    }
}

/// Called with each field found.
pub(crate) type SetFn<'a> = dyn FnMut(&mut Arena, NodeId) -> Result<()> + 'a;

/// True if the object is of the kind that the specification is for.
pub(crate) fn matches_kind(arena: &Arena, spec: &FieldSpec, object: NodeId) -> bool {
    let Gvk {
        group: want_group,
        version: want_version,
        kind,
        ..
    } = &spec.gvk;
    if !kind.is_empty() && kind != rnode::top_text(arena, object, "kind") {
        return false;
    }
    let (group, version) = parse_group_version(rnode::top_text(arena, object, "apiVersion"));
    (want_group.is_empty() || want_group == group)
        && (want_version.is_empty() || want_version == version)
}

/// Calls `set` for the fields of `object` that `spec` means.
pub(crate) fn apply(
    arena: &mut Arena,
    object: NodeId,
    spec: &FieldSpec,
    create: &Create,
    set: &mut SetFn<'_>,
) -> Result<()> {
    if !matches_kind(arena, spec, object) {
        return Ok(());
    }
    let path = rnode::split_path(&spec.path, '/');
    let mut filter = Filter { spec, create, set };
    filter.visit(arena, object, &path).map_err(|err| {
        let id = identity(arena, object);
        err.context(format!("considering field '{}' of object {id}", spec.path))
    })
}

/// As [`apply`], for several specifications.
pub(crate) fn apply_all(
    arena: &mut Arena,
    object: NodeId,
    specs: &[FieldSpec],
    create: &Create,
    set: &mut SetFn<'_>,
) -> Result<()> {
    specs
        .iter()
        .try_for_each(|spec| apply(arena, object, spec, create, set))
}

/// Identity of an object for messages.
pub(crate) fn identity(arena: &Arena, object: NodeId) -> ResId {
    let (group, version) = parse_group_version(rnode::top_text(arena, object, "apiVersion"));
    ResId {
        gvk: Gvk {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: rnode::top_text(arena, object, "kind").to_owned(),
            cluster_scoped: false,
        },
        name: rnode::metadata_text(arena, object, "name").to_owned(),
        namespace: rnode::metadata_text(arena, object, "namespace").to_owned(),
    }
}

struct Filter<'a, 'f> {
    spec: &'a FieldSpec,
    create: &'a Create,
    set: &'a mut SetFn<'f>,
}

impl Filter<'_, '_> {
    fn visit(&mut self, arena: &mut Arena, at: NodeId, path: &[String]) -> Result<()> {
        let Some((name, rest)) = path.split_first() else {
            return (self.set)(arena, at);
        };
        if arena.is_null(at) {
            return Ok(());
        }
        match arena[at].kind {
            Kind::Sequence => {
                for i in 0..arena[at].content.len() {
                    let item = arena[at].content[i];
                    self.visit(arena, item, path)
                        .context(format!("visit traversal on path: [{}]", path.join(" ")))?;
                }
                Ok(())
            }
            Kind::Mapping => self.visit_map(arena, at, name, rest),
            _ => Err(Error::new("expected sequence or mapping node")),
        }
    }

    fn visit_map(
        &mut self,
        arena: &mut Arena,
        at: NodeId,
        name: &str,
        rest: &[String],
    ) -> Result<()> {
        let (name, is_list) = match name.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (name, false),
        };
        if name.is_empty() {
            return Err(Error::new("cannot set or create an empty field name"));
        }
        let creating = self.create.kind.filter(|_| self.spec.create && !is_list);
        let (found, kind, tag) = match creating {
            None => {
                let kind = is_list.then_some(Kind::Sequence);
                (rnode::lookup(arena, at, &[name]), kind, Tag::Empty)
            }
            Some(kind) if rest.is_empty() => {
                let found = rnode::lookup_create(arena, at, &[name], kind);
                (found, Some(kind), self.create.tag.clone())
            }
            Some(_) => {
                let found = rnode::lookup_create(arena, at, &[name], Kind::Mapping);
                (found, Some(Kind::Mapping), Tag::Map)
            }
        };
        let Some(field) = found.context(format!("fieldName: {name}"))? else {
            return Ok(());
        };
        if let Some(kind) = kind
            && arena.is_null(field)
        {
            arena[field].kind = kind;
            arena[field].tag = tag;
        }
        self.visit(arena, field, rest)
    }
}
