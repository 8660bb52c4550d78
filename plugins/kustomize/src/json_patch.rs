//! JSON patches (RFC 6902) as `evanphx/json-patch` v4 applies them: negative indexes count from
//! the end, and its own words for what goes wrong.

use weir_yaml::{Object, Value, json};

use crate::error::{Error, Result};

const MISSING: &str = "missing value";
const INVALID_INDEX: &str = "invalid index referenced";
const TEST_FAILED: &str = "test failed";

/// A decoded patch.
#[derive(Debug, Clone, Default)]
pub(crate) struct JsonPatch {
    operations: Vec<Object>,
}

impl JsonPatch {
    /// From YAML, or from JSON if the text starts as a list in brackets.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let value = if text.starts_with('[') {
            json::parse(text)?
        } else {
            weir_yaml::from_yaml(text)?
        };
        Self::from_value(&value)
    }

    fn from_value(value: &Value) -> Result<Self> {
        let mismatch = |found: &str, wanted: &str| {
            Error::new(format!(
                "json: cannot unmarshal {found} into Go value of type {wanted}"
            ))
        };
        let name = |value: &Value| match value {
            Value::Bool(_) => "bool",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            _ => "number",
        };
        match value {
            Value::Null => Ok(Self::default()),
            Value::Array(items) => {
                let mut operations = Vec::with_capacity(items.len());
                for item in items {
                    match item {
                        Value::Object(operation) => operations.push(operation.clone()),
                        Value::Null => operations.push(Object::new()),
                        other => return Err(mismatch(name(other), "jsonpatch.Operation")),
                    }
                }
                Ok(Self { operations })
            }
            other => Err(mismatch(name(other), "jsonpatch.Patch")),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Changes `document`; on failure it is left half changed.
    pub(crate) fn apply(&self, document: &mut Value) -> Result<()> {
        for operation in &self.operations {
            let kind = operation
                .get("op")
                .and_then(Value::as_str)
                .unwrap_or("unknown");
            match kind {
                "add" => add(document, operation)?,
                "remove" => remove(document, operation)?,
                "replace" => replace(document, operation)?,
                "move" => relocate(document, operation)?,
                "copy" => copy(document, operation)?,
                "test" => test(document, operation)?,
                other => return Err(Error::new(format!("Unexpected kind: {other}"))),
            }
        }
        Ok(())
    }
}

fn text<'a>(operation: &'a Object, field: &str) -> Option<&'a str> {
    operation.get(field).and_then(Value::as_str)
}

fn path_of<'a>(operation: &'a Object, verb: &str) -> Result<&'a str> {
    text(operation, "path").ok_or_else(|| {
        Error::new(match verb {
            "add" | "remove" | "copy" => {
                format!("{verb} operation failed to decode path: {MISSING}")
            }
            _ => format!(
                "{verb} operation failed to decode path: operation missing path field: {MISSING}"
            ),
        })
    })
}

fn from_of<'a>(operation: &'a Object, verb: &str) -> Result<&'a str> {
    text(operation, "from").ok_or_else(|| {
        Error::new(format!(
            "{verb} operation failed to decode from: operation, missing from field: {MISSING}"
        ))
    })
}

fn decode_key(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

/// The container that holds the last part of `path`, and that part.
fn container<'a>(document: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let mut parts: Vec<&str> = path.split('/').skip(1).collect();
    let key = decode_key(parts.pop()?);
    let mut at = document;
    for part in parts {
        let part = decode_key(part);
        at = match at {
            Value::Object(object) => object.get_mut(&part)?,
            Value::Array(items) => {
                let index = index(&part, items.len()).ok()?;
                items.get_mut(index)?
            }
            _ => return None,
        };
    }
    matches!(at, Value::Object(_) | Value::Array(_)).then_some((at, key))
}

fn atoi(key: &str) -> Result<i64> {
    key.parse()
        .map_err(|_| Error::new(format!("strconv.Atoi: parsing {key:?}: invalid syntax")))
}

fn invalid_index(index: i64) -> Error {
    Error::new(format!(
        "unable to access invalid index: {index}: {INVALID_INDEX}"
    ))
}

/// Place of an existing element.
fn index(key: &str, len: usize) -> Result<usize> {
    let wanted = atoi(key)?;
    let len = len as i64;
    let at = if wanted < 0 { wanted + len } else { wanted };
    if (0..len).contains(&at) {
        Ok(at as usize)
    } else {
        Err(invalid_index(wanted))
    }
}

fn get<'a>(container: &'a Value, key: &str) -> Result<Option<&'a Value>> {
    match container {
        Value::Object(object) => Ok(object.get(key)),
        Value::Array(items) => Ok(items.get(index(key, items.len())?)),
        _ => Ok(None),
    }
}

fn insert(container: &mut Value, key: &str, value: Value) -> Result<()> {
    match container {
        Value::Object(object) => object.set(key, value),
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => {
            let wanted = atoi(key).map_err(|err| {
                err.context(format!("value was not a proper array index: '{key}'"))
            })?;
            let len = items.len() as i64 + 1;
            let at = if wanted < 0 { wanted + len } else { wanted };
            if !(0..len).contains(&at) {
                return Err(invalid_index(wanted));
            }
            items.insert(at as usize, value);
        }
        _ => {}
    }
    Ok(())
}

fn take(container: &mut Value, key: &str) -> Result<Value> {
    match container {
        Value::Object(object) => object.remove(key).ok_or_else(|| {
            Error::new(format!(
                "unable to remove nonexistent key: {key}: {MISSING}"
            ))
        }),
        Value::Array(items) => {
            let at = index(key, items.len())?;
            Ok(items.remove(at))
        }
        _ => Ok(Value::Null),
    }
}

fn value_of(operation: &Object) -> Value {
    operation.get("value").cloned().unwrap_or_default()
}

fn add(document: &mut Value, operation: &Object) -> Result<()> {
    let path = path_of(operation, "add")?;
    let Some((container, key)) = container(document, path) else {
        return Err(Error::new(format!(
            "add operation does not apply: doc is missing path: \"{path}\": {MISSING}"
        )));
    };
    insert(container, &key, value_of(operation))
        .map_err(|err| err.context(format!("error in add for path: '{path}'")))
}

fn remove(document: &mut Value, operation: &Object) -> Result<()> {
    let path = path_of(operation, "remove")?;
    let Some((container, key)) = container(document, path) else {
        return Err(Error::new(format!(
            "remove operation does not apply: doc is missing path: \"{path}\": {MISSING}"
        )));
    };
    take(container, &key)
        .map(|_| ())
        .map_err(|err| err.context(format!("error in remove for path: '{path}'")))
}

fn replace(document: &mut Value, operation: &Object) -> Result<()> {
    let path = path_of(operation, "replace")?;
    let value = value_of(operation);
    if path.is_empty() {
        if !matches!(value, Value::Object(_) | Value::Array(_)) {
            return Err(Error::new(
                "replace operation value must be object or array: %!w(<nil>)",
            ));
        }
        *document = value;
        return Ok(());
    }
    let Some((container, key)) = container(document, path) else {
        return Err(Error::new(format!(
            "replace operation does not apply: doc is missing path: {path}: {MISSING}"
        )));
    };
    match container {
        Value::Array(items) => match index(&key, items.len()) {
            Ok(at) => items[at] = value,
            Err(_) => {
                return Err(Error::new(format!(
                    "replace operation does not apply: doc is missing key: {path}: {MISSING}"
                )));
            }
        },
        Value::Object(object) => object.set(key, value),
        _ => {}
    }
    Ok(())
}

fn relocate(document: &mut Value, operation: &Object) -> Result<()> {
    let from = from_of(operation, "move")?;
    let Some((source, key)) = container(document, from) else {
        return Err(Error::new(format!(
            "move operation does not apply: doc is missing from path: {from}: {MISSING}"
        )));
    };
    let value = take(source, &key)
        .map_err(|err| err.context(format!("error in move for path: '{key}'")))?;
    let path = path_of(operation, "move")?;
    let Some((target, key)) = container(document, path) else {
        return Err(Error::new(format!(
            "move operation does not apply: doc is missing destination path: {path}: {MISSING}"
        )));
    };
    insert(target, &key, value)
        .map_err(|err| err.context(format!("error in move for path: '{path}'")))
}

fn copy(document: &mut Value, operation: &Object) -> Result<()> {
    let from = from_of(operation, "copy")?;
    let Some((source, key)) = container(document, from) else {
        return Err(Error::new(format!(
            "copy operation does not apply: doc is missing from path: {from}: {MISSING}"
        )));
    };
    let value = get(source, &key)
        .map_err(|err| err.context(format!("error in copy for from: '{from}'")))?
        .cloned()
        .unwrap_or_default();
    let path = path_of(operation, "copy")?;
    let Some((target, key)) = container(document, path) else {
        return Err(Error::new(format!(
            "copy operation does not apply: doc is missing destination path: {path}: {MISSING}"
        )));
    };
    insert(target, &key, value).map_err(|err| err.context("error while adding value during copy"))
}

fn test(document: &mut Value, operation: &Object) -> Result<()> {
    let path = path_of(operation, "test")?;
    let wanted = value_of(operation);
    let failed = || Error::new(format!("testing value {path} failed: {TEST_FAILED}"));
    if path.is_empty() {
        return if same(document, &wanted) {
            Ok(())
        } else {
            Err(failed())
        };
    }
    let Some((container, key)) = container(document, path) else {
        return Err(Error::new(format!(
            "test operation does not apply: is missing path: {path}: {MISSING}"
        )));
    };
    let found = get(container, &key)
        .map_err(|err| err.context(format!("error in test for path: '{path}'")))?;
    if same(found.unwrap_or(&Value::Null), &wanted) {
        Ok(())
    } else {
        Err(failed())
    }
}

/// Equal as JSON; the order of keys does not count, the text of numbers does.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (a, b) => a == b,
    }
}
