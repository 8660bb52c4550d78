//! Plugin images: from what `spec.image` names to a component's bytes.

use std::path::PathBuf;
use std::sync::Arc;

use weir_plugin::{ComponentSource, Plugin, Runtime};

/// Pulls plugin images.
#[derive(Clone, Debug, Default)]
pub struct Images {}

/// A component, and where it came from.
#[derive(Debug)]
pub struct Image {
    /// For people: the reference with its digest.
    pub source: String,
    /// Digest that the reference stands for now.
    pub digest: String,
    /// There when the component was compiled by this host before: nothing was downloaded.
    pub plugin: Option<Arc<Plugin>>,
    /// The bytes.
    pub component: ComponentSource,
}

/// An image cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The text is no reference.
    #[error("`{0}` is no image reference")]
    Reference(String),
}

impl ImageError {
    /// UpperCamelCase, for the condition's reason.
    pub fn reason(&self) -> &'static str {
        "InvalidReference"
    }

    /// Whether another attempt may end otherwise.
    pub fn is_retryable(&self) -> bool {
        false
    }
}

impl Images {
    /// Fetches what `image` stands for now.
    pub async fn fetch(
        &self,
        _runtime: &Runtime,
        image: &str,
        _insecure: bool,
        _docker_config: Option<Vec<u8>>,
    ) -> Result<Image, ImageError> {
        let path = image.strip_prefix("file://").ok_or_else(|| ImageError::Reference(image.into()))?;
        Ok(Image {
            source: image.to_owned(),
            digest: String::new(),
            plugin: None,
            component: PathBuf::from(path).into(),
        })
    }
}
