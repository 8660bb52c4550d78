//! A disk that is full, and a cache that holds what nobody wrote like that. A limit on the size of
//! files stands for the full disk: what is written beyond it fails in the middle.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use weir_plugin::{Limits, Runtime, RuntimeConfig};

use crate::network::{Peer, fetch_with, granted};
use crate::support::{call, guest, target};

fn config(folder: &Path) -> RuntimeConfig {
    RuntimeConfig {
        cache_dir: Some(folder.to_owned()),
        spool_dir: Some(folder.to_owned()),
        max_calls: 2,
        ..RuntimeConfig::default()
    }
}

/// The files of the cache.
fn files(folder: &Path) -> Vec<PathBuf> {
    let engines = fs::read_dir(folder)
        .unwrap()
        .map(|engine| engine.unwrap().path());
    engines
        .filter(|engine| engine.is_dir())
        .flat_map(|engine| fs::read_dir(engine).unwrap())
        .map(|file| file.unwrap().path())
        .collect()
}

fn file(folder: &Path, end: &str) -> PathBuf {
    let is = |path: &PathBuf| path.to_string_lossy().ends_with(end);
    files(folder).into_iter().find(is).unwrap()
}

/// Runs the rest of a test in a process that can write files of 32 KiB: `false` in the test, after
/// the process ended well, `true` in the process.
fn on_a_full_disk(test: &str) -> bool {
    const MARK: &str = "WEIR_TEST_FULL_DISK";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    // Blocks of 512 bytes, or of 1024 in some shells; the signal would end the process.
    let script = r#"trap '' XFSZ; ulimit -f 32; exec "$0" --exact "$1" --nocapture"#;
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(MARK, "1")
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("1 passed"), "no test `{test}`: {stdout}");
    false
}

#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_costs_the_cache_and_nothing_else() {
    // The fixtures are built before the limit is set.
    guest("echo");
    if on_a_full_disk("hostile::disk::a_full_disk_costs_the_cache_and_nothing_else") {
        let folder = tempfile::tempdir().unwrap();
        let plugin = Runtime::new(config(folder.path()))
            .unwrap()
            .load(guest("echo"))
            .await
            .unwrap();
        let called = plugin
            .render(call("{}", &[("a", "x")]), Arc::new(target()))
            .await;
        assert!(called.result.is_ok());
        // Nothing half-written stays, under its name or another.
        assert_eq!(files(folder.path()), [] as [PathBuf; 0]);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_fails_the_download_and_nothing_else() {
    guest("fetch");
    if on_a_full_disk("hostile::disk::a_full_disk_fails_the_download_and_nothing_else") {
        let peer = Peer::start().await;
        let settings = json!({"requests": [{"url": peer.url("/big")}, {"url": peer.url("/echo")}]});
        let sink = fetch_with(weir_plugin::Call {
            limits: Limits::default(),
            ..granted(settings, &[&peer.url("")])
        })
        .await;
        let note = sink.text("0.txt");
        assert!(note.contains("Unavailable WriteFailed"), "{note}");
        assert_eq!(sink.text("1"), "answer");
    }
}

#[tokio::test]
async fn a_changed_description_compiles_anew() {
    let folder = tempfile::tempdir().unwrap();
    let load = async || {
        let runtime = Runtime::new(config(folder.path())).unwrap();
        runtime.load(guest("ask")).await.unwrap()
    };
    let before = load().await.description().clone();
    let entry = file(folder.path(), ".json");
    let changes: [fn(&mut Value); 3] = [
        // A schema that lets everything through.
        |entry| entry["description"]["info"]["settingsSchema"] = json!(true),
        |entry| entry["description"]["world"] = json!("source"),
        |entry| entry["description"]["info"]["wants"] = json!([]),
    ];
    for change in changes {
        let mut content: Value = serde_json::from_slice(&fs::read(&entry).unwrap()).unwrap();
        change(&mut content);
        fs::write(&entry, content.to_string()).unwrap();
        assert_eq!(*load().await.description(), before);
    }
}

#[tokio::test]
async fn the_code_of_another_component_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let digests = {
        let runtime = Runtime::new(config(folder.path())).unwrap();
        let echo = runtime.load(guest("echo")).await.unwrap().digest();
        (echo, runtime.load(guest("ask")).await.unwrap().digest())
    };
    for end in ["cwasm", "json"] {
        let name = |digest: weir_plugin::Digest| format!("{}.{end}", digest.hex());
        let (echo, ask) = (
            file(folder.path(), &name(digests.0)),
            file(folder.path(), &name(digests.1)),
        );
        fs::copy(ask, echo).unwrap();
    }
    let runtime = Runtime::new(config(folder.path())).unwrap();
    assert!(runtime.load_cached(digests.0).await.is_none());
    assert_eq!(
        runtime.load(guest("echo")).await.unwrap().info().name,
        "echo"
    );
}

/// Where compiled code (an ELF file) says which wasmtime made it: the section `.wasmtime.engine`.
fn engine_section(elf: &[u8]) -> usize {
    let number = |at: usize, len: usize| {
        let mut bytes = [0; 8];
        bytes[..len].copy_from_slice(&elf[at..at + len]);
        usize::try_from(u64::from_le_bytes(bytes)).unwrap()
    };
    let header = |index: usize| number(0x28, 8) + index * number(0x3a, 2);
    let names = number(header(number(0x3e, 2)) + 24, 8);
    let is_it =
        |index: &usize| elf[names + number(header(*index), 4)..].starts_with(b".wasmtime.engine\0");
    let index = (0..number(0x3c, 2)).find(is_it).unwrap();
    number(header(index) + 24, 8)
}

#[tokio::test]
async fn code_of_another_version_compiles_anew() {
    let folder = tempfile::tempdir().unwrap();
    let digest = {
        let runtime = Runtime::new(config(folder.path())).unwrap();
        runtime.load(guest("echo")).await.unwrap().digest()
    };
    // Whole and with the right checksums, but another wasmtime made it.
    let (code, entry) = (file(folder.path(), ".cwasm"), file(folder.path(), ".json"));
    let mut bytes = fs::read(&code).unwrap();
    let at = engine_section(&bytes);
    bytes[at] ^= 0xff;
    fs::write(&code, &bytes).unwrap();
    let mut content: Value = serde_json::from_slice(&fs::read(&entry).unwrap()).unwrap();
    content["crc32"] = json!(crc32fast::hash(&bytes));
    fs::write(&entry, content.to_string()).unwrap();

    let runtime = Runtime::new(config(folder.path())).unwrap();
    assert!(runtime.load_cached(digest).await.is_none());
    assert_eq!(
        runtime.load(guest("echo")).await.unwrap().info().name,
        "echo"
    );
    // What it compiled is what is there now.
    let again = Runtime::new(config(folder.path())).unwrap();
    assert!(again.load_cached(digest).await.is_some());
}

#[tokio::test]
async fn what_an_older_host_left_behind_is_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    let digest = {
        let runtime = Runtime::new(config(folder.path())).unwrap();
        runtime.load(guest("echo")).await.unwrap().digest()
    };
    let entry = file(folder.path(), ".json");
    let mut content: Value = serde_json::from_slice(&fs::read(&entry).unwrap()).unwrap();
    content
        .as_object_mut()
        .unwrap()
        .remove("description_crc32")
        .unwrap();
    fs::write(&entry, content.to_string()).unwrap();
    let runtime = Runtime::new(config(folder.path())).unwrap();
    assert!(runtime.load_cached(digest).await.is_none());
}
