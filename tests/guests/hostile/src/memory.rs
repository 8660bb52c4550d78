//! Attacks on memory.

use std::arch::wasm32::memory_grow;
use std::hint::black_box;

use crate::Attack;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("eat-at-once", |_| {
        // All that 32 bits can address, in pages of 64 KiB.
        black_box(memory_grow::<0>(65_535 - 64));
        Ok(())
    }),
    ("eat-in-pieces", |_| {
        let mut all: Vec<Box<[u8; 1000]>> = Vec::new();
        loop {
            all.push(black_box(Box::new([1; 1000])));
        }
    }),
    ("eat-untouched", |_| {
        loop {
            // Asks page by page, writes nothing, and does not care for the answer.
            black_box(memory_grow::<0>(1));
        }
    }),
];
