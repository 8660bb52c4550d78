//! How calls end: well, and in the four other ways.

use std::sync::Arc;
use std::time::Duration;

use weir_plugin::{
    CallError, FailureClass, FixedTarget, Limit, Limits, Plugin, RenderOutput, Warning,
};

use crate::support::{call, guest, load, render, runtime, target};

fn limit(called: &weir_plugin::Called<RenderOutput>) -> Limit {
    match &called.result {
        Err(CallError::LimitReached { limit, .. }) => *limit,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_render_gives_what_was_emitted_in_order() {
    let plugin = load("echo").await;
    let files = [
        ("app/a.yaml", "kind: A"),
        ("app/b/c.yaml", "kind: C"),
        ("other/d.yaml", "kind: D"),
    ];
    let target = FixedTarget {
        path: "app".into(),
        ..target()
    };
    let called = plugin.render(call("{}", &files), Arc::new(target)).await;
    assert_eq!(called.outcome(), "ok");
    assert!(called.memory_peak > 0);
    let output = called.result.unwrap();
    let emitted: Vec<_> = output
        .manifests
        .iter()
        .map(|m| {
            (
                m.origin.as_deref().unwrap(),
                std::str::from_utf8(&m.body).unwrap(),
            )
        })
        .collect();
    assert_eq!(
        emitted,
        [("app/a.yaml", "kind: A"), ("app/b/c.yaml", "kind: C")]
    );
    assert_eq!(output.attachments, [("notes".to_owned(), "echoed".into())]);
    assert_eq!(
        output.warnings,
        [Warning {
            code: "Echoed".into(),
            message: "2 files".into()
        }]
    );
}

#[tokio::test]
async fn an_error_reaches_the_user_as_the_guest_wrote_it() {
    let called = render("failing", call(r#"{"a":1}"#, &[])).await;
    let Err(CallError::Failed(failure)) = called.result else {
        panic!("{called:?}")
    };
    assert_eq!(failure.class, FailureClass::InvalidInput);
    assert_eq!(failure.code, "BadFile");
    assert_eq!(failure.message, r#"cannot use {"a":1}"#);
    assert_eq!(failure.retry_after, Some(30));
    assert_eq!(
        (
            failure.positions[0].path.as_str(),
            failure.positions[0].line
        ),
        ("a.yaml", Some(3))
    );
    assert_eq!(failure.detail.as_deref(), Some(r#"{"n":1}"#));
}

#[tokio::test]
async fn a_panic_is_a_trap_with_its_message_and_place() {
    let called = render("trap", call("{}", &[])).await;
    let Err(CallError::Trapped { message }) = &called.result else {
        panic!("{called:?}")
    };
    assert!(message.contains("no value at 0"), "{message}");
    assert!(message.contains("(in trap::deep_inside, from"), "{message}");
    assert_eq!(called.outcome(), "trap");
}

#[tokio::test]
async fn a_guest_that_does_not_return_ends_at_its_deadline() {
    let limits = Limits {
        time: Duration::from_millis(50),
        ..Limits::default()
    };
    let called = render(
        "spin",
        weir_plugin::Call {
            limits,
            ..call("{}", &[])
        },
    )
    .await;
    let Err(CallError::DeadlineExceeded { after }) = called.result else {
        panic!("{called:?}")
    };
    assert_eq!(after, limits.time);
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_ended() {
    let runtime = weir_plugin::Runtime::new(weir_plugin::RuntimeConfig {
        max_calls: 1,
        ..weir_plugin::RuntimeConfig::default()
    })
    .unwrap();
    let spin = runtime.load(guest("spin")).await.unwrap();
    let echo = runtime.load(guest("echo")).await.unwrap();
    let limits = Limits {
        time: Duration::from_hours(1),
        ..Limits::default()
    };
    let endless = weir_plugin::Call {
        limits,
        ..call("{}", &[])
    };
    let spinning = spin.render(endless, Arc::new(target()));
    assert!(
        tokio::time::timeout(Duration::from_millis(50), spinning)
            .await
            .is_err()
    );
    // There is one place: this call gets it only if the other has ended.
    let called = echo.render(call("{}", &[]), Arc::new(target())).await;
    assert!(called.result.is_ok());
}

#[tokio::test]
async fn each_limit_is_told_apart() {
    let small = Limits {
        memory: 16 << 20,
        output_bytes: 1 << 20,
        output_count: 5,
        ..Limits::default()
    };
    let with = |limits| weir_plugin::Call {
        limits,
        ..call("{}", &[("a", "")])
    };

    let called = render("hungry", with(small)).await;
    assert_eq!(limit(&called), Limit::Memory);
    assert!(called.memory_peak <= small.memory && called.memory_peak > small.memory / 2);

    let called = render(
        "flood",
        with(Limits {
            output_count: 1 << 20,
            ..small
        }),
    )
    .await;
    assert_eq!(limit(&called), Limit::OutputBytes);
    let called = render(
        "flood",
        with(Limits {
            output_bytes: 1 << 30,
            ..small
        }),
    )
    .await;
    assert_eq!(limit(&called), Limit::OutputCount);
    let called = render("hoard", with(Limits::default())).await;
    assert_eq!(limit(&called), Limit::Handles);
}

#[tokio::test]
async fn a_component_larger_than_the_memory_it_gets_reaches_the_limit_at_once() {
    let limits = Limits {
        memory: 64 << 10,
        ..Limits::default()
    };
    let called = render(
        "echo",
        weir_plugin::Call {
            limits,
            ..call("{}", &[])
        },
    )
    .await;
    assert_eq!(limit(&called), Limit::Memory);
}

#[tokio::test]
async fn log_lines_beyond_the_limit_are_counted() {
    let limits = Limits {
        log_lines: 10,
        ..Limits::default()
    };
    let called = render(
        "chatty",
        weir_plugin::Call {
            limits,
            ..call("{}", &[])
        },
    )
    .await;
    assert!(called.result.is_ok());
    // 50 lines logged, and what was printed within its own bound.
    assert!(called.log_dropped > 50, "{}", called.log_dropped);
}

#[tokio::test]
async fn calls_do_not_see_each_other() {
    let plugin = load("echo").await;
    let render = |n: usize| {
        let plugin = plugin.clone();
        async move {
            let content = format!("kind: K{n}");
            let call = call("{}", &[("a.yaml", &content)]);
            let output = plugin
                .render(call, Arc::new(target()))
                .await
                .result
                .unwrap();
            assert_eq!(output.manifests.len(), 1);
            assert_eq!(output.manifests[0].body, content);
        }
    };
    futures::future::join_all((0..100).map(render)).await;
}

#[tokio::test]
async fn a_plugin_is_called_only_by_its_own_world() {
    let plugin: Arc<Plugin> = load("pick").await;
    let called = plugin.render(call("{}", &[]), Arc::new(target())).await;
    let Err(CallError::Host(message)) = called.result else {
        panic!("{called:?}")
    };
    assert!(message.contains("image-policy"), "{message}");
}

#[tokio::test]
async fn an_image_policy_selects_an_index_of_its_candidates() {
    let plugin = load("pick").await;
    let candidates = || vec!["1.0".to_owned(), "1.1".to_owned()];
    let select = |settings| plugin.select(call(settings, &[]), candidates());
    assert_eq!(select(r#"{"index":1}"#).await.result.unwrap(), Some(1));
    assert_eq!(select("{}").await.result.unwrap(), None);
    let Err(CallError::Failed(failure)) = select(r#"{"index":2}"#).await.result else {
        panic!()
    };
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (FailureClass::Internal, "InvalidAnswer")
    );
}

#[tokio::test]
async fn settings_are_checked_by_schema_and_by_the_plugin() {
    let ask = runtime().load(guest("ask")).await.unwrap();
    assert!(ask.validate_settings(r#"{"ask":[]}"#).is_empty());
    let problems = ask.validate_settings(r#"{"ask":["x"],"more":1}"#);
    let pointers: Vec<_> = problems.iter().map(|p| p.pointer.as_str()).collect();
    assert_eq!(pointers, ["", "/ask/0"]);

    let echo = load("echo").await;
    let problems = echo
        .check_settings(r#"{"odd":1}"#.into())
        .await
        .result
        .unwrap();
    assert_eq!(
        (problems[0].pointer.as_str(), problems[0].fatal),
        ("/odd", false)
    );
}
