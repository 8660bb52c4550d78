//! An unpacked archive as a tree: its files lie one after another in one temporary file (or in
//! memory when they are few), with an index. No name of an archive ever becomes a path of this
//! machine, so none can lead anywhere.

use std::collections::BTreeMap;
use std::io::{self, Read};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::spool::{Buffer, Content, IN_MEMORY};
use crate::unpack::UnpackLimits;
use crate::{Digest, Entry, EntryKind, FileInfo, Tree, normalise};

/// A path may have this many bytes.
const MAX_PATH: usize = 4096;
/// Paths of one tree may have this many bytes together: they stay in memory.
const MAX_PATHS: usize = 64 << 20;
/// What a tree counts besides its content: each may hold a file open.
const TREE: u64 = 1 << 20;

/// An unpacked archive.
#[derive(Debug)]
pub(crate) struct PackedTree {
    nodes: BTreeMap<String, Node>,
    content: Content,
}

#[derive(Debug)]
enum Node {
    Directory(BTreeMap<String, EntryKind>),
    File { offset: u64, info: FileInfo },
}

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    #[error("the archive holds `{0}`, which is no path inside it")]
    UnsafePath(String),
    #[error("the archive holds `{0}` both as a file and as a directory")]
    Conflict(String),
    #[error("the archive holds more than the {0} entries that are left for it in all")]
    TooManyEntries(usize),
    #[error("the archive unpacks to more than the {0} bytes that are left for it in all")]
    TooLarge(u64),
    #[error("the paths of the archive have more than {MAX_PATHS} bytes")]
    LongPaths,
    #[error("the archive cannot be read: {0}")]
    Invalid(io::Error),
    #[error("there is no time left to unpack it")]
    OutOfTime,
    #[error("the host cannot unpack it: {0}")]
    Host(io::Error),
}

/// Builds the tree entry by entry, within bounds.
pub(crate) struct Builder<'a> {
    nodes: BTreeMap<String, Node>,
    buffer: Buffer,
    entries: usize,
    paths: usize,
    is_over: &'a dyn Fn() -> bool,
    max_entries: usize,
    max_bytes: u64,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(
        limits: &UnpackLimits,
        max_bytes: u64,
        is_over: &'a dyn Fn() -> bool,
    ) -> Self {
        let root = (String::new(), Node::Directory(BTreeMap::new()));
        Self {
            nodes: BTreeMap::from([root]),
            buffer: Buffer::new(limits.directory.clone(), limits.memory.min(IN_MEMORY)),
            entries: 0,
            paths: 0,
            is_over,
            max_entries: limits.entries,
            max_bytes,
        }
    }

    /// Takes what was used from what there is.
    pub(crate) fn charge(&self, limits: &mut UnpackLimits) {
        limits.entries = limits.entries.saturating_sub(self.entries);
        limits.bytes = limits.bytes.saturating_sub(self.buffer.size() + TREE);
        limits.memory = limits.memory.saturating_sub(self.buffer.memory());
    }

    fn count(&mut self, path: &str) -> Result<(), UnpackError> {
        self.entries += 1;
        self.paths += path.len();
        if self.entries > self.max_entries {
            return Err(UnpackError::TooManyEntries(self.max_entries));
        }
        if self.paths > MAX_PATHS {
            return Err(UnpackError::LongPaths);
        }
        Ok(())
    }

    /// Counts an entry and checks its name; `None`: the root itself.
    fn path(&mut self, name: &str) -> Result<Option<String>, UnpackError> {
        self.count(name)?;
        let is_unsafe = name.starts_with('/')
            || name.len() > MAX_PATH
            || name.contains(['\\', '\0'])
            || name.split('/').any(|part| part == "..");
        match normalise(name) {
            Some(path) if !is_unsafe => Ok(Some(path).filter(|path| !path.is_empty())),
            _ => Err(UnpackError::UnsafePath(name.chars().take(200).collect())),
        }
    }

    /// Counts an entry that a tree leaves out (a link, a device), so that there cannot be many.
    pub(crate) fn skip(&mut self, name: &str) -> Result<(), UnpackError> {
        self.path(name).map(drop)
    }

    pub(crate) fn directory(&mut self, name: &str) -> Result<(), UnpackError> {
        match self.path(name)? {
            Some(path) => self.make_directory(&path),
            None => Ok(()),
        }
    }

    /// Adds a file, replacing an earlier one of the same name.
    pub(crate) fn file(
        &mut self,
        name: &str,
        executable: bool,
        mut content: impl Read,
    ) -> Result<(), UnpackError> {
        let path = self
            .path(name)?
            .ok_or_else(|| UnpackError::UnsafePath(name.to_owned()))?;
        let offset = self.buffer.size();
        let mut hasher = Sha256::new();
        let mut chunk = [0; 16 << 10];
        loop {
            if (self.is_over)() {
                return Err(UnpackError::OutOfTime);
            }
            let read = match content.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(UnpackError::Invalid(error)),
            };
            if self.buffer.size() + read as u64 > self.max_bytes {
                return Err(UnpackError::TooLarge(self.max_bytes));
            }
            hasher.update(&chunk[..read]);
            self.buffer
                .append(&chunk[..read])
                .map_err(UnpackError::Host)?;
        }
        let info = FileInfo {
            digest: Digest::from_bytes(hasher.finalize().into()),
            size: self.buffer.size() - offset,
            executable,
        };
        self.add(&path, EntryKind::File)?;
        self.nodes.insert(path, Node::File { offset, info });
        Ok(())
    }

    fn make_directory(&mut self, path: &str) -> Result<(), UnpackError> {
        match self.nodes.get(path) {
            Some(Node::Directory(_)) => Ok(()),
            Some(Node::File { .. }) => Err(UnpackError::Conflict(path.to_owned())),
            None => {
                // One long path may stand for thousands of directories.
                self.count(path)?;
                self.add(path, EntryKind::Directory)?;
                self.nodes
                    .insert(path.to_owned(), Node::Directory(BTreeMap::new()));
                Ok(())
            }
        }
    }

    /// Lists a path in its directory, which is made if need be.
    fn add(&mut self, path: &str, kind: EntryKind) -> Result<(), UnpackError> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        // Depth is bounded by the length of a path.
        self.make_directory(parent)?;
        if let Some(Node::Directory(children)) = self.nodes.get_mut(parent)
            && children
                .insert(name.to_owned(), kind)
                .is_some_and(|before| before != kind)
        {
            return Err(UnpackError::Conflict(path.to_owned()));
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> PackedTree {
        PackedTree {
            nodes: self.nodes,
            content: self.buffer.finish(),
        }
    }
}

impl PackedTree {
    fn node(&self, path: &str) -> Option<(u64, FileInfo)> {
        match self.nodes.get(path)? {
            Node::File { offset, info } => Some((*offset, *info)),
            Node::Directory(_) => None,
        }
    }
}

impl Tree for PackedTree {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        Some(match self.nodes.get(path)? {
            Node::Directory(_) => EntryKind::Directory,
            Node::File { .. } => EntryKind::File,
        })
    }

    fn entries(&self, path: &str) -> Option<Vec<Entry>> {
        let Node::Directory(children) = self.nodes.get(path)? else {
            return None;
        };
        let entry = |(name, kind): (&String, &EntryKind)| Entry {
            name: name.clone(),
            kind: *kind,
        };
        Some(children.iter().map(entry).collect())
    }

    fn file(&self, path: &str) -> Option<FileInfo> {
        self.node(path).map(|(_, info)| info)
    }

    fn read(&self, path: &str) -> io::Result<Bytes> {
        self.read_at(path, 0, usize::MAX)
    }

    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Bytes> {
        let (start, info) = self.node(path).ok_or(io::ErrorKind::NotFound)?;
        let left = usize::try_from(info.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        self.content
            .read_at(start.saturating_add(offset), len.min(left))
    }
}
