//! An artifact under construction: what a source component puts goes to a spool file or stays a
//! reference into the tree it is copied from; `finish` applies the ignore rules and writes
//! archive and pack in one walk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use weir_plugin::{
    ArtifactSink, BlobSource, Digest, EntryKind, Failure, FailureClass, Tree, normalise,
};

use super::archive::Archive;
use super::ignore::{FILE_NAME, IgnoreRules};
use super::pack::PackWriter;
use super::{Owner, Store, StoreError};

/// How much an artifact may hold.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Files, after the ignore rules.
    pub files: usize,
    /// Bytes of one file.
    pub file_size: u64,
    /// Bytes of all files together, uncompressed.
    pub total_size: u64,
}

/// Paths sort as a walk visits them: by part, so that a directory comes right before its content.
type WalkOrder = Vec<Box<str>>;

#[derive(Debug)]
enum Content {
    Spooled {
        offset: u64,
        size: u64,
        digest: Digest,
    },
    Copied {
        tree: Arc<dyn Tree>,
        path: String,
    },
}

/// Collects what a source component puts.
#[derive(Debug)]
pub struct Builder {
    store: Arc<Store>,
    spec_ignore: Option<String>,
    bounds: Bounds,
    spool: fs::File,
    spooled: u64,
    files: BTreeMap<WalkOrder, Content>,
    whole: Option<(String, Content)>,
    /// Paths that the source has and an artifact cannot hold.
    left_out: BTreeSet<String>,
}

/// What `finish` made.
#[derive(Debug, PartialEq, Eq)]
pub struct Built {
    /// Relative to the served root.
    pub path: String,
    /// Of the stored file.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
    /// Paths that the source has and an artifact cannot hold, unless they are ignored anyway.
    pub left_out: Vec<String>,
}

impl Builder {
    /// An empty artifact.
    pub fn new(
        store: Arc<Store>,
        spec_ignore: Option<String>,
        bounds: Bounds,
    ) -> Result<Self, StoreError> {
        let incoming = store.incoming();
        let spool = tempfile::tempfile_in(&incoming)
            .map_err(StoreError::io("create a file in", &incoming))?;
        let (files, whole) = (BTreeMap::new(), None);
        Ok(Self {
            store,
            spec_ignore,
            bounds,
            spool,
            spooled: 0,
            files,
            whole,
            left_out: BTreeSet::new(),
        })
    }

    /// Writes the artifact below its owner's folder. `stem` names the file (a commit id); a
    /// whole blob keeps the name that the component gave it.
    pub fn finish(self, owner: &Owner, stem: &str) -> Result<Built, FinishError> {
        let folder = self.store.served_root().join(owner.path());
        fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        if let Some((name, content)) = &self.whole {
            return self.finish_whole(owner, name, content);
        }
        let rules = self.rules();
        let kept: Vec<(String, &Content)> = self
            .files
            .iter()
            .map(|(parts, content)| (parts.join("/"), content))
            .filter(|(path, _)| !rules.leaves_out(path, false))
            .collect();
        self.check_bounds(&kept)?;

        let incoming = self.store.incoming();
        let write = || -> io::Result<(tempfile::NamedTempFile, Digest, u64)> {
            let mut pack = PackWriter::new(&incoming)?;
            let mut archive =
                Archive::new(BufWriter::new(tempfile::NamedTempFile::new_in(&incoming)?));
            archive.directory("")?;
            let mut directories: BTreeSet<&str> = BTreeSet::new();
            for (path, content) in &kept {
                for (at, _) in path.match_indices('/') {
                    let directory = path.get(..at).unwrap_or_default();
                    if directories.insert(directory) {
                        archive.directory(directory)?;
                    }
                }
                let (bytes, digest, executable) = self.read(content)?;
                archive.file(path, executable, &bytes)?;
                pack.file(path, executable, digest, &bytes)?;
            }
            let (file, digest, size) = archive.finish()?;
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            pack.finish(&self.store.root.join("trees"), &incoming, &digest)?;
            Ok((file, digest, size))
        };
        let (file, digest, size) =
            write().map_err(StoreError::io("write an artifact to", &incoming))?;
        let path = format!("{}/{stem}.tar.gz", owner.path().display());
        self.persist(file, &path)?;
        let left_out = self.left_out.iter();
        let left_out = left_out.filter(|path| !rules.leaves_out(path, false));
        Ok(Built {
            path,
            digest,
            size,
            left_out: left_out.cloned().collect(),
        })
    }

    fn finish_whole(
        &self,
        owner: &Owner,
        name: &str,
        content: &Content,
    ) -> Result<Built, FinishError> {
        let incoming = self.store.incoming();
        let write = || -> io::Result<(tempfile::NamedTempFile, Digest, u64)> {
            let (bytes, digest, _) = self.read(content)?;
            let mut file = tempfile::NamedTempFile::new_in(&incoming)?;
            file.write_all(&bytes)?;
            Ok((file, digest, bytes.len() as u64))
        };
        let (file, digest, size) =
            write().map_err(StoreError::io("write an artifact to", &incoming))?;
        let path = format!("{}/{name}", owner.path().display());
        self.persist(file, &path)?;
        Ok(Built {
            path,
            digest,
            size,
            left_out: Vec::new(),
        })
    }

    fn persist(&self, file: tempfile::NamedTempFile, path: &str) -> Result<(), StoreError> {
        let destination = self.store.served_root().join(path);
        let permissions = fs::Permissions::from_mode(0o600);
        fs::set_permissions(file.path(), permissions)
            .map_err(StoreError::io("set permissions of", file.path()))?;
        file.persist(&destination)
            .map_err(|error| StoreError::io("rename", &destination)(error.error))?;
        Ok(())
    }

    fn rules(&self) -> IgnoreRules {
        let files = self
            .files
            .iter()
            .filter(|(parts, _)| parts.last().is_some_and(|name| &**name == FILE_NAME))
            .filter_map(|(parts, content)| {
                let (bytes, _, _) = self.read(content).ok()?;
                let directory = parts.get(..parts.len() - 1)?.join("/");
                Some((directory, String::from_utf8_lossy(&bytes).into_owned()))
            })
            .collect();
        IgnoreRules::new(self.spec_ignore.as_deref(), files)
    }

    fn check_bounds(&self, kept: &[(String, &Content)]) -> Result<(), FinishError> {
        if kept.len() > self.bounds.files {
            return Err(FinishError::TooManyFiles {
                files: kept.len(),
                limit: self.bounds.files,
            });
        }
        let mut total = 0;
        for (path, content) in kept {
            let size = match content {
                Content::Spooled { size, .. } => *size,
                Content::Copied { tree, path } => tree.file(path).map_or(0, |info| info.size),
            };
            total += size;
            if size > self.bounds.file_size {
                let (path, limit) = (path.clone(), self.bounds.file_size);
                return Err(FinishError::FileTooLarge { path, size, limit });
            }
        }
        if total > self.bounds.total_size {
            return Err(FinishError::TooLarge {
                size: total,
                limit: self.bounds.total_size,
            });
        }
        Ok(())
    }

    fn read(&self, content: &Content) -> io::Result<(Bytes, Digest, bool)> {
        match content {
            Content::Spooled {
                offset,
                size,
                digest,
            } => {
                let mut bytes = vec![0; usize::try_from(*size).map_err(io::Error::other)?];
                self.spool.read_exact_at(&mut bytes, *offset)?;
                Ok((bytes.into(), *digest, false))
            }
            Content::Copied { tree, path } => {
                let info = tree.file(path).ok_or(io::ErrorKind::NotFound)?;
                Ok((tree.read(path)?, info.digest, info.executable))
            }
        }
    }

    fn spool(&mut self, content: &dyn BlobSource) -> io::Result<Content> {
        const PART: usize = 1 << 20;
        let offset = self.spooled;
        let mut hasher = Sha256::new();
        self.spool.seek(SeekFrom::Start(offset))?;
        let mut at = 0;
        while at < content.size() {
            let part = content.read_at(at, PART)?;
            if part.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            hasher.update(&part);
            self.spool.write_all(&part)?;
            at += part.len() as u64;
        }
        self.spooled += at;
        Ok(Content::Spooled {
            offset,
            size: at,
            digest: Digest::from_bytes(hasher.finalize().into()),
        })
    }

    fn copy_below(&mut self, tree: &Arc<dyn Tree>, from: &str, to: &str) -> Result<(), Failure> {
        let join = |folder: &str, name: &str| {
            if folder.is_empty() {
                name.to_owned()
            } else {
                format!("{folder}/{name}")
            }
        };
        match tree.kind(from) {
            None => Err(Failure::new(
                FailureClass::NotFound,
                "PathNotFound",
                format!("path '{from}' not found in the source"),
            )),
            Some(EntryKind::File) => {
                let content = Content::Copied {
                    tree: Arc::clone(tree),
                    path: from.to_owned(),
                };
                self.files.insert(walk_order(to), content);
                Ok(())
            }
            Some(EntryKind::Directory) => {
                let left_out = tree.left_out(from).into_iter();
                self.left_out.extend(left_out.map(|name| join(to, &name)));
                for entry in tree.entries(from).unwrap_or_default() {
                    self.copy_below(tree, &join(from, &entry.name), &join(to, &entry.name))?;
                }
                Ok(())
            }
        }
    }
}

/// Why an artifact could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// This host's disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// More files than allowed.
    #[error(
        "the source has {files} files, more than the {limit} that --artifact-max-files allows; leave some out with .sourceignore or spec.ignore"
    )]
    TooManyFiles {
        /// Counted.
        files: usize,
        /// Allowed.
        limit: usize,
    },
    /// One file is too large.
    #[error(
        "file '{path}' has {size} bytes, more than the {limit} that --artifact-max-file-size allows; leave it out with .sourceignore or spec.ignore"
    )]
    FileTooLarge {
        /// In the source.
        path: String,
        /// Bytes.
        size: u64,
        /// Bytes.
        limit: u64,
    },
    /// All files together are too large.
    #[error(
        "the source has {size} bytes, more than the {limit} that --artifact-max-size allows; leave some out with .sourceignore or spec.ignore"
    )]
    TooLarge {
        /// Bytes.
        size: u64,
        /// Bytes.
        limit: u64,
    },
}

fn walk_order(path: &str) -> WalkOrder {
    path.split('/').map(Into::into).collect()
}

/// A path as the artifact keeps it, or why it may not.
fn checked(path: &str) -> Result<String, Failure> {
    match normalise(path) {
        Some(path) if !path.is_empty() && !path.contains('\0') => Ok(path),
        _ => Err(Failure::new(
            FailureClass::InvalidInput,
            "InvalidPath",
            format!("'{}' is no path inside an artifact", path.escape_default()),
        )),
    }
}

fn spool_failure(error: &io::Error) -> Failure {
    let message = format!("failed to write to the artifact store: {error}");
    Failure::new(FailureClass::Unavailable, "StorageOperationFailed", message)
}

impl ArtifactSink for Builder {
    fn put(&mut self, path: &str, content: &dyn BlobSource) -> Result<(), Failure> {
        let path = checked(path)?;
        let content = self.spool(content).map_err(|error| spool_failure(&error))?;
        self.files.insert(walk_order(&path), content);
        Ok(())
    }

    fn copy(&mut self, tree: &Arc<dyn Tree>, paths: &[(String, String)]) -> Result<(), Failure> {
        for (from, to) in paths {
            let from = normalise(from).unwrap_or_default();
            let to = if to.is_empty() {
                String::new()
            } else {
                checked(to)?
            };
            self.copy_below(tree, &from, &to)?;
        }
        Ok(())
    }

    fn ignored(&self, paths: &[String]) -> Vec<bool> {
        let rules = self.rules();
        paths
            .iter()
            .map(|path| rules.leaves_out(path, false))
            .collect()
    }

    fn store(&mut self, content: &dyn BlobSource, file_name: Option<&str>) -> Result<(), Failure> {
        let name = checked(file_name.unwrap_or("artifact"))?;
        if name.contains('/') {
            return Err(Failure::new(
                FailureClass::InvalidInput,
                "InvalidPath",
                format!("'{name}' is no file name"),
            ));
        }
        let content = self.spool(content).map_err(|error| spool_failure(&error))?;
        self.whole = Some((name, content));
        Ok(())
    }
}
