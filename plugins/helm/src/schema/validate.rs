//! Data held against schemas (gojsonschema validation.go). Where several schemas may fit and none
//! does, the one that came closest speaks: hence the score, kept as the original keeps it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use weir_yaml::{Object, Value as Plain};

use super::compile::as_json;
use super::decimal::Decimal;
use super::format::is_format;
use super::node::{Additional, Dependency, Items, Node, SchemaId, Schemas};

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

/// Where in the data a value stands.
struct Place<'a> {
    name: &'a str,
    outer: Option<&'a Place<'a>>,
}

impl Place<'_> {
    /// The path as messages have it.
    fn field(&self) -> String {
        match self.outer {
            None => self.name.to_owned(),
            Some(outer) if outer.outer.is_none() => self.name.to_owned(),
            Some(outer) => format!("{}.{}", outer.field(), self.name),
        }
    }
}

#[derive(Default)]
struct Outcome {
    problems: Vec<String>,
    score: i64,
}

impl Outcome {
    fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }

    fn problem(&mut self, place: &Place<'_>, text: impl AsRef<str>) {
        self.problems
            .push(format!("{}: {}", place.field(), text.as_ref()));
        self.score -= 2;
    }

    fn merge(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.score += other.score;
    }

    /// Keeps the one that came closer; the first of equals.
    fn closest(best: &mut Option<Self>, other: Self) {
        if best.as_ref().is_none_or(|best| other.score > best.score) {
            *best = Some(other);
        }
    }
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

    fn combinations(
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

    fn array(
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

    fn object(
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

fn type_of(value: &Plain) -> &'static str {
    match value {
        Plain::Null => "null",
        Plain::Bool(_) => "boolean",
        Plain::String(_) => "string",
        Plain::Array(_) => "array",
        Plain::Object(_) => "object",
        Plain::Int(_) | Plain::Uint(_) => "integer",
        Plain::Float(_) => match Decimal::of(value) {
            Some(number) if number.is_integer() => "integer",
            _ => "number",
        },
    }
}

fn common(node: &Node, value: &Plain, place: &Place<'_>, outcome: &mut Outcome) -> Checked {
    if let Some(constant) = &node.constant
        && as_json(value)? != *constant
    {
        let text = format!("{} does not match: {constant}", place.field());
        outcome.problem(place, text);
    }
    if !node.enumeration.is_empty() && !node.enumeration.contains(&as_json(value)?) {
        let allowed = node.enumeration.join(", ");
        let text = format!("{} must be one of the following: {allowed}", place.field());
        outcome.problem(place, text);
    }
    outcome.score += 1;
    Ok(())
}

fn unique(items: &[Plain], place: &Place<'_>, outcome: &mut Outcome) -> Checked {
    let mut seen = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        if let Some(before) = seen.insert(as_json(item)?, at) {
            let text = format!("array items[{before},{at}] must be unique");
            outcome.problem(place, text);
        }
    }
    Ok(())
}

fn string(node: &Node, text: &str, place: &Place<'_>, outcome: &mut Outcome) {
    let length = text.chars().count() as i64;
    if let Some(min) = node.min_length.filter(|min| length < *min) {
        let text = format!("String length must be greater than or equal to {min}");
        outcome.problem(place, text);
    }
    if let Some(max) = node.max_length.filter(|max| length > *max) {
        let text = format!("String length must be less than or equal to {max}");
        outcome.problem(place, text);
    }
    if let Some(pattern) = node.pattern.as_ref().filter(|it| !it.is_match(text)) {
        outcome.problem(place, format!("Does not match pattern '{pattern}'"));
    }
    if let Some(format) = &node.format
        && is_format(format, Some(text)) == Some(false)
    {
        outcome.problem(place, format!("Does not match format '{format}'"));
    }
    outcome.score += 1;
}

fn number(node: &Node, value: &Plain, place: &Place<'_>, outcome: &mut Outcome) {
    let Some(number) = Decimal::of(value) else {
        return;
    };
    if let Some(of) = node.multiple_of.filter(|of| !number.is_multiple_of(*of)) {
        outcome.problem(place, format!("Must be a multiple of {of}"));
    }
    let beyond = |bound: Option<Decimal>, wrong: &[Ordering]| {
        bound.filter(|bound| wrong.contains(&number.compare(*bound)))
    };
    use Ordering::{Equal, Greater, Less};
    if let Some(max) = beyond(node.maximum, &[Greater]) {
        outcome.problem(place, format!("Must be less than or equal to {max}"));
    }
    if let Some(max) = beyond(node.exclusive_maximum, &[Greater, Equal]) {
        outcome.problem(place, format!("Must be less than {max}"));
    }
    if let Some(min) = beyond(node.minimum, &[Less]) {
        outcome.problem(place, format!("Must be greater than or equal to {min}"));
    }
    if let Some(min) = beyond(node.exclusive_minimum, &[Less, Equal]) {
        outcome.problem(place, format!("Must be greater than {min}"));
    }
    if let Some(format) = &node.format
        && is_format(format, None) == Some(false)
    {
        outcome.problem(place, format!("Does not match format '{format}'"));
    }
    outcome.score += 1;
}
