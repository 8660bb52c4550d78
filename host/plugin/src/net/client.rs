//! HTTP clients, kept by what they trust and where they may connect.
//!
//! A client that is for public addresses only looks at every address that a name resolves to, at
//! the moment it connects: checking before and connecting later would let a name change its mind.
//! Where a proxy is set in the environment, names are resolved by the proxy, and what it may reach
//! is the proxy's to decide.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, Identity, redirect};

use super::address::is_public;
use crate::{Digest, Failure, FailureClass};

/// Time to connect, including TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time that a peer may stay silent in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// Clients kept; each holds connections and a set of roots.
const MAX_CLIENTS: usize = 16;
/// Environment variables that name a proxy.
const PROXY_VARIABLES: [&str; 6] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

/// What a client trusts and how it presents itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust {
    /// PEM roots that replace the system's.
    pub(crate) ca_certificate: Option<Vec<u8>>,
    /// PEM of a client certificate and its key.
    pub(crate) identity: Option<Vec<u8>>,
}

/// The kept clients.
#[derive(Debug)]
pub(crate) struct Clients {
    kept: Mutex<Vec<(Key, Client)>>,
    proxies: Arc<HashSet<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    public_only: bool,
    trust: Option<Digest>,
}

impl Clients {
    pub(crate) fn new() -> Self {
        // reqwest takes the process's provider; a host that installed one already keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let host = |value: String| {
            let value = if value.contains("://") {
                value
            } else {
                format!("http://{value}")
            };
            Some(url::Url::parse(&value).ok()?.host_str()?.to_owned())
        };
        let set = PROXY_VARIABLES
            .into_iter()
            .filter_map(|name| std::env::var(name).ok());
        Self {
            kept: Mutex::default(),
            proxies: Arc::new(set.filter_map(host).collect()),
        }
    }

    /// The client for such requests, made on first use.
    pub(crate) fn get(&self, public_only: bool, trust: &Trust) -> Result<Client, Failure> {
        let key = Key {
            public_only,
            trust: trust.digest(),
        };
        let mut kept = self.kept.lock();
        if let Some(at) = kept.iter().position(|(known, _)| *known == key) {
            let entry = kept.remove(at);
            let client = entry.1.clone();
            kept.push(entry);
            return Ok(client);
        }
        let client = self.build(public_only, trust)?;
        if kept.len() >= MAX_CLIENTS {
            kept.remove(0);
        }
        kept.push((key, client.clone()));
        Ok(client)
    }

    fn build(&self, public_only: bool, trust: &Trust) -> Result<Client, Failure> {
        let builder = || {
            let mut builder = Client::builder()
                .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
                // Followed by hand, with the grants checked at every hop.
                .redirect(redirect::Policy::none())
                .referer(false)
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(READ_TIMEOUT)
                .pool_max_idle_per_host(4)
                .pool_idle_timeout(Duration::from_secs(30));
            if public_only {
                builder = builder.dns_resolver(PublicOnly {
                    proxies: self.proxies.clone(),
                });
            }
            builder
        };
        let invalid = |error: reqwest::Error| {
            let message = format!("the TLS material of the object is not valid: {error}");
            Failure::new(FailureClass::InvalidSettings, "InvalidCertificate", message)
        };
        let mut configured = builder();
        if let Some(pem) = &trust.ca_certificate {
            configured =
                configured.tls_certs_only(Certificate::from_pem_bundle(pem).map_err(invalid)?);
        }
        if let Some(pem) = &trust.identity {
            configured = configured.identity(Identity::from_pem(pem).map_err(invalid)?);
        }
        match configured.build() {
            Ok(client) => Ok(client),
            Err(error) if trust.digest().is_some() => Err(invalid(error)),
            Err(error) => {
                // A machine without root certificates can still speak HTTP.
                tracing::warn!(error = %crate::chain(&error), "no system root certificates");
                builder().tls_certs_only([]).build().map_err(invalid)
            }
        }
    }
}

impl Trust {
    fn digest(&self) -> Option<Digest> {
        if self.ca_certificate.is_none() && self.identity.is_none() {
            return None;
        }
        let part = |pem: &Option<Vec<u8>>| pem.as_ref().map(Digest::of).map(|d| d.to_string());
        Some(Digest::of(format!(
            "{:?}",
            (part(&self.ca_certificate), part(&self.identity))
        )))
    }
}

/// Raised when a name leads only to addresses that are not public.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` has no public address, and private ones are not granted to the plugin")]
pub(super) struct NotPublic(String);

/// Whether an address that was written into the URL may be connected to; names are looked at when
/// they are resolved.
pub(super) fn check_literal(url: &url::Url) -> Result<(), NotPublic> {
    let address = match url.host() {
        Some(url::Host::Ipv4(address)) => IpAddr::V4(address),
        Some(url::Host::Ipv6(address)) => IpAddr::V6(address),
        _ => return Ok(()),
    };
    if is_public(address) {
        Ok(())
    } else {
        Err(NotPublic(address.to_string()))
    }
}

/// Resolves names to public addresses only.
struct PublicOnly {
    proxies: Arc<HashSet<String>>,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let is_proxy = self.proxies.contains(&host);
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|a| is_proxy || is_public(a.ip()))
                .collect();
            if allowed.is_empty() {
                return Err(NotPublic(host).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
