//! What an operator's grants allow: origins as patterns, slots by name.

use url::{Host, Url};

use crate::Grants;

/// How an address was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// By the host's literal name: its addresses are the operator's own business.
    Literally,
    /// By a pattern: loopback, link-local and private addresses stay refused.
    ByPattern,
}

impl Grants {
    /// Whether the origin of `url` is granted, and how; `None`: it is not.
    pub fn allows(&self, url: &Url) -> Option<Granted> {
        let mut granted = None;
        for pattern in &self.hosts {
            match matches(pattern, url) {
                Some(Granted::Literally) => return Some(Granted::Literally),
                Some(Granted::ByPattern) => granted = Some(Granted::ByPattern),
                None => {}
            }
        }
        granted
    }

    /// Whether the host may use the slot's Secret on the plugin's behalf. Reading its bytes
    /// includes that.
    pub fn allows_slot(&self, slot: &str) -> bool {
        listed(&self.slots, slot) || self.allows_secret(slot)
    }

    /// Whether the plugin may read the slot's bytes.
    pub fn allows_secret(&self, slot: &str) -> bool {
        listed(&self.secrets, slot)
    }

    /// Whether the plugin may read objects of the kind, given as `apps/v1/Deployment`.
    pub fn allows_kind(&self, kind: &str) -> bool {
        let version = kind.rsplit_once('/').map(|(version, _)| version);
        self.cluster.iter().any(|granted| {
            granted == "*" || granted == kind || granted.strip_suffix("/*") == version
        })
    }
}

fn listed(names: &[String], name: &str) -> bool {
    names
        .iter()
        .any(|granted| granted == "*" || granted == name)
}

fn matches(pattern: &str, url: &Url) -> Option<Granted> {
    if pattern == "*" {
        return Some(Granted::ByPattern);
    }
    let (scheme, rest) = pattern.split_once("://")?;
    if !scheme.eq_ignore_ascii_case(url.scheme()) {
        return None;
    }
    // What follows the origin (a path) is not compared; an origin is all that a grant names.
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = split_port(authority)?;
    let known = port.or_else(|| default_port(scheme));
    // `https://*` stands for any host and, as no port is given, for any port of that scheme.
    let any_port = host == "*" && port.is_none();
    if !any_port && known != url.port().or_else(|| default_port(url.scheme())) {
        return None;
    }
    let actual = match url.host()? {
        Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => format!("[{address}]"),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host == actual {
        return Some(Granted::Literally);
    }
    let matched = match host.strip_prefix('*') {
        Some("") => true,
        // One or more labels in front; the pattern is for names, not for addresses.
        Some(suffix) if suffix.starts_with('.') => {
            matches!(url.host(), Some(Host::Domain(_)))
                && actual.len() > suffix.len()
                && actual.ends_with(&suffix)
        }
        _ => false,
    };
    matched.then_some(Granted::ByPattern)
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`; `None`: the port is no number.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let after_address = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[after_address..].rfind(':') {
        None => Some((authority, None)),
        Some(colon) => {
            let colon = after_address + colon;
            Some((
                &authority[..colon],
                Some(authority[colon + 1..].parse().ok()?),
            ))
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Some(80),
        "https" => Some(443),
        "ssh" => Some(22),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, url: &str, expected: Option<Granted>) {
        let grants = Grants {
            hosts: vec![pattern.to_owned()],
            ..Grants::default()
        };
        assert_eq!(
            grants.allows(&Url::parse(url).unwrap()),
            expected,
            "{pattern} {url}"
        );
    }

    #[test]
    fn origins_match_by_scheme_host_and_port() {
        use Granted::{ByPattern, Literally};
        check(
            "https://example.com",
            "https://example.com/a?b",
            Some(Literally),
        );
        check(
            "https://Example.com/",
            "https://example.COM:443/",
            Some(Literally),
        );
        check("https://example.com", "https://example.com:8443/", None);
        check(
            "https://example.com:8443",
            "https://example.com:8443/",
            Some(Literally),
        );
        check("https://example.com", "http://example.com/", None);
        check("https://example.com", "https://example.com.evil.org/", None);
        check(
            "https://example.com",
            "https://user@evil.org/example.com",
            None,
        );
        check(
            "https://*.example.com",
            "https://a.b.example.com/",
            Some(ByPattern),
        );
        check("https://*.example.com", "https://example.com/", None);
        check("https://*.example.com", "https://evilexample.com/", None);
        check(
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/x",
            Some(Literally),
        );
        check(
            "http://127.0.0.1:8080",
            "http://127.1:8080/x",
            Some(Literally),
        );
        check("http://[::1]:80", "http://[::1]/", Some(Literally));
        check("https://*", "https://anything.org:9443/", Some(ByPattern));
        check("https://*", "http://anything.org/", None);
        check("*", "ssh://git@example.com/x", Some(ByPattern));
        check(
            "ssh://example.com",
            "ssh://git@example.com:22/x",
            Some(Literally),
        );
        check("https://*.1.1.1", "https://1.1.1.1/", None);
        check("example.com", "https://example.com/", None);
        check("https://example.com:http", "https://example.com/", None);
    }

    #[test]
    fn slots_are_granted_by_name_and_reading_includes_use() {
        let grants = Grants {
            slots: vec!["default".into()],
            secrets: vec!["hmac".into()],
            ..Grants::default()
        };
        assert!(grants.allows_slot("default") && grants.allows_slot("hmac"));
        assert!(!grants.allows_slot("other"));
        assert!(grants.allows_secret("hmac") && !grants.allows_secret("default"));
    }

    #[test]
    fn kinds_are_granted_one_by_one_or_by_version() {
        let granting = |patterns: &[&str]| Grants {
            cluster: patterns.iter().map(|it| (*it).to_owned()).collect(),
            ..Grants::default()
        };
        let some = granting(&["v1/ConfigMap", "apps/v1/*"]);
        for (kind, expected) in [
            ("v1/ConfigMap", true),
            ("v1/Secret", false),
            ("apps/v1/Deployment", true),
            ("apps/v1beta1/Deployment", false),
            ("x/apps/v1/Deployment", false),
        ] {
            assert_eq!(some.allows_kind(kind), expected, "{kind}");
        }
        assert!(granting(&["*"]).allows_kind("v1/Secret"));
        assert!(!granting(&[]).allows_kind("v1/Secret"));
        assert!(!granting(&["/*"]).allows_kind("v1/Secret"));
    }
}
