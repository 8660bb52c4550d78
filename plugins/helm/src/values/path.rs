//! Looking up values by dotted paths (helm/helm pkg/chartutil/values.go).

use std::rc::Rc;

use weir_template::{Map, Value};

/// The table at a path; the name that is none, otherwise.
pub(crate) fn table(values: &Rc<Map>, path: &str) -> Result<Rc<Map>, String> {
    let mut table = Rc::clone(values);
    for name in path.split('.') {
        table = match table.get(name) {
            Some(Value::Map(inner)) => inner,
            _ => return Err(name.to_owned()),
        };
    }
    Ok(table)
}

/// The value at a path, unless it is a table.
pub(crate) fn path_value(values: &Rc<Map>, path: &str) -> Option<Value> {
    let (table, key) = match path.rsplit_once('.') {
        Some((tables, key)) => (table(values, tables).ok()?, key),
        None => (Rc::clone(values), path),
    };
    table
        .get(key)
        .filter(|value| !matches!(value, Value::Map(_)))
}
