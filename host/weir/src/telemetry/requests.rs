//! Counts the requests that are sent to the API server: the figure this host is built to keep low.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::{FutureExt as _, TryFutureExt as _};
use http::{Method, Request, Response};
use tower::{Layer, Service};

use super::Metrics;

/// Wraps a client's service.
#[derive(Clone)]
pub struct CountRequests(Arc<Metrics>);

impl CountRequests {
    /// Counts in these metrics.
    pub const fn new(metrics: Arc<Metrics>) -> Self {
        Self(metrics)
    }
}

impl<S> Layer<S> for CountRequests {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted {
            inner,
            metrics: Arc::clone(&self.0),
        }
    }
}

/// See [`CountRequests`].
#[derive(Clone)]
pub struct Counted<S> {
    inner: S,
    metrics: Arc<Metrics>,
}

impl<S, B, R> Service<Request<B>> for Counted<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: 'static,
    R: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let method = name(request.method());
        let metrics = Arc::clone(&self.metrics);
        let failed = Arc::clone(&self.metrics);
        self.inner
            .call(request)
            .inspect_ok(move |response| {
                metrics.request(method, response.status().as_u16().to_string());
            })
            .inspect_err(move |_| failed.request(method, "<error>".into()))
            .boxed()
    }
}

/// The methods that a Kubernetes client sends.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "OTHER",
    }
}
