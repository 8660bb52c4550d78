//! Raw components at run time: what crosses the border, tables, and code at odd moments.

use std::sync::Arc;
use std::time::Instant;

use weir_plugin::{Called, Limit, Limits, RenderOutput, Runtime};

use super::raw::{OK, Raw};
use super::{SLACK, alone, briefly, limits, out_of_time, peak, reached, trapped};
use crate::support::{call, runtime, target};

async fn render(runtime: &Runtime, raw: &Raw, limits: Limits) -> Called<RenderOutput> {
    let plugin = runtime.load(raw.component()).await.unwrap();
    let call = weir_plugin::Call {
        limits,
        ..call("{}", &[("a", "")])
    };
    plugin.render(call, Arc::new(target())).await
}

/// Loads the component and calls it; afterwards the same runtime has to work for another.
async fn attack(raw: Raw, limits: Limits) -> Called<RenderOutput> {
    let runtime = runtime();
    let started = Instant::now();
    let called = render(&runtime, &raw, limits).await;
    assert!(started.elapsed() < limits.time + SLACK);
    let harmless = render(&runtime, &Raw::default(), super::limits()).await;
    assert!(harmless.result.is_ok(), "{harmless:?}");
    called
}

const LOG: &str = r#"(import "weir:plugin/log@0.1.0" "write"
    (func $log (param i32 i32 i32 i32 i32)))"#;
const EMIT: &str = r#"(import "weir:plugin/output@0.1.0" "[method]emitter.emit"
    (func $emit (param i32 i32 i32 i32)))"#;
const SETTINGS: &str = r#"(import "weir:plugin/context@0.1.0" "[method]call.settings"
    (func $settings (param i32 i32)))"#;

/// Emits a list of that address and length.
fn emitting(address: &str, length: &str) -> Raw {
    let render = format!(
        "(call $emit (local.get $out) (i32.const {address}) (i32.const {length}) (i32.const 512)) {OK}"
    );
    Raw {
        imports: EMIT,
        render: render.leak(),
        ..Raw::default()
    }
}

#[tokio::test]
async fn a_list_outside_the_memory_is_a_trap() {
    trapped(
        attack(emitting("1048000", "1000"), limits()).await,
        "out of bounds",
    );
}

#[tokio::test]
async fn a_list_longer_than_any_memory_is_a_trap() {
    trapped(
        attack(emitting("1024", "0xffffffff"), limits()).await,
        "out of bounds",
    );
}

#[tokio::test]
async fn a_list_off_its_alignment_is_a_trap() {
    trapped(attack(emitting("1027", "1"), limits()).await, "not aligned");
}

#[tokio::test]
async fn a_text_that_is_none_is_a_trap() {
    let raw = Raw {
        imports: LOG,
        fields: r#"(data (i32.const 1024) "\ff\fe\fd")"#,
        render:
            "(call $log (i32.const 2) (i32.const 1024) (i32.const 3) (i32.const 0) (i32.const 0))
            i32.const 256",
        ..Raw::default()
    };
    trapped(attack(raw, limits()).await, "utf-8");
}

#[tokio::test]
async fn a_case_that_does_not_exist_is_a_trap() {
    let raw = Raw {
        imports: LOG,
        render: "(call $log (i32.const 99) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
            i32.const 256",
        ..Raw::default()
    };
    trapped(attack(raw, limits()).await, "99");
}

#[tokio::test]
async fn an_answer_outside_the_memory_is_a_trap() {
    let raw = Raw {
        render: "i32.const 0xfffffff8",
        ..Raw::default()
    };
    trapped(attack(raw, limits()).await, "out of bounds");
}

#[tokio::test]
async fn an_answer_that_is_neither_is_a_trap() {
    let raw = Raw {
        fields: r#"(data (i32.const 1024) "\07")"#,
        render: "i32.const 1024",
        ..Raw::default()
    };
    trapped(attack(raw, limits()).await, "discriminant");
}

/// Asks for the settings, for which the host has to be given memory.
const ASKING: &str = "(call $settings (local.get $call) (i32.const 512)) i32.const 256";

#[tokio::test]
async fn memory_given_out_of_bounds_is_a_trap() {
    let raw = Raw {
        imports: SETTINGS,
        render: ASKING,
        realloc: "i32.const 0xfffffff0",
        ..Raw::default()
    };
    trapped(attack(raw, limits()).await, "memory");
}

#[tokio::test]
async fn an_allocator_that_calls_back_is_a_trap() {
    let raw = Raw {
        imports: Box::leak(format!("{LOG}{SETTINGS}").into_boxed_str()),
        render: ASKING,
        realloc: "(call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
            i32.const 1024",
        ..Raw::default()
    };
    trapped(attack(raw, limits()).await, "leave component instance");
}

#[tokio::test]
async fn an_allocator_that_loops_ends_at_the_deadline() {
    let raw = Raw {
        imports: SETTINGS,
        render: ASKING,
        realloc: "(loop $again (br $again)) unreachable",
        ..Raw::default()
    };
    out_of_time(attack(raw, briefly()).await);
}

#[tokio::test]
async fn a_loop_after_the_answer_ends_at_the_deadline() {
    let raw = Raw {
        fields: r#"(func (export "cabi_post_weir:plugin/renderer@0.1.0#render") (param i32)
            (loop $again (br $again)))"#,
        ..Raw::default()
    };
    out_of_time(attack(raw, briefly()).await);
}

#[tokio::test]
async fn a_division_by_zero_is_a_trap() {
    let raw = Raw {
        render: "(i32.div_u (i32.const 256) (i32.const 0))",
        ..Raw::default()
    };
    trapped(attack(raw, limits()).await, "divide by zero");
}

#[tokio::test]
async fn endless_tail_calls_end_at_the_deadline() {
    let raw = Raw {
        fields: "(func $f (result i32) (return_call $f))",
        render: "call $f",
        ..Raw::default()
    };
    out_of_time(attack(raw, briefly()).await);
}

#[tokio::test]
async fn a_table_grown_at_once_reaches_the_limit() {
    let raw = Raw {
        fields: "(table $t 1 funcref)",
        render: "(drop (table.grow $t (ref.null func) (i32.const 1000000))) i32.const 256",
        ..Raw::default()
    };
    reached(attack(raw, limits()).await, Limit::Table, "100000 allowed");
}

#[tokio::test]
async fn a_table_grown_step_by_step_ends_where_its_room_ends() {
    let raw = Raw {
        fields: "(table $t 1 funcref)",
        // Until it is told that there is no more.
        render: "(loop $again
            (br_if $again (i32.ge_s
                (table.grow $t (ref.null func) (i32.const 100)) (i32.const 0))))
            (if (i32.gt_u (table.size $t) (i32.const 20000)) (then unreachable))
            i32.const 256",
        ..Raw::default()
    };
    let called = attack(raw, limits()).await;
    assert!(called.result.is_ok(), "{called:?}");
}

#[tokio::test]
async fn many_memories_and_tables_are_refused() {
    for fields in [
        "(memory $more i64 1)",
        "(table 1 funcref) (table 1 funcref)",
    ] {
        let raw = Raw {
            fields,
            ..Raw::default()
        };
        let error = runtime().load(raw.component()).await.unwrap_err();
        assert_eq!(error.reason(), "CompileFailed", "{error:?}");
    }
    let raw = Raw {
        fields: "(table 10000000 funcref)",
        ..Raw::default()
    };
    let error = runtime().load(raw.component()).await.unwrap_err();
    assert_eq!(error.reason(), "CompileFailed", "{error:?}");
}

#[tokio::test]
async fn objects_of_the_collector_count_as_memory() {
    if alone("hostile::abi::objects_of_the_collector_count_as_memory") {
        let runtime = runtime();
        let raw = Raw {
            fields: "(type $bytes (array (mut i8)))",
            render: "(loop $again
                (drop (array.new_default $bytes (i32.const 1000000)))
                (br $again)) unreachable",
            ..Raw::default()
        };
        let before = peak();
        let called = render(&runtime, &raw, limits()).await;
        assert!(
            peak() - before < 160 << 20,
            "{} MiB",
            (peak() - before) >> 20
        );
        reached(called, Limit::Memory, "67108864 allowed");
    }
}

const POLLABLES: Raw = Raw {
    imports: r#"(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration"
        (func $sleep (param i64) (result i32)))"#,
    fields: "",
    render: "(loop $again (drop (call $sleep (i64.const 1))) (br $again)) unreachable",
    describe: "i32.const 64",
    realloc: "unreachable",
    world: "import wasi:clocks/monotonic-clock@0.2.0;",
    packages: "package wasi:io@0.2.0 { interface poll { resource pollable; } }
        package wasi:clocks@0.2.0 { interface monotonic-clock {
            use wasi:io/poll@0.2.0.{pollable};
            subscribe-duration: func(when: u64) -> pollable;
        } }",
};

#[tokio::test]
async fn handles_of_wasi_are_bounded_too() {
    reached(
        attack(POLLABLES, limits()).await,
        Limit::Handles,
        "more than 50000 open handles",
    );
}

#[tokio::test]
async fn a_huge_write_does_not_fill_the_host() {
    if alone("hostile::abi::a_huge_write_does_not_fill_the_host") {
        let raw = Raw {
            imports: r#"(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
                (import "wasi:io/streams@0.2.0" "[method]output-stream.write"
                    (func $write (param i32 i32 i32 i32)))"#,
            render: "(drop (memory.grow (i32.const 900)))
                (call $write (call $stdout) (i32.const 0) (i32.const 0x3800000) (i32.const 512))
                i32.const 256",
            world: "import wasi:cli/stdout@0.2.0; import wasi:io/streams@0.2.0;",
            packages: "package wasi:io@0.2.0 {
                    interface error { resource error; }
                    interface streams {
                        use error.{error};
                        variant stream-error { last-operation-failed(error), closed }
                        resource output-stream {
                            write: func(contents: list<u8>) -> result<_, stream-error>;
                        }
                    }
                }
                package wasi:cli@0.2.0 { interface stdout {
                    use wasi:io/streams@0.2.0.{output-stream};
                    get-stdout: func() -> output-stream;
                } }",
            ..Raw::default()
        };
        let runtime = runtime();
        let before = peak();
        reached(
            render(&runtime, &raw, limits()).await,
            Limit::Transfer,
            "in one call",
        );
        assert!(
            peak() - before < 256 << 20,
            "{} MiB",
            (peak() - before) >> 20
        );
    }
}

#[tokio::test]
async fn randomness_comes_in_small_pieces() {
    let raw = Raw {
        imports: r#"(import "wasi:random/random@0.2.0" "get-random-bytes"
            (func $random (param i64 i32)))"#,
        render: "(call $random (i64.const -1) (i32.const 512)) i32.const 256",
        world: "import wasi:random/random@0.2.0;",
        packages: "package wasi:random@0.2.0 { interface random {
            get-random-bytes: func(len: u64) -> list<u8>;
        } }",
        ..Raw::default()
    };
    trapped(attack(raw, limits()).await, "more randomness");
}

#[tokio::test]
async fn what_waits_for_ever_inside_the_host_is_not_linked() {
    // Waiting for another thread is the one instruction that no epoch interrupts.
    let raw = Raw {
        fields: "(memory $shared 1 1 shared)",
        render: "(drop (memory.atomic.wait32 $shared
                (i32.const 0) (i32.const 0) (i64.const -1)))
            i32.const 256",
        ..Raw::default()
    };
    let error = runtime().load(raw.component()).await.unwrap_err();
    assert_eq!(error.reason(), "CompileFailed", "{error:?}");
}
