//! The artifact store: what sources yield, kept by digest and served over HTTP.
//!
//! An artifact is written twice in one pass: as the `.tar.gz` that Flux's consumers download
//! (`archive`), and as a pack (`pack`) that renders read single files from without unpacking
//! anything. Both are written to a temporary name and renamed, so that a killed host leaves no
//! half-written file that is ever read. A JSON file beside the archive holds what the
//! next poll needs (`Record`); all of it can be thrown away, the next poll makes it again.
//!
//! Layout below the data folder:
//!
//! ```text
//! artifacts/gitrepository/<namespace>/<name>/<file>.tar.gz   served at /<path>
//! records/gitrepository/<namespace>/<name>.json              Record
//! trees/<hex>.pack, trees/<hex>.index                        by digest of the archive
//! ```

mod archive;
mod builder;
mod ignore;
mod open;
mod pack;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use weir_plugin::{Digest, Tree};

pub use builder::{Bounds, Builder, FinishError};
pub use ignore::IgnoreRules;
use open::OpenTrees;
pub use pack::PackTree;

/// What went wrong with the store; always about this host's own files.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file operation failed.
    #[error("failed to {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Relative to the data folder where possible.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A stored file is not what its name says.
    #[error("stored tree {0} is damaged: {1}")]
    Damaged(String, String),
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

/// Identifies an artifact's owner: `gitrepository/<namespace>/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Lower-case kind.
    pub kind: String,
    /// Namespace of the source object.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Owner {
    fn path(&self) -> PathBuf {
        [&self.kind, &self.namespace, &self.name].iter().collect()
    }
}

/// What is known of the artifact a source object holds; survives a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Relative to the served root.
    pub path: String,
    /// `main@sha1:…`.
    pub revision: String,
    /// Of the stored file.
    pub digest: Digest,
    /// Bytes of the stored file.
    pub size: u64,
    /// RFC 3339.
    pub last_update_time: String,
    /// From the source component.
    pub metadata: Vec<(String, String)>,
    /// Opaque to the host: `last` of the next pull.
    pub token: String,
    /// Digest of everything but the source's content that decides the artifact: plugin,
    /// settings. Another fingerprint makes `token` void.
    pub fingerprint: Digest,
    /// For people: what of the source is not in the artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// How long and how many superseded files are kept, as Flux's `--artifact-retention-*`.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Superseded files older than this go.
    pub ttl: Duration,
    /// At most this many files are kept.
    pub records: usize,
}

/// The store. Cheap to share; all methods block on local files and belong on blocking threads.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    retention: Retention,
    open: OpenTrees,
}

impl Store {
    /// Opens the store below `root`, making its folders.
    pub fn open(root: &Path, retention: Retention) -> Result<Self, StoreError> {
        for folder in ["artifacts", "records", "trees", "incoming"] {
            let path = root.join(folder);
            fs::create_dir_all(&path).map_err(StoreError::io("create", &path))?;
        }
        // What a killed process was writing.
        let incoming = root.join("incoming");
        for entry in fs::read_dir(&incoming)
            .map_err(StoreError::io("list", &incoming))?
            .flatten()
        {
            let _ = fs::remove_file(entry.path());
        }
        Ok(Self {
            root: root.to_owned(),
            retention,
            open: OpenTrees::default(),
        })
    }

    /// The folder that the file server serves.
    pub fn served_root(&self) -> PathBuf {
        self.root.join("artifacts")
    }

    /// Where unfinished files are written; on the same file system as their destination.
    pub(crate) fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    fn record_path(&self, owner: &Owner) -> PathBuf {
        let mut path = self.root.join("records").join(owner.path());
        path.as_mut_os_string().push(".json");
        path
    }

    /// The current record of an owner, checked: its file and its tree are there. `None` when
    /// there is none or it is damaged (then the next pull starts from nothing).
    pub fn record(&self, owner: &Owner) -> Option<Record> {
        let bytes = fs::read(self.record_path(owner)).ok()?;
        let record: Record = serde_json::from_slice(&bytes).ok()?;
        let stored = fs::metadata(self.served_root().join(&record.path)).ok()?;
        (stored.len() == record.size).then_some(record)
    }

    /// Opens the tree of an artifact by the digest of its archive; unpacks the archive at
    /// `path` again when the pack is gone.
    pub fn tree(&self, digest: &Digest, path: &str) -> Result<Arc<dyn Tree>, StoreError> {
        let rebuild = || pack::rebuild(self, digest, &self.served_root().join(path));
        let tree = self.open.get(digest, |is_damaged| {
            if is_damaged {
                tracing::warn!(artifact.digest = %digest, "rebuilding a damaged tree from its archive");
                return rebuild();
            }
            PackTree::open(&self.root.join("trees"), digest).or_else(|error| {
                tracing::warn!(artifact.digest = %digest, %error, "rebuilding a tree from its archive");
                rebuild()
            })
        })?;
        Ok(tree)
    }

    /// Closes trees that nobody has read for `age`.
    pub fn close_unused_trees(&self, age: Duration) {
        self.open.close_unused(age);
    }

    /// Makes `record` the current one of its owner and removes what it supersedes.
    pub fn commit(&self, owner: &Owner, record: &Record) -> Result<(), StoreError> {
        let path = self.record_path(owner);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
        }
        let bytes = serde_json::to_vec(record).unwrap_or_default();
        write_atomically(&self.incoming(), &path, &bytes)?;
        self.collect_garbage(owner, record);
        Ok(())
    }

    /// Removes everything of an owner.
    pub fn remove(&self, owner: &Owner) -> Result<(), StoreError> {
        let _ = fs::remove_file(self.record_path(owner));
        let folder = self.served_root().join(owner.path());
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("remove", &folder)(error))
            }
            _ => Ok(()),
        }
    }

    /// Rules of fluxcd/source-controller `internal/controller/storage.go`: files past the
    /// retention time go, the current one never; of the rest the newest are kept.
    fn collect_garbage(&self, owner: &Owner, current: &Record) {
        let folder = self.served_root().join(owner.path());
        let keep = self.served_root().join(&current.path);
        let mut old: Vec<(SystemTime, PathBuf)> = fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.path() != keep)
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        old.sort();
        old.reverse();
        let now = SystemTime::now();
        for (index, (modified, path)) in old.iter().enumerate() {
            let age = now.duration_since(*modified).unwrap_or_default();
            if age > self.retention.ttl || index + 1 >= self.retention.records {
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Removes packs that no record names and nobody reads. Called now and then.
    pub fn collect_trees(&self) {
        let mut named: HashSet<String> = HashSet::new();
        let mut folders = vec![self.root.join("records")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Some(record) = fs::read(&path)
                    .ok()
                    .and_then(|bytes| serde_json::from_slice::<Record>(&bytes).ok())
                {
                    named.insert(record.digest.hex());
                }
            }
        }
        let open: HashSet<String> = self.open.digests().iter().map(Digest::hex).collect();
        for entry in fs::read_dir(self.root.join("trees"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            let hex = name.split('.').next().unwrap_or_default();
            let young = entry
                .metadata()
                .and_then(|m| m.modified())
                .is_ok_and(|at| at.elapsed().unwrap_or_default() < Duration::from_mins(10));
            if !young && !named.contains(hex) && !open.contains(hex) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Writes `bytes` to `path` so that a reader sees the old content or the new, never a part. Not
/// synced: what is written this way can be made again, and is checked when it is read.
pub(crate) fn write_atomically(
    incoming: &Path,
    path: &Path,
    bytes: &[u8],
) -> Result<(), StoreError> {
    use std::io::Write as _;
    let mut file = tempfile::NamedTempFile::new_in(incoming)
        .map_err(StoreError::io("create a file in", incoming))?;
    file.write_all(bytes)
        .map_err(StoreError::io("write", path))?;
    file.persist(path)
        .map_err(|error| StoreError::io("rename", path)(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests;
