//! Schemas and what is wrong with data, as the real helm words it.

use super::*;

fn problems(schema: &str, data: &str) -> String {
    let data = json::parse(data).unwrap();
    match check_plain(schema.as_bytes(), &data) {
        Ok(text) => text
            .lines()
            .map(|line| &line[2..])
            .collect::<Vec<_>>()
            .join("; "),
        Err(text) => format!("error: {text}"),
    }
}

#[test]
fn data_is_held_against_keywords() {
    let rows = [
        (r#"{"type":"object"}"#, "{}", ""),
        (
            r#"{"type":"object"}"#,
            "[]",
            "(root): Invalid type. Expected: object, given: array",
        ),
        (
            r#"{"type":["string","null"]}"#,
            "1.5",
            "(root): Invalid type. Expected: [string,null], given: number",
        ),
        (r#"{"type":"integer"}"#, "1.0", ""),
        (
            r#"{"type":"integer"}"#,
            "1.5",
            "(root): Invalid type. Expected: integer, given: number",
        ),
        (
            r#"{"properties":{"a":{"properties":{"b":{"type":"string"}}}}}"#,
            r#"{"a":{"b":1}}"#,
            "a.b: Invalid type. Expected: string, given: integer",
        ),
        (
            r#"{"required":["a","b"]}"#,
            r#"{"b":1}"#,
            "(root): a is required",
        ),
        (
            r#"{"properties":{"a":{}},"patternProperties":{"^x":{"type":"string"}},"additionalProperties":false}"#,
            r#"{"a":1,"xa":2,"b":3}"#,
            "(root): Additional property b is not allowed; xa: Invalid type. Expected: string, \
             given: integer",
        ),
        (
            r#"{"additionalProperties":{"type":"string"}}"#,
            r#"{"a":1}"#,
            "a: Invalid type. Expected: string, given: integer",
        ),
        (
            r#"{"items":{"type":"string"},"minItems":3,"uniqueItems":true}"#,
            r#"["a","a"]"#,
            "(root): Array must have at least 3 items; (root): array items[0,1] must be unique",
        ),
        (
            r#"{"items":[{"type":"string"}],"additionalItems":false}"#,
            r#"["a","b"]"#,
            "(root): No additional items allowed on array",
        ),
        (
            r#"{"properties":{"a":{"items":{"type":"string"}}}}"#,
            r#"{"a":["x",1]}"#,
            "a.1: Invalid type. Expected: string, given: integer",
        ),
        (
            r#"{"minimum":1,"maximum":1000000}"#,
            "0",
            "(root): Must be greater than or equal to 1",
        ),
        (
            r#"{"maximum":1000000}"#,
            "1000001",
            "(root): Must be less than or equal to 1e+06",
        ),
        (
            r#"{"minimum":1,"exclusiveMinimum":true}"#,
            "1",
            "(root): Must be greater than 1",
        ),
        (
            r#"{"exclusiveMaximum":65535}"#,
            "65535",
            "(root): Must be less than 65535",
        ),
        (r#"{"multipleOf":0.1}"#, "0.3", ""),
        (
            r#"{"multipleOf":0.1}"#,
            "0.35",
            "(root): Must be a multiple of 0.1",
        ),
        (
            r#"{"minLength":2,"pattern":"^a"}"#,
            r#""b""#,
            "(root): String length must be greater than or equal to 2; (root): Does not match \
             pattern '^a'",
        ),
        (
            r#"{"enum":["a",1,null]}"#,
            r#""b""#,
            "(root): (root) must be one of the following: \"a\", 1, null",
        ),
        (
            r#"{"properties":{"a":{"const":{"x":1}}}}"#,
            r#"{"a":{"x":1.5}}"#,
            "a: a does not match: {\"x\":1}",
        ),
        (
            r#"{"oneOf":[{"type":"string"},{"properties":{"a":{"type":"string"}},"type":"object"}]}"#,
            r#"{"a":1}"#,
            "(root): Must validate one and only one schema (oneOf); a: Invalid type. Expected: \
             string, given: integer",
        ),
        (
            r#"{"anyOf":[{"type":"string"},{"type":"integer"}]}"#,
            "null",
            "(root): Must validate at least one schema (anyOf); (root): Invalid type. Expected: \
             string, given: null",
        ),
        (
            r#"{"allOf":[{"required":["a"]},{"type":"object"}]}"#,
            "{}",
            "(root): a is required; (root): Must validate all the schemas (allOf)",
        ),
        (
            r#"{"not":{"type":"string"}}"#,
            r#""x""#,
            "(root): Must not validate the schema (not)",
        ),
        (
            r#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#,
            r#"{"a":1}"#,
            "(root): Must validate \"then\" as \"if\" was valid; (root): b is required",
        ),
        (
            r#"{"dependencies":{"a":["b"]}}"#,
            r#"{"a":1}"#,
            "(root): Has a dependency on b",
        ),
        (
            r##"{"properties":{"a":{"$ref":"#/$defs/x"}},"$defs":{"x":{"type":"string"}}}"##,
            r#"{"a":1}"#,
            "a: Invalid type. Expected: string, given: integer",
        ),
        (
            r##"{"properties":{"a":{"$ref":"#"},"b":{"type":"string"}}}"##,
            r#"{"a":{"a":{"b":1}}}"#,
            "a.a.b: Invalid type. Expected: string, given: integer",
        ),
        (
            r#"{"$id":"https://x.io/s/root.json","properties":{"a":{"$ref":"part.json#/p"}},"definitions":{"x":{"$id":"part.json","p":{"type":"string"}}}}"#,
            r#"{"a":1}"#,
            "a: Invalid type. Expected: string, given: integer",
        ),
        (
            r#"{"format":"ipv4"}"#,
            r#""1.2.3""#,
            "(root): Does not match format 'ipv4'",
        ),
        (r#"{"format":"odd"}"#, r#""1.2.3""#, ""),
        (
            r#"{"propertyNames":{"pattern":"^a"}}"#,
            r#"{"b":1}"#,
            "(root): Property name of \"b\" does not match; (root): Does not match pattern '^a'",
        ),
        (
            r#"{"properties":{"a":false}}"#,
            r#"{"a":1}"#,
            "a: False always fails validation",
        ),
    ];
    for (schema, data, expected) in rows {
        assert_eq!(problems(schema, data), expected, "{schema} {data}");
    }
}

#[test]
fn schemas_that_are_none_are_refused() {
    let rows = [
        ("{", "error: unexpected end of JSON input"),
        (
            r#"{"type":"text"}"#,
            "error: has a primitive type that is NOT VALID -- given: /text/ Expected valid values \
             are:[array boolean integer number null object string]",
        ),
        (
            r#"{"minLength":-1}"#,
            "error: minLength must be greater than or equal to 0",
        ),
        (r#"{"pattern":"["}"#, "error: pattern must be a valid regex"),
        (
            r#"{"properties":{"a":{"$ref":"other.json"}}}"#,
            "error: Reference other.json must be canonical",
        ),
        (r##"{"$ref":"#/x"}"##, "error: Object has no key 'x'"),
    ];
    for (schema, expected) in rows {
        assert_eq!(problems(schema, "{}"), expected, "{schema}");
    }
}

#[test]
fn a_schema_without_end_is_stopped() {
    let schema = r##"{"allOf":[{"$ref":"#"}]}"##;
    assert_eq!(
        problems(schema, "{}"),
        "error: unable to validate schema: it is nested too deeply"
    );
}
