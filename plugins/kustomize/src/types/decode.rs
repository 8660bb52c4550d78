//! Reading configuration as Go's `encoding/json` reads it into structs: names match without regard
//! to case, null changes nothing, and the first problem in key order is the one reported.

use std::collections::BTreeMap;

use weir_yaml::{Object, Value, number};

use crate::error::{Error, Result};
use crate::places::{self, Step};

/// How strictly to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A kustomization file: unknown fields are errors, numbers are not text.
    Strict,
    /// `UnmarshalStrict`: unknown fields are errors, numbers and booleans become text.
    StrictCoercing,
    /// `Unmarshal`: unknown fields are ignored, numbers and booleans become text.
    Lenient,
}

/// Where the reader stands.
pub(crate) struct Decoder {
    mode: Mode,
    /// Innermost struct and the fields on the way, for messages.
    in_struct: &'static str,
    fields: Vec<&'static str>,
    /// The way from the root of the document.
    path: Vec<Step>,
    problem: Option<(String, Vec<Step>)>,
}

/// Something that can be read from data.
pub(crate) trait Decode {
    /// Its Go type, for messages.
    fn go_type() -> String;

    /// Reads `value` into `self`.
    fn decode(&mut self, value: &Value, decoder: &mut Decoder);
}

/// Reads a whole document.
pub(crate) fn decode<T: Decode + Default>(value: &Value, mode: Mode) -> Result<T> {
    let mut target = T::default();
    decode_into(&mut target, value, mode)?;
    Ok(target)
}

/// As [`decode`], of a text that errors can point into.
pub(crate) fn decode_text<T: Decode + Default>(text: &str, value: &Value, mode: Mode) -> Result<T> {
    let mut target = T::default();
    match read(&mut target, value, mode) {
        None => Ok(target),
        Some((problem, path)) => Err(Error::new(problem).in_line(places::line_of(text, &path))),
    }
}

/// Reads a whole document into what is there already.
pub(crate) fn decode_into<T: Decode>(target: &mut T, value: &Value, mode: Mode) -> Result<()> {
    match read(target, value, mode) {
        Some((problem, _)) => Err(Error::new(problem)),
        None => Ok(()),
    }
}

/// The first problem, and the way to it.
fn read<T: Decode>(target: &mut T, value: &Value, mode: Mode) -> Option<(String, Vec<Step>)> {
    let mut decoder = Decoder {
        mode,
        in_struct: "",
        fields: Vec::new(),
        path: Vec::new(),
        problem: None,
    };
    target.decode(value, &mut decoder);
    decoder.problem
}

impl Decoder {
    /// A value of the wrong type.
    pub(crate) fn mismatch(&mut self, value: &Value, go_type: &str) {
        let found = match value {
            Value::Null => return,
            Value::Bool(_) => "bool".to_owned(),
            Value::Int(_) | Value::Uint(_) | Value::Float(_) => "number".to_owned(),
            Value::String(_) => "string".to_owned(),
            Value::Array(_) => "array".to_owned(),
            Value::Object(_) => "object".to_owned(),
        };
        self.mismatch_of(&found, go_type);
    }

    fn mismatch_of(&mut self, found: &str, go_type: &str) {
        let place = if self.in_struct.is_empty() {
            "Go value".to_owned()
        } else {
            format!(
                "Go struct field {}.{}",
                self.in_struct,
                self.fields.join(".")
            )
        };
        self.fail(format!(
            "json: cannot unmarshal {found} into {place} of type {go_type}"
        ));
    }

    fn fail(&mut self, problem: String) {
        if self.problem.is_none() {
            self.problem = Some((problem, self.path.clone()));
        }
    }

    /// Reads a struct: `field` is called with the name of each known field.
    pub(crate) fn structure(
        &mut self,
        value: &Value,
        go_name: &'static str,
        go_type: &str,
        known: &[&'static str],
        mut field: impl FnMut(&'static str, &Value, &mut Decoder),
    ) {
        let object: &Object = match value {
            Value::Object(object) => object,
            Value::Null => return,
            other => return self.mismatch(other, go_type),
        };
        let outer = std::mem::replace(&mut self.in_struct, go_name);
        for (key, value) in object.sorted() {
            let name = known
                .iter()
                .find(|name| **name == key)
                .or_else(|| known.iter().find(|name| name.eq_ignore_ascii_case(key)));
            self.path.push(Step::Field(key.to_owned()));
            match name {
                Some(name) => {
                    self.fields.push(name);
                    field(name, value, self);
                    self.fields.pop();
                }
                None if self.mode == Mode::Lenient => {}
                None => self.fail(format!("json: unknown field {key:?}")),
            }
            self.path.pop();
        }
        self.in_struct = outer;
    }
}

impl Decode for String {
    fn go_type() -> String {
        "string".to_owned()
    }

    fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
        match value {
            Value::String(text) => text.clone_into(self),
            Value::Int(_) | Value::Uint(_) | Value::Float(_) | Value::Bool(_)
                if decoder.mode != Mode::Strict =>
            {
                *self = coerced(value);
            }
            other => decoder.mismatch(other, "string"),
        }
    }
}

fn coerced(value: &Value) -> String {
    match value {
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        // Text of a float is that of a 32-bit one, as sigs.k8s.io/yaml formats it.
        Value::Float(value) => {
            let narrow: f64 = format!("{}", *value as f32).parse().unwrap_or(*value);
            number::format_float(narrow)
        }
        Value::Bool(value) => value.to_string(),
        _ => String::new(),
    }
}

impl Decode for bool {
    fn go_type() -> String {
        "bool".to_owned()
    }

    fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
        match value {
            Value::Bool(value) => *self = *value,
            other => decoder.mismatch(other, "bool"),
        }
    }
}

/// A whole number; Go's `int` and `int64` are the same here but for their names.
macro_rules! decode_integer {
    ($type:ty, $name:literal) => {
        impl Decode for $type {
            fn go_type() -> String {
                $name.to_owned()
            }

            fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
                match value {
                    Value::Int(value) => *self = *value as $type,
                    Value::Uint(value) => decoder.mismatch_of(&format!("number {value}"), $name),
                    Value::Float(value) => {
                        let text = number::format_json(*value).unwrap_or_default();
                        decoder.mismatch_of(&format!("number {text}"), $name);
                    }
                    other => decoder.mismatch(other, $name),
                }
            }
        }
    };
}

decode_integer!(i64, "int64");
decode_integer!(isize, "int");

impl<T: Decode + Default> Decode for Vec<T> {
    fn go_type() -> String {
        format!("[]{}", T::go_type())
    }

    fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
        match value {
            Value::Array(items) => {
                self.clear();
                for (at, item) in items.iter().enumerate() {
                    let mut element = T::default();
                    decoder.path.push(Step::Index(at));
                    element.decode(item, decoder);
                    decoder.path.pop();
                    self.push(element);
                }
            }
            Value::Null => self.clear(),
            other => decoder.mismatch(other, &Self::go_type()),
        }
    }
}

impl<T: Decode + Default> Decode for Option<T> {
    fn go_type() -> String {
        T::go_type()
    }

    fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
        if value.is_null() {
            *self = None;
        } else {
            self.get_or_insert_default().decode(value, decoder);
        }
    }
}

impl Decode for BTreeMap<String, String> {
    fn go_type() -> String {
        "map[string]string".to_owned()
    }

    fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
        match value {
            Value::Object(object) => {
                for (key, value) in object.sorted() {
                    let mut text = String::new();
                    decoder.path.push(Step::Field(key.to_owned()));
                    text.decode(value, decoder);
                    decoder.path.pop();
                    self.insert(key.to_owned(), text);
                }
            }
            other => decoder.mismatch(other, &Self::go_type()),
        }
    }
}

/// Data that is taken as it is.
impl Decode for Value {
    fn go_type() -> String {
        "interface {}".to_owned()
    }

    fn decode(&mut self, value: &Value, _decoder: &mut Decoder) {
        self.clone_from(value);
    }
}

/// Says how a struct is read: Go name, Go type, and per JSON name the field, which may lie in an
/// embedded struct.
macro_rules! decode_struct {
    ($type:ty, $name:literal, $go_type:literal, { $($key:literal => $($field:ident).+),* $(,)? }) => {
        impl $crate::types::decode::Decode for $type {
            fn go_type() -> String {
                $go_type.to_owned()
            }

            fn decode(
                &mut self,
                value: &weir_yaml::Value,
                decoder: &mut $crate::types::decode::Decoder,
            ) {
                decoder.structure(value, $name, $go_type, &[$($key),*], |name, value, decoder| {
                    match name {
                        $($key => $crate::types::decode::Decode::decode(
                            &mut self.$($field).+, value, decoder,
                        ),)*
                        _ => {}
                    }
                });
            }
        }
    };
}

pub(crate) use decode_struct;
