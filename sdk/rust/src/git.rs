//! Git through the host: transport, credentials, known hosts, proxy and the object store are the
//! host's. Content goes from there into the artifact without entering the component.

use crate::bindings::imports::weir::plugin::git;
use crate::{Dir, Result};

/// A commit.
pub use git::Commit;
/// An advertised reference.
pub use git::Reference;
/// A signature and what it signs.
pub use git::Signed;
/// What to fetch.
pub use git::Wanted;

/// A remote repository.
#[derive(Clone, Debug)]
pub struct Remote(git::Remote);

impl Remote {
    /// `http(s)://` or `ssh://`, without credentials.
    pub fn new(url: impl Into<String>) -> Self {
        Self(git::Remote {
            url: url.into(),
            slot: None,
        })
    }

    /// Uses the credentials of a slot.
    pub fn slot(mut self, slot: impl Into<String>) -> Self {
        self.0.slot = Some(slot.into());
        self
    }

    /// References whose full name starts with one of the prefixes.
    ///
    /// # Errors
    /// `unauthorized`, `unavailable`, `not-found`, or `denied` by the grants.
    pub fn list_references(&self, prefixes: &[String]) -> Result<Vec<Reference>> {
        Ok(git::list_references(&self.0, prefixes)?)
    }

    /// Fetches one commit.
    ///
    /// # Errors
    /// As [`Remote::list_references`].
    pub fn fetch(&self, wanted: &Wanted) -> Result<Checkout> {
        Ok(Checkout(git::fetch(&self.0, wanted)?))
    }
}

/// A fetched commit.
#[derive(Debug)]
pub struct Checkout(git::Checkout);

impl Checkout {
    /// The commit.
    pub fn commit(&self) -> Commit {
        self.0.commit()
    }

    /// Signature of the annotated tag that it was found under.
    pub fn tag_signature(&self) -> Option<Signed> {
        self.0.tag_signature()
    }

    /// Its tree.
    pub fn files(&self) -> Dir {
        Dir::new(self.0.files())
    }
}
