//! Fixture components, calls and their surroundings in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

use weir_plugin::{
    ArtifactSink, BlobSource, Call, Called, Failure, FixedTarget, Grants, Input, Limits,
    MemoryTree, Plugin, RenderOutput, Runtime, RuntimeConfig, Services, Subject, Tree,
};

/// The file of a fixture component: from the folder that `WEIR_GUESTS` names, else from one
/// `cargo build --release --target wasm32-wasip2` of `tests/guests` into `guests` of the target
/// folder, done once per process and a matter of a second when nothing changed.
pub(crate) fn guest(name: &str) -> PathBuf {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| match std::env::var_os("WEIR_GUESTS") {
        Some(folder) => folder.into(),
        None => build_guests(),
    });
    FOLDER.join(format!("{name}.wasm"))
}

fn build_guests() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
    .join("guests");
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo sets for this test would make the inner one build everything again.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            cargo.env_remove(name);
        }
    }
    let built = cargo
        .current_dir(root)
        .args([
            "build",
            "--release",
            "--locked",
            "--quiet",
            "--target",
            "wasm32-wasip2",
        ])
        .args(["--manifest-path", "tests/guests/Cargo.toml", "--target-dir"])
        .arg(&target)
        .status()
        .expect("cargo starts");
    assert!(
        built.success(),
        "the fixtures do not build; is the target there? (rustup target add wasm32-wasip2)"
    );
    target.join("wasm32-wasip2/release")
}

/// A runtime of its own, without a cache folder.
pub(crate) fn runtime() -> Runtime {
    Runtime::new(RuntimeConfig {
        max_calls: 8,
        ..RuntimeConfig::default()
    })
    .unwrap()
}

/// A fixture, loaded once for all tests.
pub(crate) async fn load(name: &str) -> Arc<Plugin> {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Runtime::new(RuntimeConfig::default()).unwrap());
    static LOADED: Mutex<Vec<Arc<Plugin>>> = Mutex::new(Vec::new());
    let plugin = RUNTIME.load(guest(name)).await.unwrap();
    let mut loaded = LOADED.lock().unwrap();
    if !loaded.iter().any(|known| Arc::ptr_eq(known, &plugin)) {
        loaded.push(plugin.clone());
    }
    plugin
}

/// A tree in memory.
pub(crate) fn tree(files: &[(&str, &str)]) -> Arc<dyn Tree> {
    let pairs = files
        .iter()
        .map(|(path, content)| (*path, content.as_bytes().to_vec()));
    Arc::new(MemoryTree::from_pairs(pairs).unwrap())
}

/// A call with settings and one input, `source`.
pub(crate) fn call(settings: &str, files: &[(&str, &str)]) -> Call {
    Call {
        subject: Subject {
            api_version: "v1".into(),
            kind: "Kustomization".into(),
            namespace: "apps".into(),
            name: "shop".into(),
            uid: "u-1".into(),
        },
        settings: settings.into(),
        inputs: vec![Input {
            name: "source".into(),
            revision: "main@sha1:abc".into(),
            tree: tree(files),
        }],
        grants: Arc::new(Grants::default()),
        limits: Limits::default(),
        services: Services::none(),
    }
}

/// A target whose every answer can be changed.
pub(crate) fn target() -> FixedTarget {
    FixedTarget {
        kube_version: "v1.35.4".into(),
        apis: vec!["apps/v1".into(), "v1".into()],
        ..FixedTarget::default()
    }
}

/// Renders with a fixture.
pub(crate) async fn render(name: &str, call: Call) -> Called<RenderOutput> {
    load(name).await.render(call, Arc::new(target())).await
}

/// What `ask` answers to the questions.
pub(crate) async fn ask(
    plugin: &Arc<Plugin>,
    questions: &str,
    call: &Call,
    target: &FixedTarget,
) -> Asked {
    let call = Call {
        settings: format!(r#"{{"ask":{questions}}}"#).into(),
        ..call.clone()
    };
    let called = plugin.render(call.clone(), Arc::new(target.clone())).await;
    let output = called.result.as_ref().unwrap();
    let answers = output
        .manifests
        .iter()
        .map(|m| String::from_utf8(m.body.to_vec()).unwrap())
        .collect();
    Asked {
        answers,
        called,
        call,
    }
}

pub(crate) struct Asked {
    pub(crate) answers: Vec<String>,
    pub(crate) called: Called<RenderOutput>,
    pub(crate) call: Call,
}

/// An artifact in memory.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) stored: Option<(Vec<u8>, Option<String>)>,
}

impl Sink {
    pub(crate) fn text(&self, path: &str) -> String {
        String::from_utf8(self.files.get(path).cloned().unwrap_or_default()).unwrap()
    }
}

fn bytes(content: &dyn BlobSource) -> Vec<u8> {
    content.read_at(0, usize::MAX).unwrap().to_vec()
}

impl ArtifactSink for Sink {
    fn put(&mut self, path: &str, content: &dyn BlobSource) -> Result<(), Failure> {
        self.files.insert(path.into(), bytes(content));
        Ok(())
    }

    fn copy(&mut self, tree: &Arc<dyn Tree>, paths: &[(String, String)]) -> Result<(), Failure> {
        for (from, to) in paths {
            match tree.entries(from) {
                None => {
                    self.files
                        .insert(to.clone(), tree.read(from).unwrap().to_vec());
                }
                Some(entries) => {
                    let join = |base: &str, name: &str| match base {
                        "" => name.to_owned(),
                        base => format!("{base}/{name}"),
                    };
                    let pairs: Vec<_> = entries
                        .iter()
                        .map(|e| (join(from, &e.name), join(to, &e.name)))
                        .collect();
                    self.copy(tree, &pairs)?;
                }
            }
        }
        Ok(())
    }

    fn ignored(&self, paths: &[String]) -> Vec<bool> {
        paths.iter().map(|path| path.contains(".md")).collect()
    }

    fn store(&mut self, content: &dyn BlobSource, name: Option<&str>) -> Result<(), Failure> {
        self.stored = Some((bytes(content), name.map(Into::into)));
        Ok(())
    }
}
