//! What the host costs per call: `cargo run --release -p weir-plugin --example overhead`.
//!
//! Prints, as medians: a render of 100 files of 1 and of 4 KiB that reads and emits them all, the
//! check of its trace instead of the render, an empty call, and a plugin made ready from the disk
//! cache.
//! The component is `echo` of `tests/guests`, from the folder `WEIR_GUESTS` or the target folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement that fails may panic"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_plugin::{
    Call, FixedTarget, Grants, Input, Limits, MemoryTree, Runtime, RuntimeConfig, Services,
    Subject, Tree,
};

fn guest(name: &str) -> PathBuf {
    let folder = std::env::var_os("WEIR_GUESTS").map_or_else(
        || {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"))
                .ancestors()
                .nth(2)
                .unwrap();
            root.join("target/guests/wasm32-wasip2/release")
        },
        PathBuf::from,
    );
    folder.join(format!("{name}.wasm"))
}

fn call(files: usize, size: usize) -> Call {
    let content = "a: b\n".repeat(size / 5);
    let pairs = (0..files).map(|n| (format!("app/{n:03}.yaml"), content.clone()));
    Call {
        subject: Subject::default(),
        settings: "{}".into(),
        inputs: vec![Input {
            name: "source".into(),
            revision: "main@sha1:abc".into(),
            tree: Arc::new(MemoryTree::from_pairs(pairs).unwrap()) as Arc<dyn Tree>,
        }],
        grants: Arc::new(Grants::default()),
        limits: Limits::default(),
        services: Services::none(),
    }
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
    println!(
        "{what:<44} {:>8.3} ms (p50) {:>8.3} ms (p99)",
        at(50),
        at(99)
    );
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|kb| kb.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

#[tokio::main]
async fn main() {
    let cache = tempfile::tempdir().unwrap();
    let config = || RuntimeConfig {
        cache_dir: Some(cache.path().to_owned()),
        ..RuntimeConfig::default()
    };
    println!("{:<44} {:>8} kB", "resident before", resident());
    let digest = {
        let runtime = Runtime::new(config()).unwrap();
        let started = Instant::now();
        let plugin = runtime
            .load(guest("echo"))
            .await
            .expect("build tests/guests first");
        println!(
            "{:<44} {:>8.3} ms",
            "first load, compiled",
            started.elapsed().as_secs_f64() * 1e3
        );
        plugin.digest()
    };

    let mut ready = Vec::new();
    for _ in 0..50 {
        let runtime = Runtime::new(config()).unwrap();
        let started = Instant::now();
        runtime.load_cached(digest).await.unwrap();
        ready.push(started.elapsed());
    }
    report("plugin ready from the disk cache", ready);

    let runtime = Runtime::new(config()).unwrap();
    let plugin = runtime.load_cached(digest).await.unwrap();
    for (what, files, size) in [
        ("call without files", 0, 0),
        ("render of 100 files of 1 KiB", 100, 1 << 10),
        ("render of 100 files of 4 KiB", 100, 4 << 10),
    ] {
        let call = call(files, size);
        let (mut whole, mut inside, mut held) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..1000 {
            let started = Instant::now();
            let called = plugin
                .render(call.clone(), Arc::new(FixedTarget::default()))
                .await;
            whole.push(started.elapsed());
            inside.push(called.duration);
            assert_eq!(called.result.unwrap().manifests.len(), files);
            let started = Instant::now();
            assert!(called.trace.holds(&call, &FixedTarget::default()));
            held.push(started.elapsed());
        }
        report(what, whole);
        report("  on its own thread, instantiate to drop", inside);
        report("  its trace checked instead", held);
    }
    println!("{:<44} {:>8} kB", "resident after", resident());
}
