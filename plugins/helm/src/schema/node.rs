//! A schema once it is read.

use std::collections::BTreeMap;

use weir_template::GoRegex;

use super::decimal::Decimal;

/// A schema among the [`Schemas`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SchemaId(pub(super) usize);

/// All schemas of a document.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    pub(super) nodes: Vec<Node>,
}

impl std::ops::Index<SchemaId> for Schemas {
    type Output = Node;

    fn index(&self, id: SchemaId) -> &Node {
        &self.nodes[id.0]
    }
}

/// A boolean or a schema.
#[derive(Debug, Clone, Copy)]
pub(super) enum Additional {
    Allowed(bool),
    Schema(SchemaId),
}

/// What the presence of a key demands.
#[derive(Debug)]
pub(super) enum Dependency {
    Keys(Vec<String>),
    Schema(SchemaId),
}

/// Schemas of the items of a list.
#[derive(Debug, Default)]
pub(super) enum Items {
    #[default]
    Any,
    All(SchemaId),
    Each(Vec<SchemaId>),
}

/// One schema, by its keywords.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// `true` or `false` in place of a schema.
    pub(super) pass: Option<bool>,
    pub(super) reference: Option<SchemaId>,
    pub(super) types: Vec<String>,

    pub(super) properties: Vec<(String, SchemaId)>,
    pub(super) additional_properties: Option<Additional>,
    pub(super) pattern_properties: Vec<(GoRegex, SchemaId)>,
    pub(super) property_names: Option<SchemaId>,
    pub(super) dependencies: BTreeMap<String, Dependency>,
    pub(super) required: Vec<String>,
    pub(super) min_properties: Option<i64>,
    pub(super) max_properties: Option<i64>,

    pub(super) items: Items,
    pub(super) additional_items: Option<Additional>,
    pub(super) min_items: Option<i64>,
    pub(super) max_items: Option<i64>,
    pub(super) unique_items: bool,
    pub(super) contains: Option<SchemaId>,

    pub(super) multiple_of: Option<Decimal>,
    pub(super) minimum: Option<Decimal>,
    pub(super) exclusive_minimum: Option<Decimal>,
    pub(super) maximum: Option<Decimal>,
    pub(super) exclusive_maximum: Option<Decimal>,

    pub(super) min_length: Option<i64>,
    pub(super) max_length: Option<i64>,
    pub(super) pattern: Option<GoRegex>,
    pub(super) format: Option<String>,

    /// As JSON.
    pub(super) constant: Option<String>,
    /// As JSON.
    pub(super) enumeration: Vec<String>,

    pub(super) one_of: Vec<SchemaId>,
    pub(super) any_of: Vec<SchemaId>,
    pub(super) all_of: Vec<SchemaId>,
    pub(super) not: Option<SchemaId>,
    pub(super) condition: Option<SchemaId>,
    pub(super) consequence: Option<SchemaId>,
    pub(super) alternative: Option<SchemaId>,
}
