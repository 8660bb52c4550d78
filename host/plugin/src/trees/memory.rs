//! A tree held in memory: for tests, for small generated trees, for `weir build` from a pipe.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;

use crate::{Digest, Entry, EntryKind, FileInfo, Tree, normalise};

/// A tree held in memory.
///
/// ```
/// use weir_plugin::{MemoryTree, Tree};
///
/// let tree = MemoryTree::from_pairs([("app/service.yaml", "kind: Service\n")])?;
/// assert_eq!(&tree.read("app/service.yaml")?[..], b"kind: Service\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    files: BTreeMap<String, (Bytes, FileInfo)>,
    directories: BTreeMap<String, BTreeMap<String, EntryKind>>,
}

/// The path is empty, leaves the tree, or is a directory and a file at once.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no path for a file of this tree")]
pub struct InvalidPath(String);

impl MemoryTree {
    /// A tree without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// From pairs of a path and its content; a later pair replaces an earlier one.
    pub fn from_pairs<P, C>(pairs: impl IntoIterator<Item = (P, C)>) -> Result<Self, InvalidPath>
    where
        P: AsRef<str>,
        C: Into<Bytes>,
    {
        let mut tree = Self::new();
        for (path, content) in pairs {
            tree.insert(path.as_ref(), content, false)?;
        }
        Ok(tree)
    }

    /// Adds a file and the directories above it.
    pub fn insert(
        &mut self,
        path: &str,
        content: impl Into<Bytes>,
        executable: bool,
    ) -> Result<(), InvalidPath> {
        let invalid = || InvalidPath(path.to_owned());
        let path = normalise(path)
            .filter(|p| !p.is_empty())
            .ok_or_else(invalid)?;
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        if self.directories.contains_key(&path)
            || above
                .clone()
                .any(|directory| self.files.contains_key(directory))
        {
            return Err(invalid());
        }
        let mut parent = "";
        for (end, kind) in path
            .match_indices('/')
            .map(|(at, _)| (at, EntryKind::Directory))
            .chain([(path.len(), EntryKind::File)])
        {
            let start = if parent.is_empty() {
                0
            } else {
                parent.len() + 1
            };
            self.directories
                .entry(parent.to_owned())
                .or_default()
                .insert(path[start..end].to_owned(), kind);
            parent = &path[..end];
        }
        let content = content.into();
        let info = FileInfo {
            digest: Digest::of(&content),
            size: content.len() as u64,
            executable,
        };
        self.files.insert(path, (content, info));
        Ok(())
    }
}

impl Tree for MemoryTree {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        if path.is_empty() || self.directories.contains_key(path) {
            Some(EntryKind::Directory)
        } else {
            self.files.contains_key(path).then_some(EntryKind::File)
        }
    }

    fn entries(&self, path: &str) -> Option<Vec<Entry>> {
        let Some(children) = self.directories.get(path) else {
            return path.is_empty().then(Vec::new);
        };
        let entry = |(name, kind): (&String, &EntryKind)| Entry {
            name: name.clone(),
            kind: *kind,
        };
        Some(children.iter().map(entry).collect())
    }

    fn file(&self, path: &str) -> Option<FileInfo> {
        self.files.get(path).map(|(_, info)| *info)
    }

    fn read(&self, path: &str) -> io::Result<Bytes> {
        self.files
            .get(path)
            .map(|(content, _)| content.clone())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_follow_from_files_and_are_listed_bytewise() {
        let tree =
            MemoryTree::from_pairs([("b/c/d", "1"), ("b.yaml", "2"), ("./b/a", "3")]).unwrap();
        let names = |path| -> Vec<String> {
            tree.entries(path)
                .unwrap()
                .into_iter()
                .map(|e| e.name)
                .collect()
        };
        assert_eq!(names(""), ["b", "b.yaml"]);
        assert_eq!(names("b"), ["a", "c"]);
        assert_eq!(tree.kind("b/c"), Some(EntryKind::Directory));
        assert_eq!(tree.kind("b/c/d"), Some(EntryKind::File));
        assert_eq!(tree.kind("b/x"), None);
        assert!(tree.entries("b/a").is_none());
        assert_eq!(tree.file("b.yaml").unwrap().digest, Digest::of("2"));
    }

    #[test]
    fn paths_that_are_no_files_are_refused() {
        for (path, other) in [("", "x"), ("../x", "y"), ("a", "a/b"), ("a/b", "a")] {
            assert!(
                MemoryTree::from_pairs([(path, ""), (other, "")]).is_err(),
                "{path}"
            );
        }
    }
}
