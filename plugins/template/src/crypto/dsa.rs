//! DSA keys. Sprig makes them with primes of 2048 and 256 bits; nothing is signed with them.

use crypto_bigint::modular::runtime_mod::{DynResidue, DynResidueParams};
use crypto_bigint::{Encoding as _, U256, U2048, Zero as _};
use rsa::rand_core::RngCore;

use super::der::{self, INTEGER, SEQUENCE};
use super::prime::{any, candidate, first_prime, small_primes};

/// Numbers that are tried from one random start (Go's `crypto/dsa` tries as many).
const REACH: u32 = 4 * 2048;

/// A new key as Sprig writes it: version, p, q, g, y and x.
pub(super) fn new_key(random: &mut impl RngCore) -> Vec<u8> {
    let divisors = small_primes();
    let (p, q) = loop {
        let two = U256::from_u8(2);
        let found = first_prime(&candidate(random), &two, REACH, &divisors, random);
        let Some(q) = found else { continue };
        let wide: U2048 = q.resize();
        // All that are tried leave one when divided by q.
        let step = wide.shl_vartime(1);
        let start: U2048 = candidate(random);
        let start = start
            .wrapping_sub(&start.wrapping_rem(&step))
            .wrapping_add(&U2048::ONE);
        if let Some(p) = first_prime(&start, &step, REACH, &divisors, random) {
            break (p, q);
        }
    };
    let params = DynResidueParams::new(&p);
    let one = DynResidue::one(params);
    let order = p.wrapping_sub(&U2048::ONE).wrapping_div(&q.resize());
    let generator = (2_u8..).map(|base| DynResidue::new(&U2048::from_u8(base), params).pow(&order));
    // Nearly always the first one.
    let generator = generator.take(usize::from(u8::MAX)).find(|it| *it != one);
    let generator = generator.unwrap_or(one);
    let secret = below(&q, random);
    let public = generator.pow(&secret);
    let integer = |number: &U2048| der::unsigned(&number.to_be_bytes());
    let parts = [
        der::tagged(INTEGER, &[0]),
        integer(&p),
        der::unsigned(&q.to_be_bytes()),
        integer(&generator.retrieve()),
        integer(&public.retrieve()),
        der::unsigned(&secret.to_be_bytes()),
    ];
    der::list(SEQUENCE, &parts)
}

/// A number from 1 up to the limit.
fn below(limit: &U256, random: &mut impl RngCore) -> U256 {
    loop {
        let number: U256 = any(random);
        if !bool::from(number.is_zero()) && number < *limit {
            return number;
        }
    }
}

/// Whether this is a key, as far as its form goes.
pub(super) fn is_key(bytes: &[u8]) -> bool {
    let mut data = bytes;
    let Some(mut fields) = der::expect(&mut data, SEQUENCE) else {
        return false;
    };
    (0..6).all(|_| der::expect(&mut fields, INTEGER).is_some())
}
