//! The engine, what bounds a call, and how a component becomes a plugin.

mod cache;
pub(crate) mod engine;
mod image;
mod load;
pub(crate) mod meter;
pub(crate) mod ticker;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

pub use image::InstallError;
pub use load::ComponentSource;
pub(crate) use load::Precompiled;

use crate::net::Clients;
use crate::observer::NoObserver;
use crate::spool::Spool;
use crate::unpack::UnpackLimits;
use crate::{Digest, LoadError, Observer, Plugin};
use cache::Cache;
use ticker::Ticker;

/// Bytes of unpacked archives that one call keeps in memory; small ones only.
const UNPACKED_IN_MEMORY: usize = 32 << 20;

/// How a runtime is set up.
#[derive(Clone)]
pub struct RuntimeConfig {
    /// Where compiled code is kept across restarts; `None`: nowhere. The folder must belong to
    /// this host alone: what lies in it is run.
    pub cache_dir: Option<PathBuf>,
    /// Bytes of compiled code kept there; what was used longest ago goes first.
    pub cache_bytes: u64,
    /// Where large blobs are spooled; `None`: the system's folder for temporary files.
    pub spool_dir: Option<PathBuf>,
    /// Bytes of a component.
    pub max_component_bytes: u64,
    /// Components compiled at a time; each uses all processors.
    pub compile_jobs: usize,
    /// Calls at a time; further ones wait.
    pub max_calls: u32,
    /// Bytes that the archives of one call may unpack to.
    pub max_unpacked_bytes: u64,
    /// Files and directories that they may hold.
    pub max_unpacked_files: usize,
    /// Told of calls, compilations and cache look-ups.
    pub observer: Option<Arc<dyn Observer>>,
}

impl std::fmt::Debug for RuntimeConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuntimeConfig")
            .field("cache_dir", &self.cache_dir)
            .field("cache_bytes", &self.cache_bytes)
            .field("spool_dir", &self.spool_dir)
            .field("max_component_bytes", &self.max_component_bytes)
            .field("compile_jobs", &self.compile_jobs)
            .field("max_calls", &self.max_calls)
            .field("max_unpacked_bytes", &self.max_unpacked_bytes)
            .field("max_unpacked_files", &self.max_unpacked_files)
            .finish_non_exhaustive()
    }
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            cache_dir: None,
            cache_bytes: 1 << 30,
            spool_dir: None,
            max_component_bytes: 64 << 20,
            compile_jobs: 1,
            max_calls: 64,
            max_unpacked_bytes: 1 << 30,
            max_unpacked_files: 100_000,
            observer: None,
        }
    }
}

/// Compiles and holds plugins. One per process; clones share everything.
#[derive(Clone)]
pub struct Runtime(Arc<Shared>);

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

/// What every plugin of a runtime shares.
pub(crate) struct Shared {
    pub(crate) engine: wasmtime::Engine,
    pub(crate) ticker: Ticker,
    pub(crate) environment: Arc<Environment>,
    pub(crate) calls: Arc<Semaphore>,
    pub(crate) observer: Arc<dyn Observer>,
    compiling: Arc<Semaphore>,
    cache: Option<Cache>,
    max_component_bytes: u64,
    /// Every plugin that somebody holds, so that a component is compiled once. Each has its own
    /// lock, under which it is loaded.
    plugins: Mutex<HashMap<Digest, Arc<tokio::sync::Mutex<Weak<Plugin>>>>>,
    /// Components by the manifests they were pulled with.
    images: Mutex<HashMap<Digest, Digest>>,
}

impl Shared {
    /// The component of a manifest that was loaded before.
    fn component_of(&self, manifest: Digest) -> Option<Digest> {
        let known = self.images.lock().get(&manifest).copied();
        known.or_else(|| self.cache.as_ref()?.component_of(manifest))
    }

    fn remember_image(&self, manifest: Digest, component: Digest) {
        self.images.lock().insert(manifest, component);
        if let Some(cache) = &self.cache {
            cache.remember_image(manifest, component);
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.ticker.stop();
    }
}

/// What host functions need of the host.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) clients: Clients,
    /// What the archives of one call may unpack to.
    pub(crate) unpack: UnpackLimits,
}

impl Environment {
    /// An empty blob to be written.
    pub(crate) fn spool(&self) -> Spool {
        Spool::new(self.unpack.directory.clone())
    }
}

impl Runtime {
    /// Sets up the engine. Fails when the machine cannot run compiled code, or the cache folder
    /// cannot be made.
    pub fn new(config: RuntimeConfig) -> Result<Self, LoadError> {
        // Each component being loaded describes itself, which is a call as well.
        let loading = u32::try_from(config.compile_jobs.max(1)).unwrap_or(1);
        let instances = config.max_calls.max(1).saturating_add(loading);
        let engine = engine::native(instances)
            .map_err(|error| LoadError::Host(format!("failed to set up the engine: {error}")))?;
        let ticker = Ticker::start(&engine)
            .map_err(|error| LoadError::Host(format!("failed to start a thread: {error}")))?;
        let cache = match config.cache_dir {
            None => None,
            Some(path) => Some(
                Cache::open(path.clone(), &engine, config.cache_bytes)
                    .map_err(|source| LoadError::Read { path, source })?,
            ),
        };
        Ok(Self(Arc::new(Shared {
            engine,
            ticker,
            environment: Arc::new(Environment {
                clients: Clients::new(),
                unpack: UnpackLimits {
                    directory: config.spool_dir.unwrap_or_else(std::env::temp_dir),
                    bytes: config.max_unpacked_bytes,
                    entries: config.max_unpacked_files,
                    memory: UNPACKED_IN_MEMORY,
                },
            }),
            calls: Arc::new(Semaphore::new(config.max_calls.max(1) as usize)),
            observer: config.observer.unwrap_or_else(|| Arc::new(NoObserver)),
            compiling: Arc::new(Semaphore::new(config.compile_jobs.max(1))),
            cache,
            max_component_bytes: config.max_component_bytes,
            plugins: Mutex::default(),
            images: Mutex::default(),
        })))
    }
}
