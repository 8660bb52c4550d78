//! Components as OCI artifacts, in the layout of the CNCF (one layer `application/wasm`, a config
//! that names imports and exports), so that `wkg` and `oras` can push and pull what weir uses.
//!
//! Begin with [`ImageReference`]; [`Images`] resolves, pulls and pushes. Precompiled code is never
//! taken from a registry.

mod artifact;
#[cfg(fuzzing)]
pub(crate) use artifact::fuzzing;
mod credentials;
mod error;
mod layout;
mod pulled;
mod reference;
mod registry;

pub use credentials::{Access, RegistryCredentials};
pub use error::ImageError;
pub use pulled::PulledImage;
pub use reference::{ImageReference, InvalidReference};

use std::time::Duration;

use bytes::Bytes;

use crate::{Digest, World};
use registry::Registries;

/// Resolves, pulls and pushes images. Keeps connections and tokens; clones share them.
#[derive(Clone, Default)]
pub struct Images {
    registries: std::sync::Arc<Registries>,
}

impl std::fmt::Debug for Images {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Images").finish_non_exhaustive()
    }
}

/// How long registries may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Each small answer, authentication included; and silence within a large one.
    pub answer: Duration,
    /// A component to arrive or leave.
    pub transfer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(30),
            transfer: Duration::from_mins(5),
        }
    }
}

/// What a pull accepts.
#[derive(Clone, Copy, Debug)]
pub struct PullOptions {
    /// Bytes of the component.
    pub max_bytes: u64,
    /// The world it must have; `None`: any.
    pub world: Option<World>,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            world: None,
        }
    }
}

/// What a push says about the component besides itself.
#[derive(Clone, Debug, Default)]
pub struct PushOptions {
    /// File name of the layer for those who pull it with other tools; `plugin.wasm` if empty.
    pub title: String,
    /// Annotations of the manifest: `org.opencontainers.image.version` and the like.
    pub annotations: Vec<(String, String)>,
}

impl Images {
    /// Nothing pulled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with other patience.
    pub fn with_timeouts(timeouts: Timeouts) -> Self {
        Self {
            registries: std::sync::Arc::new(Registries::new(timeouts)),
        }
    }

    /// What the reference stands for now: the manifest's digest (a HEAD request), for a file the
    /// component's.
    pub async fn resolve(
        &self,
        image: &ImageReference,
        access: &Access,
    ) -> Result<Digest, ImageError> {
        match image {
            ImageReference::Registry(image) => self.registries.resolve(image, access).await,
            ImageReference::Layout(layout) => {
                let layout = layout.clone();
                blocking(move || layout::resolve(&layout)).await
            }
            ImageReference::File(path) => {
                let path = path.clone();
                blocking(move || pulled::digest_of(&path)).await
            }
        }
    }

    /// Pulls the component, checking its layout and its world before its bytes, and its digest
    /// while they arrive. `digest` is what [`Images::resolve`] returned.
    pub async fn pull(
        &self,
        image: &ImageReference,
        digest: Digest,
        access: &Access,
        options: PullOptions,
    ) -> Result<PulledImage, ImageError> {
        match image {
            ImageReference::Registry(image) => {
                self.registries.pull(image, digest, access, options).await
            }
            ImageReference::Layout(layout) => {
                let layout = layout.clone();
                blocking(move || layout::pull(&layout, digest, options)).await
            }
            ImageReference::File(path) => {
                let path = path.clone();
                blocking(move || PulledImage::file(path, digest, options)).await
            }
        }
    }

    /// Pushes a component; returns its manifest's digest. The same component and options give the
    /// same digest.
    pub async fn push(
        &self,
        component: Bytes,
        image: &ImageReference,
        access: &Access,
        options: &PushOptions,
    ) -> Result<Digest, ImageError> {
        let packed = artifact::pack(component, options)?;
        match image {
            ImageReference::Registry(image) => self.registries.push(image, packed, access).await,
            ImageReference::Layout(layout) => {
                let layout = layout.clone();
                blocking(move || layout::push(&layout, &packed)).await
            }
            ImageReference::File(path) => Err(ImageError::NotPushable { path: path.clone() }),
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImageError> + Send + 'static,
) -> Result<T, ImageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(ImageError::Io {
            what: "run a background thread".into(),
            source: std::io::Error::other(error),
        }),
    }
}
