//! Answers.

use weir_plugin::FailureClass;

use super::{attack, failed, limits};
use crate::support::load;

#[tokio::test]
async fn a_huge_failure_is_cut() {
    let failure = failed(attack("fail-hugely", limits()).await);
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (FailureClass::InvalidInput, "Failed")
    );
    let texts = [
        &failure.message,
        failure.detail.as_ref().unwrap(),
        &failure.positions[0].path,
    ];
    for text in texts {
        assert!(!text.is_empty() && text.len() <= 16 << 10, "{}", text.len());
    }
}

#[tokio::test]
async fn a_failure_has_few_positions() {
    let failure = failed(attack("fail-with-many-positions", limits()).await);
    assert!(failure.positions.len() <= 100);
    assert_eq!(failure.code, "Hostile");
}

#[tokio::test]
async fn a_code_that_is_no_reason_is_replaced() {
    let failure = failed(attack("fail-without-reason", limits()).await);
    assert_eq!(
        (failure.code.as_str(), failure.message.as_str()),
        ("Failed", "hostile")
    );
}

#[tokio::test]
async fn nobody_is_put_off_for_a_century() {
    let failure = failed(attack("fail-for-a-century", limits()).await);
    assert_eq!(failure.retry_after, Some(3600));
}

#[tokio::test]
async fn problems_are_few_and_short() {
    let plugin = load("hostile").await;
    let called = plugin.check_settings("many-problems".into()).await;
    let problems = called.result.unwrap();
    assert_eq!(problems.len(), 20);
    for problem in problems {
        assert!(problem.message.len() <= 1 << 10 && problem.pointer.len() <= 1 << 10);
    }
}
