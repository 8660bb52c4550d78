//! An object being built, and what kustomize remembers about it.
//!
//! The memory is kept where kustomize keeps it, in annotations of its own that are taken away at
//! the end: a patch that replaces all annotations wipes it there, with visible effects.

use std::rc::Rc;

use weir_yaml::{Node, NodeId, Value, decode};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::resid::{Gvk, ResId, parse_group_version};
use crate::rnode::{self, StringMap};

/// Names of the annotations that a build uses for itself.
pub(crate) mod annotation {
    pub(crate) const PREVIOUS_KINDS: &str = "internal.config.kubernetes.io/previousKinds";
    pub(crate) const PREVIOUS_NAMES: &str = "internal.config.kubernetes.io/previousNames";
    pub(crate) const PREVIOUS_NAMESPACES: &str = "internal.config.kubernetes.io/previousNamespaces";
    pub(crate) const PREFIXES: &str = "internal.config.kubernetes.io/prefixes";
    pub(crate) const SUFFIXES: &str = "internal.config.kubernetes.io/suffixes";
    pub(crate) const REF_BY: &str = "internal.config.kubernetes.io/refBy";
    pub(crate) const BEHAVIOR: &str = "internal.config.kubernetes.io/generatorBehavior";
    pub(crate) const NEEDS_HASH: &str = "internal.config.kubernetes.io/needsHashSuffix";
    pub(crate) const ALLOW_NAME_CHANGE: &str = "internal.config.kubernetes.io/allowNameChange";
    pub(crate) const ALLOW_KIND_CHANGE: &str = "internal.config.kubernetes.io/allowKindChange";
    pub(crate) const HELM_GENERATED: &str = "internal.config.kubernetes.io/helm-generated";
    pub(crate) const ORIGIN: &str = "config.kubernetes.io/origin";
    pub(crate) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";
    pub(crate) const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";
    pub(crate) const ENABLED: &str = "enabled";

    /// All that are removed at the end.
    pub(crate) const BUILD: [&str; 19] = [
        PREVIOUS_KINDS,
        PREVIOUS_NAMES,
        PREFIXES,
        SUFFIXES,
        PREVIOUS_NAMESPACES,
        ALLOW_NAME_CHANGE,
        ALLOW_KIND_CHANGE,
        REF_BY,
        BEHAVIOR,
        NEEDS_HASH,
        "internal.config.kubernetes.io/path",
        "internal.config.kubernetes.io/index",
        "internal.config.kubernetes.io/seqindent",
        "internal.config.kubernetes.io/id",
        "internal.config.kubernetes.io/annotations-migration-resource-id",
        "config.kubernetes.io/path",
        "config.kubernetes.io/index",
        "config.k8s.io/id",
        HELM_GENERATED,
    ];
}

use annotation as names;

/// Names a resource of one build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Handle(pub(crate) usize);

/// An object of a build.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// Its node; none once it has been deleted.
    pub(crate) node: Option<NodeId>,
    /// Variables that read from it.
    pub(crate) ref_var_names: Vec<String>,
    /// The file that it comes from, relative to the root of the tree.
    pub(crate) file: Option<Rc<str>>,
}

/// What a generator does about an object that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behavior {
    Unspecified,
    Create,
    Replace,
    Merge,
}

impl Behavior {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            "create" => Self::Create,
            _ => Self::Unspecified,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Merge => "merge",
            Self::Create => "create",
            Self::Unspecified => "unspecified",
        }
    }
}

impl Context {
    /// Makes a resource of a node.
    pub(crate) fn add_resource(&mut self, node: NodeId) -> Handle {
        self.resources.push(Resource {
            node: Some(node),
            ref_var_names: Vec::new(),
            file: None,
        });
        Handle(self.resources.len() - 1)
    }

    /// Notes the file that resources come from.
    pub(crate) fn note_file(&mut self, handles: &[Handle], file: &str) {
        let file: Rc<str> = file.into();
        for handle in handles {
            self.resources[handle.0].file = Some(Rc::clone(&file));
        }
    }

    pub(crate) fn node(&self, handle: Handle) -> Option<NodeId> {
        self.resources[handle.0].node
    }

    /// True if it was deleted or is empty.
    pub(crate) fn is_nil_or_empty(&self, handle: Handle) -> bool {
        self.node(handle)
            .is_none_or(|node| self.arena[node].is_nil_or_empty())
    }

    /// A copy that shares nothing.
    pub(crate) fn deep_copy(&mut self, handle: Handle) -> Handle {
        let node = self.node(handle).map(|node| self.arena.copy(node));
        let copy = Resource {
            node,
            ..self.resources[handle.0].clone()
        };
        self.resources.push(copy);
        Handle(self.resources.len() - 1)
    }

    pub(crate) fn kind(&self, handle: Handle) -> &str {
        self.node(handle)
            .map_or("", |node| rnode::top_text(&self.arena, node, "kind"))
    }

    pub(crate) fn name(&self, handle: Handle) -> &str {
        self.node(handle)
            .map_or("", |node| rnode::metadata_text(&self.arena, node, "name"))
    }

    pub(crate) fn namespace(&self, handle: Handle) -> &str {
        self.node(handle).map_or("", |node| {
            rnode::metadata_text(&self.arena, node, "namespace")
        })
    }

    pub(crate) fn gvk(&self, handle: Handle) -> Gvk {
        let Some(node) = self.node(handle) else {
            return Gvk::default();
        };
        let api_version = rnode::top_text(&self.arena, node, "apiVersion");
        let (group, version) = parse_group_version(api_version);
        let kind = rnode::top_text(&self.arena, node, "kind");
        Gvk {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            cluster_scoped: self.schemas.is_certainly_cluster_scoped(api_version, kind),
        }
    }

    /// Identity by what the object says now.
    pub(crate) fn cur_id(&self, handle: Handle) -> ResId {
        ResId {
            gvk: self.gvk(handle),
            name: self.name(handle).to_owned(),
            namespace: self.namespace(handle).to_owned(),
        }
    }

    /// Identities that it had before, the oldest first.
    pub(crate) fn prev_ids(&self, handle: Handle) -> Result<Vec<ResId>> {
        self.node(handle)
            .map_or(Ok(Vec::new()), |node| self.prev_ids_of(node))
    }

    /// As [`Self::prev_ids`], of a node.
    pub(crate) fn prev_ids_of(&self, node: NodeId) -> Result<Vec<ResId>> {
        let entry = |key| rnode::meta_map_entry(&self.arena, node, "annotations", key);
        let Some(previous_names) = entry(names::PREVIOUS_NAMES) else {
            return Ok(Vec::new());
        };
        let namespaces = entry(names::PREVIOUS_NAMESPACES).unwrap_or_default();
        let kinds = entry(names::PREVIOUS_KINDS).unwrap_or_default();
        let count = |text: &str| text.split(',').count();
        if count(previous_names) != count(namespaces) || count(previous_names) != count(kinds) {
            return Err(Error::new(
                "number of previous names, number of previous namespaces, \
                 number of previous kinds not equal",
            ));
        }
        let api_version = rnode::top_text(&self.arena, node, "apiVersion");
        let (group, version) = parse_group_version(api_version);
        let ids = previous_names
            .split(',')
            .zip(namespaces.split(','))
            .zip(kinds.split(','));
        Ok(ids
            .map(|((name, namespace), kind)| ResId {
                gvk: Gvk {
                    group: group.to_owned(),
                    version: version.to_owned(),
                    kind: kind.to_owned(),
                    cluster_scoped: false,
                },
                name: name.to_owned(),
                namespace: namespace.to_owned(),
            })
            .collect())
    }

    /// The identity under which it was read or made.
    pub(crate) fn org_id(&self, handle: Handle) -> Result<ResId> {
        let first = self.prev_ids(handle)?.into_iter().next();
        Ok(first.unwrap_or_else(|| self.cur_id(handle)))
    }

    /// Remembers the identity before it changes.
    pub(crate) fn store_previous_id(&mut self, handle: Handle) -> Result<()> {
        let id = self.cur_id(handle);
        self.append_csv(handle, names::PREVIOUS_NAMES, &id.name)?;
        self.append_csv(handle, names::PREVIOUS_NAMESPACES, id.effective_namespace())?;
        self.append_csv(handle, names::PREVIOUS_KINDS, &id.gvk.kind)
    }

    pub(crate) fn annotation(&self, handle: Handle, key: &str) -> Option<&str> {
        rnode::meta_map_entry(&self.arena, self.node(handle)?, "annotations", key)
    }

    pub(crate) fn annotations(&self, handle: Handle) -> StringMap {
        self.node(handle).map_or_else(StringMap::new, |node| {
            rnode::meta_map(&self.arena, node, "annotations")
        })
    }

    pub(crate) fn labels(&self, handle: Handle) -> StringMap {
        self.node(handle).map_or_else(StringMap::new, |node| {
            rnode::meta_map(&self.arena, node, "labels")
        })
    }

    pub(crate) fn set_annotations(&mut self, handle: Handle, map: &StringMap) -> Result<()> {
        self.set_meta_map(handle, "annotations", map)
    }

    pub(crate) fn set_meta_map(
        &mut self,
        handle: Handle,
        name: &str,
        map: &StringMap,
    ) -> Result<()> {
        match self.node(handle) {
            Some(node) => rnode::set_meta_map(&mut self.arena, node, name, map),
            None => Ok(()),
        }
    }

    /// Adds to a comma-separated annotation.
    pub(crate) fn append_csv(&mut self, handle: Handle, key: &str, value: &str) -> Result<()> {
        let Some(node) = self.node(handle) else {
            return Ok(());
        };
        if value.is_empty() {
            return Ok(());
        }
        let joined = match rnode::meta_map_entry(&self.arena, node, "annotations", key) {
            Some(current) => format!("{current},{value}"),
            None => value.to_owned(),
        };
        rnode::set_annotation(&mut self.arena, node, key, &joined)
    }

    /// Parts of a comma-separated annotation.
    pub(crate) fn csv(&self, handle: Handle, key: &str) -> Vec<&str> {
        self.annotation(handle, key)
            .map_or_else(Vec::new, |text| text.split(',').collect())
    }

    pub(crate) fn is_enabled(&self, handle: Handle, key: &str) -> bool {
        self.annotation(handle, key) == Some(names::ENABLED)
    }

    /// Sets an annotation of the build, normalising all others.
    pub(crate) fn put_annotation(&mut self, handle: Handle, key: &str, value: &str) -> Result<()> {
        let mut map = self.annotations(handle);
        map.insert(key.to_owned(), value.to_owned());
        self.set_annotations(handle, &map)
    }

    pub(crate) fn behavior(&self, handle: Handle) -> Behavior {
        Behavior::parse(self.annotation(handle, names::BEHAVIOR).unwrap_or_default())
    }

    pub(crate) fn set_name(&mut self, handle: Handle, name: &str) -> Result<()> {
        self.set_text(handle, &["metadata", "name"], name)
    }

    pub(crate) fn set_kind(&mut self, handle: Handle, kind: &str) -> Result<()> {
        self.set_text(handle, &["kind"], kind)
    }

    pub(crate) fn set_api_version(&mut self, handle: Handle, value: &str) -> Result<()> {
        self.set_text(handle, &["apiVersion"], value)
    }

    fn set_text(&mut self, handle: Handle, path: &[&str], text: &str) -> Result<()> {
        let Some(node) = self.node(handle) else {
            return Ok(());
        };
        let value = self.arena.add(Node::scalar(text));
        rnode::set_at(&mut self.arena, node, path, value)
    }

    /// Sets the namespace; an empty one takes the field out.
    pub(crate) fn set_namespace(&mut self, handle: Handle, namespace: &str) -> Result<()> {
        let Some(node) = self.node(handle) else {
            return Ok(());
        };
        let meta = rnode::get(&self.arena, node, "metadata")?;
        if !namespace.is_empty() {
            return self.set_text(handle, &["metadata", "namespace"], namespace);
        }
        match meta {
            Some(meta) => rnode::clear(&mut self.arena, meta, "namespace"),
            None => Ok(()),
        }
    }

    /// A map of text at the top, such as `data`.
    pub(crate) fn text_map(&self, handle: Handle, name: &str) -> StringMap {
        let Some(map) = self
            .node(handle)
            .and_then(|node| self.arena.field(node, name))
        else {
            return StringMap::new();
        };
        self.arena
            .fields(map)
            .map(|(key, value)| {
                (
                    self.arena.text(key).to_owned(),
                    self.arena.text(value).to_owned(),
                )
            })
            .collect()
    }

    /// Takes over metadata and memory of the object that this one replaces.
    pub(crate) fn copy_merge_metadata(&mut self, handle: Handle, other: Handle) -> Result<()> {
        let mut labels = self.labels(other);
        labels.extend(self.labels(handle));
        self.set_meta_map(handle, "labels", &labels)?;

        let own = self.annotations(handle);
        let others = self.annotations(other);
        let needs_hash = own.contains_key(names::NEEDS_HASH);
        let mut merged = others.clone();
        merged.extend(own);
        for key in names::BUILD {
            match others.get(key) {
                Some(value) => merged.insert(key.to_owned(), value.clone()),
                None => merged.remove(key),
            };
        }
        if !needs_hash {
            merged.remove(names::NEEDS_HASH);
        }
        self.set_annotations(handle, &merged)?;
        let name = self.name(other).to_owned();
        self.set_name(handle, &name)?;
        let namespace = self.namespace(other).to_owned();
        self.set_namespace(handle, &namespace)?;
        let ref_var_names = self.resources[other.0].ref_var_names.clone();
        self.resources[handle.0].ref_var_names = ref_var_names;
        Ok(())
    }

    /// Takes away the annotations of the build.
    pub(crate) fn remove_build_annotations(&mut self, handle: Handle) -> Result<()> {
        let mut map = self.annotations(handle);
        if map.is_empty() {
            return Ok(());
        }
        for key in names::BUILD {
            map.remove(key);
        }
        self.set_annotations(handle, &map)
    }

    /// The object as plain data, as `encoding/json` would see it.
    pub(crate) fn to_value(&self, handle: Handle) -> Result<Value> {
        match self.node(handle) {
            Some(node) => Ok(decode::marshal_json(&self.arena, node)?),
            None => Ok(Value::Null),
        }
    }

    /// The object as JSON, for messages.
    pub(crate) fn to_json(&self, handle: Handle) -> String {
        self.to_value(handle)
            .and_then(|value| Ok(weir_yaml::json::to_string(&value)?))
            .unwrap_or_else(|err| format!("<{err}>"))
    }

    /// The object as it is printed.
    pub(crate) fn to_yaml(&self, handle: Handle) -> Result<String> {
        let value = decode::for_printing(self.to_value(handle)?)?;
        Ok(weir_yaml::to_yaml(&value))
    }
}
