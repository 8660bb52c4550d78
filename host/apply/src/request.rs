//! Requests to the API server, as bytes: what is needed of an answer is its status code, its
//! date and a part of its metadata, and most answers are asked for as metadata only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, Request, StatusCode, header};
use kube::Client;
use kube::client::Body;
use kube::core::Status;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::error::RequestError;
use crate::object::Gvk;

/// Asks for metadata only; an aggregated API that cannot do so sends the whole object.
pub(crate) const METADATA: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;q=0.9";
pub(crate) const METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;q=0.9";
pub(crate) const JSON: &str = "application/json";
/// Server-side apply. JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";
const JSON_PATCH: &str = "application/json-patch+json";

/// Where a kind is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) gvk: Gvk,
    pub(crate) plural: String,
    pub(crate) namespaced: bool,
}

impl Resource {
    /// Path of all objects of the kind.
    pub(crate) fn collection(&self) -> String {
        let Gvk { group, version, .. } = &self.gvk;
        if group.is_empty() {
            format!("/api/{version}/{}", self.plural)
        } else {
            format!("/apis/{group}/{version}/{}", self.plural)
        }
    }

    /// Path of one object.
    pub(crate) fn path(&self, namespace: &str, name: &str) -> String {
        let Gvk { group, version, .. } = &self.gvk;
        let root = if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        };
        let name = encode(name);
        if self.namespaced {
            format!(
                "{root}/namespaces/{}/{}/{name}",
                encode(namespace),
                self.plural
            )
        } else {
            format!("{root}/{}/{name}", self.plural)
        }
    }
}

/// Percent-encodes what must not stand in a path segment. Manifests are other people's input: a
/// name must not become another path or a query.
pub(crate) fn encode(segment: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    // A segment of dots alone would climb.
    if matches!(encoded.as_str(), "." | "..") {
        encoded.replace('.', "%2E")
    } else {
        encoded
    }
}

/// What the server answered.
pub(crate) struct Answer {
    pub(crate) created: bool,
    pub(crate) body: Vec<u8>,
    /// The earliest moment, by the server's clock, at which it can have worked on the request.
    pub(crate) not_before: Option<jiff::Timestamp>,
}

impl Answer {
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, RequestError> {
        serde_json::from_slice(&self.body).map_err(|error| RequestError {
            code: 0,
            reason: "BadAnswer".to_owned(),
            message: format!("the API server's answer cannot be read: {error}"),
            retry_after: None,
        })
    }
}

/// How an object is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Apply<'a> {
    pub(crate) manager: &'a str,
    pub(crate) dry_run: bool,
    /// Answer with the whole object.
    pub(crate) whole: bool,
}

/// A client with bounds. Cheap to clone; clones share the bound on requests under way.
#[derive(Clone)]
pub(crate) struct Requests {
    pub(crate) client: Client,
    slots: Arc<Semaphore>,
    timeout: Duration,
}

impl Requests {
    pub(crate) fn new(client: Client, at_once: usize, timeout: Duration) -> Self {
        Self {
            client,
            slots: Arc::new(Semaphore::new(at_once.max(1))),
            timeout,
        }
    }

    pub(crate) fn with_client(&self, client: Client) -> Self {
        Self {
            client,
            ..self.clone()
        }
    }

    pub(crate) async fn apply(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        body: Vec<u8>,
        how: Apply<'_>,
    ) -> Result<Answer, RequestError> {
        let mut path = resource.path(namespace, name);
        path.push_str("?force=true&fieldManager=");
        path.push_str(&encode(how.manager));
        if how.dry_run {
            path.push_str("&dryRun=All");
        }
        let accept = if how.whole { JSON } else { METADATA };
        self.send(Method::PATCH, &path, Some((APPLY, body)), accept)
            .await
    }

    pub(crate) async fn json_patch(
        &self,
        path: &str,
        manager: &str,
        patch: &Value,
    ) -> Result<Answer, RequestError> {
        let path = format!("{path}?fieldManager={}", encode(manager));
        self.send(
            Method::PATCH,
            &path,
            Some((JSON_PATCH, bytes(patch))),
            METADATA,
        )
        .await
    }

    pub(crate) async fn get(&self, path: &str, accept: &str) -> Result<Answer, RequestError> {
        self.send(Method::GET, path, None, accept).await
    }

    pub(crate) async fn delete(&self, path: &str, options: &Value) -> Result<Answer, RequestError> {
        self.send(Method::DELETE, path, Some((JSON, bytes(options))), METADATA)
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Vec<u8>)>,
        accept: &str,
    ) -> Result<Answer, RequestError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, accept);
        let body = match body {
            Some((kind, body)) => {
                request = request.header(header::CONTENT_TYPE, kind);
                body
            }
            None => Vec::new(),
        };
        let request = request
            .body(Body::from(body))
            .map_err(|error| RequestError {
                code: 0,
                reason: "BadRequest".to_owned(),
                message: format!("no request can be made of {path}: {error}"),
                retry_after: None,
            })?;
        // Never closed, so never an error.
        let _slot = self.slots.acquire().await;
        match tokio::time::timeout(self.timeout, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(RequestError {
                code: 0,
                reason: "Timeout".to_owned(),
                message: format!(
                    "the API server did not answer within {}",
                    weir_api::Duration(self.timeout)
                ),
                retry_after: None,
            }),
        }
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Answer, RequestError> {
        let began = Instant::now();
        let response = self
            .client
            .send(request)
            .await
            .map_err(|error| unreachable(&error))?;
        let took = began.elapsed();
        let (parts, body) = response.into_parts();
        let body = body
            .collect_bytes()
            .await
            .map_err(|error| unreachable(&error))?;
        if parts.status.is_client_error() || parts.status.is_server_error() {
            return Err(refused(parts.status, &parts.headers, &body));
        }
        let date = parts
            .headers
            .get(header::DATE)
            .and_then(|date| date.to_str().ok())
            .and_then(|date| jiff::fmt::rfc2822::parse(date).ok())
            .map(|date| date.timestamp());
        // The header is cut to seconds, and so are the times the server writes.
        let slack = jiff::SignedDuration::from_millis(took.as_millis() as i64 + 1_000);
        Ok(Answer {
            created: parts.status == StatusCode::CREATED,
            body: body.into(),
            not_before: date.and_then(|date| date.checked_sub(slack).ok()),
        })
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn unreachable(error: &kube::Error) -> RequestError {
    match error {
        kube::Error::Api(status) => from_status(status, None),
        other => {
            // kube prints its source already; the chain below it is what says why.
            let mut message = other.to_string();
            let mut source = std::error::Error::source(other).and_then(std::error::Error::source);
            while let Some(cause) = source {
                let text = cause.to_string();
                if !message.contains(&text) {
                    message.push_str(": ");
                    message.push_str(&text);
                }
                source = cause.source();
            }
            RequestError {
                code: 0,
                reason: "Unreachable".to_owned(),
                message,
                retry_after: None,
            }
        }
    }
}

fn refused(code: StatusCode, headers: &http::HeaderMap, body: &[u8]) -> RequestError {
    let retry_after = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    match serde_json::from_slice::<Status>(body) {
        Ok(mut status) => {
            status.code = code.as_u16();
            from_status(&status, retry_after)
        }
        // A proxy, or an API server that is not up yet.
        Err(_) => RequestError {
            code: code.as_u16(),
            reason: code.canonical_reason().unwrap_or_default().replace(' ', ""),
            message: String::from_utf8_lossy(body)
                .trim()
                .chars()
                .take(1_000)
                .collect(),
            retry_after,
        },
    }
}

fn from_status(status: &Status, retry_after: Option<Duration>) -> RequestError {
    let told = status
        .details
        .as_ref()
        .map(|details| u64::from(details.retry_after_seconds));
    RequestError {
        code: status.code,
        reason: status.reason.clone(),
        message: status.message.clone(),
        retry_after: retry_after
            .or_else(|| told.filter(|seconds| *seconds > 0).map(Duration::from_secs)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(group: &str, plural: &str, namespaced: bool) -> Resource {
        Resource {
            gvk: Gvk {
                group: group.into(),
                version: "v1".into(),
                kind: "X".into(),
            },
            plural: plural.into(),
            namespaced,
        }
    }

    #[test]
    fn paths() {
        let core = resource("", "configmaps", true);
        assert_eq!(core.collection(), "/api/v1/configmaps");
        assert_eq!(
            core.path("ns", "a.b"),
            "/api/v1/namespaces/ns/configmaps/a.b"
        );
        let roles = resource("rbac.authorization.k8s.io", "clusterroles", false);
        assert_eq!(
            roles.path("", "system:node"),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node"
        );
    }

    #[test]
    fn names_cannot_leave_their_segment() {
        let core = resource("", "configmaps", true);
        assert_eq!(
            core.path("..", "a/../b?x=1"),
            "/api/v1/namespaces/%2E%2E/configmaps/a%2F..%2Fb%3Fx%3D1"
        );
    }

    #[test]
    fn refusals_are_read_with_and_without_a_status() {
        let body = br#"{"kind":"Status","status":"Failure","message":"no","reason":"Forbidden",
            "details":{"retryAfterSeconds":3},"code":403}"#;
        let error = refused(StatusCode::FORBIDDEN, &http::HeaderMap::new(), body);
        assert_eq!((error.code, error.reason.as_str()), (403, "Forbidden"));
        assert_eq!(error.retry_after, Some(Duration::from_secs(3)));
        let error = refused(StatusCode::BAD_GATEWAY, &http::HeaderMap::new(), b"<html>");
        assert_eq!((error.code, error.reason.as_str()), (502, "BadGateway"));
        assert!(error.is_retryable());
    }
}
