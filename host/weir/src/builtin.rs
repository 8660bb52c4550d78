//! The components that the binary carries, so that it starts and builds without a registry.

use std::sync::Arc;

use weir_plugin::{Builtin, LoadError, Plugin, Runtime};

/// All of them; empty in a binary that was built without.
pub static BUILTINS: &[Builtin] = include!(concat!(env!("OUT_DIR"), "/builtins.rs"));

/// A built-in component is not there, or does not load.
#[derive(Debug, thiserror::Error)]
pub enum BuiltinError {
    /// A plain `cargo build` makes such a binary.
    #[error("this binary was built without its components: run `cargo xtask build`")]
    NoComponents,
    /// There are others.
    #[error("there is no built-in plugin `{name}`; there are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// The runtime refuses it.
    #[error("failed to load the built-in plugin `{name}`")]
    Load {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: LoadError,
    },
}

/// Loads one of them by name.
pub async fn load(runtime: &Runtime, name: &str) -> Result<Arc<Plugin>, BuiltinError> {
    if BUILTINS.is_empty() {
        return Err(BuiltinError::NoComponents);
    }
    let Some(builtin) = BUILTINS.iter().find(|builtin| builtin.name == name) else {
        let known: Vec<&str> = BUILTINS.iter().map(|builtin| builtin.name).collect();
        return Err(BuiltinError::Unknown {
            name: name.to_owned(),
            known: known.join(", "),
        });
    };
    runtime
        .load_builtin(builtin)
        .await
        .map_err(|source| BuiltinError::Load {
            name: name.to_owned(),
            source,
        })
}
