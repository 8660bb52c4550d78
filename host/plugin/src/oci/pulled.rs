//! A pulled component: a file, its own or a temporary one that goes with it.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::{NamedTempFile, TempPath};

use super::artifact::check_world;
use super::{ImageError, PullOptions};
use crate::{ComponentSource, Digest};

/// A pulled component. A temporary file vanishes with it: load it first.
#[derive(Debug)]
pub struct PulledImage {
    manifest: Digest,
    component: Digest,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Temporary(TempPath),
    Permanent(PathBuf),
}

impl PulledImage {
    /// Of the manifest; of the component for a plain file.
    pub fn manifest_digest(&self) -> Digest {
        self.manifest
    }

    /// Of the component's bytes: what compiled code is kept by.
    pub fn component_digest(&self) -> Digest {
        self.component
    }

    /// Where the component lies.
    pub fn path(&self) -> &Path {
        match &self.content {
            Content::Temporary(path) => path,
            Content::Permanent(path) => path,
        }
    }

    /// For [`Runtime::load`](crate::Runtime::load).
    pub fn source(&self) -> ComponentSource {
        ComponentSource::File(self.path().to_owned())
    }

    /// A component that lies where it was, checked.
    pub(super) fn permanent(
        path: PathBuf,
        manifest: Digest,
        component: Digest,
        limit: u64,
    ) -> Result<Self, ImageError> {
        let size = std::fs::metadata(&path)
            .map_err(ImageError::io(format!("read `{}`", path.display())))?
            .len();
        if size > limit {
            return Err(ImageError::TooLarge { size, limit });
        }
        let found = digest_of(&path)?;
        if found != component {
            return Err(ImageError::DigestMismatch {
                expected: component.to_string(),
                found,
            });
        }
        Ok(Self {
            manifest,
            component,
            content: Content::Permanent(path),
        })
    }

    /// A component as a plain file.
    pub(super) fn file(
        path: PathBuf,
        digest: Digest,
        options: PullOptions,
    ) -> Result<Self, ImageError> {
        let pulled = Self::permanent(path, digest, digest, options.max_bytes)?;
        let bytes = std::fs::read(pulled.path()).map_err(ImageError::io(format!(
            "read `{}`",
            pulled.path().display()
        )))?;
        let found = crate::component::interfaces(&bytes)
            .map_err(|error| ImageError::not_a_component(error.to_string()))?;
        check_world(found.exports.iter().map(String::as_str), options.world)?;
        Ok(pulled)
    }
}

/// Of a file's content.
pub(super) fn digest_of(path: &Path) -> Result<Digest, ImageError> {
    let mut hasher = Sha256::new();
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ImageError::NotFound {
                image: path.display().to_string(),
            });
        }
        Err(error) => return Err(ImageError::io(format!("read `{}`", path.display()))(error)),
    };
    io::copy(&mut file, &mut hasher)
        .map_err(ImageError::io(format!("read `{}`", path.display())))?;
    Ok(Digest::from_bytes(hasher.finalize().into()))
}

/// A component that arrives piece by piece.
pub(super) struct Arriving {
    file: NamedTempFile,
    hasher: Sha256,
    size: u64,
    limit: u64,
}

impl Arriving {
    pub(super) fn new(limit: u64) -> Result<Self, ImageError> {
        let file =
            NamedTempFile::with_suffix(".wasm").map_err(ImageError::io("make a temporary file"))?;
        Ok(Self {
            file,
            hasher: Sha256::new(),
            size: 0,
            limit,
        })
    }

    pub(super) fn append(&mut self, part: &[u8]) -> Result<(), ImageError> {
        self.size += part.len() as u64;
        if self.size > self.limit {
            return Err(ImageError::TooLarge {
                size: self.size,
                limit: self.limit,
            });
        }
        self.hasher.update(part);
        self.file
            .write_all(part)
            .map_err(ImageError::io("write a temporary file"))
    }

    /// Done, if it is what was asked for.
    pub(super) fn finish(
        self,
        manifest: Digest,
        component: Digest,
    ) -> Result<PulledImage, ImageError> {
        let found = Digest::from_bytes(self.hasher.finalize().into());
        if found != component {
            return Err(ImageError::DigestMismatch {
                expected: component.to_string(),
                found,
            });
        }
        let content = Content::Temporary(self.file.into_temp_path());
        Ok(PulledImage {
            manifest,
            component,
            content,
        })
    }
}
