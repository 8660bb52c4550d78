//! A local directory as a tree: `weir build kustomize DIR`, `weir plugin run`, tests.
//!
//! Files are opened below a directory handle (cap-std), so no path and no link can lead out of
//! it; what a link leads to inside counts as being there. The directory is taken to be immutable
//! for the life of the tree: digests are computed once per file.
//!
//! A file is looked up right before it is read: what was read for its digest is kept for that, so
//! that each file is opened and read once.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

use crate::{Digest, Entry, EntryKind, FileInfo, Tree};

/// Files up to this size are kept from their digest to their read.
const KEPT: u64 = 4 << 20;

/// A local directory as a tree.
pub struct DirTree {
    root: Dir,
    known: Mutex<HashMap<String, FileInfo>>,
    /// The file whose digest was computed last.
    last: Mutex<Option<(String, Bytes)>>,
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
            last: Mutex::default(),
        })
    }

    /// A file and what it is; fails for what is none.
    fn open_file(&self, path: &str) -> io::Result<(File, Metadata)> {
        // Looked at first: opening a pipe would wait for its other end.
        let metadata = self.metadata(path).ok_or(io::ErrorKind::NotFound)?;
        if kind_of(&metadata) != Some(EntryKind::File) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok((self.root.open(path)?, metadata))
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

/// Everything, of which `size` bytes are expected; what memory cannot hold is an error.
fn read_all(mut file: impl Read, size: u64) -> io::Result<Bytes> {
    let mut content = Vec::new();
    content.try_reserve_exact(usize::try_from(size).unwrap_or(usize::MAX))?;
    file.read_to_end(&mut content)?;
    Ok(content.into())
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
        let (mut file, metadata) = self.open_file(path).ok()?;
        let content = read_all((&mut file).take(KEPT), metadata.len().min(KEPT)).ok()?;
        let mut hasher = Sha256::new();
        hasher.update(&content);
        let rest = io::copy(&mut file, &mut hasher).ok()?;
        let digest = Digest::from_bytes(hasher.finalize().into());
        let size = content.len() as u64 + rest;
        if rest == 0 {
            *self.last.lock() = Some((path.to_owned(), content));
        }
        let info = FileInfo {
            digest,
            size,
            executable: is_executable(&metadata),
        };
        self.known.lock().insert(path.to_owned(), info);
        Some(info)
    }

    fn read(&self, path: &str) -> io::Result<Bytes> {
        let mut last = self.last.lock();
        if let Some((_, content)) = last.take_if(|(known, _)| known == path) {
            return Ok(content);
        }
        drop(last);
        let (file, metadata) = self.open_file(path)?;
        read_all(file, metadata.len())
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

    #[test]
    fn files_of_any_size_are_read_as_they_are() {
        let root = tempfile::tempdir().unwrap();
        let limit = usize::try_from(KEPT).unwrap();
        for size in [0, 1, limit - 1, limit, limit + 1] {
            let content = vec![b'x'; size];
            std::fs::write(root.path().join("a"), &content).unwrap();
            let tree = DirTree::open(root.path()).unwrap();
            let info = tree.file("a").unwrap();
            assert_eq!(info.size, size as u64);
            assert_eq!(info.digest, Digest::of(&content));
            // What was kept is given once; then the file is read.
            assert!(tree.read("a").unwrap() == content);
            assert!(tree.read("a").unwrap() == content);
        }
    }
}
