//! The binary `weir`. All of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    weir::memory::limit_arenas();
    // The one TLS provider of the process. Fails only if it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    weir::cli::main()
}
