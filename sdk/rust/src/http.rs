//! Outbound HTTP through the host, which keeps the allow-list, TLS roots, proxy, timeouts, size
//! limits, decompression, redirects and credentials.
//!
//! ```no_run
//! use weir_sdk::http::{Auth, Request};
//!
//! # fn example() -> weir_sdk::Result<()> {
//! let response = Request::post("https://chat.example.com/api/messages")
//!     .json(&serde_json::json!({ "text": "hello" }))
//!     // `token` is a key of the Secret in slot `default`; its value never enters the component.
//!     .header("Authorization", "Bearer {{token}}")
//!     .auth(Auth::template("default"))
//!     .send()?
//!     .require_success("NotificationFailed")?;
//! # Ok(())
//! # }
//! ```

use std::time::Duration;

use serde::Serialize;

use crate::bindings::imports::weir::plugin::http;
use crate::{Blob, Class, Error, Result};

/// Credentials of a request, by the name of a slot.
#[derive(Clone, Debug)]
pub struct Auth(http::Auth);

impl Auth {
    /// What the keys of the slot's Secret say: basic, bearer, client certificate, GitHub App.
    pub fn slot(slot: impl Into<String>) -> Self {
        Self(http::Auth {
            slot: slot.into(),
            scheme: None,
            parameters: Vec::new(),
        })
    }

    /// Only fills in `{{key}}` placeholders in the URL and in header values.
    pub fn template(slot: impl Into<String>) -> Self {
        Self::slot(slot).scheme("template")
    }

    /// `aws-sigv4`, `gcp`, `azure`, `oauth2`, `template`.
    pub fn scheme(mut self, scheme: impl Into<String>) -> Self {
        self.0.scheme = Some(scheme.into());
        self
    }

    /// For the scheme: `region`, `service`, `scope`, `token-url`, `key`.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.parameters.push((name.into(), value.into()));
        self
    }
}

/// A request.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request(http::Request);

impl Request {
    /// A request without headers, body or credentials.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self(http::Request {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            auth: None,
        })
    }

    /// `GET`.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// `POST`.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.headers.push((name.into(), value.into()));
        self
    }

    /// Sets a header in place of all by that name; case does not count.
    pub fn set_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0
            .headers
            .retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.header(name, value)
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.0.body = Some(body.into());
        self
    }

    /// Sets the body to a value as JSON, with its content type. A value that has no JSON form (a
    /// map with keys that are no strings) becomes `null`.
    pub fn json(self, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_else(|_| b"null".to_vec());
        self.header("Content-Type", "application/json").body(body)
    }

    /// Sets the credentials.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.0.auth = Some(auth.0);
        self
    }

    /// The method, for tests.
    pub fn method(&self) -> &str {
        &self.0.method
    }

    /// The URL, for tests; placeholders are not filled in.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The headers, for tests; placeholders are not filled in.
    pub fn headers(&self) -> Headers {
        Headers(self.0.headers.clone())
    }

    /// The body, for tests.
    pub fn content(&self) -> Option<&[u8]> {
        self.0.body.as_deref()
    }

    /// The slot whose credentials it uses, for tests.
    pub fn slot(&self) -> Option<&str> {
        self.0.auth.as_ref().map(|auth| auth.slot.as_str())
    }

    /// Sends it; the body of the answer is copied into the component. Any HTTP status is `Ok`.
    ///
    /// # Errors
    /// No answer: `denied` by the grants, `unavailable` peer, `unauthorized` without a Secret.
    pub fn send(&self) -> Result<Response> {
        let http::Response {
            status,
            headers,
            body,
        } = http::send(&self.0)?;
        Ok(Response {
            status,
            headers: Headers(headers),
            body,
        })
    }

    /// As [`Request::send`], but the body stays with the host.
    ///
    /// # Errors
    /// As [`Request::send`].
    pub fn fetch(&self) -> Result<Download> {
        Ok(http::fetch(&self.0)?.into())
    }
}

/// As [`Request::fetch`], concurrently. Order is kept.
pub fn fetch_many(requests: Vec<Request>) -> Vec<Result<Download>> {
    let requests: Vec<_> = requests.into_iter().map(|request| request.0).collect();
    http::fetch_many(&requests)
        .into_iter()
        .map(|result| result.map(Download::from).map_err(Error::from))
        .collect()
}

/// Headers of a request or an answer.
#[derive(Clone, Debug, Default)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first value of a header; case does not count.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// An answer with its body.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Headers,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer, for tests of what is made of it.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Headers::default(),
            body: body.into(),
        }
    }

    /// Turns a status other than 2xx into an error with `code`: 401 and 403 are `unauthorized`;
    /// 429 and 5xx `unavailable` with the answer's `Retry-After`, 501 `unsupported`; others
    /// `invalid-settings`.
    ///
    /// # Errors
    /// As said; the message holds the status and the start of the body.
    pub fn require_success(self, code: &str) -> Result<Self> {
        match status_error(self.status, &self.headers, code) {
            None => Ok(self),
            Some(error) => Err(match excerpt(&self.body) {
                text if text.is_empty() => error,
                text => {
                    let message = format!("{}: {text}", error.message());
                    error.with_message(message)
                }
            }),
        }
    }
}

/// An answer whose body the host holds.
#[derive(Debug)]
pub struct Download {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Headers,
    /// The body, decompressed.
    pub content: Blob,
}

impl Download {
    /// As [`Response::require_success`], without the body's text.
    ///
    /// # Errors
    /// As [`Response::require_success`].
    pub fn require_success(self, code: &str) -> Result<Self> {
        match status_error(self.status, &self.headers, code) {
            None => Ok(self),
            Some(error) => Err(error),
        }
    }
}

impl From<http::Download> for Download {
    fn from(download: http::Download) -> Self {
        Self {
            status: download.status,
            headers: Headers(download.headers),
            content: Blob::new(download.content),
        }
    }
}

fn status_error(status: u16, headers: &Headers, code: &str) -> Option<Error> {
    let class = match status {
        200..=299 => return None,
        401 | 403 => Class::Unauthorized,
        501 => Class::Unsupported,
        408 | 425 | 429 | 500..=599 => Class::Unavailable,
        _ => Class::InvalidSettings,
    };
    let error = Error::new(
        class,
        code,
        format!("the server answered with status {status}"),
    );
    // The form with a date is rare; backoff serves it as well.
    let wait = headers
        .get("retry-after")
        .and_then(|value| value.trim().parse().ok());
    Some(match wait {
        Some(seconds) => error.retry_after(Duration::from_secs(seconds)),
        None => error,
    })
}

/// The first line or so of an error page, for a person.
fn excerpt(body: &[u8]) -> String {
    const CHARACTERS: usize = 200;
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * CHARACTERS)]);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Response {
            status,
            headers: Headers(headers),
            body: body.into(),
        }
    }

    #[test]
    fn status_decides_what_the_host_does_next() {
        assert!(response(204, &[], "").require_success("X").is_ok());
        let class = |status| {
            response(status, &[], "")
                .require_success("X")
                .unwrap_err()
                .class()
        };
        assert_eq!(class(401), Class::Unauthorized);
        assert_eq!(class(404), Class::InvalidSettings);
        assert_eq!(class(429), Class::Unavailable);
        assert_eq!(class(503), Class::Unavailable);
    }

    #[test]
    fn error_quotes_the_answer() {
        let error = response(400, &[], "invalid_payload\n\n").require_success("PostFailed");
        let error = error.unwrap_err();
        assert_eq!(error.code(), "PostFailed");
        assert_eq!(
            error.message(),
            "the server answered with status 400: invalid_payload"
        );
    }

    #[test]
    fn retry_after_is_passed_on() {
        let error = response(429, &[("Retry-After", "30")], "")
            .require_success("X")
            .unwrap_err();
        let failure = crate::bindings::imports::weir::plugin::types::Failure::from(error);
        assert_eq!(failure.retry_after, Some(30));
    }
}
