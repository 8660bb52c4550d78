//! Functions that templates call.

use crate::error::CallError;
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

/// A function by its name.
#[derive(Clone, Copy)]
pub struct Function {
    /// The name in templates.
    pub name: &'static str,
    /// Types of the parameters; of a variadic function the last repeats.
    pub params: &'static [Type],
    /// Whether the last parameter takes any number of arguments.
    pub variadic: bool,
    /// What it does. Arguments fit the parameters in number and type.
    pub run: fn(&mut Call<'_>, &[Value]) -> Result<Value, CallError>,
}

/// The run within which a function is called.
pub struct Call<'a> {
    _run: std::marker::PhantomData<&'a ()>,
}
