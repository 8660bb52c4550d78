//! A remote as it was named, checked once: address, credentials, trust.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use sha2::{Digest as _, Sha256};
use url::Url;
use weir_plugin::Remote;

use crate::error::Error;

/// Where to send requests and with what.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// Without user, password and trailing slash. Every request is below it.
    pub(crate) base: Url,
    /// Sent to the origin of `base` only.
    pub(crate) authorization: Option<HeaderValue>,
    /// Who is trusted and who we are.
    pub(crate) trust: Trust,
    /// Name of the local copy: whoever asks with other credentials or roots gets another one.
    pub(crate) key: String,
}

/// TLS material; one HTTP client per distinct value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Trust {
    /// PEM of the roots that replace the system's.
    pub(crate) ca_certificate: Option<Vec<u8>>,
    /// PEM of a client certificate and its key.
    pub(crate) identity: Option<Vec<u8>>,
}

impl Endpoint {
    /// Checks what the caller gave. Credentials are read by the keys that Flux's GitRepository
    /// has: `bearerToken`, or `username` and `password`; `tls.crt` with `tls.key` for servers
    /// that want a client certificate.
    pub(crate) fn new(remote: &Remote) -> Result<Self, Error> {
        let shown = display(&remote.url);
        let mut base = Url::parse(&remote.url)
            .map_err(|error| Error::Url(format!("'{shown}' is no valid address: {error}")))?;
        match base.scheme() {
            "http" | "https" => {}
            "ssh" => {
                return Err(Error::Unsupported(
                    "ssh:// addresses are not supported yet, use https://".to_owned(),
                ));
            }
            other => {
                return Err(Error::Url(format!(
                    "scheme '{other}' is not supported, the address must start with http:// or \
                     https://"
                )));
            }
        }
        if base.host_str().is_none_or(str::is_empty) {
            return Err(Error::Url(format!("'{shown}' names no host")));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(Error::Url(format!("'{shown}' has a query or a fragment")));
        }

        let in_address = (!base.username().is_empty() || base.password().is_some()).then(|| {
            (
                decode(base.username()),
                base.password().map(decode).unwrap_or_default(),
            )
        });
        // Both only fail for addresses without a host, which were refused above.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);

        let secret = |key: &str| {
            let value = remote.credentials.as_ref().and_then(|all| all.get(key))?;
            (!value.is_empty()).then_some(value.as_slice())
        };
        let text = |key: &str| {
            secret(key)
                .map(|value| {
                    std::str::from_utf8(value).map(|text| text.trim_end_matches(['\r', '\n']))
                })
                .transpose()
                .map_err(|_| Error::Credentials(format!("'{key}' of the secret is not text")))
        };
        let authorization = if let Some(token) = text("bearerToken")? {
            Some(header(&format!("Bearer {token}"), "bearerToken")?)
        } else {
            match (text("username")?, text("password")?, in_address) {
                (None, None, None) => None,
                (None, None, Some((user, password))) => Some(basic(&user, &password)?),
                (user, password, _) => Some(basic(
                    user.unwrap_or_default(),
                    password.unwrap_or_default(),
                )?),
            }
        };
        let identity = match (secret("tls.crt"), secret("tls.key")) {
            (Some(certificate), Some(key)) => Some([certificate, b"\n", key].concat()),
            _ => None,
        };
        let trust = Trust {
            ca_certificate: remote.ca_certificate.clone(),
            identity,
        };
        let key = key(&base, authorization.as_ref(), &trust);
        Ok(Self {
            base,
            authorization,
            trust,
            key,
        })
    }

    /// The same address with what `path` is relative to it: `../other.git` of a submodule. Keeps
    /// the credentials if the origin stays, and sends none otherwise.
    pub(crate) fn sibling(&self, base: Url) -> Result<Self, Error> {
        let mut other = Self::new(&Remote {
            url: base.into(),
            credentials: None,
            ca_certificate: self.trust.ca_certificate.clone(),
        })?;
        if other.base.origin() == self.base.origin() {
            other.authorization.clone_from(&self.authorization);
            other.trust = self.trust.clone();
            other.key = key(&other.base, other.authorization.as_ref(), &other.trust);
        }
        Ok(other)
    }

    /// Whether credentials would go over the wire in clear.
    pub(crate) fn is_insecure(&self) -> bool {
        self.authorization.is_some() && self.base.scheme() == "http"
    }
}

/// An address for people: without user and password.
pub(crate) fn display(url: &str) -> String {
    if let Ok(mut parsed) = Url::parse(url) {
        let _ = parsed.set_username("");
        let _ = parsed.set_password(None);
        return parsed.into();
    }
    // Not an address, but there may still be a password in it.
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            format!("{}{}", &url[..scheme + 3], &url[at + 1..])
        }
        (None, Some(at)) => url[at + 1..].to_owned(),
        _ => url.to_owned(),
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|digits| hex::decode(digits).ok());
        if let Some(decoded) = escaped {
            bytes.extend(decoded);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn basic(user: &str, password: &str) -> Result<HeaderValue, Error> {
    header(
        &format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
        "password",
    )
}

fn header(value: &str, key: &str) -> Result<HeaderValue, Error> {
    let mut header = HeaderValue::from_str(value).map_err(|_| {
        Error::Credentials(format!(
            "'{key}' of the secret has characters that no header can carry"
        ))
    })?;
    header.set_sensitive(true);
    Ok(header)
}

fn key(base: &Url, authorization: Option<&HeaderValue>, trust: &Trust) -> String {
    let mut hasher = Sha256::new();
    for part in [
        base.as_str().as_bytes(),
        authorization.map(HeaderValue::as_bytes).unwrap_or_default(),
        trust.ca_certificate.as_deref().unwrap_or_default(),
        trust.identity.as_deref().unwrap_or_default(),
    ] {
        // Lengths keep the parts apart.
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hex::encode(&hasher.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;

    fn remote(url: &str, secret: &[(&str, &str)]) -> Remote {
        let map: BTreeMap<String, Vec<u8>> = secret
            .iter()
            .map(|(k, v)| ((*k).to_owned(), v.as_bytes().to_vec()))
            .collect();
        Remote {
            url: url.to_owned(),
            credentials: (!map.is_empty()).then(|| Arc::new(map)),
            ca_certificate: None,
        }
    }

    fn authorization(url: &str, secret: &[(&str, &str)]) -> Option<String> {
        let endpoint = Endpoint::new(&remote(url, secret)).unwrap();
        endpoint
            .authorization
            .map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn credentials_come_from_the_secret_and_then_from_the_address() {
        let url = "https://ada:p%40ss@git.example/a.git";
        assert_eq!(authorization("https://git.example/a.git", &[]), None);
        assert_eq!(
            authorization(url, &[]),
            Some(format!("Basic {}", STANDARD.encode("ada:p@ss")))
        );
        assert_eq!(
            authorization(url, &[("username", "bob"), ("password", "x\n")]),
            Some(format!("Basic {}", STANDARD.encode("bob:x")))
        );
        assert_eq!(
            authorization(url, &[("username", "bob"), ("bearerToken", "t0k\n")]),
            Some("Bearer t0k".to_owned())
        );
    }

    #[test]
    fn the_base_has_neither_secrets_nor_a_trailing_slash() {
        let endpoint = Endpoint::new(&remote("https://ada:pw@git.example/team/a.git/", &[]));
        assert_eq!(
            endpoint.unwrap().base.as_str(),
            "https://git.example/team/a.git"
        );
    }

    #[test]
    fn other_credentials_mean_another_copy() {
        let key =
            |url: &str, secret: &[(&str, &str)]| Endpoint::new(&remote(url, secret)).unwrap().key;
        let url = "https://git.example/a.git";
        assert_eq!(key(url, &[]), key("https://git.example/a.git/", &[]));
        assert_ne!(key(url, &[]), key(url, &[("bearerToken", "a")]));
        assert_ne!(
            key(url, &[("bearerToken", "b")]),
            key(url, &[("bearerToken", "a")])
        );
    }

    #[test]
    fn unusable_addresses_say_why() {
        let message = |url: &str| Endpoint::new(&remote(url, &[])).unwrap_err().to_string();
        assert!(message("ssh://git@example/a.git").contains("ssh://"));
        assert!(message("file:///etc").contains("'file'"));
        assert!(message("https://git.example/a.git?x=1").contains("query"));
        let broken = message("https://ada:secret@git.example:notaport/a.git");
        assert!(!broken.contains("secret"), "{broken}");
    }

    #[test]
    fn a_sibling_elsewhere_gets_no_credentials() {
        let endpoint = Endpoint::new(&remote(
            "https://git.example/a.git",
            &[("bearerToken", "t")],
        ))
        .unwrap();
        let near = endpoint
            .sibling(Url::parse("https://git.example/b.git").unwrap())
            .unwrap();
        let far = endpoint
            .sibling(Url::parse("https://evil.example/b.git").unwrap())
            .unwrap();
        assert!(near.authorization.is_some());
        assert!(far.authorization.is_none());
    }
}
