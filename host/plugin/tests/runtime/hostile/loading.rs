//! Components that attack whoever loads them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use weir_plugin::{CallError, LoadError, Runtime, RuntimeConfig};

use super::raw::Raw;
use super::{alone, peak};
use crate::support::{call, guest, load, runtime, target};

fn with_schema(schema: &str) -> Vec<u8> {
    let data = format!(
        r#"(data (i32.const 2048) "{}") (data (i32.const 88) "\00\08\00\00{}")"#,
        schema.replace('"', "\\22"),
        (schema.len() as u32)
            .to_le_bytes()
            .map(|byte| format!("\\{byte:02x}"))
            .concat()
    );
    Raw {
        fields: data.leak(),
        ..Raw::default()
    }
    .component()
}

#[tokio::test]
async fn a_raw_component_without_malice_loads() {
    let plugin = runtime().load(Raw::default().component()).await.unwrap();
    assert_eq!(plugin.info().name, "raw");
    let plugin = runtime()
        .load(with_schema(r#"{"type":"object"}"#))
        .await
        .unwrap();
    assert_eq!(plugin.validate_settings("[]").len(), 1);
}

#[tokio::test]
async fn a_component_that_never_starts_or_never_describes_itself_is_refused() {
    let looping = "(loop $again (br $again)) unreachable";
    let start = Raw {
        fields: "(func $start (loop $again (br $again))) (start $start)",
        ..Raw::default()
    };
    let describe = Raw {
        describe: looping,
        ..Raw::default()
    };
    let runtimes = [runtime(), runtime()];
    let (start, describe) = tokio::join!(
        runtimes[0].load(start.component()),
        runtimes[1].load(describe.component())
    );
    for error in [start.unwrap_err(), describe.unwrap_err()] {
        assert_eq!(error.reason(), "DescribeFailed");
        let LoadError::Describe { source } = error else {
            panic!("{error:?}")
        };
        assert!(
            matches!(source, CallError::DeadlineExceeded { .. }),
            "{source:?}"
        );
    }
}

#[tokio::test]
async fn a_description_of_a_million_nothings_is_refused() {
    let raw = Raw {
        // Annotations: a million pairs of empty texts, which is 16 MiB of zeros.
        fields: r#"(data (i32.const 112) "\00\00\10\00\40\42\0f\00")"#,
        describe: "(drop (memory.grow (i32.const 300))) i32.const 64",
        ..Raw::default()
    };
    let error = runtime().load(raw.component()).await.unwrap_err();
    assert!(
        matches!(&error, LoadError::InvalidDescription { problem } if problem.contains("it has 160000")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_description_is_taken_once() {
    // The name is one random letter: of ten plugins that were asked each time, some would differ.
    let raw = Raw {
        imports: r#"(import "weir:plugin/random@0.1.0" "bytes" (func $random (param i32 i32)))"#,
        describe: "(call $random (i32.const 8) (i32.const 512))
            (i64.store (i32.const 600) (i64.or
                (i64.and (i64.load (i32.load (i32.const 512))) (i64.const 0x0f0f0f0f0f0f0f0f))
                (i64.const 0x6060606060606060)))
            (i32.store (i32.const 64) (i32.const 600))
            (i32.store (i32.const 68) (i32.const 8))
            i32.const 64",
        ..Raw::default()
    };
    let component = raw.component();
    let folder = tempfile::tempdir().unwrap();
    let config = || RuntimeConfig {
        cache_dir: Some(folder.path().to_owned()),
        max_calls: 2,
        ..RuntimeConfig::default()
    };
    let name = |plugin: Arc<weir_plugin::Plugin>| plugin.info().name.clone();
    let first = {
        let runtime = Runtime::new(config()).unwrap();
        let first = name(runtime.load(component.clone()).await.unwrap());
        // Nobody holds it any more: it is loaded again.
        assert_eq!(name(runtime.load(component.clone()).await.unwrap()), first);
        first
    };
    let restarted = Runtime::new(config()).unwrap();
    assert_eq!(
        name(restarted.load(component.clone()).await.unwrap()),
        first
    );
    let other = name(runtime().load(component).await.unwrap());
    assert_ne!(other, first, "the guest does change its answer");
}

#[tokio::test]
async fn a_schema_that_leads_into_itself_is_refused() {
    for schema in [
        r##"{"$ref":"#"}"##,
        r##"{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}}"##,
    ] {
        let error = runtime().load(with_schema(schema)).await.unwrap_err();
        assert!(
            matches!(&error, LoadError::InvalidDescription { problem } if problem.contains("itself")),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_schema_that_doubles_at_every_step_is_refused() {
    let defs: Vec<String> = (0..14)
        .map(|n| {
            let next = format!(r##"{{"$ref":"#/$defs/d{}"}}"##, n + 1);
            format!(r#""d{n}":{{"allOf":[{next},{next}]}}"#)
        })
        .collect();
    let schema = format!(
        r##"{{"$ref":"#/$defs/d0","$defs":{{{},"d14":{{"type":"object"}}}}}}"##,
        defs.join(",")
    );
    let error = runtime().load(with_schema(&schema)).await.unwrap_err();
    assert!(
        matches!(&error, LoadError::InvalidDescription { problem } if problem.contains("too many")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_pattern_that_would_fill_the_memory_is_refused() {
    let schema = r#"{"pattern":"((a{1000}){1000}){1000}"}"#;
    let error = runtime().load(with_schema(schema)).await.unwrap_err();
    assert_eq!(error.reason(), "DescribeFailed");
}

#[tokio::test]
async fn a_component_of_200_mebibytes_is_not_even_read() {
    if alone("hostile::loading::a_component_of_200_mebibytes_is_not_even_read") {
        let runtime = runtime();
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(200 << 20).unwrap();
        let before = peak();
        let error = runtime.load(file.path()).await.unwrap_err();
        assert!(
            matches!(error, LoadError::TooLarge { size, limit } if size == 200 << 20 && limit == 64 << 20),
            "{error:?}"
        );
        assert!(peak() - before < 16 << 20);
    }
}

/// Components within components, as many.
fn nested(depth: usize) -> Vec<u8> {
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
    // From the inside out, each reversed: prepending would be quadratic.
    let mut reversed: Vec<u8> = COMPONENT.iter().rev().copied().collect();
    for _ in 0..depth {
        let mut size = Vec::new();
        let mut rest = reversed.len();
        while rest >= 0x80 {
            size.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        size.push(rest as u8);
        reversed.extend(size.iter().rev());
        reversed.push(4);
        reversed.extend(COMPONENT.iter().rev());
    }
    reversed.reverse();
    reversed
}

#[tokio::test]
async fn components_within_components_do_not_exhaust_the_stack() {
    for depth in [10, 100_000] {
        let error = runtime().load(nested(depth)).await.unwrap_err();
        assert!(
            matches!(error.reason(), "InvalidWorld" | "CompileFailed"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_function_of_another_type_is_refused() {
    let raw = Raw {
        imports: r#"(import "weir:plugin/log@0.1.0" "write" (func $log (param i32 i32)))"#,
        fields: "(func (call $log (i32.const 0) (i32.const 0)))",
        ..Raw::default()
    };
    let component = raw.component_for(|wit| {
        wit.replace(
            "write: func(level: level, message: string, fields: labels);",
            "write: func(message: string);",
        )
    });
    let error = runtime().load(component).await.unwrap_err();
    assert_eq!(error.reason(), "UnsupportedContract", "{error:?}");
}

#[tokio::test]
async fn a_function_that_is_not_there_is_refused() {
    let raw = Raw {
        imports: r#"(import "weir:plugin/log@0.1.0" "erase" (func $erase))"#,
        fields: "(func (call $erase))",
        ..Raw::default()
    };
    let component = raw.component_for(|wit| {
        wit.replace(
            "  write: func(level",
            "  erase: func();\n  write: func(level",
        )
    });
    let error = runtime().load(component).await.unwrap_err();
    assert_eq!(error.reason(), "UnsupportedContract", "{error:?}");
}

/// A component whose functions take a compiler long: one long chain of values that all live to
/// the end, in each of many functions.
fn slow_to_compile() -> Vec<u8> {
    let values = 2_000;
    let mut body = String::new();
    for n in 0..values {
        write!(body, "(local.set {n} (i32.load (i32.const {})))", n * 4).unwrap();
    }
    for n in 0..values {
        let other = (n * 7 + 1) % values;
        write!(
            body,
            "(local.set {n} (i32.mul (local.get {n}) (local.get {other})))"
        )
        .unwrap();
        write!(body, "(br_if 0 (local.get {n}))").unwrap();
    }
    let function = format!("(func (local {}) (block {body}))", "i32 ".repeat(values));
    let raw = Raw {
        fields: function.repeat(4).leak(),
        ..Raw::default()
    };
    raw.component()
}

#[tokio::test(flavor = "multi_thread")]
async fn others_go_on_while_a_component_compiles_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let config = || RuntimeConfig {
        cache_dir: Some(folder.path().to_owned()),
        max_calls: 4,
        ..RuntimeConfig::default()
    };
    let known = Runtime::new(config())
        .unwrap()
        .load(guest("echo"))
        .await
        .unwrap()
        .digest();
    let loaded = load("echo").await;

    let runtime = Runtime::new(config()).unwrap();
    let component = slow_to_compile();
    let compiling = tokio::spawn({
        let runtime = runtime.clone();
        async move { runtime.load(component).await }
    });
    // Until it has the compiler for itself.
    tokio::time::sleep(Duration::from_millis(300)).await;
    // What was compiled before need not wait for the compiler, and calls do not either.
    let echo = runtime.load_cached(known).await.unwrap();
    for plugin in [echo, loaded] {
        let called = plugin
            .render(call("{}", &[("a", "x")]), Arc::new(target()))
            .await;
        assert!(called.result.is_ok());
    }
    assert!(!compiling.is_finished(), "it is slow to compile");
    assert!(compiling.await.unwrap().is_ok());
}
