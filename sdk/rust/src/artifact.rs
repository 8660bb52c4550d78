//! The artifact that a source fills.

use crate::bindings::imports::weir::plugin::artifacts;
use crate::{Blob, Dir, File, Result};

/// The artifact under construction: either files, or one blob. A later file replaces an earlier
/// one of the same path; the host applies the object's ignore rules in any case.
#[derive(Debug)]
pub struct Artifact(artifacts::Artifact);

impl Artifact {
    pub(crate) fn new(artifact: artifacts::Artifact) -> Self {
        Self(artifact)
    }

    /// Adds files.
    ///
    /// # Errors
    /// `denied` at the host's limit of files or bytes.
    pub fn put(&self, files: &[File]) -> Result<()> {
        Ok(self.0.put(files)?)
    }

    /// Adds a file whose content the host holds already.
    ///
    /// # Errors
    /// As [`Artifact::put`].
    pub fn put_blob(&self, path: &str, content: &Blob) -> Result<()> {
        Ok(self.0.put_blob(path, content.raw())?)
    }

    /// Adds a whole tree.
    ///
    /// # Errors
    /// As [`Artifact::put`].
    pub fn copy_all(&self, tree: &Dir) -> Result<()> {
        self.copy(tree, &[(String::new(), String::new())])
    }

    /// Adds parts of a tree: pairs of a path in `tree` and one in the artifact; a directory brings
    /// all below it.
    ///
    /// # Errors
    /// `not-found` when a path is absent, else as [`Artifact::put`].
    pub fn copy(&self, tree: &Dir, paths: &[(String, String)]) -> Result<()> {
        Ok(self.0.copy(tree.raw(), paths)?)
    }

    /// Which of the paths the ignore rules will leave out, by the rules put so far.
    pub fn ignored(&self, paths: &[String]) -> Vec<bool> {
        self.0.ignored(paths)
    }

    /// The artifact is this blob, byte for byte, not an archive of files. `file_name`: where the
    /// kind's own rule gives none (`app-1.2.3.tgz`).
    ///
    /// # Errors
    /// `denied` at the host's limit of bytes.
    pub fn store(&self, content: &Blob, file_name: Option<&str>) -> Result<()> {
        Ok(self.0.store(content.raw(), file_name)?)
    }
}

/// Makes a blob piece by piece.
#[derive(Debug)]
pub struct Writer(artifacts::Writer);

impl Writer {
    /// An empty blob.
    #[expect(clippy::new_without_default, reason = "it asks the host for something")]
    pub fn new() -> Self {
        Self(artifacts::Writer::new())
    }

    /// Appends.
    ///
    /// # Errors
    /// `denied` at the host's limit of bytes.
    pub fn write(&self, data: &[u8]) -> Result<()> {
        Ok(self.0.write(data)?)
    }

    /// The blob.
    ///
    /// # Errors
    /// As the host met them.
    pub fn finish(self) -> Result<Blob> {
        Ok(Blob::new(self.0.finish()?))
    }
}
