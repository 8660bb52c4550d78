//! What the standard library of a language would reach.

use super::{attack, limits, told, trapped};

#[tokio::test]
async fn sockets_files_threads_and_the_environment_are_out_of_reach() {
    let told = told(attack("reach-out", limits()).await);
    let (surroundings, attempts) = told.split_last().unwrap();
    assert_eq!(attempts.len(), 15);
    for attempt in attempts {
        assert!(attempt.ends_with(": false"), "{attempt}");
    }
    assert_eq!(surroundings, "(0, 0, None, None)");
}

#[tokio::test]
async fn names_are_not_resolved() {
    trapped(
        attack("resolve-names", limits()).await,
        "is not available to plugins",
    );
}
