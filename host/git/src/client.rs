//! [`Git`] for source plugins: one entry per remote, one operation per call.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use gix_hash::ObjectId;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use weir_plugin::{Checkout, Commit, Failure, Git, Reference, Remote, Signed, Tree as _, Wanted};

use crate::config::GitConfig;
use crate::endpoint::{Endpoint, display};
use crate::error::Error;
use crate::fetch::{self, Fetched};
use crate::http::Clients;
use crate::operation::{self, Operation};
use crate::repository::Repository;
use crate::session::Dialer;
use crate::submodule;
use crate::transport::Remembered;
use crate::tree::{Dir, GitTree, Limits};

/// Git over HTTP(S) with a cache of objects on disk. Cheap to clone.
#[derive(Clone, Debug)]
pub struct GitClient {
    shared: Arc<Shared>,
    timeout: Duration,
}

/// The cache folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {} as the cache of Git objects", path.display())]
pub struct CacheError {
    /// The folder.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

/// Tells backup programs that the folder can be made again (bford.info/cachedir).
const CACHE_TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# Git objects of weir.\n";

#[derive(Debug)]
struct Shared {
    config: Arc<GitConfig>,
    clients: Arc<Clients>,
    remotes: Mutex<HashMap<String, Arc<Known>>>,
    turns: Arc<Semaphore>,
}

/// What is kept of a remote between calls.
#[derive(Debug)]
struct Known {
    remembered: Arc<Remembered>,
    repository: Arc<tokio::sync::Mutex<Repository>>,
    used: Mutex<Instant>,
}

/// What [`GitClient::collect_garbage`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Repositories that were removed.
    pub removed: usize,
    /// Their bytes.
    pub freed_bytes: u64,
    /// Bytes that stay.
    pub kept_bytes: u64,
}

impl GitClient {
    /// A client over the cache folder, which is created when absent and must be writable.
    pub fn new(config: GitConfig) -> Result<Self, CacheError> {
        fs::create_dir_all(&config.cache_dir)
            .and_then(|()| fs::write(config.cache_dir.join("CACHEDIR.TAG"), CACHE_TAG))
            .map_err(|source| CacheError {
                path: config.cache_dir.clone(),
                source,
            })?;
        // TLS has one provider in this process; whoever came first chose the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let timeout = config.timeout;
        let turns = Arc::new(Semaphore::new(config.concurrency.max(1)));
        let config = Arc::new(config);
        let clients = Arc::new(Clients::new(&config));
        let remotes = Mutex::default();
        let shared = Arc::new(Shared {
            config,
            clients,
            remotes,
            turns,
        });
        Ok(Self { shared, timeout })
    }

    /// The same client, for operations with another timeout: an object's `spec.timeout`.
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            timeout,
            ..self.clone()
        }
    }

    /// Keeps the cache in bounds; to be called now and then (every few minutes). Joins small
    /// packs, removes repositories that nobody asked for during `max_age`, and then the least
    /// recently used ones until the rest has at most `max_bytes`. What is in use stays as it is.
    pub async fn collect_garbage(
        &self,
        max_age: Duration,
        max_bytes: u64,
    ) -> Result<Collected, Failure> {
        let shared = Arc::clone(&self.shared);
        operation::run(self.timeout, async { Ok(()) }, move |operation, ()| {
            operation.phase("collecting garbage");
            let collected = shared.collect_garbage(max_age, max_bytes, operation)?;
            shared.join_packs(operation)?;
            Ok(collected)
        })
        .await
        .map_err(|error| error.into_failure("collect garbage of the Git cache"))
    }

    /// Runs `work` on a blocking thread, in its turn and within the timeout.
    async fn run<T: Send + 'static>(
        &self,
        remote: Remote,
        work: impl FnOnce(&Shared, &Dialer, &Known) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let endpoint = Arc::new(Endpoint::new(&remote)?);
        let shared = Arc::clone(&self.shared);
        let turn = Arc::clone(&shared.turns);
        let prepare = async { turn.acquire_owned().await.map_err(|_| Error::Interrupted) };
        operation::run(self.timeout, prepare, move |operation, _turn| {
            let known = shared.known(&endpoint);
            let dialer = shared.dialer(operation, &endpoint, &known);
            work(&shared, &dialer, &known)
        })
        .await
    }
}

#[async_trait]
impl Git for GitClient {
    async fn list_references(
        &self,
        remote: Remote,
        prefixes: Vec<String>,
    ) -> Result<Vec<Reference>, Failure> {
        let doing = format!("list references of {}", display(&remote.url));
        self.run(remote, move |_, dialer, _| fetch::list(dialer, &prefixes))
            .await
            .map_err(|error| error.into_failure(&doing))
    }

    async fn fetch(&self, remote: Remote, wanted: Wanted) -> Result<Checkout, Failure> {
        let under = wanted
            .reference
            .as_ref()
            .map(|name| format!(" ({name})"))
            .unwrap_or_default();
        let doing = format!(
            "fetch commit {}{under} of {}",
            wanted.commit,
            display(&remote.url)
        );
        self.run(remote, move |shared, dialer, known| {
            shared.checkout(dialer, known, &wanted)
        })
        .await
        .map_err(|error| error.into_failure(&doing))
    }
}

impl Shared {
    fn known(&self, endpoint: &Endpoint) -> Arc<Known> {
        let mut remotes = self.remotes.lock();
        let known = remotes.entry(endpoint.key.clone()).or_insert_with(|| {
            if endpoint.is_insecure() {
                tracing::warn!(url = %endpoint.base, "credentials are sent unencrypted");
            }
            let repository =
                Repository::new(&self.config, &endpoint.key, endpoint.base.to_string());
            Arc::new(Known {
                remembered: Arc::default(),
                repository: Arc::new(tokio::sync::Mutex::new(repository)),
                used: Mutex::new(Instant::now()),
            })
        });
        *known.used.lock() = Instant::now();
        Arc::clone(known)
    }

    fn dialer(
        &self,
        operation: &Arc<Operation>,
        endpoint: &Arc<Endpoint>,
        known: &Known,
    ) -> Dialer {
        Dialer {
            operation: Arc::clone(operation),
            endpoint: Arc::clone(endpoint),
            clients: Arc::clone(&self.clients),
            remembered: Arc::clone(&known.remembered),
            config: Arc::clone(&self.config),
        }
    }

    fn checkout(&self, dialer: &Dialer, known: &Known, wanted: &Wanted) -> Result<Checkout, Error> {
        let commit = commit_id(&wanted.commit)?;
        let fetched = fetch_into(dialer, known, commit, wanted.reference.as_deref())?;
        let mut root = fetched.root;
        if wanted.submodules {
            root = Submodules::new(self, &wanted.sparse).resolve(dialer, root, 0)?;
        }
        if !wanted.sparse.is_empty() {
            root = root.only(&wanted.sparse)?;
        }
        Ok(Checkout {
            commit: Commit {
                id: fetched.id.to_string(),
                time: fetched.commit.time,
                message: fetched.commit.message,
                signature: fetched
                    .commit
                    .signature
                    .map(|(signature, payload)| Signed { signature, payload }),
            },
            tag_signature: fetched.tag_signature,
            files: Arc::new(GitTree::new(root)),
        })
    }

    fn collect_garbage(
        &self,
        max_age: Duration,
        max_bytes: u64,
        operation: &Operation,
    ) -> Result<Collected, Error> {
        let mut all = Vec::new();
        let folder = &self.config.cache_dir;
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Collected::default());
            }
            Err(error) => return Err(Error::local("list", folder)(error)),
        };
        for entry in entries.flatten() {
            operation.check()?;
            let path = entry.path();
            let Some(key) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if key.len() != 32 || !path.is_dir() {
                continue;
            }
            let idle = self.idle(key).unwrap_or_else(|| {
                let changed = fs::metadata(path.join("commits")).and_then(|data| data.modified());
                let changed = changed.unwrap_or(SystemTime::UNIX_EPOCH);
                SystemTime::now()
                    .duration_since(changed)
                    .unwrap_or_default()
            });
            all.push((idle, size(&path), key.to_owned()));
        }
        // Least recently used first.
        all.sort_by_key(|one| std::cmp::Reverse(one.0));
        let mut collected = Collected {
            kept_bytes: all.iter().map(|one| one.1).sum(),
            ..Collected::default()
        };
        for (idle, bytes, key) in all {
            operation.check()?;
            if (idle > max_age || collected.kept_bytes > max_bytes)
                && self.forget(&key, operation)?
            {
                collected.removed += 1;
                collected.freed_bytes += bytes;
                collected.kept_bytes -= bytes;
            }
        }
        Ok(collected)
    }

    /// Joins the packs of every repository that nobody works on now.
    fn join_packs(&self, operation: &Operation) -> Result<(), Error> {
        let all: Vec<Arc<Known>> = self.remotes.lock().values().cloned().collect();
        for known in all {
            if let Ok(mut repository) = known.repository.try_lock() {
                let joined = repository
                    .begin(operation)
                    .and_then(|()| repository.tidy(self.config.max_packs, operation));
                repository.end();
                joined?;
            }
        }
        Ok(())
    }

    fn idle(&self, key: &str) -> Option<Duration> {
        self.remotes
            .lock()
            .get(key)
            .map(|known| known.used.lock().elapsed())
    }

    /// Removes a repository unless somebody works on it.
    fn forget(&self, key: &str, operation: &Operation) -> Result<bool, Error> {
        let known = self.remotes.lock().get(key).cloned();
        let Some(known) = known else {
            return Repository::new(&self.config, key, String::new()).remove(operation);
        };
        let Ok(mut repository) = known.repository.try_lock() else {
            return Ok(false);
        };
        let removed = repository.remove(operation)?;
        if removed {
            self.remotes.lock().remove(key);
        }
        Ok(removed)
    }
}

/// Fetches a commit when it is this operation's turn on the repository.
fn fetch_into(
    dialer: &Dialer,
    known: &Known,
    commit: ObjectId,
    reference: Option<&str>,
) -> Result<Fetched, Error> {
    dialer
        .operation
        .phase("waiting for another fetch of the same repository");
    let mut repository = dialer.operation.wait(known.repository.lock())?;
    fetch::fetch(dialer, &mut repository, commit, reference)
}

/// Submodules of a commit, fetched at the commits that it pins.
struct Submodules<'a> {
    shared: &'a Shared,
    sparse: &'a [String],
    left: usize,
}

impl<'a> Submodules<'a> {
    fn new(shared: &'a Shared, sparse: &'a [String]) -> Self {
        Self {
            shared,
            sparse,
            left: shared.config.max_submodules,
        }
    }

    /// Whether any file of a submodule at `path` is asked for.
    fn is_wanted(&self, path: &str) -> bool {
        let below = |path: &str, directory: &str| {
            path.strip_prefix(directory)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.sparse.is_empty()
            || self
                .sparse
                .iter()
                .filter_map(|one| weir_plugin::normalise(one))
                .any(|directory| {
                    directory.is_empty() || below(path, &directory) || below(&directory, path)
                })
    }

    fn resolve(
        &mut self,
        parent: &Dialer,
        root: Arc<Dir>,
        depth: usize,
    ) -> Result<Arc<Dir>, Error> {
        let pinned = root.modules();
        if pinned.is_empty() {
            return Ok(root);
        }
        let file = GitTree::new(Arc::clone(&root)).read(submodule::FILE);
        let addresses = match file {
            Ok(content) => submodule::addresses(&content)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => HashMap::new(),
            Err(error) => return Err(Error::Damaged(error.to_string())),
        };
        let mut whole = root;
        for (path, commit) in pinned {
            if depth == 0 && !self.is_wanted(&path) {
                continue;
            }
            let Some(address) = addresses.get(&path) else {
                tracing::warn!(url = %parent.endpoint.base, path, "submodule without an address");
                continue;
            };
            if depth >= submodule::MAX_DEPTH || self.left == 0 {
                return Err(Error::Content(format!(
                    "submodule '{path}' is one too many: at most {} in {} levels",
                    self.shared.config.max_submodules,
                    submodule::MAX_DEPTH
                )));
            }
            self.left -= 1;
            let content = self.one(parent, address, commit, depth).map_err(|error| {
                error.within(&format!("submodule '{path}' at {}", display(address)))
            })?;
            whole = whole.with_dir(&path, content);
        }
        whole.check(Limits::of(&self.shared.config))?;
        Ok(whole)
    }

    fn one(
        &mut self,
        parent: &Dialer,
        address: &str,
        commit: ObjectId,
        depth: usize,
    ) -> Result<Arc<Dir>, Error> {
        let url = submodule::resolve(&parent.endpoint.base, address)?;
        if url.origin() != parent.endpoint.base.origin() {
            let admitted = self.shared.clients.admit(&parent.endpoint, &url);
            parent.operation.wait(admitted)??;
        }
        let endpoint = Arc::new(parent.endpoint.sibling(url)?);
        let known = self.shared.known(&endpoint);
        let dialer = self.shared.dialer(&parent.operation, &endpoint, &known);
        let fetched = fetch_into(&dialer, &known, commit, None)?;
        self.resolve(&dialer, fetched.root, depth + 1)
    }
}

fn commit_id(text: &str) -> Result<ObjectId, Error> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.len() {
        40 if is_hex => ObjectId::from_hex(text.to_ascii_lowercase().as_bytes())
            .map_err(|_| Error::Settings(format!("'{text}' is no commit id"))),
        64 if is_hex => Err(Error::Unsupported(format!(
            "{text} is a SHA-256 id, only repositories with SHA-1 ids are supported"
        ))),
        _ => Err(Error::Settings(format!("'{text}' is no whole commit id"))),
    }
}

/// Bytes of the files below; what vanishes meanwhile does not count.
fn size(path: &std::path::Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
