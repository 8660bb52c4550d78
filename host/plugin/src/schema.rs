//! Settings against the JSON Schema that a plugin describes, with JSON Pointers to what is wrong.

mod references;

use std::collections::BTreeSet;

use jsonschema::{Draft, PatternOptions, Validator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Problems that one check reports at most.
pub(crate) const MAX_PROBLEMS: usize = 20;

/// One problem in the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// JSON Pointer into the settings; empty: the settings as a whole.
    pub pointer: String,
    /// One sentence.
    pub message: String,
    /// False for a mere warning.
    pub fatal: bool,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.pointer, self.message)
        }
    }
}

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Schema(Validator);

impl Schema {
    /// Compiles a schema of the 2020-12 draft. References are resolved inside it only, and its
    /// patterns match in linear time.
    pub(crate) fn compile(schema: &Value) -> Result<Self, String> {
        references::check(schema).map_err(|problem| format!("settings schema: {problem}"))?;
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(true)
            .offline()
            .build(schema)
            .map(Self)
            .map_err(|error| format!("settings schema: {error}"))
    }

    /// What is wrong with the settings, each place once.
    pub(crate) fn check(&self, settings: &str) -> Vec<Problem> {
        let settings: Value = match serde_json::from_str(settings) {
            Ok(settings) => settings,
            Err(error) => {
                let message = format!("the settings are no JSON: {error}");
                return vec![Problem {
                    pointer: String::new(),
                    message,
                    fatal: true,
                }];
            }
        };
        let mut problems = BTreeSet::new();
        for error in self.0.iter_errors(&settings).take(MAX_PROBLEMS) {
            // Settings may hold what should have been in a Secret: values stay out of messages.
            let message = error.masked_with("the value").to_string();
            problems.insert((error.instance_path().to_string(), message));
        }
        problems
            .into_iter()
            .map(|(pointer, message)| Problem {
                pointer,
                message,
                fatal: true,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn problems_point_at_the_value_without_repeating_it() {
        let schema = Schema::compile(&json!({
            "type": "object",
            "properties": {"interval": {"type": "integer", "minimum": 1}, "url": {"type": "string"}},
            "required": ["url"],
            "additionalProperties": false
        }))
        .unwrap();
        assert_eq!(schema.check(r#"{"url": "x", "interval": 3}"#), []);
        let problems = schema.check(r#"{"interval": "hunter2", "extra": 1}"#);
        let pointers: Vec<_> = problems.iter().map(|p| p.pointer.as_str()).collect();
        assert_eq!(pointers, ["", "", "/interval"]);
        assert!(!problems[2].message.contains("hunter2"), "{}", problems[2]);
        assert!(schema.check("{").len() == 1);
    }

    #[test]
    fn a_schema_that_reaches_out_does_not_compile() {
        assert!(Schema::compile(&json!({"$ref": "https://example.com/schema.json"})).is_err());
        assert!(Schema::compile(&json!({"type": "nonsense"})).is_err());
    }
}
