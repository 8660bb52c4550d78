//! The tree that is built, as far as a build sees it.

use std::collections::BTreeMap;

use crate::error::{Error, Kind, Result};

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

/// A read-only tree. Paths are absolute and clean: `/`, `/apps/web/kustomization.yaml`.
///
/// A build asks for no more than it needs: what it asked is what its result depends on.
pub trait FileSystem {
    /// What stands at `path`; `None` if nothing does.
    fn kind(&self, path: &str) -> Option<EntryKind>;

    /// Content of a file; `None` if there is no file.
    fn read(&self, path: &str) -> Option<Vec<u8>>;

    /// Names and kinds in a directory, sorted bytewise.
    fn list(&self, path: &str) -> Vec<(String, EntryKind)>;

    /// The tree of a remote Git repository at a reference, or its default branch.
    fn repository(&self, url: &str, reference: Option<&str>) -> Result<Box<dyn FileSystem>> {
        let _ = (url, reference);
        Err(unreachable())
    }

    /// Content of a file by HTTP.
    fn download(&self, url: &str) -> Result<Vec<u8>> {
        let _ = url;
        Err(unreachable())
    }
}

fn unreachable() -> Error {
    Error::new("nothing is fetched here").of_kind(Kind::Denied)
}

impl<T: FileSystem + ?Sized> FileSystem for &T {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        (**self).kind(path)
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        (**self).read(path)
    }

    fn list(&self, path: &str) -> Vec<(String, EntryKind)> {
        (**self).list(path)
    }

    fn repository(&self, url: &str, reference: Option<&str>) -> Result<Box<dyn FileSystem>> {
        (**self).repository(url, reference)
    }

    fn download(&self, url: &str) -> Result<Vec<u8>> {
        (**self).download(url)
    }
}

/// A tree in memory.
#[derive(Debug, Default, Clone)]
pub struct MemoryFs {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryFs {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file by its absolute path.
    pub fn insert(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.files
            .insert(crate::path::join("/", path), content.into());
    }

    fn below<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a str> {
        let prefix = if path == "/" {
            "/".to_owned()
        } else {
            format!("{path}/")
        };
        let from = prefix.clone();
        self.files
            .range(from..)
            .map(|(path, _)| path.as_str())
            .take_while(move |path| path.starts_with(&prefix))
    }
}

impl FileSystem for MemoryFs {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        if self.files.contains_key(path) {
            Some(EntryKind::File)
        } else if path == "/" || self.below(path).next().is_some() {
            Some(EntryKind::Directory)
        } else {
            None
        }
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.files.get(path).cloned()
    }

    fn list(&self, path: &str) -> Vec<(String, EntryKind)> {
        let skip = if path == "/" { 1 } else { path.len() + 1 };
        let mut entries: Vec<(String, EntryKind)> = Vec::new();
        for found in self.below(path) {
            let rest = &found[skip..];
            let (name, kind) = match rest.split_once('/') {
                Some((name, _)) => (name, EntryKind::Directory),
                None => (rest, EntryKind::File),
            };
            if entries.last().is_none_or(|(last, _)| last != name) {
                entries.push((name.to_owned(), kind));
            }
        }
        entries.sort();
        entries.dedup();
        entries
    }
}

impl PartialOrd for EntryKind {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EntryKind {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (*self as u8).cmp(&(*other as u8))
    }
}
