//! Why a component does not become a plugin.

use std::path::PathBuf;

use crate::{CallError, World};

/// Why a component does not become a plugin. [`LoadError::reason`] is the condition's reason.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The component is larger than the host allows.
    #[error("the component has {size} bytes, {limit} are allowed")]
    TooLarge {
        /// Bytes.
        size: u64,
        /// Bytes.
        limit: u64,
    },
    /// The bytes are no valid component.
    #[error("failed to compile the component")]
    Compile {
        /// Why.
        source: wasmtime::Error,
    },
    /// It exports no world of the contract.
    #[error("the component exports no world of the contract `weir:plugin`")]
    NotAPlugin,
    /// It exports more than one.
    #[error("the component exports several worlds ({worlds}), one is allowed")]
    SeveralWorlds {
        /// Their names.
        worlds: String,
    },
    /// It is built for another contract version.
    #[error("the component is built for contract version {found}, this host speaks 0.1")]
    UnsupportedContract {
        /// Which.
        found: String,
    },
    /// It imports what its world does not have.
    #[error("the component imports `{import}`, which a {world} may not have")]
    ForbiddenImport {
        /// Which.
        import: String,
        /// Of its world.
        world: World,
    },
    /// It imports a function that this host does not have, or with another type: it was built for
    /// a later point release of the contract.
    #[error("the component's imports do not fit this host")]
    IncompatibleImports {
        /// Why.
        source: wasmtime::Error,
    },
    /// `describe` did not return, or the exports have other types than the contract's.
    #[error("failed to describe the plugin")]
    Describe {
        /// How it ended.
        source: CallError,
    },
    /// What `describe` returned cannot be used.
    #[error("the plugin's description is not valid: {problem}")]
    InvalidDescription {
        /// What is wrong.
        problem: String,
    },
    /// The host itself failed.
    #[error("{0}")]
    Host(String),
}

impl LoadError {
    /// UpperCamelCase, for the condition's reason.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Read { .. } => "ReadFailed",
            Self::TooLarge { .. } => "TooLarge",
            Self::Compile { .. } => "CompileFailed",
            Self::NotAPlugin | Self::SeveralWorlds { .. } => "InvalidWorld",
            Self::UnsupportedContract { .. } | Self::IncompatibleImports { .. } => {
                "UnsupportedContract"
            }
            Self::ForbiddenImport { .. } => "ForbiddenImport",
            Self::Describe { .. } | Self::InvalidDescription { .. } => "DescribeFailed",
            Self::Host(_) => "HostError",
        }
    }

    /// Whether another attempt may end otherwise with the same component.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Host(_))
    }
}
