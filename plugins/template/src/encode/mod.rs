//! Values as JSON, YAML and TOML, as the Go libraries below Helm write and read them.

pub(crate) mod json;
pub(crate) mod toml;
pub(crate) mod yaml;

/// Values within values that are written; a map may hold itself.
const MAX_DEPTH: usize = 200;

/// Why a value cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EncodeError {
    /// Infinity, or no number.
    #[error("json: unsupported value: {0}")]
    Number(String),
    /// Go's stack would overflow.
    #[error("value is nested too deeply")]
    Depth,
}
