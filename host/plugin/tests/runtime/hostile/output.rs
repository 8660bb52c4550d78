//! Objects, by-products, warnings and logs.

use weir_plugin::{CallError, Limit, Limits};

use super::{alone, attack, attack_within, briefly, limits, out_of_time, reached};

#[tokio::test]
async fn ten_gigabytes_of_objects_end_at_the_limit() {
    if alone("hostile::output::ten_gigabytes_of_objects_end_at_the_limit") {
        let called = attack_within(128 << 20, "emit-10-gigabytes", limits()).await;
        reached(
            called,
            Limit::OutputBytes,
            "output of more than 16777216 bytes",
        );
    }
}

#[tokio::test]
async fn a_billion_objects_end_at_the_limit() {
    if alone("hostile::output::a_billion_objects_end_at_the_limit") {
        let called = attack_within(128 << 20, "emit-a-billion-objects", limits()).await;
        reached(called, Limit::OutputCount, "more than 10000 outputs");
    }
}

#[tokio::test]
async fn emitting_nothing_for_ever_ends_at_the_deadline() {
    out_of_time(attack("emit-nothing-for-ever", briefly()).await);
}

#[tokio::test]
async fn the_same_bytes_many_times_do_not_fill_the_host() {
    if alone("hostile::output::the_same_bytes_many_times_do_not_fill_the_host") {
        let roomy = Limits {
            memory: 256 << 20,
            ..limits()
        };
        let called = attack_within(512 << 20, "emit-the-same-bytes-many-times", roomy).await;
        reached(called, Limit::Transfer, "in one call");
    }
}

#[tokio::test]
async fn millions_of_objects_at_once_do_not_fill_the_host() {
    if alone("hostile::output::millions_of_objects_at_once_do_not_fill_the_host") {
        let roomy = Limits {
            memory: 256 << 20,
            ..limits()
        };
        let called = attack_within(512 << 20, "emit-millions-at-once", roomy).await;
        reached(called, Limit::Transfer, "in one call");
    }
}

#[tokio::test]
async fn by_products_count_as_output() {
    reached(
        attack("attach-for-ever", limits()).await,
        Limit::OutputBytes,
        "16777216",
    );
}

#[tokio::test]
async fn warnings_count_as_output() {
    reached(
        attack("warn-for-ever", limits()).await,
        Limit::OutputCount,
        "10000",
    );
}

#[tokio::test]
async fn warnings_are_few_and_short() {
    let roomy = Limits {
        output_bytes: 256 << 20,
        ..limits()
    };
    let output = attack("warn-a-lot", roomy).await.result.unwrap();
    assert_eq!(output.warnings.len(), 100);
    for warning in &output.warnings[..99] {
        assert_eq!(warning.code, "Warning");
        assert!(warning.message.len() <= 16 << 10);
    }
    let last = &output.warnings[99].message;
    assert!(last.contains("901 more"), "{last}");
}

#[tokio::test]
async fn logging_for_ever_ends_at_the_deadline() {
    let called = attack("log-for-ever", briefly()).await;
    assert!(called.log_dropped > 0);
    out_of_time(called);
}

#[tokio::test]
async fn huge_log_lines_are_cut() {
    if alone("hostile::output::huge_log_lines_are_cut") {
        let roomy = Limits {
            memory: 256 << 20,
            time: std::time::Duration::from_mins(1),
            ..limits()
        };
        let called = attack_within(640 << 20, "log-hugely", roomy).await;
        assert!(called.result.is_ok(), "{called:?}");
    }
}

#[tokio::test]
async fn printing_for_ever_ends_at_the_deadline() {
    if alone("hostile::output::printing_for_ever_ends_at_the_deadline") {
        let called = attack_within(64 << 20, "print-for-ever", briefly()).await;
        assert!(
            matches!(called.result, Err(CallError::DeadlineExceeded { .. })),
            "{called:?}"
        );
    }
}
