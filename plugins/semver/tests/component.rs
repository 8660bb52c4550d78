//! The component in the host's runtime.

use serde_json::json;
use weir_sdk_testing::{Component, FailureClass};

fn component() -> Component {
    Component::build_with_profile(env!("CARGO_MANIFEST_DIR"), "component")
}

#[test]
fn picks_the_highest_tag_in_the_range() {
    let select = |range: &str| {
        component()
            .test()
            .settings(json!({ "range": range }))
            .select(["latest", "1.9.0", "1.10.0", "2.0.0-rc.1"])
            .ok()
    };
    assert_eq!(select("^1").as_deref(), Some("1.10.0"));
    assert_eq!(select(">=1-0").as_deref(), Some("2.0.0-rc.1"));
    assert_eq!(select("^3"), None);
}

#[test]
fn a_bad_range_stalls() {
    let component = component();
    let failure = component
        .test()
        .settings(json!({ "range": "newest" }))
        .select(["1.0.0"])
        .failure();
    assert_eq!(failure.class, FailureClass::InvalidSettings);
    assert!(failure.message.contains("improper constraint"), "{failure}");
    assert_eq!(
        component.check_settings(&json!({})).len(),
        1,
        "the range is required"
    );
    assert!(
        component
            .imports()
            .iter()
            .all(|import| !import.contains("http")),
        "it is pure"
    );
}
