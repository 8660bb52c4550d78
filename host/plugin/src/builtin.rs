//! Plugins that the release binary carries: component, code compiled at build time, description.
//!
//! `weir-precompile` writes them into a folder, with a `builtins.rs` that holds one expression of
//! type `&[Builtin]`; the binary includes that. Component and code are packed: the binary would be
//! a quarter larger, and taking the code out of it would leave all of it in memory.

use std::io::{self, Read as _, Write};
use std::sync::Arc;

use crate::runtime::Precompiled;
use crate::{Description, LoadError, Plugin, Runtime};

/// A plugin that the binary carries.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// Its name in the catalog.
    pub name: &'static str,
    /// The component.
    pub wasm: Packed,
    /// Its code for any processor of the binary's target; may be empty.
    pub cwasm: Packed,
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
    /// else unpacked in memory; code that does not fit this machine is compiled from the component.
    pub async fn load_builtin(&self, builtin: &Builtin) -> Result<Arc<Plugin>, LoadError> {
        self.load_precompiled(Precompiled {
            wasm: builtin.wasm,
            code: builtin.cwasm,
            description: builtin.description()?,
        })
        .await
    }
}

/// Bytes as gzip packs them (RFC 1952), whose last eight say how many they are and sum them up:
/// what was unpacked before is known again without unpacking it.
#[derive(Clone, Copy, Debug)]
pub struct Packed(pub &'static [u8]);

impl Packed {
    /// Size in bytes, below four gigabytes, and CRC-32 of what is packed; `None`: nothing is.
    pub(crate) fn sum(self) -> Option<(u64, u32)> {
        let (rest, size) = self.0.split_last_chunk()?;
        let (_, crc32) = rest.split_last_chunk()?;
        Some((u32::from_le_bytes(*size).into(), u32::from_le_bytes(*crc32)))
    }

    /// Unpacks bit by bit.
    pub(crate) fn write_to(self, to: &mut impl Write) -> io::Result<()> {
        io::copy(&mut flate2::read::GzDecoder::new(self.0), to)?;
        Ok(())
    }

    /// Unpacks at once.
    pub(crate) fn unpack(self) -> io::Result<Vec<u8>> {
        let size = self.sum().map_or(0, |(size, _)| size);
        // A size that is none costs no memory.
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).min(64 << 20));
        flate2::read::GzDecoder::new(self.0).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Packs what a binary is to carry.
pub(crate) fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
