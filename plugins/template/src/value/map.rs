//! Maps with string keys.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::Value;

/// The Go type of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapType {
    /// `map[string]interface {}`.
    Any,
    /// `map[string]string`, of `split`: a missing key is an empty string.
    Strings,
    /// A map with a name of its own (`chartutil.Values`), of anything.
    Named(&'static str),
    /// A map of `[]byte` with a name of its own (`engine.files`).
    Bytes(&'static str),
}

impl MapType {
    /// The name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "map[string]interface {}",
            Self::Strings => "map[string]string",
            Self::Named(name) | Self::Bytes(name) => name,
        }
    }

    /// Whether its elements are interfaces.
    pub(crate) fn holds_interfaces(self) -> bool {
        matches!(self, Self::Any | Self::Named(_))
    }

    /// The zero value of its elements.
    pub(crate) fn zero(self) -> Value {
        match self {
            Self::Any | Self::Named(_) => Value::Nil,
            Self::Strings => Value::from(""),
            Self::Bytes(_) => Value::Bytes([].into()),
        }
    }
}

/// A map, shared by all who hold it. Entries are in the order of their keys, which is the order in
/// which templates range over them and print them.
///
/// No borrow outlives a call: the map may change while a template ranges over it.
pub struct Map {
    of: MapType,
    /// A map that was never made: it is `null` in JSON, and nothing can be set in it.
    nil: bool,
    entries: Rc<RefCell<BTreeMap<Rc<str>, Value>>>,
}

impl Map {
    /// The same map under another type.
    pub fn with_type(&self, map_type: MapType) -> Self {
        Self {
            of: map_type,
            nil: self.nil,
            entries: Rc::clone(&self.entries),
        }
    }

    /// Another map of the type, with a copy of every value.
    #[must_use]
    pub fn copy(&self, copy: impl Fn(&Value) -> Value) -> Self {
        let mut entries = self.entries.borrow().clone();
        for value in entries.values_mut() {
            *value = copy(value);
        }
        Self {
            of: self.of,
            nil: false,
            entries: Rc::new(RefCell::new(entries)),
        }
    }

    /// The nil map of a type.
    pub fn nil(map_type: MapType) -> Self {
        Self {
            nil: true,
            ..Self::new::<Rc<str>>(map_type, [])
        }
    }

    /// Whether it was never made.
    pub fn is_nil(&self) -> bool {
        self.nil
    }

    /// Whether it is the same map, not only an equal one.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.entries, &other.entries)
    }

    /// A map of a type.
    pub fn new<K: Into<Rc<str>>>(
        map_type: MapType,
        entries: impl IntoIterator<Item = (K, Value)>,
    ) -> Self {
        let entries = entries.into_iter();
        Self {
            of: map_type,
            nil: false,
            entries: Rc::new(RefCell::new(
                entries.map(|(key, value)| (key.into(), value)).collect(),
            )),
        }
    }

    /// Its Go type.
    pub fn map_type(&self) -> MapType {
        self.of
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.entries.borrow().get(key).cloned()
    }

    /// Whether the key is there.
    pub fn contains(&self, key: &str) -> bool {
        self.entries.borrow().contains_key(key)
    }

    /// Sets a key.
    pub fn set(&self, key: impl Into<Rc<str>>, value: Value) {
        self.entries.borrow_mut().insert(key.into(), value);
    }

    /// Takes a key out.
    pub fn remove(&self, key: &str) -> Option<Value> {
        self.entries.borrow_mut().remove(key)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// The keys as they are now.
    pub fn keys(&self) -> Vec<Rc<str>> {
        self.entries.borrow().keys().cloned().collect()
    }

    /// The entries as they are now.
    pub fn entries(&self) -> Vec<(Rc<str>, Value)> {
        let entries = self.entries.borrow();
        let pairs = entries.iter();
        pairs
            .map(|(key, value)| (Rc::clone(key), value.clone()))
            .collect()
    }

    /// Looks at every entry in order; the map must not be changed meanwhile.
    pub fn each(&self, mut look: impl FnMut(&str, &Value)) {
        let entries = self.entries.borrow();
        entries.iter().for_each(|(key, value)| look(key, value));
    }

    /// Looks at every entry in order until one is an error; the map must not be changed meanwhile.
    pub fn try_each<E>(
        &self,
        mut look: impl FnMut(&str, &Value) -> Result<(), E>,
    ) -> Result<(), E> {
        let entries = self.entries.borrow();
        entries.iter().try_for_each(|(key, value)| look(key, value))
    }
}
