//! Images: an OCI layout on disk, a plain file, and a real registry.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};
use weir_plugin::oci::{
    Access, ImageError, ImageReference, Images, PullOptions, PushOptions, RegistryCredentials,
};
use weir_plugin::{Digest, LoadError, Runtime, RuntimeConfig, World};
use weir_tests_support::{Registry, RegistryOptions};

use crate::support::guest;

fn component(name: &str) -> Bytes {
    fs::read(guest(name)).unwrap().into()
}

fn layout(folder: &Path, suffix: &str) -> ImageReference {
    format!("oci-layout:{}{suffix}", folder.display())
        .parse()
        .unwrap()
}

async fn push(name: &str, image: &ImageReference, access: &Access) -> Digest {
    let options = PushOptions {
        title: format!("{name}.wasm"),
        annotations: vec![("org.opencontainers.image.version".into(), "1.2.3".into())],
    };
    Images::new()
        .push(component(name), image, access, &options)
        .await
        .unwrap()
}

/// What is pushed can be resolved, pulled and loaded; a tag moves; what is absent is said to be.
async fn round_trip(named: &dyn Fn(&str) -> ImageReference, access: &Access) {
    let (images, anonymous) = (Images::new(), PullOptions::default());
    let first = push("echo", &named(":v1"), access).await;
    assert_eq!(
        push("echo", &named(":v1"), access).await,
        first,
        "the same push, the same digest"
    );
    assert_eq!(images.resolve(&named(":v1"), access).await.unwrap(), first);

    let pulled = images
        .pull(&named(":v1"), first, access, anonymous)
        .await
        .unwrap();
    assert_eq!(pulled.manifest_digest(), first);
    assert_eq!(pulled.component_digest(), Digest::of(component("echo")));
    assert_eq!(fs::read(pulled.path()).unwrap(), component("echo"));
    let pinned = named(&format!("@{first}"));
    assert_eq!(images.resolve(&pinned, access).await.unwrap(), first);

    let second = push("ask", &named(":v1"), access).await;
    assert_ne!(first, second);
    assert_eq!(images.resolve(&named(":v1"), access).await.unwrap(), second);
    // The old manifest is still there for who is pinned to it.
    assert!(images.pull(&pinned, first, access, anonymous).await.is_ok());

    let absent = images.resolve(&named(":v2"), access).await.unwrap_err();
    assert!(matches!(absent, ImageError::NotFound { .. }), "{absent:?}");
    let unknown = Digest::of("unknown");
    let absent = images
        .pull(&named(":v1"), unknown, access, anonymous)
        .await
        .unwrap_err();
    assert!(matches!(absent, ImageError::NotFound { .. }), "{absent:?}");

    let wanted = PullOptions {
        world: Some(World::Source),
        ..anonymous
    };
    let wrong = images
        .pull(&named(":v1"), second, access, wanted)
        .await
        .unwrap_err();
    assert!(matches!(
        wrong,
        ImageError::WrongWorld {
            found: World::Renderer,
            expected: World::Source
        }
    ));
    let small = PullOptions {
        max_bytes: 1000,
        ..anonymous
    };
    let large = images
        .pull(&named(":v1"), second, access, small)
        .await
        .unwrap_err();
    assert!(
        matches!(large, ImageError::TooLarge { limit: 1000, .. }),
        "{large:?}"
    );
    let future = push("future", &named(":next"), access).await;
    let refused = images
        .pull(&named(":next"), future, access, anonymous)
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        ImageError::NotAPlugin {
            source: LoadError::UnsupportedContract { .. }
        }
    ));
}

#[tokio::test]
async fn an_oci_layout_holds_images() {
    let folder = tempfile::tempdir().unwrap();
    let named = |suffix: &str| layout(folder.path(), suffix);
    Box::pin(round_trip(&named, &Access::default())).await;
}

#[tokio::test]
async fn a_registry_holds_images() {
    let registry = tokio::task::spawn_blocking(|| Registry::start().unwrap())
        .await
        .unwrap();
    let access = Access {
        insecure: true,
        ..Access::default()
    };
    let named = |suffix: &str| {
        registry
            .oci(&format!("plugins/test{suffix}"))
            .parse()
            .unwrap()
    };
    Box::pin(round_trip(&named, &access)).await;
}

#[tokio::test]
async fn a_registry_that_asks_for_credentials_gets_them() {
    let options = RegistryOptions { authenticate: true };
    let registry = tokio::task::spawn_blocking(|| Registry::start_with(options).unwrap())
        .await
        .unwrap();
    let config = json!({"auths": {registry.host(): {
        "username": Registry::USER, "password": Registry::PASSWORD,
    }}});
    let config = config.to_string();
    let credentials =
        RegistryCredentials::from_docker_config(config.as_bytes(), &registry.host(), "x").unwrap();
    assert!(credentials.is_some());
    let access = Access {
        credentials,
        insecure: true,
        ca_certificate: None,
    };
    let image: ImageReference = registry.oci("private:v1").parse().unwrap();
    let digest = push("echo", &image, &access).await;

    let images = Images::new();
    assert_eq!(images.resolve(&image, &access).await.unwrap(), digest);
    assert!(
        images
            .pull(&image, digest, &access, PullOptions::default())
            .await
            .is_ok()
    );
    let wrong = RegistryCredentials::Basic("weir".into(), "wrong".into());
    for credentials in [None, Some(wrong)] {
        let access = Access {
            credentials,
            ..access.clone()
        };
        let refused = images.resolve(&image, &access).await.unwrap_err();
        assert!(
            matches!(refused, ImageError::Unauthorized { .. }),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let image = format!("oci://{}/x:v1", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let access = Access {
        insecure: true,
        ..Access::default()
    };
    let error = Images::new().resolve(&image, &access).await.unwrap_err();
    assert!(matches!(error, ImageError::Unavailable { .. }), "{error:?}");
    assert!(error.is_retryable());
}

/// Changes the manifest of a layout's only image and gives it its new digest.
fn rewrite(folder: &Path, change: impl FnOnce(&mut Value)) -> Digest {
    let index: Value =
        serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
    let digest: Digest = index["manifests"][0]["digest"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let blob = |digest: &Digest| folder.join("blobs/sha256").join(digest.hex());
    let mut manifest: Value = serde_json::from_slice(&fs::read(blob(&digest)).unwrap()).unwrap();
    change(&mut manifest);
    let bytes = manifest.to_string();
    let digest = Digest::of(&bytes);
    fs::write(blob(&digest), bytes).unwrap();
    digest
}

#[tokio::test]
async fn what_is_no_component_is_refused_before_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let image = layout(folder.path(), ":v1");
    let access = Access::default();
    push("echo", &image, &access).await;
    let changes: [&dyn Fn(&mut Value); 4] = [
        &|manifest| {
            manifest["config"]["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
        },
        &|manifest| manifest["layers"][0]["mediaType"] = "application/tar".into(),
        &|manifest| manifest["layers"] = json!([]),
        &|manifest| *manifest = json!({"schemaVersion": 2, "manifests": []}),
    ];
    for change in changes {
        let digest = rewrite(folder.path(), change);
        let error = Images::new()
            .pull(&image, digest, &access, PullOptions::default())
            .await
            .unwrap_err();
        assert!(
            matches!(error, ImageError::NotAComponent { .. }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn damaged_content_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let image = layout(folder.path(), "");
    let access = Access::default();
    let digest = push("echo", &image, &access).await;
    let component = folder
        .path()
        .join("blobs/sha256")
        .join(Digest::of(component("echo")).hex());
    let mut bytes = fs::read(&component).unwrap();
    bytes[100] ^= 1;
    fs::write(&component, bytes).unwrap();
    let error = Images::new()
        .pull(&image, digest, &access, PullOptions::default())
        .await
        .unwrap_err();
    assert!(
        matches!(error, ImageError::DigestMismatch { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_file_is_an_image_as_well() {
    let image: ImageReference = format!("file://{}", guest("echo").display())
        .parse()
        .unwrap();
    let (images, access) = (Images::new(), Access::default());
    let digest = images.resolve(&image, &access).await.unwrap();
    assert_eq!(digest, Digest::of(component("echo")));
    let pulled = images
        .pull(&image, digest, &access, PullOptions::default())
        .await
        .unwrap();
    assert_eq!(pulled.path(), guest("echo"));
    drop(pulled);
    assert!(
        guest("echo").exists(),
        "a file of the user's is not a temporary one"
    );
    let stale = images
        .pull(&image, Digest::of("old"), &access, PullOptions::default())
        .await;
    assert!(matches!(stale, Err(ImageError::DigestMismatch { .. })));
    let options = PushOptions::default();
    let refused = images
        .push(component("echo"), &image, &access, &options)
        .await;
    assert!(matches!(refused, Err(ImageError::NotPushable { .. })));
}

#[tokio::test]
async fn an_image_that_was_compiled_before_is_not_pulled_again() {
    let (store, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = layout(store.path(), ":v1");
    let access = Access::default();
    let pushed = push("echo", &image, &access).await;
    let runtime = || {
        Runtime::new(RuntimeConfig {
            cache_dir: Some(cache.path().to_owned()),
            max_calls: 1,
            ..RuntimeConfig::default()
        })
        .unwrap()
    };
    let load = async |runtime: &Runtime| {
        runtime
            .load_image(&Images::new(), &image, &access, PullOptions::default())
            .await
    };
    let (digest, plugin) = load(&runtime()).await.unwrap();
    assert_eq!((digest, plugin.info().name.as_str()), (pushed, "echo"));
    drop(plugin);

    // After a restart, with the blobs gone but the tag still there.
    fs::remove_dir_all(store.path().join("blobs")).unwrap();
    let (digest, plugin) = load(&runtime()).await.unwrap();
    assert_eq!((digest, plugin.info().name.as_str()), (pushed, "echo"));
    // And with nothing there at all, by the digest that a status keeps.
    assert!(runtime().load_known_image(pushed).await.is_some());
    assert!(
        runtime()
            .load_known_image(Digest::of("unknown"))
            .await
            .is_none()
    );
}

/// Other people's tools; `None`, with a word about it, where they cannot be had.
async fn tools() -> Option<weir_tests_support::parts::Paths> {
    let parts = weir_tests_support::parts::Part::OPTIONAL;
    let found =
        tokio::task::spawn_blocking(move || weir_tests_support::parts::ensure(&parts)).await;
    match found.unwrap() {
        Ok(paths) => Some(paths),
        Err(error) => {
            eprintln!("skipped, wkg and oras cannot be had: {error:#}");
            None
        }
    }
}

async fn run(command: &mut tokio::process::Command) {
    let output = command.output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
}

#[tokio::test]
async fn wkg_and_oras_pull_what_weir_pushed_and_weir_runs_what_they_pushed() {
    use tokio::process::Command;
    use weir_tests_support::parts::Part;
    let Some(tools) = tools().await else {
        return;
    };
    let (wkg, oras) = (
        tools.get(Part::Wkg).unwrap(),
        tools.get(Part::Oras).unwrap(),
    );
    let registry = tokio::task::spawn_blocking(|| Registry::start().unwrap())
        .await
        .unwrap();
    let access = Access {
        insecure: true,
        ..Access::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let host = registry.host();
    let name = |repository: &str| format!("{host}/{repository}:1.0.0");

    let image = registry.oci("ours:1.0.0").parse().unwrap();
    push("echo", &image, &access).await;
    let file = folder.path().join("pulled.wasm");
    run(Command::new(wkg)
        .args(["oci", "pull", "--insecure", &host, "--output"])
        .arg(&file)
        .arg(name("ours")))
    .await;
    assert_eq!(fs::read(&file).unwrap(), component("echo"));
    let output = folder.path().join("oras");
    run(Command::new(oras)
        .args(["pull", "--plain-http", &name("ours"), "-o"])
        .arg(&output))
    .await;
    assert_eq!(
        fs::read(output.join("echo.wasm")).unwrap(),
        component("echo")
    );

    run(Command::new(wkg)
        .args(["oci", "push", "--insecure", &host, &name("wkg")])
        .arg(guest("echo")))
    .await;
    fs::write(folder.path().join("echo.wasm"), component("echo")).unwrap();
    let config = json!({"architecture": "wasm", "os": "wasip2"}).to_string();
    fs::write(folder.path().join("config.json"), config).unwrap();
    run(Command::new(oras)
        .current_dir(folder.path())
        .args(["push", "--plain-http", &name("oras")])
        .args([
            "--config",
            "config.json:application/vnd.wasm.config.v0+json",
        ])
        .arg("echo.wasm:application/wasm"))
    .await;
    let runtime = crate::support::runtime();
    for repository in ["wkg", "oras"] {
        let image = format!("oci://{}", name(repository)).parse().unwrap();
        let options = PullOptions {
            world: Some(World::Renderer),
            ..PullOptions::default()
        };
        let loaded = runtime
            .load_image(&Images::new(), &image, &access, options)
            .await;
        assert_eq!(loaded.unwrap().1.info().name, "echo", "{repository}");
    }
}
