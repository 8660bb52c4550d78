//! OCI layouts on disk (image-spec, image-layout.md): how built-in and development images lie.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::artifact::{Descriptor, MANIFEST, Packed, check_config, check_digest, layers};
use super::reference::LayoutImage;
use super::{ImageError, PullOptions, PulledImage};
use crate::Digest;

/// Annotation of an index entry: its tag.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// Bytes of an index or a manifest.
const MAX_JSON: u64 = 4 << 20;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    manifests: Vec<Descriptor>,
}

/// The manifest that the reference names.
pub(super) fn resolve(image: &LayoutImage) -> Result<Digest, ImageError> {
    let not_found = || ImageError::NotFound {
        image: image.to_string(),
    };
    let index = index(&image.path)?.ok_or_else(not_found)?;
    let mut matching = index.manifests.iter().filter(|entry| {
        image.tag.is_none() || entry.annotations.get(REF_NAME) == image.tag.as_ref()
    });
    let found = match image.digest {
        Some(digest) => matching.find(|entry| entry.digest == digest.to_string()),
        None => match (matching.next(), matching.next()) {
            (Some(_), Some(_)) if image.tag.is_none() => {
                let why = "the layout holds several images: name one by its tag";
                return Err(ImageError::not_a_component(why));
            }
            (first, _) => first,
        },
    };
    let digest = &found.ok_or_else(not_found)?.digest;
    digest.parse().map_err(|_| {
        ImageError::not_a_component(format!("the layout names `{digest}`, no sha256 digest"))
    })
}

/// The component of a manifest; it stays where it is.
pub(super) fn pull(
    image: &LayoutImage,
    digest: Digest,
    options: PullOptions,
) -> Result<PulledImage, ImageError> {
    let manifest =
        read(&blob(&image.path, digest), MAX_JSON)?.ok_or_else(|| ImageError::NotFound {
            image: image.to_string(),
        })?;
    check_digest(&manifest, digest)?;
    let layers = layers(&manifest, options)?;
    let missing = |digest| ImageError::NotFound {
        image: format!("{image} ({digest})"),
    };
    let config = read(&blob(&image.path, layers.config_digest), layers.config.size)?
        .ok_or_else(|| missing(layers.config_digest))?;
    check_digest(&config, layers.config_digest)?;
    check_config(&config, options.world)?;
    let path = blob(&image.path, layers.component_digest);
    PulledImage::permanent(path, digest, layers.component_digest, options.max_bytes)
}

/// Adds an artifact; a tag that is there already moves to it.
pub(super) fn push(image: &LayoutImage, packed: &Packed) -> Result<Digest, ImageError> {
    let root = &image.path;
    let digest = Digest::of(&packed.manifest);
    fs::create_dir_all(root.join("blobs/sha256"))
        .map_err(ImageError::io(format!("make `{}`", root.display())))?;
    write(&blob(root, packed.component_digest), &packed.component)?;
    write(&blob(root, Digest::of(&packed.config)), &packed.config)?;
    write(&blob(root, digest), &packed.manifest)?;
    write(
        &root.join("oci-layout"),
        br#"{"imageLayoutVersion":"1.0.0"}"#,
    )?;

    let mut index = index(root)?.unwrap_or(Index {
        schema_version: 2,
        media_type: Some("application/vnd.oci.image.index.v1+json".into()),
        manifests: Vec::new(),
    });
    let tag = image.tag.as_ref();
    index.manifests.retain(|entry| match tag {
        Some(tag) => entry.annotations.get(REF_NAME) != Some(tag),
        None => entry.digest != digest.to_string(),
    });
    index.manifests.push(Descriptor {
        media_type: MANIFEST.into(),
        digest: digest.to_string(),
        size: packed.manifest.len() as u64,
        annotations: tag
            .map(|tag| BTreeMap::from([(REF_NAME.to_owned(), tag.clone())]))
            .unwrap_or_default(),
    });
    let text = serde_json::to_vec_pretty(&index)
        .map_err(|error| ImageError::io("write an index")(error.into()))?;
    // The index comes last: until then the layout is as it was.
    write(&root.join("index.json"), &text)?;
    Ok(digest)
}

fn index(root: &Path) -> Result<Option<Index>, ImageError> {
    match read(&root.join("index.json"), MAX_JSON)? {
        None => Ok(None),
        Some(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| ImageError::not_a_component("the layout's index is not readable")),
    }
}

fn blob(root: &Path, digest: Digest) -> PathBuf {
    root.join("blobs/sha256").join(digest.hex())
}

/// `None`: there is no such file.
fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ImageError> {
    let read = || {
        let size = fs::metadata(path)?.len();
        if size > limit {
            Ok(Err(size))
        } else {
            fs::read(path).map(Ok)
        }
    };
    match read() {
        Ok(Ok(bytes)) => Ok(Some(bytes)),
        Ok(Err(size)) => Err(ImageError::TooLarge { size, limit }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ImageError::io(format!("read `{}`", path.display()))(error)),
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), ImageError> {
    let write = || -> std::io::Result<()> {
        let directory = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(content)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.as_file()
                .set_permissions(fs::Permissions::from_mode(0o644))?;
        }
        file.persist(path)?;
        Ok(())
    };
    write().map_err(ImageError::io(format!("write `{}`", path.display())))
}
