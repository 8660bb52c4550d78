//! Components that attack their host (`tests/guests/hostile`, `tests/guests/intruder`, and some
//! made of WebAssembly text). Each ends within its limits with the right outcome, the host's memory
//! stays bounded, and the next call of the same plugin works. `docs/hardening.md` lists them.

mod abi;
mod answers;
mod compute;
mod disk;
mod handles;
mod loading;
mod memory;
mod network;
mod output;
mod raw;
mod reach;
mod sources;
mod trees;

use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_plugin::{Call, CallError, Called, Failure, Limit, Limits, RenderOutput};

use crate::support::{call, load, target};

/// What a call may need beyond its deadline on a busy machine: one host function, and being
/// scheduled.
const SLACK: Duration = Duration::from_secs(20);

/// Limits that an attack reaches soon.
fn limits() -> Limits {
    Limits {
        memory: 64 << 20,
        time: Duration::from_secs(5),
        output_bytes: 16 << 20,
        output_count: 10_000,
        ..Limits::default()
    }
}

/// The same, with little time: for what ends in no other way.
fn briefly() -> Limits {
    Limits {
        time: Duration::from_millis(300),
        ..limits()
    }
}

const FILES: [(&str, &str); 3] = [
    ("a.yaml", "kind: A"),
    ("app/b.yaml", "kind: B"),
    ("large", ""),
];

/// The call of an attack by its name.
fn attack_call(name: &str, limits: Limits) -> Call {
    Call {
        limits,
        ..call(&format!(r#"{{"do":"{name}"}}"#), &FILES)
    }
}

/// Lets the guest `hostile` make an attack; afterwards its next call has to work.
async fn attack(name: &str, limits: Limits) -> Called<RenderOutput> {
    attack_with(attack_call(name, limits)).await
}

async fn attack_with(call: Call) -> Called<RenderOutput> {
    let plugin = load("hostile").await;
    let (started, allowed) = (Instant::now(), call.limits.time + SLACK);
    let called = plugin.render(call, Arc::new(target())).await;
    assert!(started.elapsed() < allowed, "{:?}", started.elapsed());
    let behaved = plugin
        .render(attack_call("behave", limits()), Arc::new(target()))
        .await;
    assert_eq!(behaved.result.unwrap().manifests.len(), 1);
    called
}

fn trapped(called: Called<RenderOutput>, why: &str) {
    match called.result {
        Err(CallError::Trapped { message }) => assert!(message.contains(why), "{message}"),
        other => panic!("{other:?}"),
    }
}

fn out_of_time(called: Called<RenderOutput>) {
    match called.result {
        Err(error @ CallError::DeadlineExceeded { .. }) => {
            assert!(
                error.to_string().contains("passed its deadline of"),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
}

fn reached<T: std::fmt::Debug>(called: Called<T>, expected: Limit, why: &str) {
    match called.result {
        Err(CallError::LimitReached { limit, message }) => {
            assert_eq!(limit, expected, "{message}");
            assert!(message.contains(why), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

fn failed<T: std::fmt::Debug>(called: Called<T>) -> Failure {
    match called.result {
        Err(CallError::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

/// What the guest emitted, as text.
fn told(called: Called<RenderOutput>) -> Vec<String> {
    let output = called.result.unwrap();
    let text = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap();
    output.manifests.iter().map(|m| text(&m.body)).collect()
}

/// Runs the rest of a test in a process of its own, where the memory that it takes can be
/// measured: `false` in the test, after the process ended well, `true` in the process.
fn alone(test: &str) -> bool {
    const MARK: &str = "WEIR_TEST_ALONE";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(MARK, "1")
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("1 passed"), "no test `{test}`: {stdout}");
    false
}

/// The most memory that this process ever had, in bytes.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line
        .and_then(|line| line.split_whitespace().nth(1))
        .unwrap();
    kilobytes.parse::<u64>().unwrap() << 10
}

/// The most memory that this process ever had: not known here.
#[cfg(not(target_os = "linux"))]
fn peak() -> u64 {
    0
}

/// Makes an attack in a process of its own, and asserts that host and guest together took at most
/// so many bytes for it.
async fn attack_within(bytes: u64, name: &str, limits: Limits) -> Called<RenderOutput> {
    load("hostile").await;
    let before = peak();
    let called = attack(name, limits).await;
    let taken = peak() - before;
    assert!(taken <= bytes, "{name} took {} MiB", taken >> 20);
    called
}
