//! Lists (Masterminds/sprig `list.go`).

use std::rc::Rc;

use super::strings::{string_of, strings_of, text_of};
use super::{Result, cast, defaults, int};
use crate::error::CallError;
use crate::exec::Call;
use crate::function::Function;
use crate::function::Type::{Any, Int};
use crate::value::{List, ListType, Value, View, deep_equal};

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::variadic("list", &[Any], list),
    Function::variadic("tuple", &[Any], list),
    Function::new("append", &[Any, Any], push),
    Function::new("push", &[Any, Any], push),
    Function::new("mustAppend", &[Any, Any], push),
    Function::new("mustPush", &[Any, Any], push),
    Function::new("prepend", &[Any, Any], prepend),
    Function::new("mustPrepend", &[Any, Any], prepend),
    Function::new("first", &[Any], |_, v| {
        end(&v[0], "first", <[Value]>::first)
    }),
    Function::new("mustFirst", &[Any], |_, v| {
        end(&v[0], "first", <[Value]>::first)
    }),
    Function::new("last", &[Any], |_, v| end(&v[0], "last", <[Value]>::last)),
    Function::new("mustLast", &[Any], |_, v| {
        end(&v[0], "last", <[Value]>::last)
    }),
    Function::new("rest", &[Any], rest),
    Function::new("mustRest", &[Any], rest),
    Function::new("initial", &[Any], initial),
    Function::new("mustInitial", &[Any], initial),
    Function::new("reverse", &[Any], reverse),
    Function::new("mustReverse", &[Any], reverse),
    Function::new("compact", &[Any], compact),
    Function::new("mustCompact", &[Any], compact),
    Function::new("uniq", &[Any], uniq),
    Function::new("mustUniq", &[Any], uniq),
    Function::variadic("without", &[Any, Any], without),
    Function::variadic("mustWithout", &[Any, Any], without),
    Function::new("has", &[Any, Any], has),
    Function::new("mustHas", &[Any, Any], has),
    Function::variadic("slice", &[Any, Any], slice),
    Function::variadic("mustSlice", &[Any, Any], slice),
    Function::variadic("concat", &[Any], concat),
    Function::new("chunk", &[Int, Any], chunk),
    Function::new("mustChunk", &[Int, Any], chunk),
    Function::new("sortAlpha", &[Any], sort_alpha),
];

/// What Go says when it asks nothing for its type.
const NIL: &str = "runtime error: invalid memory address or nil pointer dereference";

/// The items of whatever is a slice.
pub(super) fn items(value: &Value) -> Option<Rc<List>> {
    match value {
        Value::List(list) => Some(Rc::clone(list)),
        Value::Bytes(bytes) => {
            let items = bytes.iter().map(|byte| (*byte).into()).collect();
            Some(Rc::new(List::new(ListType::Named("[]uint8"), items)))
        }
        Value::Object(object) => match object.view() {
            View::List(list) => Some(list),
            _ => None,
        },
        _ => None,
    }
}

/// The items, or the error that the function gives for anything else.
fn slice_for(value: &Value, complaint: &str) -> std::result::Result<Rc<List>, CallError> {
    if value.is_nil() {
        return Err(NIL.into());
    }
    items(value).ok_or_else(|| CallError::text(format!("{complaint} {}", value.kind().name())))
}

fn list(_: &mut Call<'_>, v: &[Value]) -> Result {
    Ok(Value::list(v.to_vec()))
}

fn push(call: &mut Call<'_>, v: &[Value]) -> Result {
    let list = slice_for(&v[0], "Cannot push on type")?;
    call.charge_items(list.len())?;
    let items = list.iter().chain([&v[1]]).cloned();
    Ok(Value::list(items.collect()))
}

fn prepend(call: &mut Call<'_>, v: &[Value]) -> Result {
    let list = slice_for(&v[0], "Cannot prepend on type")?;
    call.charge_items(list.len())?;
    let items = [&v[1]].into_iter().chain(list.iter()).cloned();
    Ok(Value::list(items.collect()))
}

fn end(value: &Value, name: &str, pick: fn(&[Value]) -> Option<&Value>) -> Result {
    let list = slice_for(value, &format!("Cannot find {name} on type"))?;
    Ok(pick(&list).cloned().unwrap_or_default())
}

/// The nil slice that Sprig returns for an empty list.
fn nil_list() -> Value {
    Value::List(Rc::new(List::nil(ListType::Any)))
}

fn rest(_: &mut Call<'_>, v: &[Value]) -> Result {
    let list = slice_for(&v[0], "Cannot find rest on type")?;
    let rest = list.split_first().map(|(_, rest)| rest.to_vec());
    Ok(rest.map_or_else(nil_list, Value::list))
}

fn initial(_: &mut Call<'_>, v: &[Value]) -> Result {
    let list = slice_for(&v[0], "Cannot find initial on type")?;
    let initial = list.split_last().map(|(_, initial)| initial.to_vec());
    Ok(initial.map_or_else(nil_list, Value::list))
}

fn reverse(_: &mut Call<'_>, v: &[Value]) -> Result {
    let list = slice_for(&v[0], "Cannot find reverse on type")?;
    Ok(Value::list(list.iter().rev().cloned().collect()))
}

fn compact(_: &mut Call<'_>, v: &[Value]) -> Result {
    let list = slice_for(&v[0], "Cannot compact on type")?;
    let full = list.iter().filter(|item| !defaults::is_empty(item));
    Ok(Value::list(full.cloned().collect()))
}

fn contains(items: &[Value], wanted: &Value) -> bool {
    items.iter().any(|item| deep_equal(item, wanted))
}

fn uniq(call: &mut Call<'_>, v: &[Value]) -> Result {
    let list = slice_for(&v[0], "Cannot find uniq on type")?;
    let mut unique: Vec<Value> = Vec::new();
    for item in list.iter() {
        call.charge_items(unique.len())?;
        if !contains(&unique, item) {
            unique.push(item.clone());
        }
    }
    Ok(Value::list(unique))
}

fn without(call: &mut Call<'_>, v: &[Value]) -> Result {
    let list = slice_for(&v[0], "Cannot find without on type")?;
    call.charge_items(list.len())?;
    let kept = list.iter().filter(|item| !contains(&v[1..], item));
    Ok(Value::list(kept.cloned().collect()))
}

fn has(call: &mut Call<'_>, v: &[Value]) -> Result {
    if v[1].is_nil() {
        return Ok(Value::Bool(false));
    }
    let list = slice_for(&v[1], "Cannot find has on type")?;
    call.charge_items(list.len())?;
    Ok(Value::Bool(contains(&list, &v[0])))
}

fn slice(_: &mut Call<'_>, v: &[Value]) -> Result {
    let list = slice_for(&v[0], "list should be type of slice or array but")?;
    if list.is_empty() {
        return Ok(Value::Nil);
    }
    let from = v.get(1).map_or(0, cast::to_int);
    let to = v.get(2).map_or(list.len() as i64, cast::to_int);
    let range = usize::try_from(from)
        .ok()
        .zip(usize::try_from(to).ok())
        .and_then(|(from, to)| list.get(from..to));
    match range {
        Some(part) => Ok(Value::List(Rc::new(List::new(
            list.list_type(),
            part.to_vec(),
        )))),
        None => Err("reflect.Value.Slice: slice index out of bounds".into()),
    }
}

fn concat(call: &mut Call<'_>, v: &[Value]) -> Result {
    let mut all = Vec::new();
    for value in v {
        if value.is_nil() {
            return Err(NIL.into());
        }
        let Some(list) = items(value) else {
            let kind = value.kind().name();
            return Err(CallError::text(format!(
                "Cannot concat type {kind} as list"
            )));
        };
        call.charge_items(list.len())?;
        all.extend(list.iter().cloned());
    }
    if all.is_empty() {
        return Ok(nil_list());
    }
    Ok(Value::list(all))
}

fn chunk(call: &mut Call<'_>, v: &[Value]) -> Result {
    let list = slice_for(&v[1], "Cannot chunk type")?;
    call.charge_items(list.len())?;
    let chunks = match int(&v[0]) {
        size @ 1.. => {
            let chunks = list.chunks(usize::try_from(size).unwrap_or(usize::MAX));
            chunks.map(|chunk| Value::list(chunk.to_vec())).collect()
        }
        // Sprig computes how many there are, which for a negative size goes well for a few items.
        ..=-1 if list.len() == 1 => vec![Value::list(list.to_vec())],
        size @ ..=-1 if list.len() > 1 && list.len() as u64 - 1 <= size.unsigned_abs() => {
            Vec::new()
        }
        _ => return Err("runtime error: makeslice: len out of range".into()),
    };
    Ok(Value::List(Rc::new(List::new(ListType::Lists, chunks))))
}

fn sort_alpha(call: &mut Call<'_>, v: &[Value]) -> Result {
    if items(&v[0]).is_none() {
        return Ok(Value::strings([text_of(&string_of(&v[0]))]));
    }
    let mut texts = strings_of(&v[0]);
    call.charge_items(texts.len())?;
    texts.sort();
    Ok(Value::strings(texts))
}
