//! The dynamic values of Go as templates see them.
//!
//! Kinds are kept apart as far as a template can tell them apart: `typeOf`, `kindOf`, `printf`
//! and the comparison functions do. Lists do not change once made; maps are shared and change in
//! place, as `set`, `unset` and `merge` demand.

mod complex;
mod convert;
mod equal;
mod list;
mod map;
mod object;

use std::borrow::Cow;
use std::rc::Rc;

pub(crate) use complex::Complex;
pub(crate) use equal::deep_equal;
pub use list::{List, ListType};
pub use map::{Map, MapType};
pub use object::{Object, View};

/// A value of a template.
#[derive(Clone, Default)]
pub enum Value {
    /// No value: Go's untyped nil.
    #[default]
    Nil,
    /// `bool`.
    Bool(bool),
    /// A signed integer.
    Int(IntKind, i64),
    /// An unsigned integer.
    Uint(UintKind, u64),
    /// `float64`: every number that was read from YAML or JSON.
    Float(f64),
    /// `string`.
    String(Rc<str>),
    /// A `string` that is not UTF-8: a binary file of a chart, or text cut inside a character.
    Raw(Rc<[u8]>),
    /// `[]uint8`.
    Bytes(Rc<[u8]>),
    /// A slice of anything else.
    List(Rc<List>),
    /// A map with string keys.
    Map(Rc<Map>),
    /// A value with methods or fields.
    Object(Rc<dyn Object>),
}

/// Which signed integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntKind {
    /// `int`: constants of templates, lengths, `int`, `atoi`, `until`.
    Int,
    /// `int64`: Sprig's arithmetic, and `--set`.
    Int64,
    /// `int32`: runes.
    Int32,
}

/// Which unsigned integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UintKind {
    /// `uint8`: bytes of a string.
    Uint8,
    /// `uint64`: numbers of a semantic version.
    Uint64,
}

/// `reflect.Kind`, as far as it occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No value.
    Invalid,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `uint8`.
    Uint8,
    /// `uint64`.
    Uint64,
    /// `float64`.
    Float64,
    /// `complex128`.
    Complex128,
    /// `string`.
    String,
    /// A slice.
    Slice,
    /// A map.
    Map,
    /// A struct.
    Struct,
    /// A pointer.
    Ptr,
    /// A function.
    Func,
}

impl Kind {
    /// The name that `kindOf` gives.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint8 => "uint8",
            Self::Uint64 => "uint64",
            Self::Float64 => "float64",
            Self::Complex128 => "complex128",
            Self::String => "string",
            Self::Slice => "slice",
            Self::Map => "map",
            Self::Struct => "struct",
            Self::Ptr => "ptr",
            Self::Func => "func",
        }
    }
}

impl Value {
    /// An `int`.
    pub fn int(value: i64) -> Self {
        Self::Int(IntKind::Int, value)
    }

    /// An `int64`.
    pub fn int64(value: i64) -> Self {
        Self::Int(IntKind::Int64, value)
    }

    /// A string.
    pub fn string(text: impl Into<Rc<str>>) -> Self {
        Self::String(text.into())
    }

    /// A string from bytes that need not be UTF-8.
    pub fn string_from_bytes(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::String(text.into()),
            Err(error) => Self::Raw(error.into_bytes().into()),
        }
    }

    /// A `[]interface{}`.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(List::new(ListType::Any, items)))
    }

    /// A `[]string`.
    pub fn strings<S: Into<Rc<str>>>(items: impl IntoIterator<Item = S>) -> Self {
        let items = items.into_iter().map(|item| Self::String(item.into()));
        Self::List(Rc::new(List::new(ListType::Strings, items.collect())))
    }

    /// A `map[string]interface{}`.
    pub fn map<K: Into<Rc<str>>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(Rc::new(Map::new(MapType::Any, entries)))
    }

    /// True for no value.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// The text of a string that is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text of any string; what is not UTF-8 in it is replaced.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::String(text) => Some(Cow::Borrowed(text)),
            Self::Raw(bytes) => Some(String::from_utf8_lossy(bytes)),
            _ => None,
        }
    }

    /// The bytes of a string.
    pub fn string_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::String(text) => Some(text.as_bytes()),
            Self::Raw(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&Rc<List>> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Rc<Map>> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Its `reflect.Kind`.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Nil => Kind::Invalid,
            Self::Bool(_) => Kind::Bool,
            Self::Int(IntKind::Int, _) => Kind::Int,
            Self::Int(IntKind::Int64, _) => Kind::Int64,
            Self::Int(IntKind::Int32, _) => Kind::Int32,
            Self::Uint(UintKind::Uint8, _) => Kind::Uint8,
            Self::Uint(UintKind::Uint64, _) => Kind::Uint64,
            Self::Float(_) => Kind::Float64,
            Self::String(_) | Self::Raw(_) => Kind::String,
            Self::Bytes(_) | Self::List(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Object(object) => object.kind(),
        }
    }

    /// The name of its Go type, as `%T` prints it.
    pub fn type_name(&self) -> Cow<'static, str> {
        match self {
            Self::Nil => Cow::Borrowed("<nil>"),
            Self::Bytes(_) => Cow::Borrowed("[]uint8"),
            Self::List(list) => Cow::Borrowed(list.list_type().name()),
            Self::Map(map) => Cow::Borrowed(map.map_type().name()),
            Self::Object(object) => object.type_name(),
            _ => Cow::Borrowed(self.kind().name()),
        }
    }

    /// Whether a template takes it for true (`template.IsTrue`): not zero, not empty.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(_, value) => *value != 0,
            Self::Uint(_, value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::String(text) => !text.is_empty(),
            Self::Raw(bytes) | Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(object) => match object.view() {
                View::Map(map) => !map.is_empty(),
                View::List(list) => !list.is_empty(),
                View::Int(value) => value != 0,
                View::Struct(_) => true,
            },
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(_, value) => value.fmt(f),
            Self::Uint(_, value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::String(text) => text.fmt(f),
            Self::Raw(bytes) | Self::Bytes(bytes) => bytes.fmt(f),
            Self::List(list) => f.debug_list().entries(list.iter()).finish(),
            // Maps may hold themselves.
            Self::Map(map) => write!(f, "map of {}", map.len()),
            Self::Object(object) => f.write_str(&object.type_name()),
        }
    }
}
