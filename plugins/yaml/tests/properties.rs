//! What holds for every text and every value.

#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

use proptest::prelude::*;
use weir_yaml::{Object, Value, from_yaml, to_yaml};

/// go-yaml v2 prints `<<` without quotes, and reads it as a merge.
fn not_merge(text: String) -> String {
    if text == "<<" { String::new() } else { text }
}

/// Text in which the characters that matter to YAML are frequent.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9.:/_-]{0,12}",
        "[ -~]{0,20}",
        "[-?:,\\[\\]{}#&*!|>'\"%@` \n\ta-c]{0,24}",
        "\\PC{0,12}",
        "(line[a-z ]{0,8}\n){1,4}",
        Just("true".to_owned()),
        Just("0x1F".to_owned()),
        Just("1e3".to_owned()),
        Just("~".to_owned()),
        Just("2020-01-02".to_owned()),
    ]
    .prop_map(not_merge)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::btree_map(
                "[a-z.0-9/]{1,8}|[ -~]{0,10}".prop_map(not_merge),
                inner,
                0..5
            )
            .prop_map(|map| Value::Object(map.into_iter().collect::<Object>())),
        ]
    })
}

/// The same data in the order of the printer.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Object(object) => Value::Object(
            object
                .sorted()
                .into_iter()
                .map(|(key, value)| (key.to_owned(), sorted(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "[-?:,\\[\\]{}#&*!|>'\"%@` \n\ta-c0-9]{0,80}|\\PC{0,60}") {
        drop(from_yaml(&text));
    }

    #[test]
    fn what_is_printed_reads_as_the_same(value in value()) {
        let printed = to_yaml(&value);
        let read = from_yaml(&printed)
            .map_err(|err| TestCaseError::fail(format!("{err}:\n{printed}")))?;
        prop_assert_eq!(sorted(&read), sorted(&value), "{}", printed);
    }

    #[test]
    fn printing_twice_changes_nothing(value in value()) {
        let printed = to_yaml(&value);
        let again = from_yaml(&printed).map(|value| to_yaml(&value)).unwrap_or_default();
        prop_assert_eq!(again, printed);
    }
}
