//! The CNCF's Wasm OCI artifact: an image manifest whose config says what the component imports
//! and exports, and whose one layer is the component, not compressed.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{ImageError, PullOptions, PushOptions};
use crate::component::interfaces;
use crate::{Digest, World};

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";
/// A constant: the same component shall have the same digest whenever it is pushed.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// Bytes of a config.
pub(super) const MAX_CONFIG: u64 = 1 << 20;

/// A blob, by digest.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: String,
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    config: Descriptor,
    layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    created: String,
    architecture: String,
    os: String,
    #[serde(default)]
    layer_digests: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    component: Option<Component>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Component {
    #[serde(default)]
    exports: Vec<String>,
    #[serde(default)]
    imports: Vec<String>,
}

/// The parts of an artifact to be pushed.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) component: Bytes,
    pub(super) component_digest: Digest,
    pub(super) config: Bytes,
    pub(super) manifest: Bytes,
}

/// Where the component is.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) config: Descriptor,
    pub(super) config_digest: Digest,
    pub(super) component: Descriptor,
    pub(super) component_digest: Digest,
}

/// Makes config and manifest for a component.
pub(super) fn pack(component: Bytes, options: &PushOptions) -> Result<Packed, ImageError> {
    let found =
        interfaces(&component).map_err(|error| ImageError::not_a_component(error.to_string()))?;
    let component_digest = Digest::of(&component);
    let config = json(&Config {
        created: CREATED.into(),
        architecture: "wasm".into(),
        os: "wasip2".into(),
        layer_digests: vec![component_digest.to_string()],
        component: Some(Component {
            exports: found.exports,
            imports: found.imports,
        }),
    })?;
    let title = if options.title.is_empty() {
        "plugin.wasm"
    } else {
        &options.title
    };
    let manifest = json(&Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST.into()),
        config: Descriptor {
            media_type: CONFIG.into(),
            digest: Digest::of(&config).to_string(),
            size: config.len() as u64,
            annotations: BTreeMap::new(),
        },
        layers: vec![Descriptor {
            media_type: LAYER.into(),
            digest: component_digest.to_string(),
            size: component.len() as u64,
            annotations: BTreeMap::from([(
                "org.opencontainers.image.title".to_owned(),
                title.to_owned(),
            )]),
        }],
        annotations: options.annotations.iter().cloned().collect(),
    })?;
    Ok(Packed {
        component,
        component_digest,
        config,
        manifest,
    })
}

fn json(value: &impl Serialize) -> Result<Bytes, ImageError> {
    let what = "write JSON";
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|e| ImageError::io(what)(e.into()))
}

/// Checks a manifest's layout.
pub(super) fn layers(manifest: &[u8], options: PullOptions) -> Result<Layers, ImageError> {
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|_| ImageError::not_a_component("it is no image manifest (an index?)"))?;
    if manifest.config.media_type != CONFIG {
        return Err(ImageError::not_a_component(format!(
            "its config is `{}`, not `{CONFIG}`",
            manifest.config.media_type
        )));
    }
    let [component] = manifest.layers.as_slice() else {
        let why = format!("it has {} layers, not one", manifest.layers.len());
        return Err(ImageError::not_a_component(why));
    };
    if component.media_type != LAYER {
        let why = format!("its layer is `{}`, not `{LAYER}`", component.media_type);
        return Err(ImageError::not_a_component(why));
    }
    if component.size > options.max_bytes {
        return Err(ImageError::TooLarge {
            size: component.size,
            limit: options.max_bytes,
        });
    }
    if manifest.config.size > MAX_CONFIG {
        return Err(ImageError::TooLarge {
            size: manifest.config.size,
            limit: MAX_CONFIG,
        });
    }
    let digest = |descriptor: &Descriptor| -> Result<Digest, ImageError> {
        descriptor.digest.parse().map_err(|_| {
            ImageError::not_a_component(format!("`{}` is no sha256 digest", descriptor.digest))
        })
    };
    Ok(Layers {
        config_digest: digest(&manifest.config)?,
        component_digest: digest(component)?,
        component: component.clone(),
        config: manifest.config,
    })
}

/// Checks the world that a config names, before the layer is fetched. Configs by other tools may
/// say nothing; then the component itself tells, once it is there.
pub(super) fn check_config(config: &[u8], wanted: Option<World>) -> Result<(), ImageError> {
    let config: Config = serde_json::from_slice(config)
        .map_err(|_| ImageError::not_a_component("its config is not readable"))?;
    if config.architecture != "wasm" {
        let why = format!("it is built for `{}`", config.architecture);
        return Err(ImageError::not_a_component(why));
    }
    match config.component {
        Some(component) if !component.exports.is_empty() => {
            check_world(component.exports.iter().map(String::as_str), wanted)
        }
        _ => Ok(()),
    }
}

/// Checks the world that follows from exports.
pub(super) fn check_world<'a>(
    exports: impl IntoIterator<Item = &'a str>,
    wanted: Option<World>,
) -> Result<(), ImageError> {
    let (found, _) =
        crate::world::world(exports).map_err(|source| ImageError::NotAPlugin { source })?;
    match wanted {
        Some(expected) if expected != found => Err(ImageError::WrongWorld { found, expected }),
        _ => Ok(()),
    }
}

/// Checks bytes against the digest they were asked by.
pub(super) fn check_digest(bytes: &[u8], expected: Digest) -> Result<(), ImageError> {
    let found = Digest::of(bytes);
    if found == expected {
        Ok(())
    } else {
        Err(ImageError::DigestMismatch {
            expected: expected.to_string(),
            found,
        })
    }
}

/// For the fuzz targets.
#[cfg(fuzzing)]
pub(crate) mod fuzzing {
    use super::{MAX_CONFIG, PullOptions, check_config, layers};

    pub(crate) fn read(data: &[u8], options: PullOptions) {
        if let Ok(layers) = layers(data, options) {
            assert!(layers.component.size <= options.max_bytes);
            assert!(layers.config.size <= MAX_CONFIG);
        }
        let _ = check_config(data, None);
    }
}
