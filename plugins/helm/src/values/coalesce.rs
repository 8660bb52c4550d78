//! Coalescing: the values of a chart under those that are given, and so on for its subcharts
//! (helm/helm pkg/chartutil/coalesce.go).

use std::rc::Rc;

use weir_template::{Map, MapType, Value};

use super::{deep_copy_map, empty_map};
use crate::error::Error;
use crate::tree::{ChartId, ChartTree};
use crate::warnings::Warnings;

/// The key whose values every subchart sees.
const GLOBAL: &str = "global";

/// What a null that is given does to the chart's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It takes the key away.
    Coalesce,
    /// It stays, for a later coalescing to see.
    Merge,
}

/// Puts the values of a chart and its subcharts under `given`, which stays as it is.
pub(crate) fn coalesce_values(
    tree: &ChartTree,
    chart: ChartId,
    given: &Map,
    mode: Mode,
    warnings: &Warnings,
) -> Result<Rc<Map>, Error> {
    let values = deep_copy_map(given);
    let coalescer = Coalescer { tree, warnings };
    coalescer.chart(chart, &values, "", mode)?;
    Ok(values)
}

/// Puts the values of a chart without subcharts under `given`, which stays as it is.
pub(crate) fn coalesce_alone(own: &Map, given: &Map) -> Rc<Map> {
    let values = deep_copy_map(given);
    let warnings = Warnings::default();
    own_values(&values, own, |_| false, "", Mode::Coalesce, &warnings);
    values
}

/// Puts one table under another; nulls stay.
pub(crate) fn merge_tables(into: &Map, from: &Map, warnings: &Warnings) {
    tables(into, from, "", Mode::Merge, warnings);
}

struct Coalescer<'a> {
    tree: &'a ChartTree,
    warnings: &'a Warnings,
}

impl Coalescer<'_> {
    fn chart(
        &self,
        chart: ChartId,
        values: &Rc<Map>,
        prefix: &str,
        mode: Mode,
    ) -> Result<(), Error> {
        self.own_values(chart, values, prefix, mode);
        let prefix = joined(prefix, &self.tree[chart].name);
        for subchart in &self.tree[chart].dependencies {
            let name = self.tree[*subchart].name.as_str();
            let inner = match values.get(name) {
                Some(Value::Map(inner)) => inner,
                Some(other) => {
                    let shown = as_wrong_boolean(&other);
                    return Err(Error::Coalesce(format!("type mismatch on {name}: {shown}")));
                }
                None => {
                    let inner = empty_map();
                    values.set(name, Value::Map(Rc::clone(&inner)));
                    inner
                }
            };
            self.globals(&inner, values, &prefix);
            self.chart(*subchart, &inner, &prefix, mode)?;
        }
        Ok(())
    }

    /// Puts what a chart says itself under the values.
    fn own_values(&self, chart: ChartId, values: &Map, prefix: &str, mode: Mode) {
        let node = &self.tree[chart];
        let is_subchart = |key: &str| {
            let mut subcharts = node.dependencies.iter();
            subcharts.any(|id| self.tree[*id].name == key)
        };
        let prefix = joined(prefix, &node.name);
        own_values(
            values,
            &node.values,
            is_subchart,
            &prefix,
            mode,
            self.warnings,
        );
    }

    /// Copies the globals of a chart to those of its subchart. Tables are copied, the tables in
    /// them are not: where the subchart lacks one, it shares it with its parent.
    fn globals(&self, into: &Map, from: &Map, prefix: &str) {
        let given = |map: &Map, whose: &str| match map.get(GLOBAL) {
            None => Some(empty_map()),
            Some(Value::Map(globals)) => Some(globals),
            Some(_) => {
                self.warnings.add(format!(
                    "warning: skipping globals because {whose} {GLOBAL} is not a table."
                ));
                None
            }
        };
        let Some(own) = given(into, "destination") else {
            return;
        };
        let Some(passed) = given(from, "source") else {
            return;
        };
        for (key, value) in passed.entries() {
            match (value, own.get(&key)) {
                (Value::Map(table), None) => own.set(key, Value::Map(shallow_copy(&table))),
                (Value::Map(table), Some(Value::Map(under))) => {
                    let table = shallow_copy(&table);
                    let prefix = joined(prefix, &key);
                    tables(&table, &under, &prefix, Mode::Merge, self.warnings);
                    own.set(key, Value::Map(table));
                }
                (Value::Map(_), Some(_)) => self.warnings.add(format!(
                    "Conflict: cannot merge map onto non-map for {key:?}. Skipping."
                )),
                (_, Some(Value::Map(_))) => {
                    self.warnings.add(format!("key {key} is table. Skipping"));
                }
                (value, _) => own.set(key, value),
            }
        }
        into.set(GLOBAL, Value::Map(own));
    }
}

/// Puts the values `own` of a chart under `values`.
fn own_values(
    values: &Map,
    own: &Map,
    is_subchart: impl Fn(&str) -> bool,
    prefix: &str,
    mode: Mode,
    warnings: &Warnings,
) {
    // What is put there may be changed later, by templates too: the chart's own stays.
    for (key, own) in deep_copy_map(own).entries() {
        match (values.get(&key), own) {
            (None, own) => values.set(key, own),
            (Some(Value::Nil), _) if mode == Mode::Coalesce => {
                values.remove(&key);
            }
            (Some(Value::Map(given)), Value::Map(own)) => {
                // A null for a subchart's value is seen when that one is coalesced.
                let mode = if is_subchart(&key) { Mode::Merge } else { mode };
                tables(&given, &own, &joined(prefix, &key), mode, warnings);
            }
            (Some(Value::Map(_)), own) if !own.is_nil() => warnings.add(format!(
                "warning: skipped value for {prefix}.{key}: Not a table."
            )),
            _ => {}
        }
    }
}

/// Puts the table `from` under `into` (`coalesceTablesFullKey`).
fn tables(into: &Map, from: &Map, prefix: &str, mode: Mode, warnings: &Warnings) {
    for (key, value) in from.entries() {
        match (into.get(&key), value) {
            (Some(Value::Nil), _) if mode == Mode::Coalesce => {
                into.remove(&key);
            }
            (None, value) => into.set(key, value),
            (Some(Value::Map(given)), Value::Map(own)) => {
                tables(&given, &own, &joined(prefix, &key), mode, warnings);
            }
            (Some(_), own @ Value::Map(_)) => {
                let key = joined(prefix, &key);
                warnings.add(format!(
                    "warning: cannot overwrite table with non table for {key} ({own:?})"
                ));
            }
            (Some(Value::Map(_)), own) if !own.is_nil() => {
                let key = joined(prefix, &key);
                warnings.add(format!(
                    "warning: destination for {key} is a table. Ignoring non-table value ({own:?})"
                ));
            }
            _ => {}
        }
    }
}

fn shallow_copy(map: &Map) -> Rc<Map> {
    Rc::new(Map::new(MapType::Any, map.entries()))
}

fn joined(prefix: &str, key: &str) -> String {
    if prefix.is_empty() {
        key.to_owned()
    } else {
        format!("{prefix}.{key}")
    }
}

/// A value as Go prints it where a boolean is expected: Helm's message has the wrong verb.
fn as_wrong_boolean(value: &Value) -> String {
    match value {
        Value::Nil => "%!t(<nil>)".to_owned(),
        other => nested_wrong_boolean(other),
    }
}

fn nested_wrong_boolean(value: &Value) -> String {
    match value {
        Value::Nil => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::List(list) => {
            let items: Vec<String> = list.iter().map(nested_wrong_boolean).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(map) => {
            let entries = map.entries().into_iter();
            let entries = entries.map(|(key, value)| {
                let value = nested_wrong_boolean(&value);
                format!("%!t(string={key}):{value}")
            });
            format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
        }
        Value::String(text) => format!("%!t(string={text})"),
        Value::Float(value) => {
            format!("%!t(float64={})", weir_yaml::number::format_float(*value))
        }
        other => format!("%!t({}={other:?})", other.type_name()),
    }
}
