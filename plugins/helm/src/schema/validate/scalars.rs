//! Keywords for single values, and those for all kinds.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use weir_yaml::Value as Plain;

use super::Checked;
use super::outcome::{Outcome, Place};
use crate::schema::compile::as_json;
use crate::schema::decimal::Decimal;
use crate::schema::format::is_format;
use crate::schema::node::Node;

pub(super) fn type_of(value: &Plain) -> &'static str {
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

pub(super) fn common(
    node: &Node,
    value: &Plain,
    place: &Place<'_>,
    outcome: &mut Outcome,
) -> Checked {
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

pub(super) fn unique(items: &[Plain], place: &Place<'_>, outcome: &mut Outcome) -> Checked {
    let mut seen = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        if let Some(before) = seen.insert(as_json(item)?, at) {
            let text = format!("array items[{before},{at}] must be unique");
            outcome.problem(place, text);
        }
    }
    Ok(())
}

pub(super) fn string(node: &Node, text: &str, place: &Place<'_>, outcome: &mut Outcome) {
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

pub(super) fn number(node: &Node, value: &Plain, place: &Place<'_>, outcome: &mut Outcome) {
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
