//! The host's HTTP servers: artifacts, metrics, health.
//!
//! All are plain HTTP inside the cluster, as Flux's are. Each listens on an address of its own,
//! where port 0 asks for a free one, and stops on a token: no new connections, a few seconds for
//! what runs.

mod files;
mod health;
mod listen;
mod metrics;

pub use files::files;
pub use health::{Readiness, health};
pub use listen::{Bound, InvalidListen, Listen};
pub use metrics::metrics;

/// Where an artifact is found: `prefix` as [`crate::config::Storage::url_prefix`] gives it, or just
/// host and port.
pub fn artifact_url(prefix: &str, path: &str) -> String {
    let scheme = if prefix.contains("://") {
        ""
    } else {
        "http://"
    };
    format!("{scheme}{}/{path}", prefix.trim_end_matches('/'))
}
