//! Merging maps in place (mergo `merge.go`, as Sprig's `dict.go` calls it).

use std::rc::Rc;

use super::Result;
use super::defaults::is_empty;
use crate::error::CallError;
use crate::exec::Call;
use crate::function::Function;
use crate::function::Type::Map as Dict;
use crate::value::{Map, MapType, Value};

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::variadic("merge", &[Dict, Dict], |call, v| merge(call, v, false)),
    Function::variadic("mustMerge", &[Dict, Dict], |call, v| merge(call, v, false)),
    Function::variadic("mergeOverwrite", &[Dict, Dict], |call, v| {
        merge(call, v, true)
    }),
    Function::variadic("mustMergeOverwrite", &[Dict, Dict], |call, v| {
        merge(call, v, true)
    }),
];

/// Maps within maps that are merged; a map may hold itself.
const MAX_DEPTH: usize = 200;

fn merge(call: &mut Call<'_>, v: &[Value], overwrite: bool) -> Result {
    let (first, others) = v.split_first().ok_or("missing argument")?;
    // A nil map is made when there is something to put into it.
    let target = match first.as_map() {
        Some(map) if map.map_type() == MapType::Any && !map.is_nil() => Rc::clone(map),
        Some(map) if !map.is_nil() => Rc::new(map.with_type(MapType::Any)),
        _ => Rc::new(Map::new::<Rc<str>>(MapType::Any, [])),
    };
    for source in others.iter().filter_map(Value::as_map) {
        merge_into(call, &target, source, overwrite, 0)?;
    }
    Ok(Value::Map(target))
}

/// Values are shared, not copied: what is set in one map later is seen in the other.
fn merge_into(
    call: &mut Call<'_>,
    target: &Map,
    source: &Map,
    overwrite: bool,
    depth: usize,
) -> std::result::Result<(), CallError> {
    if depth > MAX_DEPTH || target.is_same(source) {
        return Ok(());
    }
    let entries = source.entries();
    call.charge_items(entries.len())?;
    for (key, value) in entries {
        let present = target.get(&key);
        if value.is_nil() {
            if overwrite {
                target.set(key, Value::Nil);
            }
            continue;
        }
        if let (Value::Map(from), Some(Value::Map(into))) = (&value, &present) {
            merge_into(call, into, from, overwrite, depth + 1)?;
            if !into.is_empty() {
                continue;
            }
        }
        let present = present.filter(|present| !is_empty(present));
        if overwrite || present.is_none() {
            target.set(key, value);
        }
    }
    Ok(())
}
