//! YAML into the types that Helm declares, as `sigs.k8s.io/yaml` and `encoding/json` do it: a
//! number or boolean that stands where text is wanted becomes text, field names are found whatever
//! their case, and the first misfit in the order of keys is the error.

use weir_yaml::{Value as Plain, Wanted, number};

/// What a document is not; the text is that of Go's libraries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct DecodeError(String);

/// Reads a document.
pub(crate) fn yaml(bytes: &[u8]) -> Result<Plain, DecodeError> {
    weir_yaml::parse::decode_text(bytes)
        .and_then(|text| weir_yaml::from_yaml(&text))
        .map_err(no_yaml)
}

/// Reads some fields of a document; others may be missing.
pub(crate) fn yaml_fields(text: &str, wanted: &Wanted<'_>) -> Result<Plain, DecodeError> {
    weir_yaml::fields_from_yaml(text, wanted).map_err(no_yaml)
}

fn no_yaml(err: weir_yaml::Error) -> DecodeError {
    DecodeError(format!("error converting YAML to JSON: {err}"))
}

/// Where in a type a value stands, for messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Name of the struct; empty for one without a name.
    pub(crate) name: &'a str,
    /// Names of the fields on the way to it.
    pub(crate) path: &'a str,
}

impl Place<'_> {
    fn misfit(self, value: &Plain, wanted: &str) -> DecodeError {
        let given = json_type(value);
        let place = if self.path.is_empty() {
            "Go value".to_owned()
        } else {
            format!("Go struct field {}.{}", self.name, self.path)
        };
        DecodeError(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {given} into \
             {place} of type {wanted}"
        ))
    }
}

fn json_type(value: &Plain) -> &'static str {
    match value {
        Plain::Null => "null",
        Plain::Bool(_) => "bool",
        Plain::Int(_) | Plain::Uint(_) | Plain::Float(_) => "number",
        Plain::String(_) => "string",
        Plain::Array(_) => "array",
        Plain::Object(_) => "object",
    }
}

/// Calls `each` for every field of a struct that is given, in the order of keys: `names` are the
/// struct's.
pub(crate) fn fields(
    value: &Plain,
    place: Place<'_>,
    wanted: &str,
    names: &[&'static str],
    mut each: impl FnMut(&'static str, &Plain) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let object = match value {
        Plain::Null => return Ok(()),
        Plain::Object(object) => object,
        other => return Err(place.misfit(other, wanted)),
    };
    for (key, value) in object.sorted() {
        let exact = names.iter().find(|name| **name == key);
        let name = exact.or_else(|| names.iter().find(|name| name.eq_ignore_ascii_case(key)));
        if let Some(name) = name {
            each(name, value)?;
        }
    }
    Ok(())
}

/// Text; nothing stays what it was.
pub(crate) fn string(
    value: &Plain,
    place: Place<'_>,
    into: &mut String,
) -> Result<(), DecodeError> {
    *into = match value {
        Plain::Null => return Ok(()),
        Plain::String(text) => text.clone(),
        Plain::Bool(value) => value.to_string(),
        Plain::Int(value) => value.to_string(),
        Plain::Uint(value) => value.to_string(),
        // Through 32 bits, as the library prints it: what it cannot hold is lost.
        Plain::Float(value) => {
            let short = format!("{}", *value as f32);
            number::format_float(short.parse().unwrap_or(*value))
        }
        other => return Err(place.misfit(other, "string")),
    };
    Ok(())
}

/// A boolean.
pub(crate) fn boolean(value: &Plain, place: Place<'_>, into: &mut bool) -> Result<(), DecodeError> {
    match value {
        Plain::Null => {}
        Plain::Bool(value) => *into = *value,
        other => return Err(place.misfit(other, "bool")),
    }
    Ok(())
}

/// A list; `wanted` is its Go type. `None` for no list at all.
pub(crate) fn list<T>(
    value: &Plain,
    place: Place<'_>,
    wanted: &str,
    mut item: impl FnMut(&Plain) -> Result<T, DecodeError>,
) -> Result<Option<Vec<T>>, DecodeError> {
    match value {
        Plain::Null => Ok(None),
        Plain::Array(items) => items
            .iter()
            .map(&mut item)
            .collect::<Result<_, _>>()
            .map(Some),
        other => Err(place.misfit(other, wanted)),
    }
}

/// A list of text.
pub(crate) fn strings(value: &Plain, place: Place<'_>) -> Result<Vec<String>, DecodeError> {
    let items = list(value, place, "[]string", |item| {
        let mut text = String::new();
        string(item, place, &mut text)?;
        Ok(text)
    })?;
    Ok(items.unwrap_or_default())
}

/// A map of text to text; `None` for no map at all.
pub(crate) fn string_map(
    value: &Plain,
    place: Place<'_>,
) -> Result<Option<Vec<(String, String)>>, DecodeError> {
    let object = match value {
        Plain::Null => return Ok(None),
        Plain::Object(object) => object,
        other => return Err(place.misfit(other, "map[string]string")),
    };
    let mut entries = Vec::with_capacity(object.len());
    for (key, value) in object.sorted() {
        let mut text = String::new();
        string(value, place, &mut text)?;
        entries.push((key.to_owned(), text));
    }
    Ok(Some(entries))
}

/// A map of anything; null is an empty one.
pub(crate) fn map(value: Plain) -> Result<weir_yaml::Object, DecodeError> {
    match value {
        Plain::Null => Ok(weir_yaml::Object::new()),
        Plain::Object(object) => Ok(object),
        other => {
            let place = Place { name: "", path: "" };
            Err(place.misfit(&other, "map[string]interface {}"))
        }
    }
}
