//! The template function `lookup` (helm/helm pkg/engine/lookup_func.go).

use weir_sdk::{Class, Error, cluster};
use weir_template::Value;
use weir_yaml::{Value as Plain, json};

/// The code of the host's failure where the operator grants no reads of a kind.
const NOT_GRANTED: &str = "NotGranted";

/// The object, or the list of all for an empty name. Empty where there is none, and where the
/// cluster may not be read: a chart renders then as with `helm template`.
pub(super) fn lookup(
    api_version: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<Value, String> {
    let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
    let found = if name.is_empty() {
        cluster::list(api_version, kind, namespace, None)
            .and_then(|items| list(api_version, kind, &items))
    } else {
        cluster::get(api_version, kind, namespace, name)
            .and_then(|object| object.map_or(Ok(nothing()), |object| parse(&object)))
    };
    match found {
        Err(err) if is_out_of_reach(&err) => Ok(nothing()),
        found => found.map_err(|err| err.to_string()),
    }
}

fn nothing() -> Value {
    Value::map::<&str>([])
}

fn is_out_of_reach(err: &Error) -> bool {
    err.class() == Class::Unsupported || err.code() == NOT_GRANTED
}

fn list(api_version: &str, kind: &str, items: &[String]) -> Result<Value, Error> {
    let items: Result<Vec<Value>, Error> = items.iter().map(|item| parse(item)).collect();
    Ok(Value::map([
        ("apiVersion", Value::from(api_version)),
        ("kind", Value::from(format!("{kind}List"))),
        ("metadata", nothing()),
        ("items", Value::list(items?)),
    ]))
}

fn parse(object: &str) -> Result<Value, Error> {
    match json::parse(object) {
        Ok(plain) => Ok(unstructured(&plain)),
        Err(err) => Err(Error::internal("InvalidObject", err.to_string())),
    }
}

/// As the client library reads objects: integers stay integers, other than in values
/// (kubernetes/apimachinery pkg/util/json).
fn unstructured(plain: &Plain) -> Value {
    match plain {
        Plain::Int(number) => Value::int64(*number),
        Plain::Array(items) => Value::list(items.iter().map(unstructured).collect()),
        Plain::Object(object) => {
            let entries = object.iter();
            Value::map(entries.map(|(key, value)| (key, unstructured(value))))
        }
        other => Value::from(other),
    }
}

#[cfg(test)]
mod tests {
    use weir_template::value::IntKind;

    use super::*;

    #[test]
    fn integers_of_objects_stay_integers() {
        let object = parse(r#"{"spec":{"replicas":3,"weight":1.5,"ports":[80]}}"#).unwrap();
        let spec = object.as_map().unwrap().get("spec").unwrap();
        let spec = spec.as_map().unwrap();
        assert!(matches!(
            spec.get("replicas"),
            Some(Value::Int(IntKind::Int64, 3))
        ));
        assert!(matches!(spec.get("weight"), Some(Value::Float(_))));
    }

    #[test]
    fn only_a_missing_grant_is_silent() {
        let denied = |code: &str| Error::denied(code, "no");
        assert!(is_out_of_reach(&denied(NOT_GRANTED)));
        assert!(!is_out_of_reach(&denied("Forbidden")));
        assert!(is_out_of_reach(&Error::unsupported("Unsupported", "no")));
    }
}
