//! One request with its redirects, and its answer within bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::TryStreamExt;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use url::Url;

use super::client::{Clients, NotPublic, Trust, check_literal};
use crate::{Failure, FailureClass, Granted, Grants};

/// Redirects followed.
const MAX_REDIRECTS: usize = 10;
/// Headers that go along to another origin: they carry no credentials.
const HARMLESS: [HeaderName; 9] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::RANGE,
    header::USER_AGENT,
    header::CACHE_CONTROL,
];

/// A request, checked and with its credentials filled in.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// Of the origin that the request names first; another gets no client certificate.
    pub(crate) trust: Trust,
}

/// Bytes that the answers of one call may have.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    /// Each body.
    pub(crate) body: u64,
    /// What is left for all of them.
    pub(crate) left: Arc<AtomicU64>,
}

impl Budget {
    fn take(&self, bytes: u64) -> bool {
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(bytes)
            })
            .is_ok()
    }
}

/// Status and headers; the body went where the caller wanted it.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
}

/// Sends the request, follows redirects within the grants, and hands the body to `keep` piece by
/// piece.
pub(crate) async fn exchange(
    clients: &Clients,
    grants: &Grants,
    budget: &Budget,
    mut outgoing: Outgoing,
    mut keep: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<Answer, Failure> {
    for _ in 0..=MAX_REDIRECTS {
        let response = send(clients, grants, &outgoing).await?;
        match redirect(&outgoing, response.status(), response.headers())? {
            Some(next) => outgoing = next,
            None => return receive(response, budget, &mut keep).await,
        }
    }
    let message = format!("more than {MAX_REDIRECTS} redirects");
    Err(Failure::new(
        FailureClass::Unavailable,
        "TooManyRedirects",
        message,
    ))
}

async fn send(
    clients: &Clients,
    grants: &Grants,
    outgoing: &Outgoing,
) -> Result<reqwest::Response, Failure> {
    let url = &outgoing.url;
    if !matches!(url.scheme(), "http" | "https") {
        let message = format!("`{}` is no scheme of HTTP", url.scheme());
        return Err(Failure::new(
            FailureClass::InvalidSettings,
            "InvalidURL",
            message,
        ));
    }
    let Some(granted) = grants.allows(url) else {
        let message = format!(
            "`{}` is not granted to the plugin",
            url.origin().ascii_serialization()
        );
        return Err(Failure::new(FailureClass::Denied, "NotGranted", message));
    };
    let public_only = granted == Granted::ByPattern && !grants.private_networks;
    if public_only {
        check_literal(url).map_err(|error| not_public(&error))?;
    }
    let client = clients.get(public_only, &outgoing.trust)?;
    let mut request = client
        .request(outgoing.method.clone(), url.clone())
        .headers(outgoing.headers.clone());
    if let Some(body) = &outgoing.body {
        request = request.body(body.clone());
    }
    request.send().await.map_err(unreachable)
}

/// The request that a redirect asks for; `None`: the answer is no redirect.
fn redirect(
    from: &Outgoing,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Outgoing>, Failure> {
    let keeps_method = match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => {
            matches!(from.method, Method::GET | Method::HEAD)
        }
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        _ => return Ok(None),
    };
    let Some(location) = headers.get(header::LOCATION) else {
        return Ok(None);
    };
    let invalid = || {
        let message = "the peer redirects to something that is no URL";
        Failure::new(FailureClass::Unavailable, "InvalidRedirect", message)
    };
    let location = location.to_str().map_err(|_| invalid())?;
    let mut next = from.clone();
    next.url = from.url.join(location).map_err(|_| invalid())?;
    if !keeps_method {
        next.method = Method::GET;
        next.body = None;
        next.headers.remove(header::CONTENT_TYPE);
        next.headers.remove(header::CONTENT_ENCODING);
    }
    if next.url.origin() != from.url.origin() {
        next.headers = from
            .headers
            .iter()
            .filter(|(name, _)| HARMLESS.contains(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        next.trust.identity = None;
    }
    Ok(Some(next))
}

async fn receive(
    response: reqwest::Response,
    budget: &Budget,
    keep: &mut impl FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<Answer, Failure> {
    let too_large = || {
        let message = format!(
            "the answer is larger than the {} bytes allowed",
            budget.body
        );
        Failure::new(FailureClass::Denied, "TooLarge", message)
    };
    let answer = Answer {
        status: response.status().as_u16(),
        headers: response.headers().iter().map(printable).collect(),
    };
    if response
        .content_length()
        .is_some_and(|length| length > budget.body)
    {
        return Err(too_large());
    }
    let mut size = 0;
    let mut body = response.bytes_stream();
    while let Some(part) = body.try_next().await.map_err(unreachable)? {
        size += part.len() as u64;
        if size > budget.body || !budget.take(part.len() as u64) {
            return Err(too_large());
        }
        keep(&part).map_err(|error| {
            let message = format!("the host cannot keep the answer: {error}");
            Failure::new(FailureClass::Unavailable, "WriteFailed", message)
        })?;
    }
    Ok(answer)
}

fn printable((name, value): (&HeaderName, &HeaderValue)) -> (String, String) {
    (
        name.as_str().to_owned(),
        String::from_utf8_lossy(value.as_bytes()).into_owned(),
    )
}

fn not_public(error: &NotPublic) -> Failure {
    Failure::new(FailureClass::Denied, "AddressNotGranted", error.to_string())
}

/// A failure without answer. The URL stays out of it: it may hold a secret.
fn unreachable(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(cause) = source {
        if let Some(refused) = cause.downcast_ref::<NotPublic>() {
            return not_public(refused);
        }
        source = cause.source();
    }
    let code = if error.is_timeout() {
        "Timeout"
    } else if error.is_connect() {
        "ConnectionFailed"
    } else {
        "RequestFailed"
    };
    Failure::new(FailureClass::Unavailable, code, crate::chain(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(method: Method, url: &str) -> Outgoing {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::AUTHORIZATION,
            HeaderValue::from_static("Bearer s3cret"),
        );
        headers.insert("private-token", HeaderValue::from_static("s3cret"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        let trust = Trust {
            ca_certificate: None,
            identity: Some(vec![1]),
        };
        Outgoing {
            method,
            url: Url::parse(url).unwrap(),
            headers,
            body: Some(Bytes::from_static(b"{}")),
            trust,
        }
    }

    fn follow(from: &Outgoing, status: u16, location: &'static str) -> Outgoing {
        let headers =
            HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_static(location))]);
        redirect(from, StatusCode::from_u16(status).unwrap(), &headers)
            .unwrap()
            .unwrap()
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let from = outgoing(Method::GET, "https://a.example/x");
        let same = follow(&from, 302, "/y");
        assert_eq!(same.url.as_str(), "https://a.example/y");
        assert_eq!(same.headers.len(), 3);
        for location in [
            "https://b.example/",
            "http://a.example/",
            "https://a.example:444/",
        ] {
            let other = follow(&from, 307, location);
            assert_eq!(
                other.headers.keys().collect::<Vec<_>>(),
                ["accept"],
                "{location}"
            );
            assert!(other.trust.identity.is_none());
        }
    }

    #[test]
    fn a_post_becomes_a_get_unless_the_status_says_otherwise() {
        let from = outgoing(Method::POST, "https://a.example/x");
        for (status, method) in [
            (301, "GET"),
            (302, "GET"),
            (303, "GET"),
            (307, "POST"),
            (308, "POST"),
        ] {
            let next = follow(&from, status, "/y");
            assert_eq!(next.method, method, "{status}");
            assert_eq!(next.body.is_some(), method == "POST");
        }
        assert!(
            redirect(&from, StatusCode::NOT_MODIFIED, &HeaderMap::new())
                .unwrap()
                .is_none()
        );
    }
}
