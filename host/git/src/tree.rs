//! A commit's files as the rest of the host sees them: directories that are shared between
//! commits, and parts of them (see `walk` for how they are read).

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use gix_hash::ObjectId;
use gix_object::Kind;
use parking_lot::Mutex;
use weir_plugin::{Digest, Entry, EntryKind, FileInfo, Tree};

use crate::config::GitConfig;
use crate::error::Error;
use crate::objects::Objects;

/// Bounds of one commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) files: u64,
    pub(crate) file_bytes: u64,
    pub(crate) tree_bytes: u64,
}

impl Limits {
    pub(crate) fn of(config: &GitConfig) -> Self {
        Self {
            files: config.max_files,
            file_bytes: config.max_file_bytes,
            tree_bytes: config.max_tree_bytes,
        }
    }
}

/// A directory with all below it; shared between commits.
#[derive(Debug)]
pub(crate) struct Dir {
    pub(crate) id: ObjectId,
    pub(crate) objects: Arc<Objects>,
    /// Sorted bytewise by name.
    pub(crate) nodes: Box<[Node]>,
    /// Submodules directly in it: name and pinned commit.
    pub(crate) modules: Box<[(Box<str>, ObjectId)]>,
    /// What is directly in it and cannot be carried: links, and names that are no portable text,
    /// escaped.
    pub(crate) left_out: Box<[Box<str>]>,
    /// All below.
    pub(crate) totals: Totals,
}

/// Sums over a directory and all below it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) modules: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: Box<str>,
    pub(crate) item: Item,
}

#[derive(Clone, Debug)]
pub(crate) enum Item {
    File(ObjectId, FileInfo),
    Dir(Arc<Dir>),
}

impl Dir {
    pub(crate) fn find(&self, name: &str) -> Option<&Item> {
        let at = self
            .nodes
            .binary_search_by(|node| node.name.as_bytes().cmp(name.as_bytes()));
        at.ok()
            .and_then(|at| self.nodes.get(at))
            .map(|node| &node.item)
    }

    /// Paths and pinned commits of the submodules below.
    pub(crate) fn modules(&self) -> Vec<(String, ObjectId)> {
        let mut found = Vec::new();
        self.collect_modules("", &mut found);
        found
    }

    fn collect_modules(&self, prefix: &str, found: &mut Vec<(String, ObjectId)>) {
        found.extend(
            self.modules
                .iter()
                .map(|(name, id)| (format!("{prefix}{name}"), *id)),
        );
        for node in &self.nodes {
            if let Item::Dir(dir) = &node.item
                && dir.totals.modules > 0
            {
                dir.collect_modules(&format!("{prefix}{}/", node.name), found);
            }
        }
    }

    /// A directory that is no tree object: parts of several.
    fn composed(&self, mut nodes: Vec<Node>, left_out: Box<[Box<str>]>) -> Arc<Self> {
        nodes.sort_unstable_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        let mut totals = Totals::default();
        for node in &nodes {
            totals.add(&node.item);
        }
        Arc::new(Self {
            id: self.id,
            objects: Arc::clone(&self.objects),
            nodes: nodes.into(),
            modules: Box::default(),
            left_out,
            totals,
        })
    }

    /// The same tree with `content` at `path`: a fetched submodule.
    pub(crate) fn with_dir(&self, path: &str, content: Arc<Self>) -> Arc<Self> {
        let (name, rest) = path
            .split_once('/')
            .map_or((path, None), |(a, b)| (a, Some(b)));
        let below = match (rest, self.find(name)) {
            (None, _) => content,
            (Some(rest), Some(Item::Dir(dir))) => dir.with_dir(rest, content),
            (Some(rest), _) => self
                .composed(Vec::new(), Box::default())
                .with_dir(rest, content),
        };
        let mut nodes: Vec<Node> = self
            .nodes
            .iter()
            .filter(|node| &*node.name != name)
            .cloned()
            .collect();
        nodes.push(Node {
            name: name.into(),
            item: Item::Dir(below),
        });
        self.composed(nodes, self.left_out.clone())
    }

    /// Only what is below the given directories; an error names one that is not there.
    pub(crate) fn only(self: &Arc<Self>, directories: &[String]) -> Result<Arc<Self>, Error> {
        let mut root = self.composed(Vec::new(), Box::default());
        for directory in directories {
            let path = weir_plugin::normalise(directory).ok_or_else(|| {
                Error::Content(format!(
                    "sparse checkout directory '{directory}' leaves the tree"
                ))
            })?;
            if path.is_empty() {
                return Ok(Arc::clone(self));
            }
            let content = self.at(&path).ok_or_else(|| {
                Error::Content(format!(
                    "sparse checkout directory '{directory}' does not exist in the repository"
                ))
            })?;
            root = root.with_dir(&path, content);
        }
        Ok(root)
    }

    fn at(self: &Arc<Self>, path: &str) -> Option<Arc<Self>> {
        let mut dir = self;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            match dir.find(name)? {
                Item::Dir(next) => dir = next,
                Item::File(..) => return None,
            }
        }
        Some(Arc::clone(dir))
    }

    /// Bounds that hold for a whole tree, submodules included.
    pub(crate) fn check(&self, limits: Limits) -> Result<(), Error> {
        if self.totals.files > limits.files {
            return Err(Error::Content(format!(
                "the commit has {} files, more than {}",
                self.totals.files, limits.files
            )));
        }
        if self.totals.bytes > limits.tree_bytes {
            return Err(Error::Content(format!(
                "the commit's files have {} bytes together, more than {}",
                self.totals.bytes, limits.tree_bytes
            )));
        }
        Ok(())
    }

    /// The same tree over another store that has all its objects.
    pub(crate) fn moved_to(&self, objects: &Arc<Objects>) -> Arc<Self> {
        let moved = |node: &Node| Node {
            name: node.name.clone(),
            item: match &node.item {
                Item::Dir(dir) => Item::Dir(dir.moved_to(objects)),
                Item::File(..) => node.item.clone(),
            },
        };
        Arc::new(Self {
            id: self.id,
            objects: Arc::clone(objects),
            nodes: self.nodes.iter().map(moved).collect(),
            modules: self.modules.clone(),
            left_out: self.left_out.clone(),
            totals: self.totals,
        })
    }
}

impl Totals {
    /// Saturating: a tree that names one subtree many times over has astronomic sums.
    pub(crate) fn add(&mut self, item: &Item) {
        let other = match item {
            Item::File(_, info) => Self {
                files: 1,
                bytes: info.size,
                ..Self::default()
            },
            Item::Dir(dir) => dir.totals,
        };
        self.files = self.files.saturating_add(other.files);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.modules = self.modules.saturating_add(other.modules);
    }
}

/// [`Tree`] over a commit's directories.
pub(crate) struct GitTree {
    root: Arc<Dir>,
    /// The file read last: parts of a large one are asked for in order.
    last: Mutex<Option<(ObjectId, Bytes)>>,
}

impl GitTree {
    pub(crate) fn new(root: Arc<Dir>) -> Self {
        Self {
            root,
            last: Mutex::default(),
        }
    }

    /// The file with the store it is in.
    fn locate(&self, path: &str) -> Option<(&Objects, ObjectId, FileInfo)> {
        let mut dir = &self.root;
        let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
        for part in parents.split('/').filter(|part| !part.is_empty()) {
            match dir.find(part)? {
                Item::Dir(next) => dir = next,
                Item::File(..) => return None,
            }
        }
        match dir.find(name)? {
            Item::File(id, info) => Some((&dir.objects, *id, *info)),
            Item::Dir(_) => None,
        }
    }
}

impl fmt::Debug for GitTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitTree")
            .field("id", &self.root.id)
            .field("totals", &self.root.totals)
            .finish_non_exhaustive()
    }
}

impl Tree for GitTree {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        if path.is_empty() || self.root.at(path).is_some() {
            return Some(EntryKind::Directory);
        }
        self.locate(path).map(|_| EntryKind::File)
    }

    fn entries(&self, path: &str) -> Option<Vec<Entry>> {
        let dir = self.root.at(path)?;
        let entry = |node: &Node| Entry {
            name: node.name.to_string(),
            kind: match node.item {
                Item::File(..) => EntryKind::File,
                Item::Dir(_) => EntryKind::Directory,
            },
        };
        Some(dir.nodes.iter().map(entry).collect())
    }

    fn left_out(&self, path: &str) -> Vec<String> {
        let names = self.root.at(path).map(|dir| dir.left_out.clone());
        let names = names.unwrap_or_default();
        names.iter().map(ToString::to_string).collect()
    }

    fn file(&self, path: &str) -> Option<FileInfo> {
        self.locate(path).map(|(.., info)| info)
    }

    fn read(&self, path: &str) -> io::Result<Bytes> {
        let (objects, id, info) = self
            .locate(path)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        if let Some((last, content)) = &*self.last.lock()
            && *last == id
        {
            return Ok(content.clone());
        }
        let content = objects.read(id, Kind::Blob).map_err(io::Error::other)?;
        // The file was good when the commit was fetched.
        if Digest::of(&content) != info.digest {
            return Err(io::Error::other(format!(
                "the cached copy of '{path}' has changed"
            )));
        }
        let content = Bytes::from(content);
        *self.last.lock() = Some((id, content.clone()));
        Ok(content)
    }
}
