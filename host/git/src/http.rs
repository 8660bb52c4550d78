//! HTTP as Git needs it, on the host's own client: TLS roots per object, pooled connections,
//! redirects followed by hand, answers that a person can act on.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode, Url};

use crate::config::GitConfig;
use crate::endpoint::{Endpoint, Trust};
use crate::error::{Error, one_line};
use crate::foreign;

/// Hops of one request, as in browsers' order of magnitude.
const MAX_REDIRECTS: usize = 10;
/// Bytes of an error page that are looked at for the message.
const ERROR_TEXT: usize = 4 << 10;
/// Distinct TLS settings kept with their connections; beyond that all start anew.
const MAX_CLIENTS: usize = 256;
/// Without a byte for this long a connection counts as dead. Longer than servers think about a
/// large repository without a sign of life (Git's own say something every five seconds).
const IDLE: Duration = Duration::from_mins(2);

/// HTTP clients by TLS material. Each pools its connections, so a poll is one request on a
/// connection that stands.
#[derive(Debug)]
pub(crate) struct Clients {
    user_agent: String,
    connect_timeout: Duration,
    foreign_origins: bool,
    by_trust: Mutex<HashMap<Trust, Client>>,
}

/// An answer whose status was good.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: Response,
    /// Where it came from, after redirects.
    pub(crate) url: Url,
}

impl Clients {
    pub(crate) fn new(config: &GitConfig) -> Self {
        Self {
            user_agent: config.user_agent.clone(),
            connect_timeout: config.connect_timeout,
            foreign_origins: config.foreign_origins,
            by_trust: Mutex::default(),
        }
    }

    fn client(&self, trust: &Trust) -> Result<Client, Error> {
        if let Some(client) = self.by_trust.lock().get(trust) {
            return Ok(client.clone());
        }
        let mut builder = Client::builder()
            .user_agent(&self.user_agent)
            .connect_timeout(self.connect_timeout)
            .read_timeout(IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .tcp_nodelay(true);
        if let Some(pem) = &trust.ca_certificate {
            let certificates = reqwest::Certificate::from_pem_bundle(pem)
                .ok()
                .filter(|all| !all.is_empty())
                .ok_or_else(|| Error::Credentials("'ca.crt' holds no PEM certificate".into()))?;
            builder = builder.tls_certs_only(certificates);
        }
        if let Some(pem) = &trust.identity {
            let identity = reqwest::Identity::from_pem(pem).map_err(|error| {
                Error::Credentials(format!("'tls.crt' and 'tls.key' cannot be used: {error}"))
            })?;
            builder = builder.identity(identity);
        }
        let client = builder.build().map_err(|error| {
            Error::Credentials(format!("TLS cannot be set up: {}", causes(&error)))
        })?;
        let mut all = self.by_trust.lock();
        if all.len() >= MAX_CLIENTS {
            all.clear();
        }
        all.insert(trust.clone(), client.clone());
        Ok(client)
    }

    /// Sends one request for `endpoint`. Credentials and client certificates go to its own
    /// origin only. `Err` for every status but success and redirection.
    async fn send(
        &self,
        endpoint: &Endpoint,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Response, Error> {
        let at_home = url.origin() == endpoint.base.origin();
        let client = if at_home {
            self.client(&endpoint.trust)?
        } else {
            self.client(&Trust {
                identity: None,
                ..endpoint.trust.clone()
            })?
        };
        let mut attempts = 0;
        let response = loop {
            let mut request = client
                .request(method.clone(), url.clone())
                .headers(headers.clone());
            if at_home && let Some(value) = &endpoint.authorization {
                request = request.header(reqwest::header::AUTHORIZATION, value.clone());
            }
            if method == Method::POST {
                request = request.body(body.clone());
            }
            match request.send().await {
                Ok(response) => break response,
                // A pooled connection that the server closed just now. All that is asked here is
                // safe to ask twice.
                Err(error) if attempts == 0 && !error.is_connect() && !error.is_timeout() => {
                    attempts += 1;
                }
                Err(error) => return Err(unreachable_peer(url, error)),
            }
        };
        if response.status().is_success() || response.status().is_redirection() {
            return Ok(response);
        }
        Err(refusal(endpoint, url, response).await)
    }

    /// `GET base/tail`, following redirects as long as they keep the tail: then the repository
    /// itself has moved.
    pub(crate) async fn get(
        &self,
        endpoint: &Endpoint,
        tail: &str,
        headers: &HeaderMap,
    ) -> Result<Answer, Error> {
        let mut url = below(&endpoint.base, tail)?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self
                .send(endpoint, &Method::GET, &url, headers, &Bytes::new())
                .await?;
            if !response.status().is_redirection() {
                return Ok(Answer { response, url });
            }
            url = self.redirection(endpoint, &url, &response, tail).await?;
        }
        Err(Error::unavailable(format!(
            "more than {MAX_REDIRECTS} redirects, the last to {url}"
        )))
    }

    /// `POST base/tail`; `base` is where the `GET` ended.
    pub(crate) async fn post(
        &self,
        endpoint: &Endpoint,
        base: &Url,
        tail: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Error> {
        let url = below(base, tail)?;
        let response = self
            .send(endpoint, &Method::POST, &url, headers, &body)
            .await?;
        if response.status().is_redirection() {
            return Err(Error::unavailable(format!(
                "the server redirects a request that carries data ({})",
                response.status()
            )));
        }
        Ok(Answer { response, url })
    }

    async fn redirection(
        &self,
        endpoint: &Endpoint,
        from: &Url,
        response: &Response,
        tail: &str,
    ) -> Result<Url, Error> {
        let status = response.status();
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| from.join(value).ok())
            .ok_or_else(|| Error::unavailable(format!("{status} without a usable location")))?;
        let shown = crate::endpoint::display(location.as_str());
        if !matches!(location.scheme(), "http" | "https")
            || (from.scheme() == "https" && location.scheme() == "http")
        {
            return Err(Error::Denied(format!(
                "the server redirects to {shown}, away from https, which is not followed"
            )));
        }
        if !location.as_str().ends_with(tail) {
            return Err(Error::Unauthorized(format!(
                "the server redirects to {shown}, which is no Git repository; often that is the \
                 login page of a server that wants credentials"
            )));
        }
        if location.origin() != endpoint.base.origin() {
            self.admit(endpoint, &location).await?;
        }
        let mut location = location;
        let _ = location.set_username("");
        let _ = location.set_password(None);
        Ok(location)
    }

    /// Whether requests may be led to another origin.
    pub(crate) async fn admit(&self, endpoint: &Endpoint, to: &Url) -> Result<(), Error> {
        foreign::admit(self.foreign_origins, endpoint, to).await
    }
}

/// Reads a whole body of at most `limit` bytes.
pub(crate) async fn read_all(mut response: Response, limit: u64) -> Result<Bytes, Error> {
    let mut all = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| broken_off(&error, all.len()))?
    {
        if (all.len() + chunk.len()) as u64 > limit {
            return Err(Error::Content(format!(
                "the server's answer is larger than {limit} bytes"
            )));
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all.into())
}

/// An answer that ended before its end.
pub(crate) fn broken_off(error: &reqwest::Error, received: usize) -> Error {
    if error.is_timeout() {
        return Error::unavailable(format!(
            "no data for {}s after {received} bytes of the server's answer",
            IDLE.as_secs()
        ));
    }
    Error::unavailable(format!(
        "the server's answer ended early, after {received} bytes: {}",
        causes(error)
    ))
}

/// The media type without parameters.
pub(crate) fn content_type(response: &Response) -> String {
    let value = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = value
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    media_type.trim().to_ascii_lowercase()
}

fn below(base: &Url, tail: &str) -> Result<Url, Error> {
    let text = format!("{}/{tail}", base.as_str().trim_end_matches('/'));
    Url::parse(&text).map_err(|error| Error::Url(format!("'{text}': {error}")))
}

async fn refusal(endpoint: &Endpoint, url: &Url, mut response: Response) -> Error {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse().ok());
    let mut said = String::new();
    // Only what is meant to be read: error pages in HTML say nothing in their first lines.
    if content_type(&response) == "text/plain" {
        let mut text = Vec::new();
        while text.len() < ERROR_TEXT
            && let Ok(Some(chunk)) = response.chunk().await
        {
            text.extend_from_slice(&chunk[..chunk.len().min(ERROR_TEXT)]);
        }
        said = one_line(&String::from_utf8_lossy(&text));
        if !said.is_empty() {
            said.insert_str(0, ": ");
        }
    }
    let at_home = url.origin() == endpoint.base.origin();
    match status {
        StatusCode::UNAUTHORIZED if endpoint.authorization.is_none() => {
            Error::Unauthorized(format!(
                "authentication required, and the object names no credentials ({status}){said}"
            ))
        }
        StatusCode::UNAUTHORIZED if !at_home => Error::Unauthorized(format!(
            "authentication required by {}, to which the server redirects; credentials are not \
             sent to another origin, so name that address itself ({status}){said}",
            url.origin().ascii_serialization()
        )),
        StatusCode::UNAUTHORIZED => Error::Unauthorized(format!(
            "authentication failed, the server does not accept the credentials ({status}){said}"
        )),
        StatusCode::FORBIDDEN => {
            Error::Unauthorized(format!("access denied by the server ({status}){said}"))
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => Error::NotFound(format!(
            "repository not found, or not visible with these credentials ({status}){said}"
        )),
        _ => Error::Unavailable {
            message: format!("the server answered {status}{said}"),
            retry_after,
        },
    }
}

fn unreachable_peer(url: &Url, error: reqwest::Error) -> Error {
    let host = url.host_str().unwrap_or_default();
    let peer = match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let error = error.without_url();
    if let Some(tls) = find::<rustls::Error>(&error) {
        let advice = match tls {
            rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer) => {
                "the server's certificate is not signed by a known authority; if it is your own, \
                 name it as 'ca.crt' in the secret: "
            }
            rustls::Error::InvalidCertificate(_) => "the server's certificate is not valid: ",
            _ => "",
        };
        return Error::unavailable(format!("TLS with {peer} failed: {advice}{tls}"));
    }
    if error.is_timeout() {
        let what = if error.is_connect() {
            "connect to"
        } else {
            "get an answer from"
        };
        return Error::unavailable(format!("cannot {what} {peer}: timed out"));
    }
    let what = if error.is_connect() {
        "cannot connect to"
    } else {
        "connection lost to"
    };
    Error::unavailable(format!("{what} {peer}: {}", causes(&error)))
}

/// The causes of an error, without the layers that only say that there is one.
fn causes(error: &(dyn StdError + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        let says_nothing = text.starts_with("error sending request")
            || text.starts_with("client error (")
            || text.starts_with("error decoding response body")
            || text.starts_with("request or response body error")
            || text == "builder error";
        if !says_nothing && !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = cause.source();
    }
    if parts.is_empty() {
        error.to_string()
    } else {
        one_line(&parts.join(": "))
    }
}

/// A cause of one type, also where `std::io::Error` hides it.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<T>() {
            return Some(found);
        }
        if let Some(inner) = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            && let Some(found) = find::<T>(inner)
        {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_appended() {
        let base = Url::parse("https://git.example/team/a%20b.git").unwrap();
        assert_eq!(
            below(&base, "info/refs?service=git-upload-pack")
                .unwrap()
                .as_str(),
            "https://git.example/team/a%20b.git/info/refs?service=git-upload-pack"
        );
        let root = Url::parse("https://git.example").unwrap();
        assert_eq!(
            below(&root, "git-upload-pack").unwrap().path(),
            "/git-upload-pack"
        );
    }
}
