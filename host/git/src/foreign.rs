//! Origins that nobody named: where a redirect or a submodule leads.

use std::net::IpAddr;

use url::Url;

use crate::endpoint::{Endpoint, display};
use crate::error::Error;

/// Another origin than the one that was named (and granted) is never sent credentials, and does
/// not lie in the private network unless the named one does. A name that is bound to another
/// address between this check and the connection passes; what comes back is of no use to
/// anybody unless it speaks Git.
pub(crate) async fn admit(allowed: bool, endpoint: &Endpoint, to: &Url) -> Result<(), Error> {
    let shown = display(to.as_str());
    if !allowed {
        return Err(Error::Denied(format!(
            "{shown} is at another origin than {}, which this host does not follow",
            endpoint.base
        )));
    }
    if to.host_str() == endpoint.base.host_str() {
        return Ok(());
    }
    if is_private(to).await && !is_private(&endpoint.base).await {
        return Err(Error::Denied(format!(
            "{shown} is in a private network, and {} is not",
            endpoint.base
        )));
    }
    Ok(())
}

/// Whether any address of the host is loopback, link-local or private. A name that does not
/// resolve is not: connecting to it fails anyway.
async fn is_private(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or(443);
    match tokio::net::lookup_host((host, port)).await {
        Ok(mut addresses) => addresses.any(|address| is_private_address(address.ip())),
        Err(_) => false,
    }
}

fn is_private_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                // Shared address space of carriers (RFC 6598), in which clouds put metadata too.
                || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_private_address(v4.into()),
            None => {
                v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_unique_local()
                    || v6.is_unicast_link_local()
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_ranges() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "100.100.100.200",
            "::1",
        ] {
            assert!(is_private_address(address.parse().unwrap()), "{address}");
        }
        for address in ["fd00::1", "fe80::1", "::ffff:192.168.0.1", "0.0.0.0"] {
            assert!(is_private_address(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
        ] {
            assert!(!is_private_address(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn the_public_does_not_lead_into_the_private() {
        let endpoint = Endpoint::new(&weir_plugin::Remote {
            url: "https://192.0.2.1/a.git".to_owned(),
            credentials: None,
            ca_certificate: None,
        });
        let endpoint = endpoint.unwrap();
        let check = async |allowed, to: &str| {
            admit(allowed, &endpoint, &Url::parse(to).unwrap())
                .await
                .map_err(|e| e.to_string())
        };
        assert_eq!(check(true, "https://192.0.2.2/a.git").await, Ok(()));
        assert_eq!(check(true, "https://192.0.2.1:8443/a.git").await, Ok(()));
        assert!(check(false, "https://192.0.2.2/a.git").await.is_err());
        for private in [
            "http://127.0.0.1/x",
            "http://169.254.169.254/x",
            "http://[::1]:8080/x",
        ] {
            let refused = check(true, private).await.unwrap_err();
            assert!(refused.contains("private network"), "{refused}");
        }
    }
}
