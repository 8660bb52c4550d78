//! Maps (Masterminds/sprig `dict.go`).

use std::rc::Rc;

use super::strings::text_of;
use super::{Result, text};
use crate::error::CallError;
use crate::exec::Call;
use crate::function::Function;
use crate::function::Type::{Any, Map as Dict, String as Str};
use crate::value::{List, Map, MapType, Value};

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::variadic("dict", &[Any], dict),
    Function::new("get", &[Dict, Str], get),
    Function::new("set", &[Dict, Str, Any], set),
    Function::new("unset", &[Dict, Str], unset),
    Function::new("hasKey", &[Dict, Str], |_, v| {
        let found = v[0].as_map().is_some_and(|map| map.contains(&text(&v[1])));
        Ok(found.into())
    }),
    Function::variadic("pluck", &[Str, Dict], pluck),
    Function::variadic("keys", &[Dict], keys),
    Function::new("values", &[Dict], values),
    Function::variadic("pick", &[Dict, Str], |_, v| select(v, true)),
    Function::variadic("omit", &[Dict, Str], |_, v| select(v, false)),
    Function::variadic("dig", &[Any], dig),
    Function::new("deepCopy", &[Any], copy),
    Function::new("mustDeepCopy", &[Any], copy),
];

/// Values within values that are copied; a map may hold itself.
const MAX_DEPTH: usize = 200;

fn dict(_: &mut Call<'_>, v: &[Value]) -> Result {
    let pairs = v.chunks(2);
    Ok(Value::map(pairs.map(|pair| {
        let value = pair.get(1).cloned();
        // An odd argument at the end is a key with nothing in it.
        (text_of(&pair[0]), value.unwrap_or_else(|| "".into()))
    })))
}

fn get(_: &mut Call<'_>, v: &[Value]) -> Result {
    let found = v[0].as_map().and_then(|map| map.get(&text(&v[1])));
    Ok(found.unwrap_or_else(|| "".into()))
}

fn set(_: &mut Call<'_>, v: &[Value]) -> Result {
    let Some(map) = v[0].as_map().filter(|map| !map.is_nil()) else {
        return Err("assignment to entry in nil map".into());
    };
    map.set(&*text(&v[1]), v[2].clone());
    Ok(unnamed(&v[0]))
}

/// Functions return maps as the unnamed type, whatever the type they were given.
fn unnamed(value: &Value) -> Value {
    match value {
        Value::Map(map) if map.map_type() != MapType::Any => {
            Value::Map(Rc::new(map.with_type(MapType::Any)))
        }
        value => value.clone(),
    }
}

fn unset(_: &mut Call<'_>, v: &[Value]) -> Result {
    if let Some(map) = v[0].as_map() {
        map.remove(&text(&v[1]));
    }
    Ok(unnamed(&v[0]))
}

fn pluck(_: &mut Call<'_>, v: &[Value]) -> Result {
    let key = text(&v[0]);
    let maps = v[1..].iter().filter_map(Value::as_map);
    Ok(Value::list(maps.filter_map(|map| map.get(&key)).collect()))
}

/// Go's order is random; the order of the keys is as good as any.
fn keys(call: &mut Call<'_>, v: &[Value]) -> Result {
    let mut keys = Vec::new();
    for map in v.iter().filter_map(Value::as_map) {
        call.charge_items(map.len())?;
        keys.extend(map.keys());
    }
    Ok(Value::strings(keys))
}

fn values(call: &mut Call<'_>, v: &[Value]) -> Result {
    let entries = v[0].as_map().map(|map| map.entries()).unwrap_or_default();
    call.charge_items(entries.len())?;
    Ok(Value::list(
        entries.into_iter().map(|(_, value)| value).collect(),
    ))
}

/// The entries whose key is among those named, or is not.
fn select(v: &[Value], named: bool) -> Result {
    let names: Vec<_> = v[1..].iter().map(text).collect();
    let entries = v[0].as_map().map(|map| map.entries()).unwrap_or_default();
    let kept = entries
        .into_iter()
        .filter(|(key, _)| names.iter().any(|name| **name == **key) == named);
    Ok(Value::map(kept))
}

fn dig(_: &mut Call<'_>, v: &[Value]) -> Result {
    let [path @ .., default, start] = v else {
        return Err("dig needs at least three arguments".into());
    };
    if path.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut current = start.clone();
    let mut names = Vec::with_capacity(path.len());
    // All is asserted in Go before the first step.
    let mut map = exact_map(&current)?;
    for name in path {
        names.push(name.text().ok_or_else(|| assertion(name, "string"))?);
    }
    for (i, name) in names.iter().enumerate() {
        if i > 0 {
            map = exact_map(&current)?;
        }
        match map.get(name) {
            Some(value) => current = value,
            None => return Ok(default.clone()),
        }
    }
    Ok(current)
}

fn exact_map(value: &Value) -> std::result::Result<Rc<Map>, CallError> {
    let map = value.as_map().filter(|map| map.map_type() == MapType::Any);
    map.cloned()
        .ok_or_else(|| assertion(value, "map[string]interface {}"))
}

/// The panic of a type assertion.
fn assertion(value: &Value, wanted: &str) -> CallError {
    let held = if value.is_nil() {
        "nil".into()
    } else {
        value.type_name()
    };
    CallError::text(format!(
        "interface conversion: interface {{}} is {held}, not {wanted}"
    ))
}

fn copy(call: &mut Call<'_>, v: &[Value]) -> Result {
    if v[0].is_nil() {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    deep_copy(call, &v[0], 0)
}

/// mitchellh/copystructure: maps and lists are copied, all the way down.
fn deep_copy(call: &mut Call<'_>, value: &Value, depth: usize) -> Result {
    if depth > MAX_DEPTH {
        return Err("value is nested too deeply to be copied".into());
    }
    match value {
        Value::Map(map) if !map.is_nil() => {
            let entries = map.entries();
            call.charge_items(entries.len())?;
            let mut copied = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                copied.push((key, deep_copy(call, &value, depth + 1)?));
            }
            Ok(Value::Map(Rc::new(Map::new(map.map_type(), copied))))
        }
        Value::List(list) if !list.is_nil() => {
            call.charge_items(list.len())?;
            let items = list.iter().map(|item| deep_copy(call, item, depth + 1));
            let items = items.collect::<std::result::Result<_, _>>()?;
            Ok(Value::List(Rc::new(List::new(list.list_type(), items))))
        }
        value => Ok(value.clone()),
    }
}
