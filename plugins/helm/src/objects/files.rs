//! `.Files` (helm/helm pkg/engine/files.go).

use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use weir_template::value::View;
use weir_template::{CallError, Kind, Map, MapType, Object, Type, Value};
use weir_yaml::Value as Plain;

use crate::chart::File;
use crate::glob::TreePattern;

const TYPE: &str = "engine.files";

/// The files of a chart that are neither templates nor Helm's.
pub(crate) fn files(files: &[File]) -> Value {
    let files = files.iter();
    let entries = files.map(|file| (file.name.as_str(), Value::Bytes(Rc::clone(&file.data))));
    of(Map::new(MapType::Bytes(TYPE), entries))
}

fn of(map: Map) -> Value {
    Value::Object(Rc::new(Files { map: Rc::new(map) }))
}

struct Files {
    map: Rc<Map>,
}

impl Files {
    fn get(&self, name: &str) -> Rc<[u8]> {
        match self.map.get(name) {
            Some(Value::Bytes(bytes)) => bytes,
            _ => Rc::new([]),
        }
    }

    /// Those whose paths match; all of them if the pattern is malformed.
    fn glob(&self, pattern: &str) -> Value {
        let pattern = TreePattern::parse(pattern);
        let mut entries = self.map.entries();
        if let Some(pattern) = pattern {
            entries.retain(|(name, _)| pattern.matches(name));
        }
        of(Map::new(MapType::Bytes(TYPE), entries))
    }

    /// A YAML map of the files by their names without folders.
    fn to_yaml(&self, content: impl Fn(&[u8]) -> String) -> Value {
        let mut object = weir_yaml::Object::new();
        for (path, value) in self.map.entries() {
            let Value::Bytes(bytes) = value else { continue };
            let name = path.rsplit('/').next().unwrap_or(&path);
            object.set(name, Plain::String(content(&bytes)));
        }
        // What cannot be written is nothing, as in the original.
        let plain = weir_yaml::decode::for_printing(Plain::Object(object));
        let text = plain.map(|plain| weir_yaml::to_yaml(&plain));
        let text = text.unwrap_or_default();
        Value::from(text.strip_suffix('\n').unwrap_or(&text))
    }

    fn lines(&self, path: &str) -> Result<Value, CallError> {
        if !self.map.contains(path) {
            return Ok(Value::strings::<Rc<str>>([]));
        }
        let bytes = self.get(path);
        let text = match bytes.split_last() {
            // The original looks at the last byte of nothing.
            None => {
                return Err(CallError::text("runtime error: index out of range [-1]"));
            }
            Some((b'\n', text)) => text,
            Some(_) => &bytes,
        };
        let lines = text.split(|byte| *byte == b'\n');
        let lines = lines.map(|line| Value::string_from_bytes(line.to_vec()));
        let list = weir_template::List::new(weir_template::ListType::Strings, lines.collect());
        Ok(Value::List(Rc::new(list)))
    }
}

impl Object for Files {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(TYPE)
    }

    fn kind(&self) -> Kind {
        Kind::Map
    }

    fn view(&self) -> View {
        View::Map(Rc::clone(&self.map))
    }

    fn method(&self, name: &str) -> Option<&'static [Type]> {
        match name {
            "Get" | "GetBytes" | "Glob" | "Lines" => Some(&[Type::String]),
            "AsConfig" | "AsSecrets" => Some(&[]),
            _ => None,
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, CallError> {
        let argument = arguments.first().and_then(Value::text).unwrap_or_default();
        match name {
            "Get" => Ok(Value::string_from_bytes(self.get(&argument).to_vec())),
            "GetBytes" => Ok(Value::Bytes(self.get(&argument))),
            "Glob" => Ok(self.glob(&argument)),
            "Lines" => self.lines(&argument),
            "AsConfig" => Ok(self.to_yaml(|bytes| String::from_utf8_lossy(bytes).into_owned())),
            _ => Ok(self.to_yaml(|bytes| BASE64.encode(bytes))),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
