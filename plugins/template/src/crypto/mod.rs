//! Keys and certificates, as Sprig makes them with Go's `crypto` packages.

mod certificate;
mod der;
mod dsa;
mod key;
mod pem;
mod prime;

pub(crate) use certificate::{Issuer, Request, issue, issuer_of};
pub(crate) use key::Key;
pub(crate) use pem::{decode as decode_pem, encode as encode_pem};

use rand_core::{CryptoRng, RngCore};

use crate::host::Host;

/// The randomness of the host.
pub(crate) struct HostRandom<'h>(pub(crate) &'h dyn Host);

impl RngCore for HostRandom<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, buffer: &mut [u8]) {
        self.0.fill_random(buffer);
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(buffer);
        Ok(())
    }
}

// A host promises bytes that nobody can foretell.
impl CryptoRng for HostRandom<'_> {}
