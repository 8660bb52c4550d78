//! Reading a few fields gives what reading everything gives.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write as _;

use proptest::prelude::*;
use weir_yaml::{Error, Value, Wanted, fields_from_yaml, from_yaml};

const WANTED: Wanted<'_> = Wanted::Fields(&[
    ("kind", Wanted::All),
    ("meta", Wanted::Fields(&[("name", Wanted::All)])),
]);

/// What is wanted of a document that was read as a whole.
fn wanted(value: &Value) -> Vec<(String, Value)> {
    let Value::Object(object) = value else {
        return vec![(String::new(), value.clone())];
    };
    let is = |key: &str, name: &str| key.eq_ignore_ascii_case(name);
    let mut found = Vec::new();
    for (key, value) in object.iter() {
        match value {
            Value::Object(meta) if is(key, "meta") => {
                let names = meta.iter().filter(|(key, _)| is(key, "name"));
                found.extend(names.map(|(name, value)| (format!("{key}.{name}"), value.clone())));
            }
            value if is(key, "kind") || is(key, "meta") => {
                found.push((key.to_owned(), value.clone()));
            }
            _ => {}
        }
    }
    found
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let look = |read: Result<Value, Error>| match read {
        Ok(value) => Ok(wanted(&value)),
        Err(err) => Err(err.to_string()),
    };
    let all = look(from_yaml(text));
    prop_assert_eq!(look(fields_from_yaml(text, &WANTED)), all, "{}", text);
    Ok(())
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "kind: ",
        "kind:",
        "KIND: ",
        "meta:",
        "name: ",
        "\"name\": ",
        "a: ",
        "b.c/d-e:",
        "'f': ",
        "true: ",
        "null: ",
        "- ",
        "-",
        "- - ",
        "x",
        "1",
        "1.5",
        "-2",
        ".inf",
        "-.inf",
        "~",
        "yes",
        "2001-01-01",
        "\"q\"",
        "\"\\n\"",
        "\"\\/\"",
        "\"q",
        "'r'",
        "'r''s'",
        "'r",
        "|",
        "|-",
        ">+",
        "|2",
        "{}",
        "[]",
        "[x]",
        "{x: y}",
        " # c",
        "#",
        "x#y",
        "x: y",
        "x:y",
        "x:",
        "&a ",
        "*a",
        "!!str ",
        "? ",
        ": ",
        "@",
        "%",
        "---",
        "...",
        "\t",
        "é",
        "<<: ",
        "word word",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn fields_are_those_of_the_whole(
        lines in prop::collection::vec(
            (0usize..5, prop::collection::vec(piece(), 0..4), 0usize..3),
            0..8,
        ),
    ) {
        let mut text = String::new();
        for (indent, pieces, behind) in lines {
            text.push_str(&" ".repeat(indent));
            text.extend(pieces);
            text.push_str(&" ".repeat(behind.saturating_sub(1)));
            text.push('\n');
        }
        check(&text)?;
        check(text.trim())?;
    }
}

#[test]
fn an_outline_leaves_out_what_is_not_wanted() {
    let text = "kind: A # what\nmeta:\n  labels:\n    {}\n  name: \"n\"\nspec:\n- a: 'x'\n  b: |-\n    \
                y: [\n- c d\n  e\n";
    let read = fields_from_yaml(text, &WANTED).unwrap();
    let meta = Value::Object(
        [("name".to_owned(), Value::from("n"))]
            .into_iter()
            .collect(),
    );
    let expected = [
        ("kind".to_owned(), Value::from("A")),
        ("meta".to_owned(), meta),
    ];
    assert_eq!(read, Value::Object(expected.into_iter().collect()));
}

#[test]
fn a_map_of_many_keys_is_read_as_the_whole() {
    let mut text = "meta:\n  name:\n".to_owned();
    for key in 0..20_000 {
        writeln!(text, "    key{key}: {key}").unwrap();
    }
    text.push_str("    key7: again\n");
    check(&text).unwrap();
}
