//! From the name of an image to a plugin, touching the network as little as can be: an image that
//! this host compiled before is not pulled again, not even after a restart.

use std::sync::Arc;

use super::Runtime;
use crate::oci::{Access, ImageError, ImageReference, Images, PullOptions};
use crate::{Digest, LoadError, Plugin};

/// Why an image does not become a plugin.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// It is not pulled.
    #[error("failed to pull the plugin")]
    Pull(#[source] ImageError),
    /// It does not load.
    #[error("failed to load the plugin")]
    Load(#[source] LoadError),
}

impl InstallError {
    /// UpperCamelCase, for the condition's reason.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Pull(error) => error.reason(),
            Self::Load(error) => error.reason(),
        }
    }

    /// Whether another attempt may end otherwise while the image stays what it is.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Pull(error) => error.is_retryable(),
            Self::Load(error) => error.is_retryable(),
        }
    }
}

impl Runtime {
    /// The plugin of a manifest that this host loaded before, now or in an earlier life, without
    /// asking anybody: for a start without a network.
    pub async fn load_known_image(&self, manifest: Digest) -> Option<Arc<Plugin>> {
        let component = self.0.component_of(manifest)?;
        self.load_cached(component).await
    }

    /// Resolves an image, and pulls and loads it unless it is known. Returns its manifest's digest
    /// with the plugin, which is ready to be called.
    pub async fn load_image(
        &self,
        images: &Images,
        image: &ImageReference,
        access: &Access,
        options: PullOptions,
    ) -> Result<(Digest, Arc<Plugin>), InstallError> {
        let manifest = match image.digest() {
            Some(pinned) => pinned,
            None => images
                .resolve(image, access)
                .await
                .map_err(InstallError::Pull)?,
        };
        if let Some(plugin) = self.load_known_image(manifest).await {
            return match options.world {
                Some(expected) if expected != plugin.world() => {
                    let found = plugin.world();
                    Err(InstallError::Pull(ImageError::WrongWorld {
                        found,
                        expected,
                    }))
                }
                _ => Ok((manifest, plugin)),
            };
        }
        let pulled = images
            .pull(image, manifest, access, options)
            .await
            .map_err(InstallError::Pull)?;
        let plugin = self
            .load(pulled.source())
            .await
            .map_err(InstallError::Load)?;
        self.0.remember_image(manifest, plugin.digest());
        Ok((manifest, plugin))
    }
}
