//! Defaults and choices (Masterminds/sprig `defaults.go`), and types (`reflect.go`).

use super::{Result, text};
use crate::exec::Call;
use crate::function::Function;
use crate::function::Type::{Any, Bool, String as Str};
use crate::value::{Kind, Value, deep_equal};

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::variadic("default", &[Any, Any], default),
    Function::new("empty", &[Any], |_, v| Ok(is_empty(&v[0]).into())),
    Function::variadic("coalesce", &[Any], coalesce),
    Function::variadic("all", &[Any], |_, v| Ok((!v.iter().any(is_empty)).into())),
    Function::variadic("any", &[Any], |_, v| {
        Ok(v.iter().any(|value| !is_empty(value)).into())
    }),
    Function::new("ternary", &[Any, Any, Bool], |_, v| {
        Ok(v[usize::from(!v[2].is_true())].clone())
    }),
    Function::new("typeOf", &[Any], |_, v| {
        Ok(v[0].type_name().as_ref().into())
    }),
    Function::new("typeIs", &[Str, Any], |_, v| {
        Ok((text(&v[0]) == v[1].type_name()).into())
    }),
    Function::new("typeIsLike", &[Str, Any], |_, v| {
        let (wanted, name) = (text(&v[0]), v[1].type_name());
        Ok((wanted == name || name.strip_prefix('*') == Some(&*wanted)).into())
    }),
    Function::new("kindOf", &[Any], |_, v| Ok(v[0].kind().name().into())),
    Function::new("kindIs", &[Str, Any], |_, v| {
        Ok((text(&v[0]) == v[1].kind().name()).into())
    }),
    Function::new("deepEqual", &[Any, Any], |_, v| {
        Ok(deep_equal(&v[0], &v[1]).into())
    }),
];

/// Sprig's idea of what is empty, which is what templates take for false.
pub(super) fn is_empty(value: &Value) -> bool {
    value.kind() != Kind::Struct && !value.is_true()
}

fn default(_: &mut Call<'_>, v: &[Value]) -> Result {
    let given = v.get(1).filter(|given| !is_empty(given));
    Ok(given.unwrap_or(&v[0]).clone())
}

fn coalesce(_: &mut Call<'_>, v: &[Value]) -> Result {
    let full = v.iter().find(|value| !is_empty(value));
    Ok(full.cloned().unwrap_or_default())
}
