//! Handles.

use weir_plugin::Limit;

use super::{attack, limits, reached, trapped};

#[tokio::test]
async fn handles_are_bounded() {
    reached(
        attack("keep-handles", limits()).await,
        Limit::Handles,
        "more than 50000 open handles",
    );
}

#[tokio::test]
async fn a_handle_dropped_twice_is_a_trap() {
    trapped(attack("drop-twice", limits()).await, "unknown handle index");
}

#[tokio::test]
async fn a_handle_used_after_its_drop_is_a_trap() {
    trapped(
        attack("use-after-drop", limits()).await,
        "unknown handle index",
    );
}

#[tokio::test]
async fn a_forged_handle_is_a_trap() {
    trapped(attack("forge", limits()).await, "unknown handle index 4711");
}

#[tokio::test]
async fn a_tree_is_no_blob() {
    trapped(attack("confuse", limits()).await, "handle index");
}

#[tokio::test]
async fn an_emitter_is_no_call() {
    trapped(attack("pass-off", limits()).await, "handle index");
}
