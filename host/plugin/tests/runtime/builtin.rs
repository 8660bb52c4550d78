//! Plugins that a binary carries: compiled for any processor of its target, or compiled here when
//! that does not fit.

use std::fs;
use std::io::Write as _;
use std::sync::Arc;

use weir_plugin::precompile::precompile;
use weir_plugin::{Builtin, Catalog, Packed, Runtime, RuntimeConfig};

use crate::support::{call, guest, runtime, target};

fn leak(bytes: Vec<u8>) -> &'static [u8] {
    Box::leak(bytes.into_boxed_slice())
}

async fn carried() -> (tempfile::TempDir, Builtin) {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let entries = precompile(&[guest("echo")], folder.path(), &target)
        .await
        .unwrap();
    assert_eq!((entries.len(), entries[0].name.as_str()), (1, "echo"));
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let description = serde_json::to_string(&entries[0].description).unwrap();
    let builtin = Builtin {
        name: "echo",
        wasm: Packed(leak(read(&entries[0].wasm))),
        cwasm: Packed(leak(read(&entries[0].cwasm))),
        description: Box::leak(description.into_boxed_str()),
    };
    (folder, builtin)
}

async fn works(runtime: &Runtime, builtin: &Builtin) {
    let catalog = Catalog::new();
    catalog.set_built_in(builtin.name, runtime.load_builtin(builtin).await.unwrap());
    let plugin = catalog.get("echo").unwrap();
    assert_eq!(plugin.info().name, "echo");
    let called = plugin
        .render(call("{}", &[("a", "x")]), Arc::new(target()))
        .await;
    assert_eq!(called.result.unwrap().manifests.len(), 1);
}

#[tokio::test]
async fn a_carried_plugin_runs_with_and_without_a_cache_folder() {
    let (folder, builtin) = carried().await;
    works(&runtime(), &builtin).await;

    let config = || RuntimeConfig {
        cache_dir: Some(folder.path().join("cache")),
        max_calls: 1,
        ..RuntimeConfig::default()
    };
    works(&Runtime::new(config()).unwrap(), &builtin).await;
    works(&Runtime::new(config()).unwrap(), &builtin).await;
}

#[tokio::test]
async fn code_that_does_not_fit_is_compiled_here() {
    let (_folder, builtin) = carried().await;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(b"code of another wasmtime").unwrap();
    let of_another = packer.finish().unwrap();
    let cache = tempfile::tempdir().unwrap();
    for cwasm in [&[][..], b"not packed", leak(of_another)] {
        let builtin = Builtin {
            cwasm: Packed(cwasm),
            ..builtin
        };
        works(&runtime(), &builtin).await;
        let config = RuntimeConfig {
            cache_dir: Some(cache.path().to_owned()),
            ..RuntimeConfig::default()
        };
        works(&Runtime::new(config).unwrap(), &builtin).await;
    }
}

#[tokio::test]
async fn what_is_there_is_not_compiled_again() {
    let (folder, _) = carried().await;
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let times = || {
        let mut times: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (
                    entry.file_name(),
                    entry.metadata().unwrap().modified().unwrap(),
                )
            })
            .collect();
        times.sort();
        times
    };
    let before = times();
    precompile(&[guest("echo")], folder.path(), &target)
        .await
        .unwrap();
    assert_eq!(times(), before);
    let source = fs::read_to_string(folder.path().join("builtins.rs")).unwrap();
    assert!(
        source.contains(r#"include_bytes!("echo.cwasm.gz")"#),
        "{source}"
    );
}
