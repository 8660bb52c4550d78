//! The components that this binary carries.

use weir_plugin::Builtin;

/// Every one of them.
pub const BUILTINS: &[Builtin] = &[];
