//! Metadata that is read, and what is refused, in the words of the real helm.

use super::*;

fn read(text: &str) -> Result<Metadata, String> {
    let mut draft = Draft::default();
    draft.read(text.as_bytes()).map_err(|err| err.to_string())?;
    draft.validate().map_err(|err| err.to_string())
}

const HEAD: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";

#[test]
fn numbers_and_truths_become_text() {
    let text = format!("{HEAD}AppVersion: 1.10\nkeywords: [a, 1, yes]\nannotations: {{a: 2}}");
    let metadata = read(&text).unwrap();
    assert_eq!(metadata.app_version, "1.1");
    assert_eq!(metadata.keywords, ["a", "1", "true"]);
    assert_eq!(
        metadata.annotations,
        Some(vec![("a".to_owned(), "2".to_owned())])
    );
    assert_eq!(metadata.dependencies, None);
}

#[test]
fn refuses_what_helm_refuses() {
    let rows = [
        (
            "name: a",
            "validation: chart.metadata.apiVersion is required",
        ),
        (
            "apiVersion: v2",
            "validation: chart.metadata.name is required",
        ),
        (
            "apiVersion: v2\nname: a/b",
            "validation: chart.metadata.name \"a/b\" is invalid",
        ),
        (
            "apiVersion: v2\nname: a",
            "validation: chart.metadata.version is required",
        ),
        (
            "apiVersion: v2\nname: a\nversion: x",
            "validation: chart.metadata.version \"x\" is invalid",
        ),
        (
            "apiVersion: v2\nname: a\nversion: 1\ntype: x",
            "validation: chart.metadata.type must be application or library",
        ),
        (
            "apiVersion: v2\nname: a\nversion: 1\ndependencies: [null]",
            "validation: dependencies must not contain empty or null nodes",
        ),
        (
            "apiVersion: v2\nname: a\nversion: 1\ndependencies: [{name: b, alias: 'x y'}]",
            "validation: dependency \"b\" has disallowed characters in the alias",
        ),
        (
            "apiVersion: v2\nname: a\nversion: 1\ndependencies: [{name: b}, {name: b}]",
            "validation: more than one dependency with name or alias \"b\"",
        ),
        (
            "name: [a]",
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into \
             Go struct field Metadata.name of type string",
        ),
        (
            "[a]",
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into \
             Go value of type chart.Metadata",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text).err().as_deref(), Some(expected), "{text}");
    }
}
