//! The built-in facts.
//!
//! Each definition is a line `name [= apiVersion kind]...`, followed by its fields: `field . name`
//! leads to another definition, `field [keys] name` is a list that merges by the keys, with the
//! definition of its elements if that leads to further lists.

use std::collections::HashMap;

use super::{ListMerge, Schema};

const FACTS: &str = include_str!("v1.21.2.txt");

#[derive(Debug)]
struct Field {
    name: &'static str,
    /// Keys, for a list.
    list: Option<Vec<&'static str>>,
    target: &'static str,
}

/// The facts, indexed.
#[derive(Debug)]
pub(super) struct Builtin {
    definitions: Vec<Vec<Field>>,
    names: HashMap<&'static str, usize>,
    kinds: HashMap<(&'static str, &'static str), usize>,
}

impl Builtin {
    pub(super) fn load() -> Self {
        let mut facts = Self {
            definitions: Vec::with_capacity(128),
            names: HashMap::with_capacity(128),
            kinds: HashMap::with_capacity(128),
        };
        for line in FACTS.lines() {
            match line.strip_prefix("  ") {
                Some(field) => {
                    if let (Some(fields), Some(field)) =
                        (facts.definitions.last_mut(), parse_field(field))
                    {
                        fields.push(field);
                    }
                }
                None => facts.start(line),
            }
        }
        facts
    }

    fn start(&mut self, line: &'static str) {
        let index = self.definitions.len();
        self.definitions.push(Vec::new());
        let mut parts = line.split(" = ");
        if let Some(name) = parts.next() {
            self.names.insert(name, index);
        }
        for kind in parts {
            if let Some(kind) = kind.split_once(' ') {
                self.kinds.insert(kind, index);
            }
        }
    }

    pub(super) fn of_kind(&self, api_version: &str, kind: &str) -> Option<usize> {
        // The map's keys live as long as the program, the argument does not; both compare alike.
        self.kinds.get(&(api_version, kind)).copied()
    }

    pub(super) fn by_name(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    pub(super) fn field(&self, definition: usize, name: &str) -> Option<Schema> {
        let fields = self.definitions.get(definition)?;
        let at = fields.iter().position(|field| field.name == name)?;
        let field = fields.get(at)?;
        if field.list.is_some() {
            return Some(Schema::BuiltinList(definition, at));
        }
        self.by_name(field.target).map(Schema::Builtin)
    }

    pub(super) fn elements(&self, definition: usize, field: usize) -> Option<usize> {
        self.by_name(self.definitions.get(definition)?.get(field)?.target)
    }

    pub(super) fn list_merge(&self, definition: usize, field: usize) -> Option<ListMerge> {
        let keys = self
            .definitions
            .get(definition)?
            .get(field)?
            .list
            .as_ref()?;
        Some(ListMerge {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        })
    }
}

fn parse_field(line: &'static str) -> Option<Field> {
    let (name, rest) = line.split_once(' ')?;
    if let Some(target) = rest.strip_prefix(". ") {
        return Some(Field {
            name,
            list: None,
            target,
        });
    }
    let (keys, target) = rest.strip_prefix('[')?.split_once(']')?;
    let list = Some(keys.split(',').filter(|key| !key.is_empty()).collect());
    Some(Field {
        name,
        list,
        target: target.trim(),
    })
}
