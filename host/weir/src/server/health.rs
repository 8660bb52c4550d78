//! `/healthz`: the process answers. `/readyz`: it has seen the cluster and can do its work.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use parking_lot::Mutex;

/// What the host still waits for before it is ready.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<BTreeSet<&'static str>>>);

impl Readiness {
    /// Not ready until each of these is [`done`](Readiness::done).
    pub fn waiting_for(steps: impl IntoIterator<Item = &'static str>) -> Self {
        Self(Arc::new(Mutex::new(steps.into_iter().collect())))
    }

    /// Also not ready until this is done.
    pub fn wait_for(&self, step: &'static str) {
        self.0.lock().insert(step);
    }

    /// One step less to wait for.
    pub fn done(&self, step: &str) {
        self.0.lock().remove(step);
    }

    /// Whether nothing is waited for.
    pub fn is_ready(&self) -> bool {
        self.0.lock().is_empty()
    }

    fn answer(&self) -> (StatusCode, String) {
        let waiting = self.0.lock();
        if waiting.is_empty() {
            return (StatusCode::OK, "ok".to_owned());
        }
        let steps: Vec<&str> = waiting.iter().copied().collect();
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("waiting for {}\n", steps.join(", ")),
        )
    }
}

/// The server's routes.
pub fn health(readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(move || async move { readiness.answer() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_means_that_nothing_is_waited_for() {
        let readiness = Readiness::waiting_for(["plugins", "views"]);
        assert_eq!(readiness.answer().0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(readiness.answer().1, "waiting for plugins, views\n");
        readiness.done("views");
        readiness.done("plugins");
        assert!(readiness.is_ready());
        assert_eq!(readiness.answer(), (StatusCode::OK, "ok".to_owned()));
    }
}
