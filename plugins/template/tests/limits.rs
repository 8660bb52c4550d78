//! Templates that never end, grow or nest without end are errors.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[expect(dead_code, reason = "of the support only the host is needed here")]
mod support;

use weir_template::{Engine, ExecError, Limits, Options, Value};

fn run(template: &str, limits: Limits) -> Result<Vec<u8>, ExecError> {
    let mut engine = Engine::new(Options {
        limits,
        ..Options::default()
    });
    engine.parse(support::NAME, template).unwrap();
    let dot = Value::map([("list", Value::list(vec![Value::int(1), Value::int(2)]))]);
    engine.execute(&support::Still::default(), support::NAME, dot)
}

fn error(template: &str, limits: Limits) -> String {
    run(template, limits).unwrap_err().to_string()
}

#[test]
fn a_template_that_includes_itself_ends_as_in_helm() {
    let text = error(
        "{{define \"r\"}}{{include \"r\" .}}{{end}}{{include \"r\" .}}",
        Limits {
            depth: 100,
            ..Limits::default()
        },
    );
    assert!(
        text.ends_with(
            "rendering template has a nested reference name: r: unable to execute template"
        ),
        "{text}"
    );
}

#[test]
fn a_template_that_calls_itself_ends() {
    let limits = Limits {
        depth: 100,
        ..Limits::default()
    };
    let text = error(
        "{{define \"r\"}}{{template \"r\" .}}{{end}}{{template \"r\" .}}",
        limits,
    );
    assert!(
        text.ends_with("exceeded maximum template depth (100)"),
        "{text}"
    );
    let text = error(
        "{{define \"r\"}}{{tpl \"{{include \\\"r\\\" .}}\" .}}{{end}}{{include \"r\" .}}",
        limits,
    );
    assert!(text.contains("nested"), "{text}");
}

#[test]
fn the_default_bounds_fit_the_stack_of_a_thread() {
    let text = error(
        "{{define \"r\"}}{{if true}}{{range .list}}{{with $}}{{include \"r\" (dict \"list\" .list) | trim | quote}}{{end}}{{end}}{{end}}{{end}}{{include \"r\" .}}",
        Limits::default(),
    );
    assert!(text.contains("nested reference name"), "{text}");
}

#[test]
fn bombs_take_too_many_steps() {
    let limits = Limits {
        steps: 100_000,
        ..Limits::default()
    };
    for template in [
        "{{ repeat 1000000000 \"x\" }}",
        "{{ until 1000000000 }}",
        "{{ untilStep 0 1000000000 1 }}",
        "{{ seq 1000000000 }}",
        "{{ randAlphaNum 1000000000 }}",
        "{{ indent 1000000000 \"x\" }}",
        "{{ $x := \"xxxxxxxxxx\" }}{{ range until 100 }}{{ $x = print $x $x }}{{ $x = replace \"x\" \"xx\" $x }}{{ end }}",
        "{{ printf \"%9999999d\" 1 }}",
        "{{ printf \"%.999999d%.999999d%.999999d%.999999d%.999999d%.999999d%.999999d%.999999d%.999999d\" 1 1 1 1 1 1 1 1 1 }}",
        "{{ printf \"%999999v\" (until 1000) }}",
        "{{ range until 90000 }}{{ range until 9 }}x{{ end }}{{ end }}",
    ] {
        let text = error(template, limits);
        let known = [
            "templates take too many steps",
            "templates make a value that is too large",
        ];
        assert!(known.contains(&text.as_str()), "{template}: {text}");
    }
}

#[test]
fn output_is_bounded() {
    let limits = Limits {
        output: 1000,
        ..Limits::default()
    };
    let text = error("{{ range until 2000 }}x{{ end }}", limits);
    assert_eq!(text, "templates produce too much output");
}

#[test]
fn a_map_that_holds_itself_can_be_handled() {
    let template = "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ toYaml $d }}{{ toJson $d }}{{ len (print $d) }}{{ merge $d $d | len }}{{ deepEqual $d $d }}{{ toToml $d }}";
    assert!(run(template, Limits::default()).is_ok());
    assert!(
        run(
            "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ deepCopy $d }}",
            Limits::default()
        )
        .is_err()
    );
}

#[test]
fn nesting_is_bounded_when_read() {
    let mut engine = Engine::new(Options::default());
    let parentheses = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    assert!(engine.parse("a", parentheses).is_err());
    let blocks = format!("{}{}", "{{if true}}".repeat(5000), "{{end}}".repeat(5000));
    assert!(engine.parse("b", blocks).is_err());
}
