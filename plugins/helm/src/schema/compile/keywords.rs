//! Keywords that hold no schemas.

use weir_template::GoRegex;
use weir_yaml::{Object, Value as Plain, json};

use crate::schema::node::Node;

const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "number", "null", "object", "string",
];

pub(super) fn wrong_type(expected: &str, given: &str) -> String {
    format!("Invalid type. Expected: {expected}, given: {given}")
}

pub(super) fn optional_string(object: &Object, key: &str) -> Result<(), String> {
    match object.get(key) {
        None | Some(Plain::String(_)) => Ok(()),
        Some(_) => Err(wrong_type("string", key)),
    }
}

/// JSON in which numbers that are equal are written the same.
pub(in crate::schema) fn as_json(value: &Plain) -> Result<String, String> {
    json::to_string(&floats(value)).map_err(|err| err.to_string())
}

fn floats(value: &Plain) -> Plain {
    match value {
        Plain::Int(value) => Plain::Float(*value as f64),
        Plain::Uint(value) => Plain::Float(*value as f64),
        Plain::Array(items) => Plain::Array(items.iter().map(floats).collect()),
        Plain::Object(object) => {
            let entries = object.iter();
            Plain::Object(
                entries
                    .map(|(key, value)| (key.to_owned(), floats(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

pub(super) fn types(node: &mut Node, object: &Object) -> Result<(), String> {
    let invalid = || wrong_type("string/array of strings", "type");
    let types: Vec<&str> = match object.get("type") {
        None => return Ok(()),
        Some(Plain::String(name)) => vec![name],
        Some(Plain::Array(names)) => {
            let names = names.iter().map(Plain::as_str);
            names.collect::<Option<_>>().ok_or_else(invalid)?
        }
        Some(_) => return Err(invalid()),
    };
    for name in types {
        if !TYPES.contains(&name) {
            return Err(format!(
                "has a primitive type that is NOT VALID -- given: /{name}/ Expected valid values \
                 are:[{}]",
                TYPES.join(" ")
            ));
        }
        if node.types.iter().any(|known| known == name) {
            return Err(format!("{name} type is duplicated"));
        }
        node.types.push(name.to_owned());
    }
    Ok(())
}

pub(super) fn strings(node: &mut Node, object: &Object) -> Result<(), String> {
    node.min_length = size(object, "minLength")?;
    node.max_length = size(object, "maxLength")?;
    if let (Some(min), Some(max)) = (node.min_length, node.max_length)
        && min > max
    {
        return Err("minLength cannot be greater than maxLength".to_owned());
    }
    node.pattern = match object.get("pattern") {
        None => None,
        Some(Plain::String(pattern)) => {
            let regex = GoRegex::new(pattern);
            Some(regex.map_err(|_| "pattern must be a valid regex".to_owned())?)
        }
        Some(_) => return Err("pattern must be of a string".to_owned()),
    };
    node.format = match object.get("format") {
        None => None,
        Some(Plain::String(format)) => Some(format.clone()),
        Some(_) => return Err("format must be of type string".to_owned()),
    };
    Ok(())
}

pub(super) fn sizes(node: &mut Node, object: &Object) -> Result<(), String> {
    node.min_properties = size(object, "minProperties")?;
    node.max_properties = size(object, "maxProperties")?;
    if let (Some(min), Some(max)) = (node.min_properties, node.max_properties)
        && min > max
    {
        return Err("minProperties cannot be greater than maxProperties".to_owned());
    }
    match object.get("required") {
        None => {}
        Some(Plain::Array(names)) => {
            for name in names {
                let Plain::String(name) = name else {
                    return Err("required items must be string".to_owned());
                };
                if node.required.contains(name) {
                    return Err("required items must be unique".to_owned());
                }
                node.required.push(name.clone());
            }
        }
        Some(_) => return Err("required must be of an array".to_owned()),
    }
    node.min_items = size(object, "minItems")?;
    node.max_items = size(object, "maxItems")?;
    match object.get("uniqueItems") {
        None => {}
        Some(Plain::Bool(unique)) => node.unique_items = *unique,
        Some(_) => return Err("uniqueItems must be of a boolean".to_owned()),
    }
    Ok(())
}

fn size(object: &Object, key: &str) -> Result<Option<i64>, String> {
    match object.get(key) {
        None => Ok(None),
        Some(Plain::Int(size)) if *size >= 0 => Ok(Some(*size)),
        Some(Plain::Int(_)) => Err(format!("{key} must be greater than or equal to 0")),
        Some(_) => Err(format!("{key} must be of an integer")),
    }
}

pub(super) fn enumeration(node: &mut Node, object: &Object) -> Result<(), String> {
    match object.get("enum") {
        None => Ok(()),
        Some(Plain::Array(values)) => {
            for value in values {
                let text = as_json(value)?;
                if node.enumeration.contains(&text) {
                    return Err("enum items must be unique".to_owned());
                }
                node.enumeration.push(text);
            }
            Ok(())
        }
        Some(_) => Err("enum must be of an array".to_owned()),
    }
}
