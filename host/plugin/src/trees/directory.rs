//! A local directory as a tree: `weir build kustomize DIR`, `weir plugin run`, tests.
//!
//! Files are opened below a directory handle (cap-std), so no path and no link can lead out of
//! it; what a link leads to inside counts as being there. The directory is taken to be immutable
//! for the life of the tree: digests are computed once per file.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

use crate::{Digest, Entry, EntryKind, FileInfo, Tree};

/// A local directory as a tree.
pub struct DirTree {
    root: Dir,
    known: Mutex<HashMap<String, FileInfo>>,
}

impl std::fmt::Debug for DirTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DirTree").finish_non_exhaustive()
    }
}

impl DirTree {
    /// Opens the directory; fails when it is none.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let root = Dir::open_ambient_dir(path, ambient_authority())?;
        Ok(Self {
            root,
            known: Mutex::default(),
        })
    }

    fn metadata(&self, path: &str) -> Option<Metadata> {
        self.root
            .metadata(if path.is_empty() { "." } else { path })
            .ok()
    }
}

fn kind_of(metadata: &Metadata) -> Option<EntryKind> {
    if metadata.is_file() {
        Some(EntryKind::File)
    } else {
        metadata.is_dir().then_some(EntryKind::Directory)
    }
}

fn is_executable(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use cap_std::fs::MetadataExt as _;
        metadata.mode() & 0o111 != 0
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

impl Tree for DirTree {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        kind_of(&self.metadata(path)?)
    }

    fn entries(&self, path: &str) -> Option<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in self
            .root
            .read_dir(if path.is_empty() { "." } else { path })
            .ok()?
        {
            // Names that are not UTF-8 and what cannot be examined are left out, as in any tree.
            let Some(name) = entry.ok().and_then(|e| e.file_name().into_string().ok()) else {
                continue;
            };
            let child = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}/{name}")
            };
            if let Some(kind) = self.kind(&child) {
                entries.push(Entry { name, kind });
            }
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Some(entries)
    }

    fn file(&self, path: &str) -> Option<FileInfo> {
        if let Some(info) = self.known.lock().get(path) {
            return Some(*info);
        }
        let metadata = self.metadata(path)?;
        if kind_of(&metadata)? != EntryKind::File {
            return None;
        }
        let mut hasher = Sha256::new();
        let size = io::copy(&mut self.root.open(path).ok()?, &mut hasher).ok()?;
        let info = FileInfo {
            digest: Digest::from_bytes(hasher.finalize().into()),
            size,
            executable: is_executable(&metadata),
        };
        self.known.lock().insert(path.to_owned(), info);
        Some(info)
    }

    fn read(&self, path: &str) -> io::Result<Bytes> {
        if self.kind(path) != Some(EntryKind::File) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(self.root.read(path)?.into())
    }

    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Bytes> {
        let mut file = self.root.open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut part = Vec::new();
        file.take(len as u64).read_to_end(&mut part)?;
        Ok(part.into())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_that_leave_the_directory_are_absent() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a"), "content").unwrap();
        symlink("a", root.path().join("inner")).unwrap();
        symlink(outside.path().join("secret"), root.path().join("outer")).unwrap();
        symlink("../..", root.path().join("up")).unwrap();

        let tree = DirTree::open(root.path()).unwrap();
        let names: Vec<_> = tree
            .entries("")
            .unwrap()
            .into_iter()
            .map(|e| e.name)
            .collect();
        assert_eq!(names, ["a", "inner"]);
        assert_eq!(tree.file("inner").unwrap().digest, Digest::of("content"));
        assert!(tree.read("outer").is_err());
        assert!(tree.kind("up").is_none());
        assert_eq!(&tree.read_at("a", 3, 2).unwrap()[..], b"te");
    }
}
