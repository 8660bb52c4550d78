//! From a component's bytes to a [`Plugin`]: once per digest, in the background, from disk where
//! it was compiled before.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use wasmtime::component::Component;
use weir_failpoint::{Step, hit};

use super::{Runtime, Shared, cache};
use crate::builtin::Packed;
use crate::component::interfaces;
use crate::{Description, Digest, Info, LoadError, Plugin};

/// Where a component's bytes come from.
#[derive(Clone, Debug)]
pub enum ComponentSource {
    /// From memory.
    Bytes(Bytes),
    /// From a file.
    File(PathBuf),
}

/// What the build made of a component for this machine's architecture and put into the binary.
#[derive(Clone, Debug)]
pub(crate) struct Precompiled {
    pub(crate) wasm: Packed,
    pub(crate) code: Packed,
    pub(crate) description: Description,
}

impl From<Bytes> for ComponentSource {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<u8>> for ComponentSource {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<&'static [u8]> for ComponentSource {
    fn from(bytes: &'static [u8]) -> Self {
        Self::Bytes(Bytes::from_static(bytes))
    }
}

impl From<PathBuf> for ComponentSource {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&std::path::Path> for ComponentSource {
    fn from(path: &std::path::Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl Runtime {
    /// Loads a component: from memory if it is loaded, from disk if it was compiled before, or by
    /// compiling it on a background thread. Returns once it is described and ready to be called.
    pub async fn load(
        &self,
        component: impl Into<ComponentSource>,
    ) -> Result<Arc<Plugin>, LoadError> {
        let (component, limit) = (component.into(), self.0.max_component_bytes);
        let (bytes, digest) = blocking(move || {
            let bytes = read(component, limit)?;
            let digest = Digest::of(&bytes);
            Ok((bytes, digest))
        })
        .await?;
        self.once(
            digest,
            move |shared| shared.load_cached(digest),
            move || Ok(bytes),
        )
        .await
    }

    /// Loads a component that was compiled by this host before, by its digest alone; `None`: it
    /// was not, and [`Runtime::load`] has to be given its bytes.
    pub async fn load_cached(&self, digest: Digest) -> Option<Arc<Plugin>> {
        self.once(
            digest,
            move |shared| shared.load_cached(digest),
            || Err(LoadError::Host("not cached".into())),
        )
        .await
        .ok()
    }

    /// Loads a component that the build compiled for this machine's architecture. When the code
    /// does not fit this host (another wasmtime, another processor), the component is compiled
    /// from `wasm` instead.
    pub(crate) async fn load_precompiled(
        &self,
        precompiled: Precompiled,
    ) -> Result<Arc<Plugin>, LoadError> {
        let digest = precompiled.description.digest;
        let wasm = precompiled.wasm;
        self.once(
            digest,
            move |shared| match shared.load_precompiled(&precompiled) {
                Ok(plugin) => Some(plugin),
                Err(error) => {
                    tracing::warn!(
                        error = %crate::chain(&error),
                        plugin.name = precompiled.description.info.name,
                        "precompiled plugin does not fit this host, compiling it"
                    );
                    shared.load_cached(digest)
                }
            },
            move || unpacked(wasm).map(Bytes::from),
        )
        .await
    }

    /// Loads the component of that digest unless somebody holds it already: as `known`, or by
    /// compiling its bytes. Only compiling takes turns, so that what one component makes of it
    /// holds up none that is compiled already.
    async fn once(
        &self,
        digest: Digest,
        known: impl FnOnce(&Arc<Shared>) -> Option<Plugin> + Send + 'static,
        component: impl FnOnce() -> Result<Bytes, LoadError> + Send + 'static,
    ) -> Result<Arc<Plugin>, LoadError> {
        let slot = {
            let mut plugins = self.0.plugins.lock();
            plugins.retain(|known, slot| {
                *known == digest
                    || Arc::strong_count(slot) > 1
                    || slot
                        .try_lock()
                        .is_ok_and(|plugin| plugin.strong_count() > 0)
            });
            plugins.entry(digest).or_default().clone()
        };
        let mut slot = slot.lock().await;
        if let Some(plugin) = slot.upgrade() {
            return Ok(plugin);
        }
        let shared = self.0.clone();
        let found = blocking(move || match known(&shared) {
            Some(plugin) => Ok(Found::Plugin(Box::new(plugin))),
            None => component().map(Found::Component),
        });
        let plugin = match found.await? {
            Found::Plugin(plugin) => Arc::from(plugin),
            Found::Component(bytes) => self.compile(bytes, digest).await?,
        };
        *slot = Arc::downgrade(&plugin);
        Ok(plugin)
    }

    /// Compiles in its turn.
    async fn compile(&self, bytes: Bytes, digest: Digest) -> Result<Arc<Plugin>, LoadError> {
        let Ok(permit) = self.0.compiling.clone().acquire_owned().await else {
            return Err(LoadError::Host("the host is shutting down".into()));
        };
        let shared = self.0.clone();
        blocking(move || {
            let _permit = permit;
            shared.compile(&bytes, digest).map(Arc::new)
        })
        .await
    }
}

/// What there is of a component before its turn to be compiled.
enum Found {
    Plugin(Box<Plugin>),
    Component(Bytes),
}

impl Shared {
    /// Checks, compiles, describes and keeps.
    fn compile(self: &Arc<Self>, bytes: &[u8], digest: Digest) -> Result<Plugin, LoadError> {
        // What fits no world is refused before it is compiled.
        let found = interfaces(bytes).map_err(|error| LoadError::Compile {
            source: wasmtime::Error::msg(error.to_string()),
        })?;
        let (world, _) = crate::world::world(found.exports.iter().map(String::as_str))?;
        for import in &found.imports {
            crate::world::check_import(world, import)?;
        }
        let started = Instant::now();
        let code = self.engine.precompile_component(bytes);
        self.observer
            .compiled(&digest, started.elapsed(), code.is_ok());
        let code = code.map_err(|source| LoadError::Compile { source })?;
        hit(Step::Compile);
        let component = cache::from_memory(&self.engine, &code)
            .map_err(|source| LoadError::Compile { source })?;
        let plugin = Plugin::build(self, &component, digest, None)?;
        // Only what describes itself is kept: what traps there is never taken up. The plugin is
        // then opened again from disk, where its code costs no memory of its own.
        if let Some(cache) = &self.cache {
            match cache.store(&code, plugin.description()) {
                Ok(()) => {
                    hit(Step::CacheWrite);
                    return Ok(self.load_cached(digest).unwrap_or(plugin));
                }
                Err(error) => tracing::warn!(%error, %digest, "failed to keep compiled code"),
            }
        }
        Ok(plugin)
    }

    fn load_cached(self: &Arc<Self>, digest: Digest) -> Option<Plugin> {
        let found = self.cache.as_ref()?.load(&self.engine, digest);
        let plugin = found.and_then(|(component, description)| {
            self.build_known(&component, description).map_err(|error| {
                tracing::warn!(error = %crate::chain(&error), %digest, "cached plugin is not valid");
            }).ok()
        });
        self.observer.cache(plugin.is_some());
        plugin
    }

    fn load_precompiled(self: &Arc<Self>, precompiled: &Precompiled) -> Result<Plugin, LoadError> {
        let Precompiled {
            code, description, ..
        } = precompiled;
        // From a file of ours the code is mapped, not copied.
        if let Some(cache) = &self.cache
            && let Some(component) = cache.extract(&self.engine, *code, description.digest)
        {
            return self.build_known(&component, description.clone());
        }
        let component = cache::from_memory(&self.engine, &unpacked(*code)?)
            .map_err(|source| LoadError::Compile { source })?;
        self.build_known(&component, description.clone())
    }

    fn build_known(
        self: &Arc<Self>,
        component: &Component,
        description: Description,
    ) -> Result<Plugin, LoadError> {
        let Description { digest, info, .. } = description;
        Plugin::build(self, component, digest, Some::<Info>(info))
    }
}

fn unpacked(packed: Packed) -> Result<Vec<u8>, LoadError> {
    packed
        .unpack()
        .map_err(|error| LoadError::Host(format!("the binary is damaged: {error}")))
}

fn read(component: ComponentSource, limit: u64) -> Result<Bytes, LoadError> {
    let bytes = match component {
        ComponentSource::Bytes(bytes) => bytes,
        ComponentSource::File(path) => {
            let read = |path: &PathBuf| -> std::io::Result<(u64, Vec<u8>)> {
                let size = std::fs::metadata(path)?.len();
                Ok((
                    size,
                    if size > limit {
                        Vec::new()
                    } else {
                        std::fs::read(path)?
                    },
                ))
            };
            let (size, bytes) = read(&path).map_err(|source| LoadError::Read { path, source })?;
            if size > limit {
                return Err(LoadError::TooLarge { size, limit });
            }
            bytes.into()
        }
    };
    let size = bytes.len() as u64;
    if size > limit {
        Err(LoadError::TooLarge { size, limit })
    } else {
        Ok(bytes)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(LoadError::Host(format!(
                "a background thread was lost: {error}"
            )))
        })
}
