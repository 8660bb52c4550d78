//! References between schemas of one document (gojsonschema schemaPool.go).

use std::collections::BTreeMap;

use weir_yaml::Value as Plain;

/// A document whose references are absolute, with the schemas in it that have an identity.
pub(super) struct Document {
    root: Plain,
}

/// Schemas by identity: the root has the empty one, besides its own.
pub(super) struct Identities<'a> {
    known: BTreeMap<String, &'a Plain>,
}

impl Document {
    /// Makes every `$ref` absolute.
    pub(super) fn new(mut root: Plain) -> Self {
        absolutize(&mut root, "");
        Self { root }
    }

    pub(super) fn root(&self) -> &Plain {
        &self.root
    }

    pub(super) fn identities(&self) -> Identities<'_> {
        let mut known = BTreeMap::new();
        known.insert(String::new(), &self.root);
        collect(&self.root, "", &mut known);
        Identities { known }
    }
}

impl<'a> Identities<'a> {
    /// What an absolute reference points at.
    pub(super) fn find(&self, reference: &str) -> Result<&'a Plain, String> {
        if let Some(found) = self.known.get(reference) {
            return Ok(found);
        }
        let (base, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let Some(document) = self.known.get(base) else {
            return Err(if base.contains("://") {
                format!("Get {base:?}: schemas are not fetched")
            } else {
                format!("Reference {reference} must be canonical")
            });
        };
        follow(document, &percent_decoded(pointer))
    }
}

/// Follows a JSON pointer.
fn follow<'a>(document: &'a Plain, pointer: &str) -> Result<&'a Plain, String> {
    let mut at = document;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        at = match at {
            Plain::Object(object) => object
                .get(&token)
                .ok_or_else(|| format!("Object has no key '{token}'"))?,
            Plain::Array(items) => item(items, &token)?,
            _ => return Err(format!("Invalid token reference '{token}'")),
        };
    }
    Ok(at)
}

fn item<'a>(items: &'a [Plain], token: &str) -> Result<&'a Plain, String> {
    let index: usize = token
        .parse()
        .map_err(|_| format!("strconv.Atoi: parsing {token:?}: invalid syntax"))?;
    let length = items.len();
    items
        .get(index)
        .ok_or_else(|| format!("Out of bound array[0,{length}] index '{index}'"))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Keys below which names, not keywords, stand.
fn holds_names(key: &str) -> bool {
    matches!(key, "properties" | "dependencies" | "patternProperties")
}

/// Keys below which data stands.
fn holds_data(key: &str) -> bool {
    matches!(key, "const" | "enum")
}

fn identity(schema: &Plain) -> Option<&str> {
    let own = schema.get("id").or_else(|| schema.get("$id"))?;
    own.as_str()
}

fn absolutize(schema: &mut Plain, base: &str) {
    let base = match identity(schema) {
        Some(id) => resolve(base, id),
        None => base.to_owned(),
    };
    match schema {
        Plain::Array(items) => items.iter_mut().for_each(|item| absolutize(item, &base)),
        Plain::Object(object) => {
            for (key, value) in object.iter_mut() {
                if let ("$ref", Plain::String(reference)) = (key, &mut *value) {
                    *reference = resolve(&base, reference);
                } else if holds_names(key) {
                    if let Plain::Object(names) = value {
                        names
                            .iter_mut()
                            .for_each(|(_, value)| absolutize(value, &base));
                    }
                } else if !holds_data(key) {
                    absolutize(value, &base);
                }
            }
        }
        _ => {}
    }
}

fn collect<'a>(schema: &'a Plain, base: &str, known: &mut BTreeMap<String, &'a Plain>) {
    let base = match identity(schema) {
        Some(id) => {
            let id = resolve(base, id);
            known.insert(id.clone(), schema);
            id
        }
        None => base.to_owned(),
    };
    match schema {
        Plain::Array(items) => items.iter().for_each(|item| collect(item, &base, known)),
        Plain::Object(object) => {
            for (key, value) in object.iter() {
                match value {
                    Plain::Object(names) if holds_names(key) => {
                        names
                            .iter()
                            .for_each(|(_, value)| collect(value, &base, known));
                    }
                    value if !holds_data(key) && !holds_names(key) => {
                        collect(value, &base, known);
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// A reference as seen from a base; an empty fragment is none.
fn resolve(base: &str, reference: &str) -> String {
    let base = base.split('#').next().unwrap_or_default();
    let reference = reference.strip_suffix('#').unwrap_or(reference);
    let (path, _) = reference.split_once('#').unwrap_or((reference, ""));
    if path.is_empty() {
        return format!("{base}{reference}");
    }
    if path.contains(':') || base.is_empty() {
        return reference.to_owned();
    }
    let (scheme, rest) = match base.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), base),
    };
    let host = rest.split('/').next().unwrap_or_default();
    if path.starts_with('/') {
        return format!("{scheme}{host}{reference}");
    }
    let folder = rest.rsplit_once('/').map_or(host, |(folder, _)| folder);
    format!("{scheme}{folder}/{reference}")
}
