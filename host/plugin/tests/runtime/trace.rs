//! What a call asked, and whether it would be answered the same.

use weir_plugin::{Call, FixedTarget, Question, Trace};

use crate::support::{ask, call, load, target, tree};

const FILES: [(&str, &str); 4] = [
    ("a.yaml", "kind: A"),
    ("b/c.yaml", "kind: C"),
    ("b/d.txt", "text"),
    ("e", "12345"),
];

fn questions(trace: &Trace) -> Vec<String> {
    trace
        .recorded
        .iter()
        .skip(1)
        .map(|r| format!("{:?}", r.question))
        .collect()
}

/// The answers, and what was recorded besides the settings.
async fn check(asked: &str, answers: &[&str], recorded: &[&str]) {
    let plugin = load("ask").await;
    let asked = ask(&plugin, asked, &call("", &FILES), &target()).await;
    assert_eq!(asked.answers, answers);
    assert_eq!(questions(&asked.called.trace), recorded);
    assert_eq!(asked.called.trace.recorded[0].question, Question::Settings);
    assert!(asked.called.trace.holds(&asked.call, &target()));
}

#[tokio::test]
async fn every_accessor_is_recorded_once_under_its_normal_path() {
    check(
        r#"[["kind","b"],["kind","./b/"],["kind","a.yaml"],["kind","x"],["kind","../x"]]"#,
        &[
            "Some(EntryKind::Directory)",
            "Some(EntryKind::Directory)",
            "Some(EntryKind::File)",
            "None",
            "None",
        ],
        &[
            r#"Kind("source", "")"#,
            r#"Kind("source", "b")"#,
            r#"Kind("source", "a.yaml")"#,
            r#"Kind("source", "x")"#,
        ],
    )
    .await;
    check(
        r#"[["entries","b"],["entries","x"],["glob","**/*.yaml"],["glob","["]]"#,
        &[
            r#"["c.yaml:EntryKind::File", "d.txt:EntryKind::File"]"#,
            "FailureClass::NotFound NotFound",
            r#"["a.yaml", "b/c.yaml"]"#,
            "FailureClass::InvalidInput InvalidPattern",
        ],
        &[
            r#"Kind("source", "")"#,
            r#"Entries("source", "b")"#,
            r#"Entries("source", "x")"#,
            r#"Glob("source", "**/*.yaml")"#,
            r#"Glob("source", "[")"#,
        ],
    )
    .await;
    check(
        r#"[["read","a.yaml"],["read","x"],["read-many","a.yaml","b/d.txt"],["read-many","e","y","b/c.yaml"],["open","e"]]"#,
        &[
            r#""kind: A""#,
            "FailureClass::NotFound NotFound",
            r#"["kind: A", "text"]"#,
            "FailureClass::NotFound NotFound",
            r#"(5, "sha256:5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5", "234", "")"#,
        ],
        &[
            r#"Kind("source", "")"#, r#"Read("source", "a.yaml")"#, r#"Read("source", "x")"#,
            r#"Read("source", "b/d.txt")"#, r#"Read("source", "e")"#, r#"Read("source", "y")"#,
        ],
    )
    .await;
}

#[tokio::test]
async fn the_context_and_the_target_are_recorded_by_what_was_asked() {
    check(
        r#"[["inputs"],["revision","source"],["revision","x"],["tree","x"],["path"],["namespace"],["has-api","apps/v1"],["has-api","x/v1"]]"#,
        &[
            r#"["source"]"#, r#""main@sha1:abc""#, "FailureClass::NotFound NotFound",
            "FailureClass::NotFound NotFound", "", "None", "true", "false",
        ],
        &[
            "Inputs", r#"Revision("source")"#, r#"Revision("x")"#, r#"Kind("x", "")"#, "Path",
            "Namespace", r#"HasApi("apps/v1")"#, r#"HasApi("x/v1")"#,
        ],
    )
    .await;
}

/// Asks, changes one thing, and says whether the trace still holds.
async fn holds_after(asked: &str, change: impl FnOnce(&mut Call, &mut FixedTarget)) -> bool {
    let plugin = load("ask").await;
    let mut target = target();
    let asked = ask(&plugin, asked, &call("", &FILES), &target).await;
    let mut call = asked.call;
    change(&mut call, &mut target);
    asked.called.trace.holds(&call, &target)
}

fn with(call: &mut Call, files: &[(&str, &str)]) {
    call.inputs[0].tree = tree(files);
}

#[tokio::test]
async fn a_trace_holds_until_something_that_was_asked_changes() {
    let edited = [
        ("a.yaml", "kind: A"),
        ("b/c.yaml", "other"),
        ("b/d.txt", "text"),
        ("e", "12345"),
    ];
    let added = [FILES.as_slice(), &[("b/new.yaml", "")]].concat();
    let removed = &FILES[..3];

    // An edit touches who read the file, not who listed it.
    assert!(!holds_after(r#"[["read","b/c.yaml"]]"#, |call, _| with(call, &edited)).await);
    assert!(!holds_after(r#"[["open","b/c.yaml"]]"#, |call, _| with(call, &edited)).await);
    assert!(holds_after(r#"[["read","a.yaml"]]"#, |call, _| with(call, &edited)).await);
    assert!(holds_after(r#"[["entries","b"]]"#, |call, _| with(call, &edited)).await);
    assert!(holds_after(r#"[["glob","**"]]"#, |call, _| with(call, &edited)).await);
    // A new file touches listings and globs that it belongs to.
    assert!(!holds_after(r#"[["entries","b"]]"#, |call, _| with(call, &added)).await);
    assert!(!holds_after(r#"[["glob","b/*.yaml"]]"#, |call, _| with(call, &added)).await);
    assert!(holds_after(r#"[["glob","*.yaml"]]"#, |call, _| with(call, &added)).await);
    assert!(holds_after(r#"[["entries",""]]"#, |call, _| with(call, &added)).await);
    // What was absent counts as well, and so does a failure.
    assert!(!holds_after(r#"[["read","b/new.yaml"]]"#, |call, _| with(call, &added)).await);
    assert!(!holds_after(r#"[["kind","b/new.yaml"]]"#, |call, _| with(call, &added)).await);
    assert!(holds_after(r#"[["read","b/new.yaml"]]"#, |call, _| with(call, removed)).await);
    assert!(!holds_after(r#"[["read","e"]]"#, |call, _| with(call, removed)).await);
    // Inputs, revision, settings.
    let other = |call: &mut Call| call.inputs[0].revision = "main@sha1:def".into();
    assert!(holds_after(r#"[["read","a.yaml"]]"#, |call, _| other(call)).await);
    assert!(!holds_after(r#"[["revision","source"]]"#, |call, _| other(call)).await);
    assert!(!holds_after("[]", |call, _| call.settings = r#"{"ask": []}"#.into()).await);
    assert!(!holds_after(r#"[["read","a.yaml"]]"#, |call, _| call.inputs.clear()).await);
    assert!(holds_after("[]", |call, _| call.subject.uid = "u-2".into()).await);
    assert!(
        !holds_after(r#"[["subject"]]"#, |call, _| call.subject.uid =
            "u-2".into())
        .await
    );
    // A new API touches only who asked for it, or for all.
    let more = |target: &mut FixedTarget| target.apis.push("x/v1".into());
    assert!(holds_after(r#"[["has-api","apps/v1"]]"#, |_, target| more(target)).await);
    assert!(!holds_after(r#"[["has-api","x/v1"]]"#, |_, target| more(target)).await);
    assert!(!holds_after(r#"[["apis"]]"#, |_, target| more(target)).await);
    assert!(!holds_after(r#"[["values"]]"#, |_, target| target.values = "{ }".into()).await);
    assert!(!holds_after(r#"[["release"]]"#, |_, target| target.release_revision = 2).await);
    assert!(
        !holds_after(r#"[["namespace"]]"#, |_, t| t.namespace =
            Some(String::new()))
        .await
    );
}

#[tokio::test]
async fn a_trace_survives_being_stored() {
    let plugin = load("ask").await;
    let questions = r#"[["read","a.yaml"],["glob","*"],["release"],["clock"]]"#;
    let asked = ask(&plugin, questions, &call("", &FILES), &target()).await;
    let stored = serde_json::to_string(&asked.called.trace).unwrap();
    assert_eq!(
        serde_json::from_str::<Trace>(&stored).unwrap(),
        asked.called.trace
    );
}

#[tokio::test]
async fn a_failed_render_has_a_trace_too() {
    let called = crate::support::render("failing", call("{}", &[])).await;
    assert!(called.result.is_err());
    assert_eq!(called.trace.recorded.len(), 1);
    assert!(called.trace.holds(&call("{}", &[]), &target()));
    assert!(!called.trace.holds(&call("{ }", &[]), &target()));
}

#[tokio::test]
async fn time_and_randomness_make_a_result_impure() {
    let plugin = load("ask").await;
    let impurity = async |asked: &str| {
        let asked = ask(&plugin, asked, &call("", &FILES), &target()).await;
        let trace = asked.called.trace;
        assert_eq!(
            trace.impurity.is_pure(),
            trace.holds(&asked.call, &target())
        );
        (trace.impurity.clock, trace.impurity.random)
    };
    assert_eq!(impurity("[]").await, (false, false));
    assert_eq!(impurity(r#"[["clock"]]"#).await, (true, false));
    assert_eq!(impurity(r#"[["random","8"]]"#).await, (false, true));
    assert_eq!(impurity(r#"[["wasi-random"]]"#).await, (false, true));
    // What language runtimes take by themselves does not count: it is constant.
    let inert = r#"[["wasi-clock"],["wasi-instant"],["wasi-seed"],["wasi-env"]]"#;
    assert_eq!(impurity(inert).await, (false, false));
}

#[tokio::test]
async fn what_is_not_hosted_answers_unsupported() {
    let plugin = load("ask").await;
    let questions = r#"[["decrypt"]]"#;
    let asked = ask(&plugin, questions, &call("", &FILES), &target()).await;
    assert_eq!(asked.answers, ["FailureClass::Unsupported Unsupported"]);
}
