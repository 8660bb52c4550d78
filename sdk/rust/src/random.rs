//! Randomness for renderers. A result that asked for it is not cached.

use crate::bindings::imports::weir::plugin::random;

/// Cryptographically secure random bytes; at most 64 KiB a call.
pub fn bytes(len: u32) -> Vec<u8> {
    random::bytes(len)
}
