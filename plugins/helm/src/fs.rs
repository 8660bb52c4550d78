//! The tree that a chart stands in, as far as a render sees it.

use std::collections::BTreeMap;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

/// A read-only tree. Paths are relative to its root, which is the empty path: `web/Chart.yaml`.
///
/// A render asks for no more than it needs: what it asked is what its result depends on.
pub trait FileSystem {
    /// What stands at `path`; `None` if nothing does.
    fn kind(&self, path: &str) -> Option<EntryKind>;

    /// Names and kinds in a directory, sorted bytewise.
    fn list(&self, path: &str) -> Vec<(String, EntryKind)>;

    /// Content of a file; `None` if there is no file.
    fn read(&self, path: &str) -> Option<Vec<u8>>;

    /// Contents of many files, in order; the path that cannot be read, if there is one.
    fn read_many(&self, paths: &[String]) -> Result<Vec<Vec<u8>>, String> {
        let contents = paths.iter();
        contents
            .map(|path| self.read(path).ok_or_else(|| path.clone()))
            .collect()
    }
}

/// A path below a directory; the root is empty.
pub(crate) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
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

    /// Adds a file.
    pub fn insert(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), content.into());
    }

    fn below<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a str> {
        let prefix = join(path, "");
        let from = prefix.clone();
        self.files
            .range(from..)
            .map_while(move |(path, _)| path.strip_prefix(&prefix))
    }
}

impl FileSystem for MemoryFs {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        if self.files.contains_key(path) {
            Some(EntryKind::File)
        } else if path.is_empty() || self.below(path).next().is_some() {
            Some(EntryKind::Directory)
        } else {
            None
        }
    }

    fn list(&self, path: &str) -> Vec<(String, EntryKind)> {
        let mut entries: Vec<(String, EntryKind)> = self
            .below(path)
            .map(|rest| match rest.split_once('/') {
                Some((name, _)) => (name.to_owned(), EntryKind::Directory),
                None => (rest.to_owned(), EntryKind::File),
            })
            .collect();
        entries.sort();
        entries.dedup();
        entries
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.files.get(path).cloned()
    }
}
