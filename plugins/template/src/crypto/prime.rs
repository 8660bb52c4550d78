//! Large primes, for RSA and DSA keys.
//!
//! The search of the RSA library takes a minute for a key of 4096 bits in a component. This one
//! drops nearly all candidates by small divisors, and raises the others to their powers with a
//! library that is made for numbers of a fixed size.

use crypto_bigint::modular::runtime_mod::{DynResidue, DynResidueParams};
use crypto_bigint::{Encoding as _, U1024, U2048, Uint, Word, Zero as _};
use rsa::BigUint;
use rsa::rand_core::RngCore;

/// Divisors that are tried first are below this.
const SMALL: u32 = 1 << 14;
/// Numbers that a search tries from a random one on.
const REACH: u32 = 1 << 15;
/// Rounds of Miller-Rabin: for numbers of this size and at random, more than FIPS 186-5 asks for
/// (table B.1: 5 for 1024 bits).
const ROUNDS: usize = 8;

/// A prime of so many bits, the upper two of which are set; nothing for a size that is not needed.
pub(super) fn prime(random: &mut impl RngCore, bits: usize) -> Option<BigUint> {
    match bits {
        1024 => Some(search::<{ U1024::LIMBS }>(random, |it| {
            it.to_be_bytes().to_vec()
        })),
        2048 => Some(search::<{ U2048::LIMBS }>(random, |it| {
            it.to_be_bytes().to_vec()
        })),
        _ => None,
    }
}

fn search<const LIMBS: usize>(
    random: &mut impl RngCore,
    bytes: impl Fn(&Uint<LIMBS>) -> Vec<u8>,
) -> BigUint {
    let divisors = small_primes();
    loop {
        let start = candidate::<LIMBS>(random);
        let found = first_prime(&start, &Uint::from_u8(2), REACH, &divisors, random);
        if let Some(number) = found {
            return BigUint::from_bytes_be(&bytes(&number));
        }
    }
}

/// The first prime among so many numbers from `start` on, `step` apart. What is divided by one of
/// `divisors` is left out unseen.
pub(super) fn first_prime<const LIMBS: usize>(
    start: &Uint<LIMBS>,
    step: &Uint<LIMBS>,
    most: u32,
    divisors: &[u32],
    random: &mut impl RngCore,
) -> Option<Uint<LIMBS>> {
    let remainders = divisors
        .iter()
        .map(|it| (*it, remainder(start, *it), remainder(step, *it)));
    // Divisors are below 2^14 and steps below 2^16: nothing overflows.
    let remainders: Vec<(u32, u32, u32)> = remainders.collect();
    let divided = |steps: u32| {
        let mut all = remainders.iter();
        all.any(|(divisor, first, each)| (first + steps * each).is_multiple_of(*divisor))
    };
    let tried = (0..most).filter(|steps| !divided(*steps));
    tried
        .map(|steps| start.wrapping_add(&step.wrapping_mul(&Uint::<LIMBS>::from_u32(steps))))
        .find(|number| is_prime(number, random))
}

/// An odd number with its upper two bits set: the product of two such has all its bits.
pub(super) fn candidate<const LIMBS: usize>(random: &mut impl RngCore) -> Uint<LIMBS> {
    let top = Uint::<LIMBS>::BITS - 1;
    let both = Uint::ONE.shl_vartime(top) | Uint::ONE.shl_vartime(top - 1);
    any(random) | both | Uint::ONE
}

pub(super) fn any<const LIMBS: usize>(random: &mut impl RngCore) -> Uint<LIMBS> {
    let words = std::array::from_fn(|_| {
        let mut bytes = [0; size_of::<Word>()];
        random.fill_bytes(&mut bytes);
        Word::from_le_bytes(bytes)
    });
    Uint::from_words(words)
}

/// The odd primes below [`SMALL`], by the sieve of Eratosthenes.
pub(super) fn small_primes() -> Vec<u32> {
    let mut composite = vec![false; SMALL as usize];
    let mut primes = Vec::new();
    for number in (3..SMALL).step_by(2) {
        if composite[number as usize] {
            continue;
        }
        primes.push(number);
        for multiple in (number * number..).step_by(2 * number as usize) {
            match composite.get_mut(multiple as usize) {
                Some(slot) => *slot = true,
                None => break,
            }
        }
    }
    primes
}

fn remainder<const LIMBS: usize>(number: &Uint<LIMBS>, divisor: u32) -> u32 {
    let words = number.as_words().iter().rev();
    let rest = words.fold(0, |rest, word| {
        ((rest << Word::BITS) | u128::from(*word)) % u128::from(divisor)
    });
    rest as u32
}

/// Miller-Rabin with random bases.
fn is_prime<const LIMBS: usize>(number: &Uint<LIMBS>, random: &mut impl RngCore) -> bool {
    let params = DynResidueParams::new(number);
    let one = DynResidue::one(params);
    let minus_one = -one;
    let before = number.wrapping_sub(&Uint::ONE);
    let twos = before.trailing_zeros();
    let odd = before.shr_vartime(twos);
    (0..ROUNDS).all(|round| {
        let base = if round == 0 {
            Uint::from_u8(2)
        } else {
            any(random).wrapping_rem(number)
        };
        let mut power = DynResidue::new(&base, params).pow(&odd);
        if bool::from(base.is_zero()) || power == one || power == minus_one {
            return true;
        }
        (1..twos).any(|_| {
            power = power.square();
            power == minus_one
        })
    })
}

#[cfg(test)]
mod tests {
    use rsa::rand_core::{CryptoRng, Error};

    use super::*;

    /// Numbers that look random and are the same each time.
    struct Steps(u64);

    impl CryptoRng for Steps {}

    impl RngCore for Steps {
        fn next_u32(&mut self) -> u32 {
            self.next_u64() as u32
        }

        fn next_u64(&mut self) -> u64 {
            // splitmix64
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = self.0;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^ (word >> 31)
        }

        fn fill_bytes(&mut self, bytes: &mut [u8]) {
            for chunk in bytes.chunks_mut(8) {
                chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
            }
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
            self.fill_bytes(bytes);
            Ok(())
        }
    }

    #[test]
    fn what_is_found_is_prime_and_has_its_size() {
        let mut random = Steps(1);
        let found = prime(&mut random, 1024).unwrap();
        assert_eq!(found.bits(), 1024);
        assert!(prime(&mut random, 100).is_none());
    }

    #[test]
    fn primes_are_told_from_other_numbers() {
        let mut random = Steps(2);
        let mersenne = (Uint::<{ U1024::LIMBS }>::ONE.shl_vartime(127)).wrapping_sub(&Uint::ONE);
        assert!(is_prime(&mersenne, &mut random));
        assert!(!is_prime(
            &mersenne.wrapping_add(&Uint::from_u8(2)),
            &mut random
        ));
        // Carmichael numbers, and a strong pseudoprime to base 2.
        for number in [561_u32, 1_373_653, 2047, 25_326_001] {
            assert!(!is_prime(
                &Uint::<{ U1024::LIMBS }>::from_u32(number),
                &mut random
            ));
        }
        let small = small_primes();
        assert_eq!(small[..5], [3, 5, 7, 11, 13]);
        assert_eq!(small.len(), 1899);
    }
}
