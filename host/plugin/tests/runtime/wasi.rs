//! WASI is inert: no files, no network, no time; randomness is real where it is asked for.

use crate::support::{Asked, ask, call, load, render, target};

async fn answers(questions: &str) -> Asked {
    ask(&load("ask").await, questions, &call("", &[]), &target()).await
}

#[tokio::test]
async fn there_is_nothing_to_reach() {
    let questions = r#"[["wasi-env"],["wasi-file","/etc/passwd"],["wasi-file","a.yaml"],
        ["wasi-list"],["wasi-socket"],["wasi-stdin"]]"#;
    let answers = answers(questions).await.answers;
    assert_eq!(answers[0], "0 0");
    for answer in &answers[1..5] {
        assert!(answer.starts_with("Err("), "{answer}");
    }
    assert!(
        answers[5] == r#"Ok("")"# || answers[5].starts_with("Err("),
        "{}",
        answers[5]
    );
}

#[tokio::test]
async fn clocks_and_seeds_are_the_same_in_every_call() {
    let questions = r#"[["wasi-clock"],["wasi-instant"],["wasi-seed"]]"#;
    let (first, second) = (answers(questions).await, answers(questions).await);
    assert_eq!(first.answers, second.answers);
    assert_eq!(first.answers[1], "0ns", "an hour's sleep takes no time");
}

#[tokio::test]
async fn randomness_is_random() {
    let questions = r#"[["random","16"],["random","16"],["wasi-random"],["wasi-random"]]"#;
    let mut answers = answers(questions).await.answers;
    answers.sort();
    answers.dedup();
    assert_eq!(answers.len(), 4);
}

#[tokio::test]
async fn time_from_the_contract_is_real() {
    let now = || std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let before = now();
    let asked: u128 = answers(r#"[["clock"]]"#).await.answers[0].parse().unwrap();
    assert!((before..=now()).contains(&asked));
}

#[tokio::test]
async fn leaving_by_itself_is_a_trap() {
    let called = render("ask", call(r#"{"ask":[["wasi-exit"]]}"#, &[])).await;
    assert_eq!(called.outcome(), "trap");
    assert!(
        called
            .result
            .unwrap_err()
            .to_string()
            .contains("exited by itself")
    );
}
