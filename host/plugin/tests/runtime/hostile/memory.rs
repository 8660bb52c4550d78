//! Memory.

use weir_plugin::Limit;

use super::{alone, attack, attack_within, limits, reached};

#[tokio::test]
async fn memory_asked_for_at_once_is_refused() {
    let called = attack("eat-at-once", limits()).await;
    assert!(called.memory_peak < limits().memory);
    reached(
        called,
        Limit::Memory,
        "bytes of memory asked for, 67108864 allowed",
    );
}

#[tokio::test]
async fn memory_in_small_pieces_ends_at_the_limit() {
    if alone("hostile::memory::memory_in_small_pieces_ends_at_the_limit") {
        let called = attack_within(160 << 20, "eat-in-pieces", limits()).await;
        assert!(called.memory_peak <= limits().memory);
        reached(called, Limit::Memory, "67108864 allowed");
    }
}

#[tokio::test]
async fn memory_that_is_not_touched_counts_as_well() {
    reached(
        attack("eat-untouched", limits()).await,
        Limit::Memory,
        "67108864 allowed",
    );
}
