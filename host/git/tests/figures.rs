//! Figures, printed: `cargo test -p weir-git --test figures -- --ignored --nocapture`. Nothing is
//! asserted of the times.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::{Duration, Instant};

use common::{Client, remote, wanted};
use weir_plugin::Git as _;
use weir_tests_support::{Change, GitServer};

const MAIN: &str = "refs/heads/main";

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Median and worst.
fn show(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let median = milliseconds(times[times.len() / 2]);
    let worst = milliseconds(times[times.len() - 1]);
    println!(
        "{what}: median {median:.2} ms, worst {worst:.2} ms of {}",
        times.len()
    );
}

async fn figures(files: usize, rounds: usize) {
    let server = GitServer::start().unwrap();
    let repo = server.create_repo("mono").unwrap();
    let changes: Vec<Change> = (0..files)
        .map(|n| {
            let path = format!("apps/{:04}/file-{}.yaml", n / 4, n % 4);
            let body = format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  n: \"{n}\"\n");
            Change::text(&path, &body.repeat(8))
        })
        .collect();
    let id = repo.commit_on("main", &changes, "all").unwrap();
    let client = Client::new();
    let start = Instant::now();
    client.fetch(&repo, &id, Some(MAIN)).await.unwrap();
    println!(
        "{files} files, first fetch: {:.0} ms",
        milliseconds(start.elapsed())
    );

    let poll = async || {
        client
            .git
            .list_references(remote(repo.url()), vec![MAIN.to_owned()])
            .await
            .unwrap()
    };
    poll().await;
    let mut polls = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        poll().await;
        polls.push(start.elapsed());
    }
    show(&format!("{files} files, poll without a change"), polls);

    let mut fetches = Vec::new();
    let mut known = Vec::new();
    for round in 0..rounds {
        let path = format!("apps/{:04}/file-0.yaml", round % (files / 4));
        let id = repo
            .commit(&[(&path, Some(&format!("round: {round}\n")))], "one")
            .unwrap();
        let start = Instant::now();
        client
            .git
            .fetch(remote(repo.url()), wanted(&id, Some(MAIN)))
            .await
            .unwrap();
        fetches.push(start.elapsed());
        let start = Instant::now();
        client
            .git
            .fetch(remote(repo.url()), wanted(&id, Some(MAIN)))
            .await
            .unwrap();
        known.push(start.elapsed());
    }
    show(
        &format!("{files} files, fetch of a commit that changes one"),
        fetches,
    );
    show(&format!("{files} files, the same again"), known);

    let start = Instant::now();
    repo.git(&["ls-remote", repo.url(), MAIN]).unwrap();
    println!(
        "git ls-remote on the same server: {:.1} ms",
        milliseconds(start.elapsed())
    );
    let client = client.restart();
    let id = repo.resolve("main").unwrap();
    let start = Instant::now();
    client.fetch(&repo, &id, Some(MAIN)).await.unwrap();
    println!(
        "{files} files, first use after a restart: {:.0} ms",
        milliseconds(start.elapsed())
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints figures"]
async fn four_thousand_files() {
    figures(4_000, 60).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints figures, takes a minute"]
async fn two_hundred_thousand_files() {
    figures(200_000, 10).await;
}
