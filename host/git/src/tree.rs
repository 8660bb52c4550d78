//! A commit's files as the rest of the host sees them.
//!
//! The tree is read once per commit into shared directories: a directory whose object did not
//! change is the previous commit's, with the digests of its files, so a commit that changes one
//! file reads and hashes that file only. Every file is hashed before the tree is handed out:
//! what is damaged or too large is known then, and never shows as a file that is absent.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use gix_hash::ObjectId;
use gix_object::{Kind, TreeRefIter};
use gix_odb::{HandleArc, Header as _};
use parking_lot::Mutex;
use weir_plugin::{Digest, Entry, EntryKind, FileInfo, Tree};

use crate::config::GitConfig;
use crate::error::Error;
use crate::objects::{self, Objects};
use crate::operation::Operation;

/// Directories below each other. Beyond what file systems can hold by their path lengths.
const MAX_DEPTH: usize = 256;
/// Bytes of one name on every common file system.
const MAX_NAME: usize = 255;
/// Left-out paths named in the log.
const NAMED: usize = 5;

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
    id: ObjectId,
    objects: Arc<Objects>,
    /// Sorted bytewise by name.
    nodes: Box<[Node]>,
    /// Submodules directly in it: name and pinned commit.
    modules: Box<[(Box<str>, ObjectId)]>,
    /// All below.
    totals: Totals,
}

/// Sums over a directory and all below it.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    files: u64,
    bytes: u64,
    modules: u64,
    left_out: u64,
}

#[derive(Clone, Debug)]
struct Node {
    name: Box<str>,
    item: Item,
}

#[derive(Clone, Debug)]
enum Item {
    File(ObjectId, FileInfo),
    Dir(Arc<Dir>),
}

impl Dir {
    fn find(&self, name: &str) -> Option<&Item> {
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
    fn composed(&self, mut nodes: Vec<Node>) -> Arc<Self> {
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
            (Some(rest), _) => self.composed(Vec::new()).with_dir(rest, content),
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
        self.composed(nodes)
    }

    /// Only what is below the given directories; an error names one that is not there.
    pub(crate) fn only(self: &Arc<Self>, directories: &[String]) -> Result<Arc<Self>, Error> {
        let mut root = self.composed(Vec::new());
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
            totals: self.totals,
        })
    }
}

impl Totals {
    /// Saturating: a tree that names one subtree many times over has astronomic sums.
    fn add(&mut self, item: &Item) {
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
        self.left_out = self.left_out.saturating_add(other.left_out);
    }
}

/// Reads a tree object with all below it, reusing what `previous` has in common with it.
pub(crate) fn build(
    objects: &Arc<Objects>,
    id: ObjectId,
    previous: Option<&Arc<Dir>>,
    limits: Limits,
    operation: &Operation,
) -> Result<Arc<Dir>, Error> {
    operation.phase("reading the commit's files");
    let mut builder = Builder {
        objects,
        handle: objects.walker(),
        limits,
        operation,
        dirs: HashMap::new(),
        left_out: Vec::new(),
    };
    let root = builder.dir(id, previous, "", 0)?;
    if !builder.left_out.is_empty() {
        tracing::warn!(
            count = root.totals.left_out,
            examples = ?builder.left_out,
            "left out links and paths that cannot be carried"
        );
    }
    Ok(root)
}

struct Builder<'a> {
    objects: &'a Arc<Objects>,
    handle: HandleArc,
    limits: Limits,
    operation: &'a Operation,
    /// Each tree object is read once, however often it is named.
    dirs: HashMap<ObjectId, Arc<Dir>>,
    /// Examples of what is new among the left-out.
    left_out: Vec<String>,
}

impl Builder<'_> {
    fn dir(
        &mut self,
        id: ObjectId,
        previous: Option<&Arc<Dir>>,
        path: &str,
        depth: usize,
    ) -> Result<Arc<Dir>, Error> {
        if let Some(same) = previous.filter(|dir| dir.id == id) {
            return Ok(Arc::clone(same));
        }
        if let Some(known) = self.dirs.get(&id) {
            return Ok(Arc::clone(known));
        }
        if depth > MAX_DEPTH {
            return Err(Error::Content(format!(
                "'{path}' lies deeper than {MAX_DEPTH} directories"
            )));
        }
        self.operation.check()?;
        let (kind, data) = objects::find(&self.handle, id)?;
        if kind != Kind::Tree {
            return Err(Error::Damaged(format!(
                "object {id} at '{path}' is a {kind}, not a tree"
            )));
        }
        let mut nodes: Vec<Node> = Vec::new();
        let mut modules = Vec::new();
        let mut totals = Totals::default();
        for entry in TreeRefIter::from_bytes(&data, gix_hash::Kind::Sha1) {
            let entry =
                entry.map_err(|error| Error::damaged(&format!("tree {id} at '{path}'"), &error))?;
            let Some(name) = portable(entry.filename) else {
                self.leave_out(path, entry.filename, &mut totals);
                continue;
            };
            let below = || {
                if path.is_empty() {
                    name.to_owned()
                } else {
                    format!("{path}/{name}")
                }
            };
            let mode = entry.mode;
            let item = if mode.is_tree() {
                let before = match previous.and_then(|dir| dir.find(name)) {
                    Some(Item::Dir(dir)) => Some(dir),
                    _ => None,
                };
                Item::Dir(self.dir(entry.oid.to_owned(), before, &below(), depth + 1)?)
            } else if mode.is_blob() {
                let before = match previous.and_then(|dir| dir.find(name)) {
                    Some(Item::File(known, info)) if *known == entry.oid => Some(*info),
                    _ => None,
                };
                let mut info = match before {
                    Some(info) => info,
                    None => self.file(entry.oid.to_owned(), &below())?,
                };
                info.executable = mode.is_executable();
                Item::File(entry.oid.to_owned(), info)
            } else if mode.is_commit() {
                modules.push((name.into(), entry.oid.to_owned()));
                totals.modules += 1;
                continue;
            } else {
                self.leave_out(path, entry.filename, &mut totals);
                continue;
            };
            totals.add(&item);
            nodes.push(Node {
                name: name.into(),
                item,
            });
            if totals.files > self.limits.files {
                return Err(Error::Content(format!(
                    "the commit has more than {} files",
                    self.limits.files
                )));
            }
        }
        nodes.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        // Git never writes a name twice; a hostile tree may.
        if nodes
            .windows(2)
            .any(|two| matches!(two, [a, b] if a.name == b.name))
        {
            return Err(Error::Content(format!(
                "tree {id} at '{path}' has a name twice"
            )));
        }
        let dir = Arc::new(Dir {
            id,
            objects: Arc::clone(self.objects),
            nodes: nodes.into(),
            modules: modules.into(),
            totals,
        });
        self.dirs.insert(id, Arc::clone(&dir));
        Ok(dir)
    }

    fn file(&self, id: ObjectId, path: &str) -> Result<FileInfo, Error> {
        self.operation.check()?;
        let header = self
            .handle
            .try_header(&id)
            .map_err(|error| Error::damaged(&format!("cannot read object {id}"), &error))?
            .ok_or_else(|| Error::Missing {
                path: path.to_owned(),
                id: id.to_string(),
            })?;
        let size = header.size();
        if size > self.limits.file_bytes {
            return Err(Error::Content(format!(
                "file '{path}' has {size} bytes, more than {}",
                self.limits.file_bytes
            )));
        }
        let (kind, data) = objects::find(&self.handle, id)?;
        if kind != Kind::Blob {
            return Err(Error::Damaged(format!(
                "object {id} of '{path}' is a {kind}"
            )));
        }
        Ok(FileInfo {
            digest: Digest::of(&data),
            size: data.len() as u64,
            executable: false,
        })
    }

    fn leave_out(&mut self, path: &str, name: &[u8], totals: &mut Totals) {
        totals.left_out += 1;
        if self.left_out.len() < NAMED {
            let name = name.escape_ascii();
            self.left_out.push(if path.is_empty() {
                name.to_string()
            } else {
                format!("{path}/{name}")
            });
        }
    }
}

/// The name, if it is text that every file system and archive carries and that stays in its
/// directory. `.git` never is content.
fn portable(name: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(name).ok()?;
    let bad = name.is_empty()
        || name == "."
        || name == ".."
        || name.eq_ignore_ascii_case(".git")
        || name.len() > MAX_NAME
        || name.chars().any(|c| c == '/' || c.is_control());
    (!bad).then_some(name)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_carried() {
        for name in ["a", "ünï", ".gitignore", "a b", "...", "-", "con"] {
            assert_eq!(portable(name.as_bytes()), Some(name));
        }
        let bad: [&[u8]; 9] = [
            b"",
            b".",
            b"..",
            b".git",
            b".GIT",
            b"a/b",
            b"a\nb",
            b"\xff",
            &[b'a'; 256],
        ];
        for name in bad {
            assert_eq!(portable(name), None, "{}", name.escape_ascii());
        }
    }
}
