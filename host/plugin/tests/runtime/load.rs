//! From bytes to a plugin: what is refused, what is kept, and how a name changes hands.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use weir_plugin::{Catalog, Digest, LoadError, Observer, Runtime, RuntimeConfig, World};

use crate::support::{call, guest, runtime, target};

/// Counts what the runtime tells.
#[derive(Default)]
struct Counts {
    compiled: AtomicUsize,
    hits: AtomicUsize,
}

impl Observer for Counts {
    fn compiled(&self, _: &Digest, _: Duration, ok: bool) {
        assert!(ok);
        self.compiled.fetch_add(1, Ordering::SeqCst);
    }

    fn cache(&self, hit: bool) {
        self.hits.fetch_add(usize::from(hit), Ordering::SeqCst);
    }
}

fn cached(folder: &Path) -> (Runtime, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let config = RuntimeConfig {
        cache_dir: Some(folder.to_owned()),
        max_calls: 4,
        observer: Some(counts.clone()),
        ..RuntimeConfig::default()
    };
    (Runtime::new(config).unwrap(), counts)
}

/// The files of the cache whose names end so.
fn files(folder: &Path, end: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for engine in fs::read_dir(folder).unwrap() {
        for file in fs::read_dir(engine.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.to_string_lossy().ends_with(end) {
                found.push(path);
            }
        }
    }
    found
}

#[tokio::test]
async fn a_plugin_says_what_it_is() {
    let plugin = runtime().load(guest("ask")).await.unwrap();
    assert_eq!(plugin.world(), World::Renderer);
    assert_eq!(plugin.contract(), "0.1.0");
    assert_eq!(
        (plugin.info().name.as_str(), plugin.info().version.as_str()),
        ("ask", "1.2.3")
    );
    assert_eq!(plugin.info().settings_schema["required"][0], "ask");
    assert_eq!(plugin.info().wants[0].name, "https://example.com");
    assert_eq!(plugin.digest(), Digest::of(fs::read(guest("ask")).unwrap()));
    assert!(
        plugin
            .imports()
            .iter()
            .any(|i| i.starts_with("weir:plugin/files@"))
    );
}

#[tokio::test]
async fn what_is_no_plugin_is_refused_with_a_reason() {
    let runtime = runtime();
    let reason =
        async |component: &[u8]| runtime.load(component.to_vec()).await.unwrap_err().reason();
    assert_eq!(reason(b"no wasm at all").await, "CompileFailed");
    // A core module.
    assert_eq!(reason(b"\0asm\x01\0\0\0").await, "CompileFailed");
    // An empty component.
    assert_eq!(reason(b"\0asm\x0d\0\x01\0").await, "InvalidWorld");

    let error = async |name| runtime.load(guest(name)).await.unwrap_err();
    assert!(matches!(
        error("smuggler").await,
        LoadError::ForbiddenImport { import, world: World::Renderer } if import.contains("http")
    ));
    assert!(matches!(
        error("future").await,
        LoadError::UnsupportedContract { found } if found == "0.2.0"
    ));
    let mute = error("mute").await;
    assert_eq!(mute.reason(), "DescribeFailed");
    let source = std::error::Error::source(&mute).unwrap().to_string();
    assert!(source.contains("nothing to say"), "{source}");
    assert!(matches!(
        error("no-such-file").await,
        LoadError::Read { .. }
    ));
}

#[tokio::test]
async fn a_component_is_bounded_in_size() {
    let config = RuntimeConfig {
        max_component_bytes: 1000,
        max_calls: 1,
        ..Default::default()
    };
    let error = Runtime::new(config)
        .unwrap()
        .load(guest("echo"))
        .await
        .unwrap_err();
    assert!(matches!(error, LoadError::TooLarge { limit: 1000, .. }));
}

#[tokio::test]
async fn a_component_is_compiled_once_for_all_who_ask() {
    let folder = tempfile::tempdir().unwrap();
    let (runtime, counts) = cached(folder.path());
    let load = || runtime.load(guest("echo"));
    let (a, b, c) = tokio::join!(load(), load(), load());
    let a = a.unwrap();
    assert!(Arc::ptr_eq(&a, &b.unwrap()) && Arc::ptr_eq(&a, &c.unwrap()));
    assert_eq!(counts.compiled.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn compiled_code_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let before = cached(folder.path()).0.load(guest("echo")).await.unwrap();

    let (runtime, counts) = cached(folder.path());
    // By its digest alone, without the component.
    let after = runtime.load_cached(before.digest()).await.unwrap();
    assert_eq!(after.description(), before.description());
    assert_eq!(counts.compiled.load(Ordering::SeqCst), 0);
    assert_eq!(counts.hits.load(Ordering::SeqCst), 1);
    let called = after
        .render(call("{}", &[("a", "x")]), Arc::new(target()))
        .await;
    assert_eq!(called.result.unwrap().manifests.len(), 1);
    assert!(runtime.load_cached(Digest::of("unknown")).await.is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn the_cache_is_private_to_its_user() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    cached(folder.path()).0.load(guest("echo")).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for file in files(folder.path(), "") {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        assert_eq!(mode(file.parent().unwrap()), 0o700);
    }
}

#[tokio::test]
async fn a_damaged_cache_compiles_anew() {
    let folder = tempfile::tempdir().unwrap();
    drop(cached(folder.path()).0.load(guest("echo")).await.unwrap());
    let damage = |file: &Path, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = fs::read(file).unwrap();
        change(&mut bytes);
        fs::write(file, bytes).unwrap();
    };
    type Damage<'d> = (&'d str, &'d dyn Fn(&mut Vec<u8>));
    let damages: [Damage<'_>; 5] = [
        (".cwasm", &|bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }),
        (".cwasm", &|bytes| bytes.truncate(bytes.len() / 2)),
        (".cwasm", &|bytes| bytes.clear()),
        (".json", &|bytes| bytes.truncate(20)),
        (".json", &|bytes| *bytes = b"{}".to_vec()),
    ];
    for (end, change) in damages {
        let file = files(folder.path(), end).remove(0);
        damage(&file, change);
        let (runtime, counts) = cached(folder.path());
        let plugin = runtime.load(guest("echo")).await.unwrap();
        assert_eq!(counts.compiled.load(Ordering::SeqCst), 1);
        let called = plugin
            .render(call("{}", &[("a", "x")]), Arc::new(target()))
            .await;
        assert!(called.result.is_ok());
    }
}

#[tokio::test]
async fn the_cache_drops_what_was_used_longest_ago() {
    let folder = tempfile::tempdir().unwrap();
    let config = || RuntimeConfig {
        cache_dir: Some(folder.path().to_owned()),
        // Room for one of these two at a time.
        cache_bytes: 300_000,
        max_calls: 1,
        ..RuntimeConfig::default()
    };
    let runtime = Runtime::new(config()).unwrap();
    let first = runtime.load(guest("echo")).await.unwrap().digest();
    let second = runtime.load(guest("ask")).await.unwrap().digest();
    let again = Runtime::new(config()).unwrap();
    assert!(again.load_cached(first).await.is_none());
    assert!(again.load_cached(second).await.is_some());
}

#[tokio::test]
async fn a_name_changes_hands_without_dropping_a_call() {
    let runtime = runtime();
    let catalog = Catalog::new();
    let mut changes = catalog.subscribe();
    let echo = catalog
        .install(&runtime, "renderer", guest("echo"))
        .await
        .unwrap();
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();

    let held = catalog.get("renderer").unwrap();
    catalog
        .install(&runtime, "renderer", guest("failing"))
        .await
        .unwrap();
    assert!(changes.has_changed().unwrap());
    assert_eq!(catalog.get("renderer").unwrap().info().name, "failing");
    // Who holds the old one finishes with it.
    assert!(Arc::ptr_eq(&held, &echo));
    let called = held
        .render(call("{}", &[("a", "x")]), Arc::new(target()))
        .await;
    assert!(called.result.is_ok());

    // What does not load does not take over.
    assert!(
        catalog
            .install(&runtime, "renderer", guest("mute"))
            .await
            .is_err()
    );
    assert_eq!(catalog.get("renderer").unwrap().info().name, "failing");
}

#[tokio::test]
async fn a_built_in_plugin_is_replaced_and_comes_back() {
    let runtime = runtime();
    let catalog = Catalog::new();
    catalog.set_built_in("kustomize", runtime.load(guest("echo")).await.unwrap());
    let current = || {
        catalog
            .list()
            .into_iter()
            .map(|(_, p, b)| (p.info().name.clone(), b))
            .collect::<Vec<_>>()
    };
    assert_eq!(current(), [("echo".to_owned(), true)]);
    catalog
        .install(&runtime, "kustomize", guest("failing"))
        .await
        .unwrap();
    assert_eq!(current(), [("failing".to_owned(), false)]);
    catalog.remove("kustomize");
    assert_eq!(current(), [("echo".to_owned(), true)]);
    catalog.remove("unknown");
    assert!(catalog.get("unknown").is_none());
}
