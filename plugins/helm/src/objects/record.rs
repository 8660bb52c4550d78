//! Structs of Go.

use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;

use weir_template::value::View;
use weir_template::{Kind, Object, Value};

/// The name of a field in JSON.
#[derive(Debug, Clone, Copy)]
pub(super) enum JsonName {
    /// It is always written.
    Always(&'static str),
    /// It is left out when empty.
    UnlessEmpty(&'static str),
}

/// A struct whose fields are known beforehand.
pub(super) struct Record {
    pub(super) type_name: &'static str,
    pub(super) kind: Kind,
    /// In their order.
    pub(super) fields: Vec<(&'static str, Value)>,
    /// The struct embedded in it, whose fields are its own too.
    pub(super) embedded: Option<Rc<Self>>,
    /// Fields of its JSON form as they are written; nothing if those are its own.
    pub(super) json: Option<Vec<(&'static str, Value)>>,
}

impl Record {
    /// A plain struct.
    pub(super) fn new(type_name: &'static str, fields: Vec<(&'static str, Value)>) -> Self {
        Self {
            type_name,
            kind: Kind::Struct,
            fields,
            embedded: None,
            json: None,
        }
    }

    /// A pointer to such a struct.
    pub(super) fn pointer(mut self) -> Self {
        self.kind = Kind::Ptr;
        self
    }

    /// With the names that its fields have in JSON, in the same order.
    pub(super) fn with_json(mut self, names: &[JsonName]) -> Self {
        let fields = names.iter().zip(&self.fields);
        let written = fields.filter(|(name, (_, value))| match name {
            JsonName::Always(_) => true,
            JsonName::UnlessEmpty(_) => value.is_true(),
        });
        self.json = Some(
            written
                .map(
                    |(JsonName::Always(name) | JsonName::UnlessEmpty(name), (_, value))| {
                        (*name, value.clone())
                    },
                )
                .collect(),
        );
        self
    }

    /// As a template's value.
    pub(super) fn value(self) -> Value {
        Value::Object(Rc::new(self))
    }

    fn own(&self, name: &str) -> Option<&Value> {
        let mut fields = self.fields.iter();
        fields
            .find(|(field, _)| *field == name)
            .map(|(_, value)| value)
    }
}

impl Object for Record {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.type_name)
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn view(&self) -> View {
        View::Struct(self.fields.clone())
    }

    fn field(&self, name: &str) -> Option<Value> {
        let embedded = || self.embedded.as_ref()?.own(name);
        self.own(name).or_else(embedded).cloned()
    }

    fn json(&self) -> Option<Value> {
        let fields = self.json.clone()?;
        // A struct again, for its order.
        Some(Self::new(self.type_name, fields).value())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
