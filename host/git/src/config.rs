//! What the operator sets. Every number is a bound on what a remote or its content can cost.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of a [`crate::GitClient`].
#[derive(Clone, Debug)]
pub struct GitConfig {
    /// Folder of the object cache; created when absent. Everything in it may be deleted at any
    /// time while no host runs: it is fetched again.
    pub cache_dir: PathBuf,
    /// Wall time of one operation, queueing included, unless [`crate::GitClient::with_timeout`]
    /// says otherwise. A caller's own, shorter deadline acts by dropping the future: the work
    /// stops then.
    pub timeout: Duration,
    /// Wall time until a connection stands, TLS included.
    pub connect_timeout: Duration,
    /// Operations at once; further ones wait inside their `timeout`.
    pub concurrency: usize,
    /// What servers see; some tell Git clients from browsers by a leading `git/`.
    pub user_agent: String,
    /// Bytes of one answer to a reference listing.
    pub max_listing_bytes: u64,
    /// Bytes received by one fetch.
    pub max_fetch_bytes: u64,
    /// Bytes of one file, and of any object while a pack is taken apart.
    pub max_file_bytes: u64,
    /// Bytes of all files of a commit together.
    pub max_tree_bytes: u64,
    /// Files of one commit.
    pub max_files: u64,
    /// Submodules of one commit, nested ones included.
    pub max_submodules: usize,
    /// Packs of one repository before garbage collection writes them anew as one; a fetch does it
    /// by itself at four times as many.
    pub max_packs: usize,
    /// Whether redirects and submodules may lead to another origin than the repository's; no
    /// credentials are ever sent there.
    pub foreign_origins: bool,
}

impl GitConfig {
    /// The defaults over a cache folder.
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            cache_dir: cache_dir.into(),
            timeout: Duration::from_mins(1),
            connect_timeout: Duration::from_secs(15),
            concurrency: 128,
            user_agent: concat!("git/weir-", env!("CARGO_PKG_VERSION")).to_owned(),
            max_listing_bytes: 64 << 20,
            max_fetch_bytes: 2 << 30,
            max_file_bytes: 256 << 20,
            max_tree_bytes: 4 << 30,
            max_files: 500_000,
            max_submodules: 100,
            max_packs: 40,
            foreign_origins: true,
        }
    }
}
