//! Why an image is not pulled or pushed.

use std::path::PathBuf;

use crate::{Digest, LoadError, World};

/// Why an image is not pulled or pushed. [`ImageError::reason`] is the condition's reason.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The registry or the layout has no such image.
    #[error("`{image}` does not exist")]
    NotFound {
        /// As it was asked for.
        image: String,
    },
    /// The image holds something else.
    #[error("the image is no WebAssembly component: {why}")]
    NotAComponent {
        /// What was found instead.
        why: String,
    },
    /// The component is no plugin of this contract.
    #[error("the component is no plugin for this host")]
    NotAPlugin {
        /// Why.
        source: LoadError,
    },
    /// It is a plugin of another kind.
    #[error("the world of the plugin is {found}, {expected} is needed")]
    WrongWorld {
        /// Its world.
        found: World,
        /// What is needed.
        expected: World,
    },
    /// What arrived is not what its name says.
    #[error("the content has the digest {found}, expected {expected}")]
    DigestMismatch {
        /// Of what was asked for.
        expected: String,
        /// Of what arrived.
        found: Digest,
    },
    /// The component is larger than the host allows.
    #[error("the component has {size} bytes, {limit} are allowed")]
    TooLarge {
        /// Bytes.
        size: u64,
        /// Bytes.
        limit: u64,
    },
    /// The registry refuses the credentials, or their absence.
    #[error("the registry refuses access to `{image}`")]
    Unauthorized {
        /// As it was asked for.
        image: String,
    },
    /// The registry does not answer, or not as it should.
    #[error("the registry of `{image}` does not answer")]
    Unavailable {
        /// As it was asked for.
        image: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The credentials or certificates given cannot be used.
    #[error("the access to the registry is not valid: {why}")]
    InvalidAccess {
        /// What is wrong.
        why: String,
    },
    /// A file cannot be pushed to.
    #[error("`{}` is a file; push to a registry or an OCI layout", path.display())]
    NotPushable {
        /// Which.
        path: PathBuf,
    },
    /// A file of this machine cannot be read or written.
    #[error("failed to {what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why.
        source: std::io::Error,
    },
}

impl ImageError {
    /// UpperCamelCase, for the condition's reason.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "ImageNotFound",
            Self::NotAComponent { .. } => "InvalidImage",
            Self::NotAPlugin { source } => source.reason(),
            Self::WrongWorld { .. } => "InvalidWorld",
            Self::DigestMismatch { .. } => "DigestMismatch",
            Self::TooLarge { .. } => "TooLarge",
            Self::Unauthorized { .. } => "AuthenticationFailed",
            Self::Unavailable { .. } => "RegistryUnavailable",
            Self::InvalidAccess { .. } => "InvalidCredentials",
            Self::NotPushable { .. } => "NotPushable",
            Self::Io { .. } => "ReadFailed",
        }
    }

    /// Whether another attempt may end otherwise while the image stays what it is.
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::NotFound { .. }
                | Self::DigestMismatch { .. }
                | Self::Unauthorized { .. }
                | Self::Unavailable { .. }
                | Self::Io { .. }
        )
    }

    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    pub(super) fn not_a_component(why: impl Into<String>) -> Self {
        Self::NotAComponent { why: why.into() }
    }
}
