//! `http`: requests through the host's clients. The host checks the grants, fills in credentials
//! and bounds the answers.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::StreamExt;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::Url;

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
        let secret = match &request.auth {
            None => None,
            Some(auth) => self.credentials(auth)?,
        };
        let fill = |text: &str| match (&request.auth, &secret) {
            (None, _) => Ok(text.to_owned()),
            (Some(auth), secret) => fill(text, &auth.slot, secret.as_ref()),
        };
        let method = http::Method::from_bytes(request.method.as_bytes())
            .ok()
            .filter(|method| !matches!(*method, http::Method::CONNECT | http::Method::TRACE))
            .ok_or_else(|| invalid(format!("`{}` is no method", request.method)))?;
        // The URL may be the secret itself: it is not repeated.
        let url = Url::parse(&fill(&request.url)?).map_err(|error| {
            let message = format!("the URL is not valid: {error}");
            Failure::new(FailureClass::InvalidSettings, "InvalidURL", message)
        })?;

        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let known = HeaderName::from_bytes(name.as_bytes())
                .ok()
                .filter(|name| !HOST_HEADERS.contains(&name.as_str()))
                .ok_or_else(|| invalid(format!("`{name}` is no header that a plugin may set")))?;
            let mut value = HeaderValue::from_str(&fill(value)?)
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
    fn download(
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
        let mut downloads = Vec::with_capacity(requests.len());
        for (index, request) in requests.into_iter().enumerate() {
            let outgoing = if index >= MAX_REQUESTS {
                Err(denied(format!("more than {MAX_REQUESTS} requests at once")))
            } else {
                match self.outgoing(request) {
                    Ok(outgoing) => Ok(outgoing),
                    Err(Stop::Failure(failure)) => Err(failure),
                    Err(Stop::Trap(error)) => return Err(error),
                }
            };
            downloads.push(self.download(outgoing));
        }
        let all = futures::stream::iter(downloads)
            .buffered(CONCURRENT)
            .collect::<Vec<_>>();
        let all = self
            .wait(all)
            .map_err(|ended: HostEnded| wasmtime::Error::from(ended))?;
        all.into_iter()
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

/// Puts the slot's values in the place of `{{key}}`.
fn fill(text: &str, slot: &str, secret: Option<&Secret>) -> Result<String, Failure> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((key, after)) = after.split_once("}}") else {
            break;
        };
        let missing =
            |message| Failure::new(FailureClass::Unauthorized, "MissingCredentials", message);
        let secret = secret
            .ok_or_else(|| missing(format!("the object binds no Secret to the slot `{slot}`")))?;
        let value = secret.get(key.trim()).ok_or_else(|| {
            missing(format!(
                "the Secret of the slot `{slot}` has no key `{}`",
                key.trim()
            ))
        })?;
        let value = std::str::from_utf8(value).map_err(|_| {
            missing(format!(
                "the key `{}` of the slot `{slot}` is no text",
                key.trim()
            ))
        })?;
        filled.push_str(before);
        filled.push_str(value.trim());
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Adds what the Secret's keys say, as Flux reads them: `username` and `password`, `bearerToken` or
/// `token`, `tls.crt` and `tls.key`.
fn authorise(
    auth: &wire::Auth,
    secret: &Secret,
    headers: &mut HeaderMap,
    trust: &mut Trust,
) -> Result<(), Failure> {
    let value = |key: &str| {
        let text = std::str::from_utf8(secret.get(key)?).ok()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let scheme = auth.scheme.as_deref();
    if scheme == Some("template") {
        return Ok(());
    }
    if let (Some(certificate), Some(key)) = (secret.get("tls.crt"), secret.get("tls.key")) {
        trust.identity = Some([certificate.as_slice(), b"\n", key.as_slice()].concat());
    }
    let named = auth
        .parameters
        .iter()
        .find(|(name, _)| name == "key")
        .map(|(_, key)| key.as_str());
    let token = || named.map_or_else(|| value("bearerToken").or_else(|| value("token")), value);
    let basic = || {
        let pair = format!(
            "{}:{}",
            value("username")?,
            value("password").unwrap_or_default()
        );
        Some(format!("Basic {}", STANDARD.encode(pair)))
    };
    let bearer = || token().map(|token| format!("Bearer {token}"));
    let authorization = match scheme {
        Some("basic") => basic(),
        Some("bearer") => bearer(),
        _ => basic().or_else(bearer),
    };
    let Some(authorization) = authorization else {
        if scheme.is_some() {
            let message = format!("the Secret of the slot `{}` has no keys for it", auth.slot);
            return Err(Failure::new(
                FailureClass::Unauthorized,
                "MissingCredentials",
                message,
            ));
        }
        return Ok(());
    };
    let mut value = HeaderValue::from_str(&authorization).map_err(|_| {
        invalid(format!(
            "the slot `{}` holds no valid header value",
            auth.slot
        ))
    })?;
    value.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, value);
    Ok(())
}

fn invalid(message: String) -> Failure {
    Failure::new(FailureClass::Internal, "InvalidRequest", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn secret(pairs: &[(&str, &str)]) -> Secret {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), value.as_bytes().to_vec());
        Arc::new(pairs.iter().map(pair).collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn placeholders_are_filled_in_from_the_slot() {
        let known = secret(&[("address", "https://x/\n"), ("token", "t")]);
        let check = |text| fill(text, "default", Some(&known));
        assert_eq!(
            check("{{address}}a?b={{ token }}").unwrap(),
            "https://x/a?b=t"
        );
        assert_eq!(check("{{open").unwrap(), "{{open");
        assert_eq!(check("{{other}}").unwrap_err().code, "MissingCredentials");
        assert!(fill("{{token}}", "default", None).is_err());
        assert_eq!(fill("plain", "default", None).unwrap(), "plain");
    }

    #[test]
    fn the_keys_of_a_secret_say_how_it_authorises() {
        let check = |scheme: Option<&str>, pairs: &[(&str, &str)]| {
            let auth = wire::Auth {
                slot: "default".into(),
                scheme: scheme.map(Into::into),
                parameters: vec![],
            };
            let mut headers = HeaderMap::new();
            authorise(&auth, &secret(pairs), &mut headers, &mut Trust::default())?;
            Ok(headers
                .get("authorization")
                .map(|v| v.to_str().unwrap().to_owned()))
        };
        let user = [("username", "u"), ("password", "p"), ("token", "t")];
        let ok = |text: &str| Ok::<_, Failure>(Some(text.to_owned()));
        assert_eq!(check(None, &user), ok("Basic dTpw"));
        assert_eq!(check(Some("bearer"), &user), ok("Bearer t"));
        assert_eq!(check(None, &[("bearerToken", "b\n")]), ok("Bearer b"));
        assert_eq!(check(Some("template"), &user), Ok(None));
        assert_eq!(check(None, &[("other", "x")]), Ok(None));
        assert!(check(Some("basic"), &[("token", "t")]).is_err());
    }
}
