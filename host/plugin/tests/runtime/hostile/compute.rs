//! Time and stack.

use futures::future::join_all;

use super::{attack, attack_call, briefly, limits, out_of_time, trapped};
use crate::support::{call, load, target};

#[tokio::test]
async fn a_loop_ends_at_the_deadline() {
    out_of_time(attack("spin", briefly()).await);
}

#[tokio::test]
async fn a_loop_of_host_calls_ends_at_the_deadline() {
    out_of_time(attack("spin-asking", briefly()).await);
}

#[tokio::test]
async fn sleeping_does_not_outlast_the_deadline() {
    out_of_time(attack("spin-sleeping", briefly()).await);
}

#[tokio::test]
async fn endless_recursion_is_a_trap() {
    trapped(attack("recurse", limits()).await, "call stack exhausted");
}

#[tokio::test]
async fn a_host_call_at_the_end_of_the_stack_finds_room() {
    trapped(
        attack("recurse-asking", limits()).await,
        "call stack exhausted",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn others_go_on_while_some_loop() {
    let (hostile, echo) = (load("hostile").await, load("echo").await);
    let spinning = [
        "spin",
        "spin-asking",
        "emit-nothing-for-ever",
        "log-for-ever",
    ]
    .map(|name| {
        let (hostile, call) = (hostile.clone(), attack_call(name, limits()));
        tokio::spawn(async move { hostile.render(call, std::sync::Arc::new(target())).await })
    });
    let renders = join_all((0..50).map(|_| {
        let call = call("{}", &[("a.yaml", "kind: A")]);
        echo.render(call, std::sync::Arc::new(target()))
    }));
    assert!(renders.await.iter().all(|called| called.result.is_ok()));
    // All that time they were there.
    assert!(spinning.iter().all(|call| !call.is_finished()));
    for call in spinning {
        out_of_time(call.await.unwrap());
    }
}
