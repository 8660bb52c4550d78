//! The component itself, run as weir runs it.

use serde_json::json;
use weir_sdk_testing::{Component, FailureClass};

fn component() -> Component {
    Component::build(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn each_env_file_becomes_a_config_map() {
    let rendered = component()
        .test()
        .file("apps/shop/frontend.env", "COLOUR=blue\n")
        .file("apps/shop/backend.env", "# none yet\n")
        .file("apps/shop/README.md", "not for us")
        .file("apps/other.env", "NOT=ours\n")
        .path("./apps/shop")
        .namespace("shop")
        .settings(json!({ "nameSuffix": "-env" }))
        .render();

    // What was read decides when weir renders again: nothing but our two files.
    assert_eq!(
        rendered.files_read("source"),
        ["apps/shop/backend.env", "apps/shop/frontend.env"]
    );
    let rendered = rendered.ok();
    assert_eq!(
        rendered.names(),
        ["ConfigMap/backend-env", "ConfigMap/frontend-env"]
    );
    assert_eq!(
        rendered.objects()[1],
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "frontend-env", "namespace": "shop" },
            "data": { "COLOUR": "blue" },
        })
    );
}

#[test]
fn a_bad_line_is_told_with_its_place() {
    let failure = component()
        .test()
        .file("a.env", "A=1\nB\n")
        .render()
        .failure();
    assert_eq!(failure.class, FailureClass::InvalidInput);
    assert_eq!(failure.code, "BuildFailed");
    assert_eq!(
        (
            failure.positions[0].path.as_str(),
            failure.positions[0].line
        ),
        ("a.env", Some(2))
    );
}

#[test]
fn settings_are_checked_before_the_call() {
    let failure = component()
        .test()
        .settings(json!({ "suffix": "x" }))
        .render()
        .failure();
    assert_eq!(failure.class, FailureClass::InvalidSettings);
    assert!(failure.message.contains("suffix"), "{}", failure.message);
}
