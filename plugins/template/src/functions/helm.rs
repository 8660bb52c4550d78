//! Helm's own functions (helm/helm `pkg/engine/funcs.go`, `engine.go`).

use std::rc::Rc;

use weir_yaml::Value as Plain;

use super::{Result, text};
use crate::encode::{json, toml, yaml};
use crate::error::CallError;
use crate::exec::Call;
use crate::function::Function;
use crate::function::Type::{Any, String as Str};
use crate::value::{List, ListType, Map, MapType, Value};

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("include", &[Str, Any], |call, v| {
        call.include(&text(&v[0]), v[1].clone())
    }),
    Function::new("tpl", &[Str, Any], |call, v| {
        call.tpl(&text(&v[0]).into(), v[1].clone())
    }),
    Function::new("required", &[Str, Any], required),
    Function::new("fail", &[Str], |_, v| Err(warning(&text(&v[0])))),
    Function::new("lookup", &[Str, Str, Str, Str], lookup),
    Function::new("toYaml", &[Any], to_yaml),
    Function::new("toYamlPretty", &[Any], |call, v| {
        let written = yaml::write_pretty(&v[0]).unwrap_or_default();
        call.charge(written.len())?;
        Ok(without_end(written))
    }),
    Function::new("fromYaml", &[Str], |_, v| {
        Ok(map_of(weir_yaml::from_yaml(&text(&v[0])), Source::Yaml))
    }),
    Function::new("fromYamlArray", &[Str], |_, v| {
        Ok(list_of(weir_yaml::from_yaml(&text(&v[0])), Source::Yaml))
    }),
    Function::new("toJson", &[Any], |call, v| {
        // Errors are swallowed, as Helm does.
        let written = json::write(&v[0], json::Style::COMPACT).unwrap_or_default();
        call.charge(written.len())?;
        Ok(written.into())
    }),
    Function::new("fromJson", &[Str], |_, v| {
        Ok(map_of(weir_yaml::json::parse(&text(&v[0])), Source::Json))
    }),
    Function::new("fromJsonArray", &[Str], |_, v| {
        Ok(list_of(weir_yaml::json::parse(&text(&v[0])), Source::Json))
    }),
    Function::new("toToml", &[Any], |_, v| {
        if v[0].is_nil() {
            return Err("reflect: call of reflect.Value.Type on zero Value".into());
        }
        Ok(toml::write(&v[0]).unwrap_or_else(|error| error).into())
    }),
    Function::new("fromToml", &[Str], |_, v| {
        Ok(toml::read(&text(&v[0])).unwrap_or_else(error_map))
    }),
    // Helm does not look names up unless it is told to.
    Function::new("getHostByName", &[Str], |_, _| Ok("".into())),
];

/// Where the text of a chart's own message begins and ends; Helm shows nothing else of the error.
const WARNING: (&str, &str) = ("HELM_ERR_START", "HELM_ERR_END");

/// What a text is read as. YAML is read by way of JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Json,
    Yaml,
}

fn warning(message: &str) -> CallError {
    let (start, end) = WARNING;
    CallError::text(format!("{start}{message}{end}"))
}

fn required(_: &mut Call<'_>, v: &[Value]) -> Result {
    if v[1].is_nil() || v[1].as_str() == Some("") {
        return Err(warning(&text(&v[0])));
    }
    Ok(v[1].clone())
}

fn lookup(call: &mut Call<'_>, v: &[Value]) -> Result {
    let [version, kind, namespace, name] = [0, 1, 2, 3].map(|i| text(&v[i]));
    call.host()
        .lookup(&version, &kind, &namespace, &name)
        .map_err(CallError::from)
}

fn to_yaml(call: &mut Call<'_>, v: &[Value]) -> Result {
    let written = yaml::write(&v[0]).unwrap_or_default();
    call.charge(written.len())?;
    Ok(without_end(written))
}

fn without_end(mut written: String) -> Value {
    if written.ends_with('\n') {
        written.pop();
    }
    written.into()
}

fn error_map(message: String) -> Value {
    Value::map([("Error", message.into())])
}

/// What JSON calls a value that is not what was asked for.
fn json_kind(plain: &Plain) -> &'static str {
    match plain {
        Plain::Null => "null",
        Plain::Bool(_) => "bool",
        Plain::Int(_) | Plain::Uint(_) | Plain::Float(_) => "number",
        Plain::String(_) => "string",
        Plain::Array(_) => "array",
        Plain::Object(_) => "object",
    }
}

type Read = std::result::Result<Plain, weir_yaml::Error>;

/// A map, or one that tells the error.
fn map_of(read: Read, source: Source) -> Value {
    match read {
        Ok(plain @ Plain::Object(_)) => (&plain).into(),
        // JSON's null makes the map nil. The other library reads it into something else than the
        // map, which stays as it was.
        Ok(Plain::Null) if source == Source::Json => Value::Map(Rc::new(Map::nil(MapType::Any))),
        Ok(Plain::Null) => Value::map::<&str>([]),
        Ok(other) => error_map(wrong_kind(&other, "map[string]interface {}", source)),
        Err(error) => error_map(read_error(&error, source)),
    }
}

/// A list, or one of the error alone.
fn list_of(read: Read, source: Source) -> Value {
    match read {
        Ok(plain @ Plain::Array(_)) => (&plain).into(),
        Ok(Plain::Null) if source == Source::Json => Value::List(Rc::new(List::nil(ListType::Any))),
        Ok(Plain::Null) => Value::list(Vec::new()),
        Ok(other) => Value::list(vec![wrong_kind(&other, "[]interface {}", source).into()]),
        Err(error) => Value::list(vec![read_error(&error, source).into()]),
    }
}

fn wrong_kind(plain: &Plain, wanted: &str, source: Source) -> String {
    let kind = json_kind(plain);
    let problem = format!("json: cannot unmarshal {kind} into Go value of type {wanted}");
    match source {
        Source::Json => problem,
        Source::Yaml => format!("error unmarshaling JSON: while decoding JSON: {problem}"),
    }
}

fn read_error(error: &weir_yaml::Error, source: Source) -> String {
    match source {
        Source::Json => error.to_string(),
        Source::Yaml => format!("error converting YAML to JSON: {error}"),
    }
}
