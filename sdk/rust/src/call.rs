//! The first argument of every call: on whose behalf it happens, and the artifacts handed in.

use serde::de::DeserializeOwned;

use crate::bindings::imports::weir::plugin::context;
use crate::{Dir, Result, about};

/// The Kubernetes object on whose behalf a call happens.
pub use crate::bindings::imports::weir::plugin::types::Subject;

/// Context of a call. Each question becomes part of the cache key of the result, so ask only for
/// what the result depends on.
#[derive(Debug)]
pub struct Call(context::Call);

impl Call {
    pub(crate) fn new(call: context::Call) -> Self {
        Self(call)
    }

    /// The object on whose behalf the call happens.
    pub fn subject(&self) -> Subject {
        self.0.subject()
    }

    pub(crate) fn settings<S: DeserializeOwned>(&self) -> Result<S> {
        about::parse(&self.0.settings())
    }

    /// Names of the artifacts handed in.
    pub fn inputs(&self) -> Vec<String> {
        self.0.inputs()
    }

    /// The tree of an artifact handed in.
    ///
    /// # Errors
    /// `not-found` when there is no input of that name.
    pub fn tree(&self, input: &str) -> Result<Dir> {
        Ok(Dir::new(self.0.tree(input)?))
    }

    /// The input `source`: what a renderer renders.
    ///
    /// # Errors
    /// `not-found` when the call has no such input.
    pub fn source(&self) -> Result<Dir> {
        self.tree("source")
    }

    /// Revision of an artifact handed in, `main@sha1:…`. A result that depends on it changes with
    /// every commit.
    ///
    /// # Errors
    /// `not-found` when there is no input of that name.
    pub fn revision(&self, input: &str) -> Result<String> {
        Ok(self.0.revision(input)?)
    }
}
