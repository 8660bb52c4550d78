//! What a schema's references make of it, looked at before anybody follows them: one that leads
//! back to where it came from without entering the value never ends, and forty that double at each
//! step never end soon. A validator has no deadline, so such schemas are refused.
//!
//! References that enter the value first (a tree's children) are fine: values end.

use std::collections::HashMap;

use serde_json::Value;

/// Subschemas that may apply to one place of a value.
const MAX_SCHEMAS: u64 = 10_000;
/// Steps of a chain of subschemas that apply to one place.
const MAX_DEPTH: usize = 32;

/// Keywords whose subschemas apply to the same place of the value: one, several, by name.
const SAME: [&str; 4] = ["not", "if", "then", "else"];
const SAME_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const SAME_MAPS: [&str; 2] = ["dependentSchemas", "dependencies"];
/// Keywords whose subschemas apply to a part of the value.
const PART: [&str; 7] = [
    "additionalProperties",
    "items",
    "additionalItems",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const PART_LISTS: [&str; 2] = ["prefixItems", "items"];
const PART_MAPS: [&str; 2] = ["properties", "patternProperties"];
/// Keywords that give a reference another meaning than its place in the document.
const REFUSED: [&str; 3] = ["$dynamicRef", "$recursiveRef", "$anchor"];

/// Whether every reference stays inside the schema and comes to an end.
pub(super) fn check(schema: &Value) -> Result<(), String> {
    let mut walk = Walk {
        root: schema,
        known: HashMap::new(),
        pending: vec![schema],
    };
    while let Some(schema) = walk.pending.pop() {
        walk.extent(schema, 0)?;
    }
    Ok(())
}

/// What applies wherever a subschema does, itself included.
#[derive(Clone, Copy)]
struct Extent {
    schemas: u64,
    depth: usize,
}

struct Walk<'s> {
    root: &'s Value,
    /// By the schema's address; `None` while it is being looked at.
    known: HashMap<*const Value, Option<Extent>>,
    /// Schemas for parts of the value.
    pending: Vec<&'s Value>,
}

impl<'s> Walk<'s> {
    fn extent(&mut self, schema: &'s Value, above: usize) -> Result<Extent, String> {
        match self.known.get(&std::ptr::from_ref(schema)) {
            Some(Some(extent)) => return Ok(*extent),
            Some(None) => return Err("a reference leads back into itself".into()),
            None => {}
        }
        let too_deep = || format!("more than {MAX_DEPTH} subschemas within each other");
        if above > MAX_DEPTH {
            return Err(too_deep());
        }
        self.known.insert(schema, None);
        let mut extent = Extent {
            schemas: 1,
            depth: 1,
        };
        for next in self.same_place(schema)? {
            let inner = self.extent(next, above + 1)?;
            extent.schemas += inner.schemas;
            extent.depth = extent.depth.max(inner.depth + 1);
            if extent.schemas > MAX_SCHEMAS {
                return Err(format!(
                    "too many subschemas for one place, {MAX_SCHEMAS} are allowed"
                ));
            }
            if extent.depth > MAX_DEPTH {
                return Err(too_deep());
            }
        }
        self.known.insert(schema, Some(extent));
        self.pending.extend(parts(schema));
        Ok(extent)
    }

    fn same_place(&self, schema: &'s Value) -> Result<Vec<&'s Value>, String> {
        let Some(keywords) = schema.as_object() else {
            return Ok(Vec::new());
        };
        let is_root = std::ptr::eq(schema, self.root);
        if let Some(refused) = REFUSED
            .into_iter()
            .find(|name| keywords.contains_key(*name))
        {
            return Err(format!("`{refused}` is not supported"));
        }
        if !is_root && keywords.contains_key("$id") {
            return Err("`$id` is not supported below the root".into());
        }
        let mut same = chosen(schema, &SAME, &SAME_LISTS, &SAME_MAPS);
        if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
            // An encoded pointer would be another text for the same place: not worth its rules.
            let target = reference
                .strip_prefix('#')
                .filter(|pointer| !pointer.contains('%'))
                .and_then(|pointer| self.root.pointer(pointer));
            same.push(target.ok_or_else(|| {
                format!("the reference `{reference}` leads to nothing inside the schema")
            })?);
        }
        Ok(same)
    }
}

fn parts(schema: &Value) -> Vec<&Value> {
    chosen(schema, &PART, &PART_LISTS, &PART_MAPS)
}

/// The subschemas behind keywords that hold one, a list of them, or some by name.
fn chosen<'s>(schema: &'s Value, ones: &[&str], lists: &[&str], maps: &[&str]) -> Vec<&'s Value> {
    let ones = ones.iter().filter_map(|name| schema.get(*name));
    let lists = lists
        .iter()
        .filter_map(|name| schema.get(*name)?.as_array());
    let maps = maps
        .iter()
        .filter_map(|name| schema.get(*name)?.as_object());
    ones.chain(lists.flatten())
        .chain(maps.flat_map(|map| map.values()))
        .filter(|schema| schema.is_object())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_that_enter_the_value_may_come_back() {
        let tree = json!({
            "$id": "https://example.com/tree",
            "properties": {
                "children": {"items": {"$ref": "#"}},
                "named": {"additionalProperties": {"$ref": "#/$defs/leaf"}},
            },
            "$defs": {"leaf": {"anyOf": [{"type": "string"}, {"$ref": "#"}]}},
        });
        assert_eq!(check(&tree), Ok(()));
        assert_eq!(check(&json!(true)), Ok(()));
    }

    #[test]
    fn references_that_stay_where_they_are_must_end() {
        let problem = |schema| check(&schema).unwrap_err();
        assert!(problem(json!({"$ref": "#"})).contains("itself"));
        assert!(problem(json!({"not": {"$ref": "#"}})).contains("itself"));
        let part = json!({"items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}});
        assert!(problem(part).contains("itself"));
        assert!(problem(json!({"$ref": "https://example.com"})).contains("inside"));
        assert!(problem(json!({"$ref": "#/$defs/none"})).contains("inside"));
        assert!(problem(json!({"items": {"$id": "x"}})).contains("$id"));
        assert!(problem(json!({"$dynamicRef": "#x"})).contains("$dynamicRef"));
    }

    #[test]
    fn what_applies_to_one_place_is_bounded() {
        // Entered from its end, a chain is as deep as from its beginning.
        let mut chain = serde_json::Map::from_iter([("d0".to_owned(), json!({}))]);
        let mut entries = serde_json::Map::new();
        for n in 1..100 {
            chain.insert(
                format!("d{n}"),
                json!({"$ref": format!("#/$defs/d{}", n - 1)}),
            );
            entries.insert(
                format!("p{:03}", 100 - n),
                json!({"$ref": format!("#/$defs/d{n}")}),
            );
        }
        let problem = check(&json!({"properties": entries, "$defs": chain})).unwrap_err();
        assert!(problem.contains("within"), "{problem}");

        let mut defs = serde_json::Map::new();
        for n in 0..20_u32 {
            let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
            defs.insert(format!("d{n}"), json!({"allOf": [next, next]}));
        }
        defs.insert("d20".into(), json!({}));
        let schema = json!({"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": defs});
        let problem = check(&schema).unwrap_err();
        assert!(
            problem.contains("too many") || problem.contains("within"),
            "{problem}"
        );

        let mut deep = json!({});
        for _ in 0..50 {
            deep = json!({"not": deep});
        }
        assert!(check(&deep).unwrap_err().contains("within"));
    }
}
