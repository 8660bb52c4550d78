//! Plugins that the release binary carries: component, code compiled at build time, description.
//!
//! `weir-precompile` writes them into a folder, with a `builtins.rs` that holds one expression of
//! type `&[Builtin]`; the binary includes that.

use std::sync::Arc;

use crate::runtime::Precompiled;
use crate::{Description, LoadError, Plugin, Runtime};

/// A plugin that the binary carries.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// Its name in the catalog.
    pub name: &'static str,
    /// The component.
    pub wasm: &'static [u8],
    /// Its code for any processor of the binary's target; may be empty.
    pub cwasm: &'static [u8],
    /// CRC-32 of the code, so that a start that finds it extracted need not read it.
    pub crc32: u32,
    /// A [`Description`] as JSON.
    pub description: &'static str,
}

impl Builtin {
    /// What the build found out about it.
    pub fn description(&self) -> Result<Description, LoadError> {
        serde_json::from_str(self.description).map_err(|error| LoadError::InvalidDescription {
            problem: format!("built-in `{}`: {error}", self.name),
        })
    }
}

impl Runtime {
    /// Loads a plugin that the binary carries: with a cache folder its code is mapped from there,
    /// else copied; code that does not fit this machine is compiled from the component.
    pub async fn load_builtin(&self, builtin: &Builtin) -> Result<Arc<Plugin>, LoadError> {
        let code = Precompiled {
            bytes: builtin.cwasm,
            crc32: builtin.crc32,
            description: builtin.description()?,
        };
        self.load_precompiled(builtin.wasm, code).await
    }
}
