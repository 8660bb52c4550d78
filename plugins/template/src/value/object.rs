//! Values with methods: Helm's `.Files` and `.Capabilities`, times, versions.

use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;

use super::{Kind, List, Map, Value};
use crate::error::CallError;
use crate::function::Type;

/// A Go value with methods or exported fields. A field is looked up after the methods, as
/// `text/template` does.
pub trait Object {
    /// The name of its type, as `%T` prints it.
    fn type_name(&self) -> Cow<'static, str>;

    /// What Go's reflection takes it for.
    fn kind(&self) -> Kind {
        Kind::Struct
    }

    /// What it is below its methods.
    fn view(&self) -> View;

    /// An exported field.
    fn field(&self, name: &str) -> Option<Value> {
        match self.view() {
            View::Struct(fields) => {
                let mut fields = fields.into_iter();
                fields
                    .find(|(field, _)| *field == name)
                    .map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The parameters of a method; nothing if there is no such method.
    fn method(&self, name: &str) -> Option<&'static [Type]> {
        let _ = name;
        None
    }

    /// Calls a method that [`Object::method`] named, with arguments that were checked against its
    /// parameters.
    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, CallError> {
        let _ = arguments;
        Err(CallError::text(format!("no method {name}")))
    }

    /// Its text, if it is a `fmt.Stringer`.
    fn text(&self) -> Option<String> {
        None
    }

    /// Its text where Go can take its address, which is where an action prints a field that was
    /// reached through a pointer: there the methods of the pointer count too.
    fn text_if_addressable(&self) -> Option<String> {
        self.text()
    }

    /// What `encoding/json` makes of it; nothing if that is what [`Object::view`] says.
    fn json(&self) -> Option<Value> {
        None
    }

    /// For functions that know the type (times, versions).
    fn as_any(&self) -> &dyn Any;
}

/// What an object is to those who know nothing of its methods.
pub enum View {
    /// Exported fields in their order.
    Struct(Vec<(&'static str, Value)>),
    /// A map with a type of its own.
    Map(Rc<Map>),
    /// A slice with a type of its own.
    List(Rc<List>),
    /// A number with a type of its own, as durations are.
    Int(i64),
}
