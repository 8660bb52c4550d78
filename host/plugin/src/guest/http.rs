//! `http`: requests through the host's clients. The host checks the grants, fills in credentials
//! and bounds the answers.

mod authorise;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use futures::StreamExt;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use authorise::{authorise, fill};

use super::secrets::{Secret, denied};
use super::{Blob, State, Stop};
use crate::bindings::weir::plugin::{http as wire, types};
use crate::net::{Budget, Outgoing, Trust, exchange};
use crate::runtime::meter::HostEnded;
use crate::{Failure, FailureClass, Grants};

/// Requests of one `fetch-many` on the wire at a time.
const CONCURRENT: usize = 16;
/// Requests of one `fetch-many`.
const MAX_REQUESTS: usize = 10_000;
/// Headers that are the connection's or the host's, not the plugin's: with them one request could
/// be made to look like two.
const HOST_HEADERS: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl State {
    /// Checks a request and fills in what the object's Secret brings.
    fn outgoing(&mut self, request: wire::Request) -> Result<Outgoing, Stop> {
        let mut secret = match &request.auth {
            None => None,
            Some(auth) => self.credentials(auth)?,
        };
        let fill = |text: &str, secret: &Option<Secret>| match &request.auth {
            None => Ok(text.to_owned()),
            Some(auth) => fill(text, &auth.slot, secret.as_ref()),
        };
        let method = http::Method::from_bytes(request.method.as_bytes())
            .ok()
            .filter(|method| !matches!(*method, http::Method::CONNECT | http::Method::TRACE))
            .ok_or_else(|| invalid(format!("`{}` is no method", request.method)))?;
        // The URL may be the secret itself: it is not repeated.
        let url = Url::parse(&fill(&request.url, &secret)?).map_err(|error| {
            let message = format!("the URL is not valid: {error}");
            Failure::new(FailureClass::InvalidSettings, "InvalidURL", message)
        })?;
        if let Some(auth) = &request.auth {
            secret = self.slot_for(&auth.slot, &url)?;
            // A Secret that is not for this origin is not part of its URL either.
            fill(&request.url, &secret)?;
        }

        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let known = HeaderName::from_bytes(name.as_bytes())
                .ok()
                .filter(|name| !HOST_HEADERS.contains(&name.as_str()))
                .ok_or_else(|| invalid(format!("`{name}` is no header that a plugin may set")))?;
            let mut value = HeaderValue::from_str(&fill(value, &secret)?)
                .map_err(|_| invalid(format!("the value of the header `{name}` is not valid")))?;
            value.set_sensitive(request.auth.is_some());
            headers.append(known, value);
        }
        let mut trust = Trust {
            ca_certificate: self.ca_certificate()?,
            identity: None,
        };
        if let (Some(auth), Some(secret)) = (&request.auth, &secret) {
            authorise(auth, secret, &mut headers, &mut trust)?;
        }
        Ok(Outgoing {
            method,
            url,
            headers,
            body: request.body.map(Bytes::from),
            trust,
        })
    }

    /// The Secret of a request's slot, if the object binds one.
    fn credentials(&mut self, auth: &wire::Auth) -> Result<Option<Secret>, Stop> {
        match auth.scheme.as_deref() {
            None | Some("basic" | "bearer" | "template") => self.slot(&auth.slot),
            Some(scheme) => Err(super::unsupported(&format!("the scheme `{scheme}`")).into()),
        }
    }

    fn grants(&self) -> wasmtime::Result<Arc<Grants>> {
        Ok(self.call()?.grants.clone())
    }

    /// What the answers of this call may still have.
    fn budget(&self) -> Budget {
        Budget {
            body: self.meter.limits.http_body,
            left: self.downloads.clone(),
        }
    }

    fn masked(&self, mut failure: Failure) -> Failure {
        self.mask.apply_to(&mut failure);
        failure
    }

    /// One request whose body the host keeps.
    pub(super) fn download(
        &mut self,
        outgoing: Result<Outgoing, Failure>,
    ) -> impl Future<Output = Result<(crate::net::Answer, Blob), Failure>> + use<> {
        let (environment, grants, budget) = (
            self.environment.clone(),
            self.grants().unwrap_or_default(),
            self.budget(),
        );
        async move {
            let mut spool = environment.spool();
            let keep = |part: &[u8]| spool.append(part);
            let answer = exchange(&environment.clients, &grants, &budget, outgoing?, keep).await?;
            Ok((answer, Blob(spool.finish())))
        }
    }
}

impl wire::Host for State {
    fn send(&mut self, request: wire::Request) -> Result<wire::Response, Stop> {
        let outgoing = self.outgoing(request)?;
        let (environment, grants) = (self.environment.clone(), self.grants()?);
        // The body ends up in the guest's memory: more than fits there need not be received.
        let mut budget = self.budget();
        budget.body = budget.body.min(self.meter.limits.memory);
        let sent = self.wait(async move {
            let mut body = Vec::new();
            let keep = |part: &[u8]| {
                body.extend_from_slice(part);
                Ok(())
            };
            let answer = exchange(&environment.clients, &grants, &budget, outgoing, keep).await?;
            Ok::<_, Failure>((answer, body))
        })?;
        let (answer, body) = sent.map_err(|failure| self.masked(failure))?;
        Ok(wire::Response {
            status: answer.status,
            headers: answer.headers,
            body,
        })
    }

    fn fetch(&mut self, request: wire::Request) -> Result<wire::Download, Stop> {
        let outgoing = self.outgoing(request)?;
        let download = self.download(Ok(outgoing));
        let (answer, blob) = self
            .wait(download)?
            .map_err(|failure| self.masked(failure))?;
        let content = self.push(blob)?;
        Ok(wire::Download {
            status: answer.status,
            headers: answer.headers,
            content,
        })
    }

    fn fetch_many(
        &mut self,
        requests: Vec<wire::Request>,
    ) -> wasmtime::Result<Vec<Result<wire::Download, types::Failure>>> {
        let beyond = requests.len().saturating_sub(MAX_REQUESTS);
        let mut downloads = Vec::with_capacity(requests.len() - beyond);
        for request in requests.into_iter().take(MAX_REQUESTS) {
            self.meter.check()?;
            let outgoing = match self.outgoing(request) {
                Ok(outgoing) => Ok(outgoing),
                Err(Stop::Failure(failure)) => Err(failure),
                Err(Stop::Trap(error)) => return Err(error),
            };
            downloads.push(self.download(outgoing));
        }
        let all = futures::stream::iter(downloads)
            .buffered(CONCURRENT)
            .collect::<Vec<_>>();
        let all = self
            .wait(all)
            .map_err(|ended: HostEnded| wasmtime::Error::from(ended))?;
        let refused = || denied(format!("more than {MAX_REQUESTS} requests at once"));
        let refused = (0..beyond).map(|_| Err(refused()));
        all.into_iter()
            .chain(refused)
            .map(|downloaded| match downloaded {
                Ok((answer, blob)) => Ok(Ok(wire::Download {
                    status: answer.status,
                    headers: answer.headers,
                    content: self.push(blob)?,
                })),
                Err(failure) => Ok(Err(self.masked(failure).into())),
            })
            .collect()
    }
}

/// What all answers of one call may have together: as much as it may put out, and each at least
/// once.
pub(super) fn downloads(limits: &crate::Limits) -> Arc<AtomicU64> {
    Arc::new(AtomicU64::new(
        limits.output_bytes.saturating_mul(2).max(limits.http_body),
    ))
}

fn invalid(message: String) -> Failure {
    Failure::new(FailureClass::Internal, "InvalidRequest", message)
}
