//! The bytes of a slot, for what the host cannot do in the plugin's stead (decryption, HMAC).
//! Where credentials only accompany a request, name the slot there
//! ([`http::Auth`](crate::http::Auth)) and need no grant to read them.

use crate::Result;
use crate::bindings::imports::weir::plugin::secrets;

/// Keys of the slot's Secret; empty if none is bound or the slot is not granted.
pub fn keys(slot: &str) -> Vec<String> {
    secrets::keys(slot)
}

/// Value of one key. Needs the grant `secret`; each read is audited.
///
/// # Errors
/// `denied` without the grant, `unauthorized` without a Secret, `not-found` without the key.
pub fn get(slot: &str, key: &str) -> Result<Vec<u8>> {
    Ok(secrets::get(slot, key)?)
}
