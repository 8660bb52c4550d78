//! `/metrics`.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::telemetry::{METRICS_CONTENT_TYPE, Metrics};

/// The server's routes.
pub fn metrics(metrics: Arc<Metrics>) -> Router {
    let scrape = move || {
        let metrics = Arc::clone(&metrics);
        async move {
            // Encoding thousands of series takes milliseconds and reads /proc.
            match tokio::task::spawn_blocking(move || metrics.encode()).await {
                Ok(text) => ([(CONTENT_TYPE, METRICS_CONTENT_TYPE)], text).into_response(),
                Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            }
        }
    };
    Router::new().route("/metrics", get(scrape))
}
