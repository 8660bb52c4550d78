//! Functions that templates call.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use crate::error::CallError;
use crate::exec::Call;
use crate::functions;
use crate::syntax::FunctionNames;
use crate::value::Value;

/// The type of a parameter: which arguments Go's reflection would let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `interface{}`.
    Any,
    /// `reflect.Value`: as `Any`, for the functions of the language itself.
    Reflect,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `int64`.
    Int64,
    /// `uint32`, of which only constants are.
    Uint32,
    /// `float64`.
    Float,
    /// `string`.
    String,
    /// `[]string`.
    Strings,
    /// `[]interface{}`.
    List,
    /// `map[string]interface{}`.
    Map,
    /// An object of the type of that name.
    Named(&'static str),
}

impl Type {
    /// Whether nil is a value of the type (`canBeNil`).
    pub(crate) fn takes_nil(self) -> bool {
        match self {
            Self::Any | Self::Reflect | Self::Strings | Self::List | Self::Map => true,
            Self::Bool | Self::Int | Self::Int64 | Self::Uint32 | Self::Float | Self::String => {
                false
            }
            Self::Named(name) => name.starts_with('*'),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "interface {}",
            Self::Reflect => "reflect.Value",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Float => "float64",
            Self::String => "string",
            Self::Strings => "[]string",
            Self::List => "[]interface {}",
            Self::Map => "map[string]interface {}",
            Self::Named(name) => name,
        })
    }
}

/// What a function does. Arguments fit the parameters in number and type.
pub type Body = fn(&mut Call<'_>, &[Value]) -> Result<Value, CallError>;

/// A function by its name.
#[derive(Clone, Copy)]
pub struct Function {
    /// The name in templates.
    pub name: &'static str,
    /// Types of the parameters; of a variadic function the last repeats.
    pub params: &'static [Type],
    /// Whether the last parameter takes any number of arguments.
    pub variadic: bool,
    /// What it does.
    pub body: Body,
}

impl Function {
    /// A function of a fixed number of parameters.
    pub const fn new(name: &'static str, params: &'static [Type], body: Body) -> Self {
        Self {
            name,
            params,
            variadic: false,
            body,
        }
    }

    /// A function of which the last parameter takes any number of arguments.
    pub const fn variadic(name: &'static str, params: &'static [Type], body: Body) -> Self {
        Self {
            name,
            params,
            variadic: true,
            body,
        }
    }
}

/// Functions by name.
pub(crate) struct Functions {
    list: Vec<Function>,
    places: HashMap<&'static str, usize, BuildHasherDefault<Fnv>>,
}

/// The hash of Fowler, Noll and Vo, 32 bits: every action looks a short name up, and nobody can add
/// names that collide.
struct Fnv(u32);

impl Default for Fnv {
    fn default() -> Self {
        Self(0x811c_9dc5)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }

    fn finish(&self) -> u64 {
        // The table takes its place from the lower bits and its tag from the upper ones.
        u64::from(self.0) * 0x1_0000_0001
    }
}

impl Functions {
    /// Those of the language, Sprig and Helm.
    pub(crate) fn standard() -> Self {
        let mut functions = Self {
            list: Vec::new(),
            places: HashMap::default(),
        };
        // Sprig's `slice` replaces that of the language, and Helm's own replace Sprig's.
        for family in functions::FAMILIES {
            for function in *family {
                functions.add(*function);
            }
        }
        functions
    }

    pub(crate) fn add(&mut self, function: Function) {
        if let Some(place) = self.places.get(function.name) {
            self.list[*place] = function;
        } else {
            self.places.insert(function.name, self.list.len());
            self.list.push(function);
        }
    }

    pub(crate) fn at(&self, place: usize) -> &Function {
        &self.list[place]
    }
}

impl FunctionNames for Functions {
    fn find(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
}
