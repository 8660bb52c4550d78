//! Trees and blobs that the host holds. Their bytes enter the component only where it reads them.

use crate::bindings::imports::weir::plugin::files;
use crate::{Error, Result};

/// A direct child of a directory.
pub use files::Entry;
/// What a path is.
pub use files::EntryKind;
/// A file with its content.
pub use files::File;

/// An immutable tree of files and directories; links were left out by the host.
///
/// Paths are `/` separated and relative to the root, which is the empty path. `.` and `..` are
/// resolved by name; a path that leaves the tree is absent.
#[derive(Debug)]
pub struct Dir(files::Dir);

impl Dir {
    pub(crate) fn new(dir: files::Dir) -> Self {
        Self(dir)
    }

    pub(crate) fn raw(&self) -> &files::Dir {
        &self.0
    }

    /// What is at `path`; `None`: nothing.
    pub fn kind(&self, path: &str) -> Option<EntryKind> {
        self.0.kind(path)
    }

    /// Whether there is a file at `path`.
    pub fn is_file(&self, path: &str) -> bool {
        self.kind(path) == Some(EntryKind::File)
    }

    /// Whether there is a directory at `path`.
    pub fn is_dir(&self, path: &str) -> bool {
        self.kind(path) == Some(EntryKind::Directory)
    }

    /// Direct children of a directory, sorted bytewise.
    ///
    /// # Errors
    /// `not-found` when there is no such directory.
    pub fn entries(&self, path: &str) -> Result<Vec<Entry>> {
        Ok(self.0.entries(path)?)
    }

    /// Files that match, sorted bytewise: `*` and `?` within a name, `**` over directories,
    /// `[a-z]`, `{a,b}`.
    ///
    /// # Errors
    /// `invalid-input` when the pattern is malformed.
    pub fn glob(&self, pattern: &str) -> Result<Vec<String>> {
        Ok(self.0.glob(pattern)?)
    }

    /// Content of a file.
    ///
    /// # Errors
    /// `not-found` when there is no such file.
    pub fn read(&self, path: &str) -> Result<Vec<u8>> {
        Ok(self.0.read(path)?)
    }

    /// Content of a file that is text.
    ///
    /// # Errors
    /// `not-found` when there is no such file, `invalid-input` when it is not UTF-8.
    pub fn read_to_string(&self, path: &str) -> Result<String> {
        String::from_utf8(self.read(path)?).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = before.split(|byte| *byte == b'\n').count();
            Error::invalid_input("InvalidEncoding", "the file is not UTF-8 text")
                .at(path, u32::try_from(line).unwrap_or(u32::MAX))
        })
    }

    /// Contents of many files in one crossing, in the order of `paths`.
    ///
    /// # Errors
    /// `not-found` when one of them is absent.
    pub fn read_many(&self, paths: &[String]) -> Result<Vec<File>> {
        Ok(self.0.read_many(paths)?)
    }

    /// A file to read in parts, unpack or pass on.
    ///
    /// # Errors
    /// `not-found` when there is no such file.
    pub fn open(&self, path: &str) -> Result<Blob> {
        Ok(Blob::new(self.0.open(path)?))
    }
}

/// Bytes that the host holds: a file, a download, a layer.
#[derive(Debug)]
pub struct Blob(files::Blob);

impl Blob {
    pub(crate) fn new(blob: files::Blob) -> Self {
        Self(blob)
    }

    pub(crate) fn raw(&self) -> &files::Blob {
        &self.0
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.0.size()
    }

    /// `sha256:<hex>` of the content.
    pub fn digest(&self) -> String {
        self.0.digest()
    }

    /// A part; shorter than `len` only at the end.
    ///
    /// # Errors
    /// As the host met them.
    pub fn read(&self, offset: u64, len: u32) -> Result<Vec<u8>> {
        Ok(self.0.read(offset, len)?)
    }

    /// The tree inside a tar, tar.gz, tar.zst or zip archive, told by content.
    ///
    /// # Errors
    /// `invalid-input` when it is no such archive, `denied` when it unpacks to more than the host
    /// allows.
    pub fn unpack(&self) -> Result<Dir> {
        Ok(Dir::new(self.0.unpack()?))
    }
}

/// `name` below the directory `base`; the root is the empty path.
///
/// ```
/// assert_eq!(weir_sdk::join("apps/", "*.yaml"), "apps/*.yaml");
/// assert_eq!(weir_sdk::join("", "*.yaml"), "*.yaml");
/// assert_eq!(weir_sdk::join("./", "*.yaml"), "*.yaml");
/// ```
pub fn join(base: &str, name: &str) -> String {
    let base = base.trim_start_matches("./").trim_end_matches('/');
    match base {
        "" | "." => name.to_owned(),
        base => format!("{base}/{name}"),
    }
}
