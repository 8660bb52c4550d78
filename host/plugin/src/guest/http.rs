//! `http`: requests through the host's client.

use super::{State, Stop, unsupported};
use crate::bindings::weir::plugin::http;

impl http::Host for State {
    fn send(&mut self, _request: http::Request) -> Result<http::Response, Stop> {
        Err(unsupported("HTTP").into())
    }

    fn fetch(&mut self, _request: http::Request) -> Result<http::Download, Stop> {
        Err(unsupported("HTTP").into())
    }

    fn fetch_many(
        &mut self,
        requests: Vec<http::Request>,
    ) -> wasmtime::Result<Vec<Result<http::Download, crate::bindings::weir::plugin::types::Failure>>>
    {
        Ok(requests
            .iter()
            .map(|_| Err(unsupported("HTTP").into()))
            .collect())
    }
}
