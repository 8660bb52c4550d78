//! Sources: where revisions come from.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::about::describe_with;
use crate::bindings::imports::weir::plugin::{artifacts, context, types};
use crate::bindings::source::exports::weir::plugin::source;
use crate::{About, Artifact, Call, Problem, Result};

/// A revision and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// For people, in Flux's form: `<name>@<algorithm>:<hex>`.
    pub id: String,
    /// Opaque to the host; `last` of the next call. Holds all that decides whether something has
    /// changed: a revision, an ETag, the revisions of inputs.
    pub token: String,
    /// One line for the event: a commit's subject.
    pub summary: Option<String>,
    /// Who signed what, once checked; becomes the SourceVerified condition.
    pub verified: Option<String>,
    /// Becomes the artifact's metadata.
    pub metadata: Vec<(String, String)>,
}

impl Revision {
    /// A revision that is its own token.
    pub fn new(id: impl Into<String>) -> Self {
        let id = id.into();
        Self {
            token: id.clone(),
            id,
            summary: None,
            verified: None,
            metadata: Vec::new(),
        }
    }

    /// Sets the token.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// Sets the line for the event.
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = Some(summary.into());
        self
    }

    /// Sets who signed what.
    pub fn verified(mut self, verified: impl Into<String>) -> Self {
        self.verified = Some(verified.into());
        self
    }

    /// Adds to the artifact's metadata.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.push((key.into(), value.into()));
        self
    }
}

/// Finds a revision and fills an artifact with its content.
///
/// ```
/// use schemars::JsonSchema;
/// use serde::Deserialize;
/// use weir_sdk::http::Request;
/// use weir_sdk::{About, Artifact, Call, Result, Revision, Source};
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Settings {
///     /// Of a tar, tar.gz or zip archive.
///     url: String,
/// }
///
/// struct Tarball;
///
/// impl Source for Tarball {
///     type Settings = Settings;
///
///     fn about() -> About {
///         About::new("tarball", env!("CARGO_PKG_VERSION")).summary("Fetches an archive by HTTP")
///     }
///
///     fn pull(
///         _: &Call,
///         settings: Settings,
///         last: Option<&str>,
///         into: &Artifact,
///     ) -> Result<Option<Revision>> {
///         let mut request = Request::get(settings.url);
///         if let Some(etag) = last {
///             request = request.header("If-None-Match", etag);
///         }
///         let answer = request.fetch()?;
///         if answer.status == 304 {
///             return Ok(None);
///         }
///         let answer = answer.require_success("FetchFailed")?;
///         into.copy_all(&answer.content.unpack()?)?;
///         let etag = answer.headers.get("etag").unwrap_or_default();
///         Ok(Some(Revision::new(answer.content.digest()).token(etag)))
///     }
/// }
///
/// weir_sdk::export!(source: Tarball);
/// ```
pub trait Source {
    /// The settings object; its schema is what the host checks before any call.
    type Settings: DeserializeOwned + JsonSchema;

    /// What the plugin says of itself.
    fn about() -> About;

    /// Semantic checks beyond the schema; used by admission and by lint.
    fn check(settings: &Self::Settings) -> Vec<Problem> {
        let _ = settings;
        Vec::new()
    }

    /// Finds the revision and fills `into` with its content, both from the same answer. `None`:
    /// unchanged since `last`, the token of the stored artifact; found out as cheaply as can be.
    ///
    /// # Errors
    /// Why there is no revision; the stored artifact stays.
    fn pull(
        call: &Call,
        settings: Self::Settings,
        last: Option<&str>,
        into: &Artifact,
    ) -> Result<Option<Revision>>;
}

/// What the contract's exports are implemented on.
#[derive(Debug)]
pub struct Component<T>(PhantomData<T>);

describe_with!(Source);

impl<T: Source> source::Guest for Component<T> {
    fn pull(
        call: context::Call,
        last: Option<String>,
        into: artifacts::Artifact,
    ) -> Result<Option<source::Revision>, types::Failure> {
        let call = Call::new(call);
        let revision = T::pull(
            &call,
            call.settings()?,
            last.as_deref(),
            &Artifact::new(into),
        )?;
        Ok(revision.map(
            |Revision {
                 id,
                 token,
                 summary,
                 verified,
                 metadata,
             }| {
                source::Revision {
                    id,
                    token,
                    summary,
                    verified,
                    metadata,
                }
            },
        ))
    }
}
