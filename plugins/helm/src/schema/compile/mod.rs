//! JSON becomes schemas (gojsonschema schema.go).

mod keywords;

use std::collections::BTreeMap;

use weir_template::GoRegex;
use weir_yaml::{Object, Value as Plain};

use super::decimal::Decimal;
use super::document::{Document, Identities};
use super::node::{Additional, Dependency, Items, Node, SchemaId, Schemas};
pub(super) use keywords::as_json;
use keywords::{enumeration, optional_string, sizes, strings, types, wrong_type};

/// Which keywords there are. Without a known `$schema` all of them are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Draft {
    Four,
    Six,
    Seven,
    Hybrid,
}

/// Reads a schema; the root is the first.
pub(super) fn compile(document: Plain) -> Result<Schemas, String> {
    let draft = match document.get("$schema") {
        None => Draft::Hybrid,
        Some(Plain::String(url)) => match url.strip_suffix('#').unwrap_or(url) {
            "http://json-schema.org/draft-04/schema" => Draft::Four,
            "http://json-schema.org/draft-06/schema" => Draft::Six,
            "http://json-schema.org/draft-07/schema" => Draft::Seven,
            _ => Draft::Hybrid,
        },
        Some(_) => return Err("$schema must be of type string".to_owned()),
    };
    if !matches!(document, Plain::Object(_) | Plain::Bool(_)) {
        return Err("schema is invalid".to_owned());
    }
    let document = Document::new(document);
    let mut compiler = Compiler {
        draft,
        identities: document.identities(),
        referenced: BTreeMap::new(),
        schemas: Schemas::default(),
    };
    compiler.schema(document.root())?;
    Ok(compiler.schemas)
}

struct Compiler<'a> {
    draft: Draft,
    identities: Identities<'a>,
    /// Schemas by the references that led to them: a schema may refer to itself.
    referenced: BTreeMap<String, SchemaId>,
    schemas: Schemas,
}

impl Compiler<'_> {
    fn schema(&mut self, schema: &Plain) -> Result<SchemaId, String> {
        let id = SchemaId(self.schemas.nodes.len());
        self.schemas.nodes.push(Node::default());
        self.fill(id, schema)?;
        Ok(id)
    }

    fn fill(&mut self, id: SchemaId, schema: &Plain) -> Result<(), String> {
        let object = match schema {
            Plain::Bool(pass) if self.draft >= Draft::Six => {
                self.schemas.nodes[id.0].pass = Some(*pass);
                return Ok(());
            }
            Plain::Object(object) => object,
            _ => return Err("Expected: valid schema, given: Invalid JSON".to_owned()),
        };
        self.definitions(object)?;
        for key in ["title", "description", "$ref"] {
            optional_string(object, key)?;
        }
        let mut node = Node::default();
        if let Some(Plain::String(reference)) = object.get("$ref") {
            node.reference = Some(self.reference(reference)?);
        } else {
            self.keywords(&mut node, object)?;
        }
        self.schemas.nodes[id.0] = node;
        Ok(())
    }

    /// Definitions are read even where nothing refers to them, for their errors.
    fn definitions(&mut self, object: &Object) -> Result<(), String> {
        let invalid = || wrong_type("array of schemas", "definitions");
        match object.get("definitions") {
            None => Ok(()),
            Some(Plain::Object(definitions)) => {
                for (_, definition) in definitions.sorted() {
                    if !is_schema(definition) {
                        return Err(invalid());
                    }
                    self.schema(definition)?;
                }
                Ok(())
            }
            Some(_) => Err(invalid()),
        }
    }

    fn reference(&mut self, reference: &str) -> Result<SchemaId, String> {
        if let Some(id) = self.referenced.get(reference) {
            return Ok(*id);
        }
        let schema = self.identities.find(reference)?;
        if !is_schema(schema) {
            return Err("valid schema must be of type object".to_owned());
        }
        let id = SchemaId(self.schemas.nodes.len());
        self.schemas.nodes.push(Node::default());
        self.referenced.insert(reference.to_owned(), id);
        self.fill(id, schema)?;
        Ok(id)
    }

    fn keywords(&mut self, node: &mut Node, object: &Object) -> Result<(), String> {
        types(node, object)?;
        self.object_keywords(node, object)?;
        self.array_keywords(node, object)?;
        self.numbers(node, object)?;
        strings(node, object)?;
        sizes(node, object)?;
        if self.draft >= Draft::Six {
            if let Some(contains) = object.get("contains") {
                node.contains = Some(self.schema(contains)?);
            }
            node.constant = object.get("const").map(as_json).transpose()?;
        }
        enumeration(node, object)?;
        node.one_of = self.list_of_schemas(object, "oneOf", "oneOf")?;
        node.any_of = self.list_of_schemas(object, "anyOf", "anyOf")?;
        // The original names the wrong keyword here.
        node.all_of = self.list_of_schemas(object, "allOf", "anyOf")?;
        node.not = self.inner(object, "not")?;
        if self.draft >= Draft::Seven {
            node.condition = self.inner(object, "if")?;
            node.consequence = self.inner(object, "then")?;
            node.alternative = self.inner(object, "else")?;
        }
        Ok(())
    }

    fn inner(&mut self, object: &Object, key: &str) -> Result<Option<SchemaId>, String> {
        match object.get(key) {
            None => Ok(None),
            Some(schema) if is_schema(schema) => self.schema(schema).map(Some),
            Some(_) => Err(format!("{key} must be of an object")),
        }
    }

    fn list_of_schemas(
        &mut self,
        object: &Object,
        key: &str,
        named: &str,
    ) -> Result<Vec<SchemaId>, String> {
        match object.get(key) {
            None => Ok(Vec::new()),
            Some(Plain::Array(items)) => items.iter().map(|item| self.schema(item)).collect(),
            Some(_) => Err(format!("{named} must be of an array")),
        }
    }

    fn additional(&mut self, object: &Object, key: &str) -> Result<Option<Additional>, String> {
        match object.get(key) {
            None => Ok(None),
            Some(Plain::Bool(allowed)) => Ok(Some(Additional::Allowed(*allowed))),
            Some(schema @ Plain::Object(_)) => Ok(Some(Additional::Schema(self.schema(schema)?))),
            Some(_) => Err(wrong_type("boolean/valid schema", key)),
        }
    }

    fn object_keywords(&mut self, node: &mut Node, object: &Object) -> Result<(), String> {
        match object.get("properties") {
            None => {}
            Some(Plain::Object(properties)) => {
                for (name, schema) in properties.sorted() {
                    node.properties
                        .push((name.to_owned(), self.schema(schema)?));
                }
            }
            Some(_) => return Err("properties must be of type object".to_owned()),
        }
        node.additional_properties = self.additional(object, "additionalProperties")?;
        match object.get("patternProperties") {
            None => {}
            Some(Plain::Object(patterns)) => {
                for (pattern, schema) in patterns.sorted() {
                    let regex = GoRegex::new(pattern)
                        .map_err(|_| format!("Invalid regex pattern '{pattern}'"))?;
                    node.pattern_properties.push((regex, self.schema(schema)?));
                }
            }
            Some(_) => return Err(wrong_type("valid schema", "patternProperties")),
        }
        if self.draft >= Draft::Six
            && let Some(names) = object.get("propertyNames")
        {
            if !is_schema(names) {
                return Err(wrong_type("valid schema", "patternProperties"));
            }
            node.property_names = Some(self.schema(names)?);
        }
        self.dependencies(node, object)
    }

    fn dependencies(&mut self, node: &mut Node, object: &Object) -> Result<(), String> {
        let entries = match object.get("dependencies") {
            None => return Ok(()),
            Some(Plain::Object(entries)) => entries,
            Some(_) => return Err("dependencies must be of type object".to_owned()),
        };
        let invalid = || "dependency must be of type schema or array of strings".to_owned();
        for (key, value) in entries.sorted() {
            let dependency = match value {
                Plain::Array(keys) => {
                    let keys = keys.iter().map(|key| key.as_str().map(str::to_owned));
                    Dependency::Keys(keys.collect::<Option<_>>().ok_or_else(invalid)?)
                }
                schema if is_schema(schema) => Dependency::Schema(self.schema(schema)?),
                _ => return Err(invalid()),
            };
            node.dependencies.insert(key.to_owned(), dependency);
        }
        Ok(())
    }

    fn array_keywords(&mut self, node: &mut Node, object: &Object) -> Result<(), String> {
        let invalid = || wrong_type("valid schema/array of schemas", "items");
        node.items = match object.get("items") {
            None => Items::Any,
            Some(Plain::Array(schemas)) => {
                if !schemas.iter().all(is_schema) {
                    return Err(invalid());
                }
                let schemas = schemas.iter().map(|schema| self.schema(schema));
                Items::Each(schemas.collect::<Result<_, _>>()?)
            }
            Some(schema) if is_schema(schema) => Items::All(self.schema(schema)?),
            Some(_) => return Err(invalid()),
        };
        node.additional_items = self.additional(object, "additionalItems")?;
        Ok(())
    }

    fn numbers(&self, node: &mut Node, object: &Object) -> Result<(), String> {
        if let Some(value) = object.get("multipleOf") {
            let number = Decimal::of(value).ok_or_else(|| wrong_type("number", "multipleOf"))?;
            if !number.is_positive() {
                return Err("multipleOf must be strictly greater than 0".to_owned());
            }
            node.multiple_of = Some(number);
        }
        (node.minimum, node.exclusive_minimum) =
            self.bound(object, "minimum", "exclusiveMinimum")?;
        (node.maximum, node.exclusive_maximum) =
            self.bound(object, "maximum", "exclusiveMaximum")?;
        Ok(())
    }

    /// A bound and its exclusive form, which was a switch before draft 6.
    fn bound(
        &self,
        object: &Object,
        key: &str,
        exclusive_key: &str,
    ) -> Result<(Option<Decimal>, Option<Decimal>), String> {
        let bound = match object.get(key) {
            None => None,
            Some(value) => {
                let number = Decimal::of(value);
                Some(number.ok_or_else(|| format!("{key} must be of a number"))?)
            }
        };
        let may_switch = matches!(self.draft, Draft::Four | Draft::Hybrid);
        match object.get(exclusive_key) {
            None => Ok((bound, None)),
            Some(Plain::Bool(exclusive)) if may_switch => match bound {
                None => Err(format!("{exclusive_key} cannot be used without {key}")),
                Some(_) if *exclusive => Ok((None, bound)),
                Some(_) => Ok((bound, None)),
            },
            Some(value) => match Decimal::of(value) {
                Some(number) if self.draft != Draft::Four => Ok((bound, Some(number))),
                _ => Err(wrong_type(
                    match self.draft {
                        Draft::Four => "boolean",
                        Draft::Hybrid => "boolean/number",
                        Draft::Six | Draft::Seven => "number",
                    },
                    exclusive_key,
                )),
            },
        }
    }
}

fn is_schema(value: &Plain) -> bool {
    matches!(value, Plain::Object(_) | Plain::Bool(_))
}
