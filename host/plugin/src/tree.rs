//! Immutable trees of files: what a source yields and a renderer reads.
//!
//! Paths are `/` separated, relative to the root (the empty path) and normalised: no empty, `.`
//! or `..` part. A tree holds regular files and directories only.

use std::io;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::Digest;

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// A direct child of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// Its name, without a slash.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What is known of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// Of its content.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// Whether any execute bit was set at the source.
    pub executable: bool,
}

/// An immutable tree. Reads are short local ones (memory, or `pread` of a file of ours), so they
/// are synchronous; plugin calls run on blocking threads.
pub trait Tree: Send + Sync + std::fmt::Debug {
    /// `None`: absent.
    fn kind(&self, path: &str) -> Option<EntryKind>;
    /// Direct children sorted bytewise by name; `None`: no such directory.
    fn entries(&self, path: &str) -> Option<Vec<Entry>>;
    /// Names in a directory that the source has and a tree cannot hold: links, and names that are
    /// no portable text, escaped.
    fn left_out(&self, path: &str) -> Vec<String> {
        let _ = path;
        Vec::new()
    }
    /// `None`: no such file.
    fn file(&self, path: &str) -> Option<FileInfo>;
    /// Content of a file; an error of kind `NotFound` when there is none.
    fn read(&self, path: &str) -> io::Result<Bytes>;
    /// A part of a file, shorter than `len` only at its end.
    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Bytes> {
        let content = self.read(path)?;
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(content.len());
        Ok(content.slice(start..content.len().min(start.saturating_add(len))))
    }
}

/// Resolves `.` and `..` by name, as the contract's `files` interface says; `None` when the path
/// leaves the tree. `normalise("a/./b/../c") == Some("a/c")`.
pub fn normalise(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
