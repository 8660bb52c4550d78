//! `values.schema.json`: values held against JSON Schema, drafts 4, 6 and 7, as
//! xeipuuv/gojsonschema 1.2 does it for Helm, errors included. Where the original walks a map it
//! does so in any order; here it is the order of keys.
//!
//! Nothing is fetched: a schema that refers to another document is refused.

mod compile;
mod decimal;
mod document;
mod format;
mod node;
mod validate;

use weir_template::Map;
use weir_yaml::{Value as Plain, json};

use crate::error::Error;
use crate::plain::plain_map;
use crate::tree::{ChartId, ChartTree};

/// Holds the values of every chart against its schema (`ValidateAgainstSchema`).
pub(crate) fn validate(tree: &ChartTree, values: &Map) -> Result<(), Error> {
    let mut text = String::new();
    chart(tree, ChartTree::ROOT, values, &mut text);
    if text.is_empty() {
        return Ok(());
    }
    Err(Error::Coalesce(format!(
        "values don't meet the specifications of the schema(s) in the following chart(s):\n{text}"
    )))
}

fn chart(tree: &ChartTree, id: ChartId, values: &Map, text: &mut String) {
    let node = &tree[id];
    if let Some(schema) = &node.chart.schema {
        let problems = check(schema, values).unwrap_or_else(|error| error);
        if !problems.is_empty() {
            text.push_str(&node.name);
            text.push_str(":\n");
            text.push_str(&problems);
        }
    }
    for dependency in &node.dependencies {
        if let Some(weir_template::Value::Map(inner)) = values.get(&tree[*dependency].name) {
            chart(tree, *dependency, &inner, text);
        }
    }
}

/// One line for each thing that is wrong.
fn check(schema: &[u8], values: &Map) -> Result<String, String> {
    let values = weir_yaml::decode::for_printing(Plain::Object(plain_map(values)));
    let values = values.map_err(|err| err.to_string())?;
    check_plain(schema, &values)
}

fn check_plain(schema: &[u8], values: &Plain) -> Result<String, String> {
    let document = json::parse(&String::from_utf8_lossy(schema)).map_err(|err| err.to_string())?;
    let compiled = compile::compile(document)?;
    let problems = validate::validate(&compiled, values)?;
    let mut text = String::new();
    for problem in problems {
        text.extend(["- ", &problem, "\n"]);
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
