//! Values: how those of the user, of a chart and of its subcharts become one
//! (helm/helm pkg/chartutil, pkg/cli/values).
//!
//! Maps are shared where Helm shares them, so that a template that changes one changes what the
//! others see as it would there.

mod coalesce;
mod options;
mod path;

use std::rc::Rc;

use weir_template::{List, Map, MapType, Value};

pub(crate) use coalesce::{Mode, coalesce_alone, coalesce_values, merge_tables};
pub use options::ValueOptions;
pub(crate) use options::merge_maps;
pub(crate) use path::{path_value, table};

/// An empty map.
pub(crate) fn empty_map() -> Rc<Map> {
    Rc::new(Map::new::<Rc<str>>(MapType::Any, []))
}

/// A copy that shares no map with the original.
pub(crate) fn deep_copy_map(map: &Map) -> Rc<Map> {
    Rc::new(map.copy(deep_copy))
}

fn deep_copy(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(deep_copy_map(map)),
        // Lists do not change: only what holds a map needs a copy.
        Value::List(list) if list.iter().any(holds_maps) => {
            let items = list.iter().map(deep_copy).collect();
            Value::List(Rc::new(List::new(list.list_type(), items)))
        }
        other => other.clone(),
    }
}

fn holds_maps(value: &Value) -> bool {
    match value {
        Value::Map(_) => true,
        Value::List(list) => list.iter().any(holds_maps),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
