//! Attacks on time and on the native stack.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Attack;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("spin", |_| {
        loop {
            black_box(0);
        }
    }),
    ("spin-asking", |scene| {
        loop {
            black_box(scene.target.has_api("v1"));
        }
    }),
    ("spin-sleeping", |_| {
        loop {
            std::thread::sleep(Duration::from_secs(3600));
        }
    }),
    ("recurse", |_| {
        black_box(deeper(0, &mut |_| ()));
        Ok(())
    }),
    ("recurse-asking", |scene| {
        let tree = scene.call.tree("source")?;
        // A host function that needs some stack of its own, called from every depth.
        black_box(deeper(0, &mut |_| {
            black_box(tree.glob("**/{a,b}/*.{yaml,yml}").is_ok());
        }));
        Ok(())
    }),
];

/// Never comes back, for all that a compiler can know. Its frame is on the native stack alone: that
/// of the guest's own memory would end first.
#[inline(never)]
fn deeper(depth: u64, on_the_way: &mut dyn FnMut(u64)) -> u64 {
    on_the_way(depth);
    if depth == BOTTOM.load(Ordering::Relaxed) {
        return depth;
    }
    deeper(depth + 1, on_the_way).wrapping_mul(3) ^ depth
}

static BOTTOM: AtomicU64 = AtomicU64::new(u64::MAX);
