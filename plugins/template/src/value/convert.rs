//! To and from plain data.

use weir_yaml::Value as Plain;

use super::{IntKind, UintKind, Value};

/// As `encoding/json` reads into `interface{}`: every number becomes a `float64`.
impl From<&Plain> for Value {
    fn from(plain: &Plain) -> Self {
        match plain {
            Plain::Null => Self::Nil,
            Plain::Bool(value) => Self::Bool(*value),
            Plain::Int(value) => Self::Float(*value as f64),
            Plain::Uint(value) => Self::Float(*value as f64),
            Plain::Float(value) => Self::Float(*value),
            Plain::String(text) => Self::string(text.as_str()),
            Plain::Array(items) => Self::list(items.iter().map(Self::from).collect()),
            Plain::Object(object) => {
                Self::map(object.iter().map(|(key, value)| (key, Self::from(value))))
            }
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<u8> for Value {
    fn from(value: u8) -> Self {
        Self::Uint(UintKind::Uint8, value.into())
    }
}

impl From<char> for Value {
    fn from(value: char) -> Self {
        Self::Int(IntKind::Int32, u32::from(value).into())
    }
}
