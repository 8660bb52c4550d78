//! Keywords for lists and maps.

use weir_yaml::{Object, Value as Plain};

use super::outcome::{Outcome, Place};
use super::scalars::unique;
use super::{Checked, Validator};
use crate::schema::node::{Additional, Items, Node, SchemaId};

impl Validator<'_> {
    pub(super) fn array(
        &self,
        node: &Node,
        items: &[Plain],
        place: &Place<'_>,
        outcome: &mut Outcome,
        depth: usize,
    ) -> Checked {
        for (at, item) in items.iter().enumerate() {
            let schema = match &node.items {
                Items::Any => break,
                Items::All(schema) => *schema,
                Items::Each(schemas) => match (schemas.get(at), node.additional_items) {
                    (Some(schema), _) => *schema,
                    (None, Some(Additional::Schema(schema))) => schema,
                    (None, additional) => {
                        if matches!(additional, Some(Additional::Allowed(false))) {
                            outcome.problem(place, "No additional items allowed on array");
                        }
                        break;
                    }
                },
            };
            outcome.merge(self.item(schema, at, item, place, depth)?);
        }
        let count = items.len() as i64;
        if let Some(min) = node.min_items.filter(|min| count < *min) {
            outcome.problem(place, format!("Array must have at least {min} items"));
        }
        if let Some(max) = node.max_items.filter(|max| count > *max) {
            outcome.problem(place, format!("Array must have at most {max} items"));
        }
        if node.unique_items {
            unique(items, place, outcome)?;
        }
        if let Some(contains) = node.contains {
            self.contains(contains, items, place, outcome, depth)?;
        }
        outcome.score += 1;
        Ok(())
    }

    fn item(
        &self,
        schema: SchemaId,
        at: usize,
        item: &Plain,
        place: &Place<'_>,
        depth: usize,
    ) -> Result<Outcome, String> {
        let place = Place {
            name: &at.to_string(),
            outer: Some(place),
        };
        self.alone(schema, item, &place, depth)
    }

    fn contains(
        &self,
        schema: SchemaId,
        items: &[Plain],
        place: &Place<'_>,
        outcome: &mut Outcome,
        depth: usize,
    ) -> Checked {
        let mut best = None;
        for (at, item) in items.iter().enumerate() {
            let inner = self.item(schema, at, item, place, depth)?;
            if inner.is_valid() {
                return Ok(());
            }
            Outcome::closest(&mut best, inner);
        }
        outcome.problem(place, "At least one of the items must match");
        if let Some(best) = best {
            outcome.merge(best);
        }
        Ok(())
    }

    pub(super) fn object(
        &self,
        node: &Node,
        object: &Object,
        place: &Place<'_>,
        outcome: &mut Outcome,
        depth: usize,
    ) -> Checked {
        let count = object.len() as i64;
        if let Some(min) = node.min_properties.filter(|min| count < *min) {
            outcome.problem(place, format!("Must have at least {min} properties"));
        }
        if let Some(max) = node.max_properties.filter(|max| count > *max) {
            outcome.problem(place, format!("Must have at most {max} properties"));
        }
        for name in &node.required {
            if object.get(name).is_some() {
                outcome.score += 1;
            } else {
                outcome.problem(place, format!("{name} is required"));
            }
        }
        for (key, value) in object.sorted() {
            let inner = Place {
                name: key,
                outer: Some(place),
            };
            let known = node.properties.iter().any(|(name, _)| name == key);
            let matched = self.pattern_properties(node, key, value, &inner, outcome, depth)?;
            if known || matched {
                continue;
            }
            match node.additional_properties {
                Some(Additional::Allowed(false)) => {
                    let text = format!("Additional property {key} is not allowed");
                    outcome.problem(place, text);
                }
                Some(Additional::Schema(schema)) => {
                    outcome.merge(self.alone(schema, value, &inner, depth)?);
                }
                Some(Additional::Allowed(true)) | None => {}
            }
        }
        if let Some(names) = node.property_names {
            for (key, _) in object.sorted() {
                let inner = self.alone(names, &Plain::from(key), place, depth)?;
                if !inner.is_valid() {
                    let text = format!("Property name of \"{key}\" does not match");
                    outcome.problem(place, text);
                    outcome.merge(inner);
                }
            }
        }
        outcome.score += 1;
        Ok(())
    }

    fn pattern_properties(
        &self,
        node: &Node,
        key: &str,
        value: &Plain,
        place: &Place<'_>,
        outcome: &mut Outcome,
        depth: usize,
    ) -> Result<bool, String> {
        let mut matched = false;
        for (pattern, schema) in &node.pattern_properties {
            if pattern.is_match(key) {
                matched = true;
                outcome.merge(self.alone(*schema, value, place, depth)?);
            }
        }
        outcome.score += i64::from(matched);
        Ok(matched)
    }
}
