//! What a plugin says of itself: name, version, settings, and what it asks the operator for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::bindings::about::exports::weir::plugin::about;
use crate::{Error, Result};

/// One problem of settings that their schema lets pass.
///
/// The pointer is a JSON Pointer into the settings (`/items/0/name`); a problem that is not fatal
/// is a warning.
pub use about::Problem;

/// Description of a plugin; the schema of its settings is added from their type.
///
/// Must be the same each time: the host asks once per component and keeps the answer.
///
/// ```
/// use weir_sdk::About;
///
/// let about = About::new("chat", env!("CARGO_PKG_VERSION"))
///     .summary("Posts events to a chat room")
///     .example(serde_json::json!({ "address": "https://chat.example.com/hook" }))
///     .wants_host("https://chat.example.com", "the chat's API")
///     .wants_slot("default", "the token of the chat's bot");
/// ```
#[derive(Clone, Debug)]
pub struct About(about::Info);

impl About {
    /// `name`: what a `Plugin` object is usually called; `version`: SemVer,
    /// `env!("CARGO_PKG_VERSION")`.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self(about::Info {
            name: name.into(),
            version: version.into(),
            summary: String::new(),
            settings_schema: String::new(),
            examples: Vec::new(),
            wants: Vec::new(),
            annotations: Vec::new(),
        })
    }

    /// One line: what the plugin does.
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.0.summary = summary.into();
        self
    }

    /// Example settings; valid under the schema.
    pub fn example(mut self, settings: serde_json::Value) -> Self {
        self.0.examples.push(settings.to_string());
        self
    }

    /// Asks for an origin, `https://*.example.com`; the reason is one sentence for the operator.
    pub fn wants_host(self, origin: &str, reason: &str) -> Self {
        self.wants("host", origin, reason)
    }

    /// Asks for a slot: a Secret that the host uses on the plugin's behalf.
    pub fn wants_slot(self, slot: &str, reason: &str) -> Self {
        self.wants("slot", slot, reason)
    }

    /// Asks for a slot whose bytes the plugin reads itself ([`secrets`](crate::secrets)).
    pub fn wants_secret(self, slot: &str, reason: &str) -> Self {
        self.wants("secret", slot, reason)
    }

    /// Asks for read access to a kind, `v1/Secret`.
    pub fn wants_cluster(self, kind: &str, reason: &str) -> Self {
        self.wants("cluster", kind, reason)
    }

    fn wants(mut self, kind: &str, name: &str, reason: &str) -> Self {
        self.0.wants.push(about::Want {
            kind: kind.into(),
            name: name.into(),
            reason: reason.into(),
        });
        self
    }

    /// Extra data: `docs`, `licence`.
    pub fn annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.annotations.push((key.into(), value.into()));
        self
    }

    pub(crate) fn into_info<S: JsonSchema>(mut self) -> about::Info {
        self.0.settings_schema = schemars::schema_for!(S).to_value().to_string();
        self.0
    }
}

/// Settings of a plugin that has none: any object, ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoSettings {}

// By hand: the derived schema would call the unit-like object by this type's documentation.
impl JsonSchema for NoSettings {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NoSettings".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "object" })
    }
}

/// Parses settings; absent ones (an empty text) are `{}`.
pub(crate) fn parse<S: DeserializeOwned>(settings: &str) -> Result<S> {
    let settings = if settings.trim().is_empty() {
        "{}"
    } else {
        settings
    };
    serde_json::from_str(settings)
        .map_err(|error| Error::invalid_settings("InvalidSettings", error.to_string()))
}

/// `check-settings` for a plugin whose semantic checks are `check`.
pub(crate) fn check<S: DeserializeOwned>(
    settings: &str,
    check: impl FnOnce(&S) -> Vec<Problem>,
) -> Vec<Problem> {
    match parse::<S>(settings) {
        Ok(settings) => check(&settings),
        Err(error) => vec![Problem::new("", error.message())],
    }
}

impl Problem {
    /// A fatal problem at a JSON Pointer; the empty one is the settings as a whole.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
            fatal: true,
        }
    }

    /// A warning at a JSON Pointer.
    pub fn warning(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            fatal: false,
            ..Self::new(pointer, message)
        }
    }
}

/// Implements the export `about` for the `Component` of a kind's trait.
macro_rules! describe_with {
    ($trait:ident) => {
        impl<T: $trait> $crate::bindings::about::exports::weir::plugin::about::Guest
            for Component<T>
        {
            fn describe() -> $crate::bindings::about::exports::weir::plugin::about::Info {
                T::about().into_info::<T::Settings>()
            }

            fn check_settings(settings: String) -> Vec<$crate::Problem> {
                $crate::about::check(&settings, T::check)
            }
        }
    };
}
pub(crate) use describe_with;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema and its parsing are looked at")]
    struct Settings {
        /// Where to post.
        address: String,
        channel: Option<String>,
    }

    #[test]
    fn schema_comes_from_the_type() {
        let info = About::new("x", "1.0.0").into_info::<Settings>();
        let schema: serde_json::Value = serde_json::from_str(&info.settings_schema).unwrap();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert_eq!(
            schema["properties"]["address"]["description"],
            "Where to post."
        );
        assert_eq!(schema["required"], serde_json::json!(["address"]));
    }

    #[test]
    fn settings_that_do_not_parse_are_a_problem() {
        let problems = check::<Settings>(r#"{"address": 1}"#, |_| Vec::new());
        assert_eq!(problems.len(), 1);
        assert!(problems[0].fatal && problems[0].message.contains("expected a string"));
        assert!(
            check::<NoSettings>("", |_| Vec::new()).is_empty(),
            "absent settings are empty"
        );
    }
}
