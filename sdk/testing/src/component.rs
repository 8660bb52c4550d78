//! A component: built by cargo, once per test process, and loaded into the host's runtime.

use std::collections::HashMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use weir_plugin::{ComponentSource, Info, Plugin, Problem, Runtime, RuntimeConfig, World};

use crate::Test;

const TARGET: &str = "wasm32-wasip2";

/// A loaded component. Clones share it.
#[derive(Clone, Debug)]
pub struct Component {
    plugin: Arc<Plugin>,
}

impl Component {
    /// Builds the package in `manifest_dir` (`env!("CARGO_MANIFEST_DIR")`) with its release
    /// profile for `wasm32-wasip2` and loads it. Later calls in the process reuse the first.
    ///
    /// # Panics
    /// The build fails, or its result is no plugin.
    pub fn build(manifest_dir: impl AsRef<Path>) -> Self {
        Self::build_with_profile(manifest_dir, "release")
    }

    /// As [`Component::build`], with another profile.
    ///
    /// # Panics
    /// As [`Component::build`].
    pub fn build_with_profile(manifest_dir: impl AsRef<Path>, profile: &str) -> Self {
        type Built = HashMap<(PathBuf, String), Arc<OnceLock<Component>>>;
        static BUILT: Mutex<Option<Built>> = Mutex::new(None);
        let key = (manifest_dir.as_ref().to_owned(), profile.to_owned());
        let slot = BUILT
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_default()
            .entry(key)
            .or_default()
            .clone();
        slot.get_or_init(|| Self::open(cargo_build(manifest_dir.as_ref(), profile)))
            .clone()
    }

    /// Loads a component from a file.
    ///
    /// # Panics
    /// There is no such file, or it is no plugin.
    pub fn open(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_owned();
        let name = path.display().to_string();
        Self::load(path.into(), &name)
    }

    /// Loads a component from memory.
    ///
    /// # Panics
    /// It is no plugin.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::load(bytes.into().into(), "the component")
    }

    fn load(source: ComponentSource, name: &str) -> Self {
        static RUNTIME: OnceLock<Runtime> = OnceLock::new();
        let runtime = RUNTIME.get_or_init(|| {
            Runtime::new(RuntimeConfig::default())
                .unwrap_or_else(|error| panic!("failed to start the runtime: {}", chain(&error)))
        });
        match block_on(runtime.load(source)) {
            Ok(plugin) => Self { plugin },
            Err(error) => panic!("failed to load {name}: {}", chain(&error)),
        }
    }

    /// What the plugin says of itself.
    pub fn info(&self) -> &Info {
        self.plugin.info()
    }

    /// Its kind.
    pub fn world(&self) -> World {
        self.plugin.world()
    }

    /// The interfaces that it imports: its list of capabilities.
    pub fn imports(&self) -> &[String] {
        self.plugin.imports()
    }

    /// What the schema and then the plugin's own check find wrong with settings.
    ///
    /// # Panics
    /// The check itself fails.
    pub fn check_settings(&self, settings: &serde_json::Value) -> Vec<Problem> {
        let settings = settings.to_string();
        let problems = self.plugin.validate_settings(&settings);
        if !problems.is_empty() {
            return problems;
        }
        let plugin = self.plugin.clone();
        match block_on(async move { plugin.check_settings(settings).await }).result {
            Ok(problems) => problems,
            Err(error) => panic!("check-settings failed: {error}"),
        }
    }

    /// Begins a call.
    pub fn test(&self) -> Test {
        Test::new(self.plugin.clone())
    }
}

/// Builds the component; returns its file.
fn cargo_build(manifest_dir: &Path, profile: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--lib", "--target", TARGET, "--profile", profile])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(manifest_dir)
        .output()
        .unwrap_or_else(|error| panic!("failed to run cargo: {error}"));
    assert!(
        output.status.success(),
        "failed to build the component in {} (is the target there? rustup target add {TARGET})\n{}",
        manifest_dir.display(),
        String::from_utf8_lossy(&output.stderr),
    );
    // The last one is the package's own: cargo builds dependencies first.
    let built: Vec<PathBuf> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .filter(|file| {
            file.extension()
                .is_some_and(|extension| extension == "wasm")
        })
        .collect();
    built.into_iter().next_back().unwrap_or_else(|| {
        panic!(
            "no component came of {}: its Cargo.toml needs [lib] crate-type = [\"cdylib\", \"rlib\"]",
            manifest_dir.display()
        )
    })
}

/// Waits on a thread of its own, so that a test may itself be asynchronous.
pub(crate) fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("a runtime can be started")
    });
    std::thread::scope(
        |scope| match scope.spawn(|| runtime.block_on(future)).join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        },
    )
}

/// An error with its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
