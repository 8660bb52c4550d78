//! The binary `weir`. All of it is in the library.
//!
//! The allocator is the system's. With 1,000 Kustomizations a third of the resident memory is
//! allocated at all, the rest is the program; of that third glibc would waste a quarter in arenas,
//! of which it makes one per thread.

use std::process::ExitCode;

fn main() -> ExitCode {
    limit_arenas();
    // The one TLS provider of the process. Fails only if it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    weir::cli::main()
}

/// Two arenas: threads that only wait for a disk leave nothing behind, and two that work are not
/// in each other's way.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "glibc has no other way to say so")]
fn limit_arenas() {
    // SAFETY: it sets a number, before there is another thread. It is a wish: what becomes of it
    // does not matter.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 2) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn limit_arenas() {}
