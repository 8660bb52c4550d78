//! Schemas that are made of others.

use weir_yaml::{Object, Value as Plain};

use super::outcome::{Outcome, Place};
use super::{Checked, Validator};
use crate::schema::node::{Dependency, Node};

impl Validator<'_> {
    pub(super) fn combinations(
        &self,
        node: &Node,
        value: &Plain,
        place: &Place<'_>,
        outcome: &mut Outcome,
        depth: usize,
    ) -> Checked {
        self.any_of(node, value, place, outcome, depth)?;
        self.one_of(node, value, place, outcome, depth)?;
        let mut valid = true;
        for schema in &node.all_of {
            let inner = self.alone(*schema, value, place, depth)?;
            valid &= inner.is_valid();
            outcome.merge(inner);
        }
        if !valid {
            outcome.problem(place, "Must validate all the schemas (allOf)");
        }
        if let Some(not) = node.not
            && self.alone(not, value, place, depth)?.is_valid()
        {
            outcome.problem(place, "Must not validate the schema (not)");
        }
        if let Plain::Object(object) = value {
            self.dependencies(node, value, object, place, outcome, depth)?;
        }
        self.condition(node, value, place, outcome, depth)?;
        outcome.score += 1;
        Ok(())
    }

    fn any_of(
        &self,
        node: &Node,
        value: &Plain,
        place: &Place<'_>,
        outcome: &mut Outcome,
        depth: usize,
    ) -> Checked {
        let mut best = None;
        for schema in &node.any_of {
            let inner = self.alone(*schema, value, place, depth)?;
            if inner.is_valid() {
                return Ok(());
            }
            Outcome::closest(&mut best, inner);
        }
        if let Some(best) = best {
            outcome.problem(place, "Must validate at least one schema (anyOf)");
            outcome.merge(best);
        }
        Ok(())
    }

    fn one_of(
        &self,
        node: &Node,
        value: &Plain,
        place: &Place<'_>,
        outcome: &mut Outcome,
        depth: usize,
    ) -> Checked {
        let mut best = None;
        let mut valid = 0;
        for schema in &node.one_of {
            let inner = self.alone(*schema, value, place, depth)?;
            if inner.is_valid() {
                valid += 1;
            } else if valid == 0 {
                Outcome::closest(&mut best, inner);
            }
        }
        if !node.one_of.is_empty() && valid != 1 {
            outcome.problem(place, "Must validate one and only one schema (oneOf)");
            if let Some(best) = best.filter(|_| valid == 0) {
                outcome.merge(best);
            }
        }
        Ok(())
    }

    fn dependencies(
        &self,
        node: &Node,
        value: &Plain,
        object: &Object,
        place: &Place<'_>,
        outcome: &mut Outcome,
        depth: usize,
    ) -> Checked {
        for (key, dependency) in &node.dependencies {
            if object.get(key).is_none() {
                continue;
            }
            match dependency {
                Dependency::Keys(keys) => {
                    for key in keys.iter().filter(|key| object.get(key).is_none()) {
                        outcome.problem(place, format!("Has a dependency on {key}"));
                    }
                }
                Dependency::Schema(schema) => {
                    self.schema(*schema, value, place, outcome, depth)?;
                }
            }
        }
        Ok(())
    }

    fn condition(
        &self,
        node: &Node,
        value: &Plain,
        place: &Place<'_>,
        outcome: &mut Outcome,
        depth: usize,
    ) -> Checked {
        let Some(condition) = node.condition else {
            return Ok(());
        };
        let (branch, text) = if self.alone(condition, value, place, depth)?.is_valid() {
            (
                node.consequence,
                "Must validate \"then\" as \"if\" was valid",
            )
        } else {
            (
                node.alternative,
                "Must validate \"else\" as \"if\" was not valid",
            )
        };
        if let Some(branch) = branch {
            let inner = self.alone(branch, value, place, depth)?;
            if !inner.is_valid() {
                outcome.problem(place, text);
                outcome.merge(inner);
            }
        }
        Ok(())
    }
}
