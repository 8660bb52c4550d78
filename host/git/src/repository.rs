//! One bare repository per remote and credentials under the cache folder, and what is known of
//! it in memory.
//!
//! `<key>/` holds the objects (packs only) and `commits`, the list of commits whose trees are
//! there completely, newest last. It is written after the pack it speaks of, by rename, so a host
//! that is killed at any point leaves a repository that is right, perhaps with files that nobody
//! names; those are removed when it is opened. `<key>.lock` is held (`flock`) while a host works
//! on it: a killed one leaves no lock behind.

use std::fs::{self, File, TryLockError};
use std::io::{BufRead, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gix_hash::{Kind as Hash, ObjectId};
use gix_pack::Bundle;
use gix_utils::progress::Discard;

use crate::config::GitConfig;
use crate::error::{Error, chain};
use crate::objects::Objects;
use crate::operation::Operation;
use crate::pack;
use crate::tree::Dir;

/// Commits that are remembered as complete.
const KNOWN_COMMITS: usize = 16;
/// Commits told to the server as present. They share most of their trees, so a few do.
const TOLD_COMMITS: usize = 4;
/// Trees of that many commits are kept in memory, to be shared with the next.
const KEPT_ROOTS: usize = 4;
/// Growth over a first fetch, in bytes, before everything is fetched anew.
const ROOM_TO_GROW: u64 = 256 << 20;

/// A repository on disk. One thread of this process at a time works on it.
#[derive(Debug)]
pub(crate) struct Repository {
    path: PathBuf,
    lock_path: PathBuf,
    url: String,
    config: Arc<GitConfig>,
    open: Option<Open>,
    lock: Option<File>,
}

#[derive(Debug)]
struct Open {
    objects: Arc<Objects>,
    /// Newest last.
    complete: Vec<ObjectId>,
    /// Newest last.
    roots: Vec<(ObjectId, Arc<Dir>)>,
    /// Bytes of the packs after the first fetch.
    baseline: u64,
}

impl Repository {
    pub(crate) fn new(config: &Arc<GitConfig>, key: &str, url: String) -> Self {
        Self {
            path: config.cache_dir.join(key),
            lock_path: config.cache_dir.join(format!("{key}.lock")),
            url,
            config: Arc::clone(config),
            open: None,
            lock: None,
        }
    }

    /// Takes the lock between processes and opens what is there; creates what is not.
    pub(crate) fn begin(&mut self, operation: &Operation) -> Result<(), Error> {
        fs::create_dir_all(&self.config.cache_dir)
            .map_err(Error::local("create", &self.config.cache_dir))?;
        if self.lock.is_none() {
            operation.phase("waiting for another process that uses the cache");
            self.lock = Some(self.acquire(operation)?);
        }
        // Another process may have worked on it since.
        let on_disk = self.read_commits();
        match &self.open {
            Some(open) if open.complete == on_disk && self.path.is_dir() => Ok(()),
            _ => self.reopen(on_disk),
        }
    }

    /// Lets other processes at it.
    pub(crate) fn end(&mut self) {
        self.lock = None;
    }

    /// Removes it from the disk, unless another process works on it.
    pub(crate) fn remove(&mut self, operation: &Operation) -> Result<bool, Error> {
        operation.check()?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.lock_path);
        let lock = lock.map_err(Error::local("open", &self.lock_path))?;
        if lock.try_lock().is_err() {
            return Ok(false);
        }
        self.open = None;
        remove(&self.path)?;
        Ok(true)
    }

    fn acquire(&self, operation: &Operation) -> Result<File, Error> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.lock_path)
            .map_err(Error::local("open", &self.lock_path))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => operation.pause(Duration::from_millis(20))?,
                Err(TryLockError::Error(error)) => {
                    return Err(Error::local("lock", &self.lock_path)(error));
                }
            }
        }
    }

    fn reopen(&mut self, complete: Vec<ObjectId>) -> Result<(), Error> {
        self.open = None;
        let packs = self.packs_path();
        fs::create_dir_all(&packs).map_err(Error::local("create", &packs))?;
        // What makes it a repository to `git`, for people who look into the cache.
        for (name, content) in [
            ("HEAD", "ref: refs/heads/none\n"),
            (
                "config",
                "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
            ),
            ("url", &*format!("{}\n", self.url)),
        ] {
            let path = self.path.join(name);
            if !path.exists() {
                fs::write(&path, content).map_err(Error::local("write", &path))?;
            }
        }
        let refs = self.path.join("refs");
        fs::create_dir_all(&refs).map_err(Error::local("create", &refs))?;
        remove_leftovers(&packs)?;
        let objects = self.open_objects()?;
        let baseline = pack::list(&packs).iter().map(|pack| pack.bytes).sum();
        self.open = Some(Open {
            objects,
            complete,
            roots: Vec::new(),
            baseline,
        });
        Ok(())
    }

    fn open_objects(&self) -> Result<Arc<Objects>, Error> {
        let path = self.path.join("objects");
        Ok(Arc::new(Objects::open(&path, self.config.max_file_bytes)?))
    }

    fn packs_path(&self) -> PathBuf {
        self.path.join("objects").join("pack")
    }

    fn commits_path(&self) -> PathBuf {
        self.path.join("commits")
    }

    fn read_commits(&self) -> Vec<ObjectId> {
        let text = fs::read_to_string(self.commits_path()).unwrap_or_default();
        text.lines()
            .filter_map(|line| ObjectId::from_hex(line.as_bytes()).ok())
            .collect()
    }

    fn opened(&self) -> Result<&Open, Error> {
        self.open
            .as_ref()
            .ok_or_else(|| Error::Internal("repository is not open".to_owned()))
    }

    /// The store.
    pub(crate) fn objects(&self) -> Result<Arc<Objects>, Error> {
        Ok(Arc::clone(&self.opened()?.objects))
    }

    /// Whether the commit and all it holds was received.
    pub(crate) fn is_complete(&self, commit: ObjectId) -> bool {
        self.open
            .as_ref()
            .is_some_and(|open| open.complete.contains(&commit))
    }

    /// Commits whose trees need not be sent again.
    pub(crate) fn haves(&self) -> Vec<ObjectId> {
        let complete = self
            .open
            .as_ref()
            .map(|open| open.complete.as_slice())
            .unwrap_or_default();
        complete.iter().rev().take(TOLD_COMMITS).copied().collect()
    }

    /// Takes in a pack as it arrives.
    pub(crate) fn receive(
        &self,
        mut pack: &mut dyn BufRead,
        thin: bool,
        operation: &Operation,
    ) -> Result<(), Error> {
        let objects = self.objects()?;
        let bases = thin.then(|| objects.walker());
        let options = gix_pack::bundle::write::Options {
            // Packs of one commit are small, and other sources want their turn.
            thread_limit: Some(2),
            alloc_limit_bytes: usize::try_from(self.config.max_file_bytes).ok(),
            ..Default::default()
        };
        let written = Bundle::write_to_directory(
            &mut pack,
            Some(&self.packs_path()),
            &mut Discard,
            &operation.interrupt,
            bases,
            Hash::Sha1,
            options,
        );
        let written = written.map_err(|error| {
            if operation.check().is_err() {
                Error::Interrupted
            } else if error.is_resource_exhausted() {
                Error::Content(format!(
                    "the repository has an object of more than {} bytes: {}",
                    self.config.max_file_bytes,
                    chain(&error)
                ))
            } else if thin {
                // The bases may be what is wrong.
                Error::damaged("cannot take in the received objects", &error)
            } else {
                Error::unavailable(format!(
                    "the received objects are damaged: {}",
                    chain(&error)
                ))
            }
        })?;
        if let Some(keep) = written.keep_path {
            fs::remove_file(&keep).map_err(Error::local("remove", &keep))?;
        }
        Ok(())
    }

    /// Remembers that a commit is here with all its files.
    pub(crate) fn complete(&mut self, commit: ObjectId, root: &Arc<Dir>) -> Result<(), Error> {
        let path = self.commits_path();
        let size = || {
            pack::list(&self.packs_path())
                .iter()
                .map(|pack| pack.bytes)
                .sum()
        };
        let first = self.opened()?.complete.is_empty();
        let baseline = if first {
            size()
        } else {
            self.opened()?.baseline
        };
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        open.baseline = baseline;
        open.roots.retain(|(id, _)| *id != commit);
        open.roots.push((commit, Arc::clone(root)));
        if open.roots.len() > KEPT_ROOTS {
            open.roots.remove(0);
        }
        if open.complete.last() == Some(&commit) {
            // Age is what garbage collection goes by.
            if let Ok(file) = File::options().write(true).open(&path) {
                let _ = file.set_modified(SystemTime::now());
            }
            return Ok(());
        }
        open.complete.retain(|id| *id != commit);
        open.complete.push(commit);
        if open.complete.len() > KNOWN_COMMITS {
            open.complete.remove(0);
        }
        let lines: String = open
            .complete
            .iter()
            .flat_map(|id| [id.to_string(), "\n".into()])
            .collect();
        let new = path.with_extension("new");
        fs::write(&new, lines).map_err(Error::local("write", &new))?;
        fs::rename(&new, &path).map_err(Error::local("write", &path))
    }

    /// The tree of the commit, or else of the one most like it.
    pub(crate) fn nearest_root(&self, commit: ObjectId) -> Option<Arc<Dir>> {
        let roots = &self.open.as_ref()?.roots;
        let same = roots.iter().find(|(id, _)| *id == commit);
        same.or_else(|| roots.last())
            .map(|(_, root)| Arc::clone(root))
    }

    /// Throws everything away.
    pub(crate) fn discard(&mut self) -> Result<(), Error> {
        self.open = None;
        remove(&self.path)?;
        self.reopen(Vec::new())
    }

    /// Keeps the number of packs at `most` and the size in bounds. Small packs are written anew as
    /// one; when too much has piled up, all is fetched again next time.
    pub(crate) fn tidy(&mut self, most: usize, operation: &Operation) -> Result<(), Error> {
        let packs = pack::list(&self.packs_path());
        if packs.len() <= most {
            return Ok(());
        }
        let bytes: u64 = packs.iter().map(|pack| pack.bytes).sum();
        let baseline = self.opened()?.baseline;
        if baseline > 0 && bytes > baseline.saturating_mul(3).saturating_add(ROOM_TO_GROW) {
            return self.discard();
        }
        operation.phase("joining packs");
        let small = pack::small(packs);
        let objects = self.objects()?;
        let joined = pack::join(&small, &objects, &self.packs_path(), operation)?;
        let mut reader =
            BufReader::new(File::open(&joined).map_err(Error::local("open", &joined))?);
        let received = self.receive(&mut reader, false, operation);
        let _ = fs::remove_file(&joined);
        received?;
        for pack in &small {
            pack.remove()?;
        }
        let objects = self.open_objects()?;
        if let Some(open) = &mut self.open {
            for (_, root) in &mut open.roots {
                *root = root.moved_to(&objects);
            }
            open.objects = objects;
        }
        Ok(())
    }
}

/// Removes a directory so that it is gone at once or not at all, as others see it.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    let doomed = path.with_extension("removed");
    let gone = |result: std::io::Result<()>| match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    gone(fs::remove_dir_all(&doomed)).map_err(Error::local("remove", &doomed))?;
    gone(fs::rename(path, &doomed)).map_err(Error::local("rename", path))?;
    gone(fs::remove_dir_all(&doomed)).map_err(Error::local("remove", &doomed))
}

/// Temporary files of a killed host, packs without index and the like.
fn remove_leftovers(packs: &Path) -> Result<(), Error> {
    let known: Vec<PathBuf> = pack::list(packs)
        .into_iter()
        .flat_map(|pack| [pack.index, pack.data])
        .collect();
    for entry in fs::read_dir(packs).map_err(Error::local("list", packs))? {
        let path = entry.map_err(Error::local("list", packs))?.path();
        if !known.contains(&path) {
            fs::remove_file(&path).map_err(Error::local("remove", &path))?;
        }
    }
    Ok(())
}

/// Buffered writer of a new file.
pub(crate) fn create(path: &Path) -> Result<BufWriter<File>, Error> {
    Ok(BufWriter::new(
        File::create(path).map_err(Error::local("create", path))?,
    ))
}
