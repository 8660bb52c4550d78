//! Slices.

use std::ops::Deref;

use super::Value;

/// The Go type of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListType {
    /// `[]interface {}`.
    Any,
    /// `[]string`.
    Strings,
    /// `[]int`.
    Ints,
    /// `[][]interface {}`, of `chunk`.
    Lists,
    /// A slice with a name of its own, or of another type.
    Named(&'static str),
}

impl ListType {
    /// The name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "[]interface {}",
            Self::Strings => "[]string",
            Self::Ints => "[]int",
            Self::Lists => "[][]interface {}",
            Self::Named(name) => name,
        }
    }

    /// Whether its elements are interfaces.
    pub(crate) fn holds_interfaces(self) -> bool {
        self == Self::Any
    }
}

/// A slice. It never changes; functions that seem to change one make another.
#[derive(Clone)]
pub struct List {
    of: ListType,
    /// A slice that was never made: it is `null` in JSON.
    nil: bool,
    items: Vec<Value>,
}

impl List {
    /// A slice of a type.
    pub fn new(list_type: ListType, items: Vec<Value>) -> Self {
        Self {
            of: list_type,
            nil: false,
            items,
        }
    }

    /// The nil slice of a type.
    pub fn nil(list_type: ListType) -> Self {
        Self {
            of: list_type,
            nil: true,
            items: Vec::new(),
        }
    }

    /// Its Go type.
    pub fn list_type(&self) -> ListType {
        self.of
    }

    /// Whether it was never made.
    pub fn is_nil(&self) -> bool {
        self.nil
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.items
    }
}
