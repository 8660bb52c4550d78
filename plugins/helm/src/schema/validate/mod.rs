//! Data held against schemas (gojsonschema validation.go). Where several schemas may fit and none
//! does, the one that came closest speaks: hence the score, kept as the original keeps it.

mod collections;
mod combinations;
mod outcome;
mod scalars;

use weir_yaml::Value as Plain;

use super::node::{SchemaId, Schemas};
use outcome::{Outcome, Place};
use scalars::{common, number, string, type_of};

/// Schemas within schemas: one that refers to itself without end is stopped here.
const MAX_DEPTH: usize = 400;

/// What is wrong, in order; an error if the schema has no end.
pub(super) fn validate(schemas: &Schemas, document: &Plain) -> Result<Vec<String>, String> {
    let mut outcome = Outcome::default();
    let root = Place {
        name: "(root)",
        outer: None,
    };
    let validator = Validator { schemas };
    validator.schema(SchemaId(0), document, &root, &mut outcome, 0)?;
    Ok(outcome.problems)
}

struct Validator<'a> {
    schemas: &'a Schemas,
}

type Checked = Result<(), String>;

impl Validator<'_> {
    fn alone(
        &self,
        id: SchemaId,
        value: &Plain,
        place: &Place<'_>,
        depth: usize,
    ) -> Result<Outcome, String> {
        let mut outcome = Outcome::default();
        self.schema(id, value, place, &mut outcome, depth)?;
        Ok(outcome)
    }

    fn schema(
        &self,
        id: SchemaId,
        value: &Plain,
        place: &Place<'_>,
        outcome: &mut Outcome,
        depth: usize,
    ) -> Checked {
        if depth > MAX_DEPTH {
            return Err("unable to validate schema: it is nested too deeply".to_owned());
        }
        let depth = depth + 1;
        let node = &self.schemas[id];
        if let Some(pass) = node.pass {
            if !pass {
                outcome.problem(place, "False always fails validation");
            }
            return Ok(());
        }
        if let Some(reference) = node.reference {
            return self.schema(reference, value, place, outcome, depth);
        }
        let given = type_of(value);
        let fits = |name: &str| name == given || (name == "number" && given == "integer");
        if !node.types.is_empty() && !node.types.iter().any(|name| fits(name)) {
            let expected = match node.types.as_slice() {
                [one] => one.clone(),
                several => format!("[{}]", several.join(",")),
            };
            let text = format!("Invalid type. Expected: {expected}, given: {given}");
            outcome.problem(place, text);
            return Ok(());
        }
        self.combinations(node, value, place, outcome, depth)?;
        match value {
            Plain::Array(items) => {
                self.array(node, items, place, outcome, depth)?;
                common(node, value, place, outcome)?;
            }
            Plain::Object(object) => {
                self.object(node, object, place, outcome, depth)?;
                common(node, value, place, outcome)?;
                for (name, schema) in &node.properties {
                    if let Some(value) = object.get(name) {
                        let place = Place {
                            name,
                            outer: Some(place),
                        };
                        self.schema(*schema, value, &place, outcome, depth)?;
                    }
                }
            }
            Plain::String(text) => {
                common(node, value, place, outcome)?;
                string(node, text, place, outcome);
            }
            Plain::Int(_) | Plain::Uint(_) | Plain::Float(_) => {
                number(node, value, place, outcome);
                common(node, value, place, outcome)?;
            }
            Plain::Null | Plain::Bool(_) => common(node, value, place, outcome)?,
        }
        outcome.score += 1;
        Ok(())
    }
}
