//! Shared by the tests of this crate: a client with a cache of its own, and trees as maps.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

pub mod proxy;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use weir_git::{GitClient, GitConfig};
use weir_plugin::{Checkout, EntryKind, Failure, Git as _, Reference, Remote, Tree, Wanted};
use weir_tests_support::Repo;

/// A client and its cache folder, which goes with it.
pub struct Client {
    pub git: GitClient,
    pub cache: TempDir,
}

impl Client {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut GitConfig)) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let git = open(&cache, change);
        Self { git, cache }
    }

    /// As a host that starts again on the same cache.
    pub fn restart(self) -> Self {
        self.restart_with(|_| {})
    }

    pub fn restart_with(self, change: impl FnOnce(&mut GitConfig)) -> Self {
        let git = open(&self.cache, change);
        Self {
            git,
            cache: self.cache,
        }
    }

    pub async fn list(&self, repo: &Repo, prefixes: &[&str]) -> Result<Vec<Reference>, Failure> {
        let prefixes = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
        self.git.list_references(remote(repo.url()), prefixes).await
    }

    pub async fn fetch(
        &self,
        repo: &Repo,
        commit: &str,
        reference: Option<&str>,
    ) -> Result<Checkout, Failure> {
        self.git
            .fetch(remote(repo.url()), wanted(commit, reference))
            .await
    }

    /// The files of a commit that must be fetched without trouble.
    pub async fn files(&self, repo: &Repo, commit: &str) -> BTreeMap<String, String> {
        let checkout = self
            .fetch(repo, commit, Some("refs/heads/main"))
            .await
            .unwrap();
        assert_eq!(checkout.commit.id, commit);
        files(&*checkout.files)
    }

    /// Folders of repositories in the cache.
    pub fn repositories(&self) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(self.cache.path()).unwrap();
        entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect()
    }
}

fn open(cache: &TempDir, change: impl FnOnce(&mut GitConfig)) -> GitClient {
    let mut config = GitConfig::new(cache.path());
    // A test that waits that long has failed.
    config.timeout = Duration::from_mins(2);
    change(&mut config);
    GitClient::new(config).unwrap()
}

pub fn remote(url: &str) -> Remote {
    Remote {
        url: url.to_owned(),
        credentials: None,
        ca_certificate: None,
    }
}

pub fn secret(pairs: &[(&str, &str)]) -> Arc<BTreeMap<String, Vec<u8>>> {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), value.as_bytes().to_vec());
    Arc::new(pairs.iter().map(pair).collect())
}

pub fn wanted(commit: &str, reference: Option<&str>) -> Wanted {
    Wanted {
        commit: commit.to_owned(),
        reference: reference.map(str::to_owned),
        sparse: Vec::new(),
        submodules: false,
    }
}

/// Every file of a tree with its content, found by walking; `*` marks executable ones. Checks on
/// the way that what the tree says of a file is true.
pub fn files(tree: &dyn Tree) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    walk(tree, "", &mut found);
    found
}

fn walk(tree: &dyn Tree, directory: &str, found: &mut BTreeMap<String, String>) {
    assert_eq!(
        tree.kind(directory),
        Some(EntryKind::Directory),
        "{directory}"
    );
    for entry in tree.entries(directory).unwrap() {
        let path = if directory.is_empty() {
            entry.name
        } else {
            format!("{directory}/{}", entry.name)
        };
        assert_eq!(tree.kind(&path), Some(entry.kind), "{path}");
        match entry.kind {
            EntryKind::Directory => walk(tree, &path, found),
            EntryKind::File => {
                let info = tree.file(&path).unwrap();
                let content = tree.read(&path).unwrap();
                assert_eq!(info.size, content.len() as u64, "{path}");
                assert_eq!(info.digest, weir_plugin::Digest::of(&content), "{path}");
                let mark = if info.executable { "*" } else { "" };
                found.insert(
                    format!("{path}{mark}"),
                    String::from_utf8_lossy(&content).into_owned(),
                );
            }
        }
    }
}

/// A map of texts, for comparisons.
pub fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}
