//! Plugin images for the host: what `spec.image` stands for now, and what it stood for last.
//!
//! Each image's last digests are kept in a file, so that a restart finds its compiled code
//! without downloading anything, and without a registry at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use weir_failpoint::{Step, hit};
use weir_plugin::oci::{
    Access, ImageError, ImageReference, InvalidReference, PullOptions, PulledImage,
    RegistryCredentials, Timeouts,
};
use weir_plugin::{Digest, Plugin, Runtime, World, oci};

use crate::artifact::{StoreError, write_atomically};

/// Fetches plugin images.
#[derive(Debug)]
pub struct Images {
    registries: oci::Images,
    max_bytes: u64,
    folder: PathBuf,
}

/// What is remembered of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pin {
    manifest: Digest,
    component: Digest,
}

/// What an image turned out to be.
#[derive(Debug)]
pub enum Fetched {
    /// Compiled by this host before: nothing was downloaded.
    Compiled {
        /// Ready to be called.
        plugin: Arc<Plugin>,
        /// Of the manifest.
        manifest: Digest,
        /// The registry could not be asked; this is what the image stood for last.
        unchecked: Option<ImageError>,
    },
    /// Downloaded; to be loaded.
    Pulled(PulledImage),
}

/// An image cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The text is no reference.
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    /// The registry, the layout or the file.
    #[error(transparent)]
    Image(#[from] ImageError),
}

impl FetchError {
    /// UpperCamelCase, for the condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Reference(_) => "InvalidReference",
            Self::Image(error) => error.reason(),
        }
    }

    /// Whether another attempt may end otherwise while the image stays what it is.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Reference(_) => false,
            Self::Image(error) => error.is_retryable(),
        }
    }
}

/// Whose image, and how to get it.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'w> {
    /// `spec.image`.
    pub image: &'w str,
    /// HTTP instead of HTTPS.
    pub insecure: bool,
    /// `.dockerconfigjson`.
    pub docker_config: Option<&'w [u8]>,
    /// The world it must have; `None`: any.
    pub world: Option<World>,
}

impl Images {
    /// Remembers digests in `folder`, making it if need be. Components of more than `max_bytes`
    /// are refused.
    pub fn open(folder: &Path, timeouts: Timeouts, max_bytes: u64) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
        Ok(Self {
            registries: oci::Images::with_timeouts(timeouts),
            max_bytes,
            folder: folder.to_owned(),
        })
    }

    /// Fetches what `image` stands for now.
    pub async fn fetch(
        &self,
        runtime: &Runtime,
        wanted: Wanted<'_>,
    ) -> Result<Fetched, FetchError> {
        let reference: ImageReference = wanted.image.parse()?;
        let access = access(&reference, wanted)?;
        let pin = self.pin(wanted.image);
        let manifest = match self.registries.resolve(&reference, &access).await {
            Ok(manifest) => manifest,
            Err(error) => {
                let Some(pin) = pin.filter(|_| error.is_retryable()) else {
                    return Err(error.into());
                };
                return match runtime.load_cached(pin.component).await {
                    Some(plugin) => Ok(Fetched::Compiled {
                        plugin,
                        manifest: pin.manifest,
                        unchecked: Some(error),
                    }),
                    None => Err(error.into()),
                };
            }
        };
        if let Some(pin) = pin.filter(|pin| pin.manifest == manifest)
            && let Some(plugin) = runtime.load_cached(pin.component).await
        {
            return Ok(Fetched::Compiled {
                plugin,
                manifest,
                unchecked: None,
            });
        }
        let options = PullOptions {
            max_bytes: self.max_bytes,
            world: wanted.world,
        };
        let pulled = self
            .registries
            .pull(&reference, manifest, &access, options)
            .await?;
        hit(Step::Download);
        Ok(Fetched::Pulled(pulled))
    }

    /// Remembers that `image` stands for a component that this host has loaded.
    pub fn remember(&self, image: &str, manifest: Digest, component: Digest) {
        let pin = Pin {
            manifest,
            component,
        };
        if self.pin(image) == Some(pin) {
            return;
        }
        let bytes = serde_json::to_vec(&pin).unwrap_or_default();
        if let Err(error) = write_atomically(&self.folder, &self.path(image), &bytes) {
            tracing::warn!(error = %crate::telemetry::chain(&error), "an image's digest was not kept");
        }
    }

    fn pin(&self, image: &str) -> Option<Pin> {
        serde_json::from_slice(&fs::read(self.path(image)).ok()?).ok()
    }

    fn path(&self, image: &str) -> PathBuf {
        self.folder
            .join(format!("{}.image", Digest::of(image).hex()))
    }
}

fn access(reference: &ImageReference, wanted: Wanted<'_>) -> Result<Access, ImageError> {
    let credentials = match (reference, wanted.docker_config) {
        (ImageReference::Registry(image), Some(config)) => {
            RegistryCredentials::from_docker_config(config, &image.registry, &image.repository)?
        }
        _ => None,
    };
    Ok(Access {
        credentials,
        insecure: wanted.insecure,
        ca_certificate: None,
    })
}
