//! What is known about kinds: how their lists merge and whether they have a namespace.
//!
//! kustomize carries the OpenAPI document of one Kubernetes version; here are the few facts of it
//! that a build uses, in `v1.21.2.txt`: per definition the lists that merge, by which keys, and
//! the fields that lead to such lists. A kustomization may bring a document of its own, which then
//! takes the place of the built-in one (kyaml `openapi/openapi.go`).

mod builtin;
mod custom;
mod scope;

use std::cell::RefCell;
use std::rc::Rc;

use weir_yaml::Value;

use crate::error::{Error, Result};
use builtin::Builtin;
use custom::Custom;

/// The only version that is built in.
pub(crate) const BUILTIN_VERSION: &str = "v1.21.2";

/// How a list merges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListMerge {
    /// Fields that identify an element; none for lists of scalars.
    pub(crate) keys: Vec<String>,
}

/// A definition or a part of one.
#[derive(Debug, Clone)]
pub(crate) enum Schema {
    /// By name, in the built-in facts.
    Builtin(usize),
    /// A list in the built-in facts: the field of a definition.
    BuiltinList(usize, usize),
    /// A part of the document that the kustomization brought.
    Custom(Rc<Value>),
}

#[derive(Default)]
struct State {
    version: String,
    custom_source: Option<Rc<Value>>,
    initialized: bool,
    /// The built-in facts were asked for before a document took their place: they then stay.
    default_delayed: bool,
    default_parsed: bool,
    builtin: Option<Rc<Builtin>>,
    custom: Custom,
}

/// The facts in use. They settle when they are first needed.
#[derive(Default)]
pub(crate) struct Schemas {
    state: RefCell<State>,
}

impl Schemas {
    /// Chooses a version or a document. Only the first choice counts, unless `reset`.
    pub(crate) fn set(
        &self,
        version: Option<&str>,
        document: Option<&[u8]>,
        reset: bool,
    ) -> Result<()> {
        let state = &mut *self.state.borrow_mut();
        let is_set = !state.version.is_empty() || state.custom_source.is_some();
        if is_set && !reset {
            return Ok(());
        }
        if let Some(document) = document {
            if version.is_some() {
                return Err(Error::new(
                    "builtin version and custom schema provided, cannot use both",
                ));
            }
            let text = weir_yaml::parse::decode_text(document)?;
            let value = weir_yaml::from_yaml(&text)?;
            state.custom_source = Some(Rc::new(value));
            "custom".clone_into(&mut state.version);
            state.initialized = false;
            return Ok(());
        }
        version.unwrap_or_default().clone_into(&mut state.version);
        if state.version.is_empty() {
            return Ok(());
        }
        if state.version != BUILTIN_VERSION {
            return Err(Error::new("the specified OpenAPI version is not built in"));
        }
        state.custom_source = None;
        state.initialized = false;
        Ok(())
    }

    fn initialize(state: &mut State) {
        if state.initialized {
            return;
        }
        state.initialized = true;
        match state.custom_source.clone() {
            Some(document) => state.custom.add(&document),
            None => state.default_parsed = true,
        }
        if state.default_delayed {
            state.default_parsed = true;
        }
        if state.default_parsed && state.builtin.is_none() {
            state.builtin = Some(Rc::new(Builtin::load()));
        }
    }

    /// True for kinds that are known to have no namespace.
    pub(crate) fn is_certainly_cluster_scoped(&self, api_version: &str, kind: &str) -> bool {
        if let Some(namespaced) = scope::is_namespaced(api_version, kind) {
            return !namespaced;
        }
        let state = &mut *self.state.borrow_mut();
        if !state.initialized {
            if state.custom_source.is_none() {
                // The facts themselves hold no more than the table that was just asked.
                state.default_delayed = true;
                return false;
            }
            Self::initialize(state);
        }
        state.custom.is_namespaced(api_version, kind) == Some(false)
    }

    /// The definition of a kind.
    pub(crate) fn of_kind(&self, api_version: &str, kind: &str) -> Option<Schema> {
        let state = &mut *self.state.borrow_mut();
        Self::initialize(state);
        if let Some(definition) = state.custom.of_kind(api_version, kind) {
            return Some(Schema::Custom(definition));
        }
        let builtin = state.builtin.as_ref()?;
        builtin.of_kind(api_version, kind).map(Schema::Builtin)
    }

    /// The definition of a field.
    pub(crate) fn field(&self, schema: &Schema, name: &str) -> Option<Schema> {
        let state = &mut *self.state.borrow_mut();
        Self::initialize(state);
        match schema {
            Schema::Builtin(definition) => state.builtin.as_ref()?.field(*definition, name),
            Schema::BuiltinList(..) => None,
            Schema::Custom(value) => {
                let field = custom::field(value, name)?;
                resolve(state, Rc::new(field.clone()))
            }
        }
    }

    /// The definition of a list's elements.
    pub(crate) fn elements(&self, schema: &Schema) -> Option<Schema> {
        let state = &mut *self.state.borrow_mut();
        match schema {
            Schema::Builtin(_) => None,
            Schema::BuiltinList(definition, field) => state
                .builtin
                .as_ref()?
                .elements(*definition, *field)
                .map(Schema::Builtin),
            Schema::Custom(value) => {
                let items = custom::items(value)?;
                resolve(state, Rc::new(items.clone()))
            }
        }
    }

    /// How a list merges; `None` if it is replaced as a whole.
    pub(crate) fn list_merge(&self, schema: &Schema) -> Option<ListMerge> {
        match schema {
            Schema::Builtin(_) => None,
            Schema::BuiltinList(definition, field) => {
                let state = self.state.borrow();
                state.builtin.as_ref()?.list_merge(*definition, *field)
            }
            Schema::Custom(value) => custom::list_merge(value),
        }
    }
}

/// Follows references until something stands there.
fn resolve(state: &State, mut value: Rc<Value>) -> Option<Schema> {
    // A chain of references longer than this goes in a circle.
    for _ in 0..64 {
        let Some(reference) = custom::reference(&value) else {
            return Some(Schema::Custom(value));
        };
        let name = reference.strip_prefix("#/definitions/")?;
        if let Some(found) = state.custom.definition(name) {
            value = found;
            continue;
        }
        let builtin = state.builtin.as_ref()?;
        return builtin.by_name(name).map(Schema::Builtin);
    }
    None
}
