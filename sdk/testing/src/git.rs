//! A Git repository that exists in a test only: commits are trees in memory, ids are made up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use weir_plugin::{
    Checkout, Commit, Digest, Failure, FailureClass, Git, MemoryTree, Reference, Remote, Wanted,
};

/// A repository. Clones share it.
///
/// ```
/// use weir_sdk_testing::Repository;
///
/// let repository = Repository::new("https://git.example.com/app.git");
/// let first = repository.commit("First", [("README.md", "hello")]);
/// repository.set("refs/heads/main", &first);
/// repository.annotate("refs/tags/v1.0.0", &first);
/// ```
#[derive(Clone, Debug)]
pub struct Repository {
    url: String,
    content: Arc<Mutex<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    commits: BTreeMap<String, (Commit, Arc<MemoryTree>)>,
    references: BTreeMap<String, Reference>,
    /// Keys that a Secret must have, with their values, if the repository is private.
    credentials: Option<BTreeMap<String, Vec<u8>>>,
    listed: Vec<Vec<String>>,
    fetched: Vec<Wanted>,
}

impl Repository {
    /// An empty repository at a URL.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            content: Arc::default(),
        }
    }

    /// Adds a commit with all its files; returns its id. Each commit is a minute younger than the
    /// one before.
    ///
    /// # Panics
    /// A path is no path for a file.
    #[track_caller]
    pub fn commit<P: AsRef<str>, C: Into<bytes::Bytes>>(
        &self,
        message: &str,
        files: impl IntoIterator<Item = (P, C)>,
    ) -> String {
        let tree = MemoryTree::from_pairs(files).unwrap_or_else(|error| panic!("{error}"));
        let mut content = self.content();
        let number = content.commits.len();
        let id = Digest::of(format!("{number} {message}")).hex()[..40].to_owned();
        let commit = Commit {
            id: id.clone(),
            time: 1_767_225_600 + 60 * i64::try_from(number).unwrap_or(i64::MAX),
            message: message.to_owned(),
            signature: None,
        };
        content.commits.insert(id.clone(), (commit, Arc::new(tree)));
        id
    }

    /// Points a reference (by its full name) at a commit.
    pub fn set(&self, name: &str, commit: &str) {
        self.point(name, commit.to_owned(), None);
    }

    /// Points a tag at a commit through a tag object of its own.
    pub fn annotate(&self, name: &str, commit: &str) {
        let object = Digest::of(format!("tag {name} {commit}")).hex()[..40].to_owned();
        self.point(name, object, Some(commit.to_owned()));
    }

    fn point(&self, name: &str, target: String, peeled: Option<String>) {
        let reference = Reference {
            name: name.to_owned(),
            target,
            peeled,
        };
        self.content().references.insert(name.to_owned(), reference);
    }

    /// Makes the repository private: the Secret must have these keys and values.
    pub fn require<K: Into<String>, V: Into<Vec<u8>>>(
        &self,
        credentials: impl IntoIterator<Item = (K, V)>,
    ) {
        let credentials = credentials
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        self.content().credentials = Some(credentials);
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The prefixes of each list that was asked for.
    pub fn lists(&self) -> Vec<Vec<String>> {
        self.content().listed.clone()
    }

    /// What was fetched: the commit, the directories, whether with submodules.
    pub fn fetches(&self) -> Vec<Wanted> {
        self.content().fetched.clone()
    }

    pub(crate) fn origin(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("https", &self.url));
        let host = rest.split('/').next().unwrap_or_default();
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        format!("{scheme}://{host}")
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The content, for who may see it.
    fn open(&self, remote: &Remote) -> Result<MutexGuard<'_, Content>, Failure> {
        if remote.url != self.url {
            return Err(failure(FailureClass::NotFound, "repository not found"));
        }
        let content = self.content();
        let given = remote.credentials.as_deref();
        match &content.credentials {
            Some(required)
                if !required
                    .iter()
                    .all(|(key, value)| given.and_then(|given| given.get(key)) == Some(value)) =>
            {
                Err(failure(
                    FailureClass::Unauthorized,
                    "authentication required",
                ))
            }
            _ => Ok(content),
        }
    }
}

fn failure(class: FailureClass, message: &str) -> Failure {
    Failure::new(class, "GitFailed", message)
}

#[async_trait]
impl Git for Repository {
    async fn list_references(
        &self,
        remote: Remote,
        prefixes: Vec<String>,
    ) -> Result<Vec<Reference>, Failure> {
        let mut content = self.open(&remote)?;
        content.listed.push(prefixes.clone());
        let wanted = |name: &str| {
            prefixes.is_empty() || prefixes.iter().any(|prefix| name.starts_with(prefix))
        };
        Ok(content
            .references
            .values()
            .filter(|each| wanted(&each.name))
            .cloned()
            .collect())
    }

    async fn fetch(&self, remote: Remote, wanted: Wanted) -> Result<Checkout, Failure> {
        let mut content = self.open(&remote)?;
        content.fetched.push(wanted.clone());
        let (commit, files) = content
            .commits
            .get(&wanted.commit)
            .cloned()
            .ok_or_else(|| failure(FailureClass::NotFound, "the server has no such commit"))?;
        Ok(Checkout {
            commit,
            tag_signature: None,
            files,
        })
    }
}
