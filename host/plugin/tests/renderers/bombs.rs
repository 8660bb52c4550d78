//! Charts that would never end, grow or nest without end: each is told what it ran into, within
//! the limits of a call and without a trap.

use std::sync::Arc;

use serde_json::json;
use weir_plugin::{CallError, MemoryTree};

use crate::support::{component, render, target};

/// A template, and what the error says.
const TEMPLATES: [(&str, &str); 17] = [
    (r#"{{ repeat 1000000000 "x" }}"#, "too large"),
    ("{{ range until 2000000000 }}x{{ end }}", "too large"),
    (
        "{{ range untilStep 0 2000000000 1 }}x{{ end }}",
        "too large",
    ),
    ("{{ seq 1 2000000000 }}", "too large"),
    ("{{ randAlphaNum 2000000000 }}", "too large"),
    (r#"{{ indent 2000000000 "x" }}"#, "too large"),
    (r#"{{ nindent 2000000000 "x" }}"#, "too large"),
    (
        r#"{{ $x := repeat 1000 "x" }}{{ range until 100 }}{{ $x = print $x $x }}{{ end }}"#,
        "too large",
    ),
    (
        "{{ $x := list 1 }}{{ range until 100 }}{{ $x = concat $x $x }}{{ end }}",
        "too large",
    ),
    (
        "{{ range until 60000 }}{{ range until 60000 }}{{ end }}{{ end }}",
        "too many steps",
    ),
    (
        r#"{{ $d := dict }}{{ range until 1000 }}{{ $d = dict "a" $d "b" $d }}{{ end }}
        {{ toJson $d }}"#,
        "",
    ),
    (
        r#"{{ range until 100000 }}{{ repeat 1000 "x" }}{{ end }}"#,
        "too much output",
    ),
    (
        r#"{{ define "r" }}{{ include "r" . }}{{ end }}{{ include "r" . }}"#,
        "nested reference name",
    ),
    (
        r#"{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}"#,
        "exceeded maximum template depth",
    ),
    (
        r#"{{ define "r" }}{{ tpl "{{ include \"r\" . }}" . }}{{ end }}{{ include "r" . }}"#,
        "nested",
    ),
    (
        r#"{{ mustRegexMatch "((a{100}){100}){100}" "a" }}"#,
        "error parsing regexp",
    ),
    (
        r#"{{ regexReplaceAll "(x+x+)+y" (repeat 100000 "x") "" | len }}"#,
        "",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn bombs_are_told_what_they_ran_into() {
    let plugin = component("helm").await;
    for (template, expected) in TEMPLATES {
        let files = [
            ("Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
            ("templates/t.yaml", template),
        ];
        let tree = Arc::new(MemoryTree::from_pairs(files).unwrap());
        let settings = json!({"kubeVersion": "1.32"});
        let called = render(&plugin, tree, &settings, target()).await;
        println!(
            "{:?} {} MiB {template}",
            called.duration,
            called.memory_peak >> 20
        );
        match called.result {
            Ok(_) => assert_eq!(expected, "", "{template}"),
            Err(CallError::Failed(failure)) => {
                assert!(failure.message.contains(expected), "{template}: {failure}");
            }
            Err(other) => panic!("{template}: {other}"),
        }
    }
}
