//! What glibc's allocator is told, which otherwise keeps what it once had: under a load of commits
//! (`cargo xtask soak`) more than two thirds of the heap were free and still resident.
//!
//! The allocator is the system's. With 1,000 Kustomizations half of the resident memory is heap, the
//! rest is the program; another allocator would be another part to know.

#![cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(unsafe_code, reason = "glibc has no other way to say so")
)]

use std::time::Duration;

/// How often free memory goes back to the system; it takes some milliseconds.
const PERIOD: Duration = Duration::from_secs(15);

/// Two arenas: threads that only wait for a disk leave nothing behind, and two that work are not
/// in each other's way. To be called before there is another thread.
pub fn limit_arenas() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it sets a number that glibc reads when it makes an arena. It is a wish: what becomes
    // of it does not matter.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2)
    };
}

/// Gives back what is free, now and then, for ever.
pub(crate) async fn give_back() {
    let mut ticks = tokio::time::interval(PERIOD);
    loop {
        ticks.tick().await;
        // Fails only when the runtime ends.
        let _ = tokio::task::spawn_blocking(trim).await;
    }
}

fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes the locks of the arenas and gives back whole pages that are free; any thread
    // may call it at any time.
    unsafe {
        libc::malloc_trim(0)
    };
}
