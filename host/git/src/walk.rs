//! Reading a commit's tree objects into directories.
//!
//! A directory whose object did not change is the previous commit's, with the digests of its
//! files, so a commit that changes one file reads and hashes that file only. Every file is hashed
//! before the tree is handed out: what is damaged or too large is known then, and never shows as
//! a file that is absent.

use std::collections::HashMap;
use std::sync::Arc;

use gix_hash::ObjectId;
use gix_object::{Kind, TreeRefIter};
use gix_odb::{HandleArc, Header as _};
use weir_plugin::{Digest, FileInfo};

use crate::error::Error;
use crate::objects::{self, Objects};
use crate::operation::Operation;
use crate::tree::{Dir, Item, Limits, Node, Totals};

/// Directories below each other. Beyond what file systems can hold by their path lengths.
const MAX_DEPTH: usize = 256;
/// Bytes of one name on every common file system.
const MAX_NAME: usize = 255;

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
    };
    builder.dir(id, previous, "", 0)
}

struct Builder<'a> {
    objects: &'a Arc<Objects>,
    handle: HandleArc,
    limits: Limits,
    operation: &'a Operation,
    /// Each tree object is read once, however often it is named.
    dirs: HashMap<ObjectId, Arc<Dir>>,
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
        let mut left_out = Vec::new();
        let mut totals = Totals::default();
        for entry in TreeRefIter::from_bytes(&data, gix_hash::Kind::Sha1) {
            let entry =
                entry.map_err(|error| Error::damaged(&format!("tree {id} at '{path}'"), &error))?;
            let Some(name) = portable(entry.filename) else {
                left_out.push(shown(entry.filename));
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
                left_out.push(shown(entry.filename));
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
            left_out: left_out.into(),
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
}

/// A name for people, whatever bytes it has.
fn shown(name: &[u8]) -> Box<str> {
    name.escape_ascii().to_string().into()
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
