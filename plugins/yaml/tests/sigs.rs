//! What `sigs.k8s.io/yaml` 1.4 says of documents; errors as the real helm prints them.

#![allow(clippy::unwrap_used, reason = "tests")]

use weir_yaml::{Value, from_yaml};

#[test]
fn the_first_error_is_the_one_go_yaml_2_meets() {
    let rows = [
        (
            "a:\n  b: {bad\n  c: \"unclosed\n",
            "yaml: line 2: did not find expected ',' or '}'",
        ),
        (
            "a: [1, 2\n",
            "yaml: line 1: did not find expected ',' or ']'",
        ),
        (
            "a: b: c\n",
            "yaml: mapping values are not allowed in this context",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(from_yaml(text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn keys_that_json_cannot_have_are_shown_with_their_values() {
    let rows = [
        ("~: c", "%!s(<nil>), key: <nil>, value: \"c\""),
        (
            "~: [1, a, ~]",
            "%!s(<nil>), key: <nil>, value: []interface {}{1, \"a\", interface {}(nil)}",
        ),
        (
            "18446744073709551615: true",
            "uint64, key: 0xffffffffffffffff, value: true",
        ),
    ];
    for (text, expected) in rows {
        let expected = format!("unsupported map key of type: {expected}");
        assert_eq!(from_yaml(text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn a_negative_zero_keeps_its_sign() {
    let value = from_yaml("-0.0").unwrap();
    assert!(matches!(value, Value::Float(zero) if zero.is_sign_negative()));
    assert_eq!(from_yaml("-0").unwrap(), Value::Int(0));
}

#[test]
fn what_is_no_character_of_yaml_is_refused() {
    let allowed = |c: char| {
        matches!(
            c,
            '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..
        )
    };
    for c in ('\0'..='\u{2ff}').chain('\u{d000}'..='\u{10010}') {
        let read = from_yaml(&format!("a: |\n  some text {c}"));
        let refused = read.is_err_and(|err| err.to_string().contains("control characters"));
        assert_eq!(refused, !allowed(c), "{c:?}");
    }
}
