//! Access to a registry: credentials from a docker config, TLS roots, plain HTTP.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::BTreeMap;

use super::ImageError;

/// How a registry is reached.
#[derive(Clone, Default)]
pub struct Access {
    /// `None`: anonymous.
    pub credentials: Option<RegistryCredentials>,
    /// HTTP instead of HTTPS.
    pub insecure: bool,
    /// PEM roots that replace the system's.
    pub ca_certificate: Option<Vec<u8>>,
}

/// Who asks.
#[derive(Clone, PartialEq, Eq)]
pub enum RegistryCredentials {
    /// User and password.
    Basic(String, String),
    /// A registry token.
    Bearer(String),
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access")
            .field("anonymous", &self.credentials.is_none())
            .field("insecure", &self.insecure)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RegistryCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RegistryCredentials")
    }
}

#[derive(Deserialize)]
struct DockerConfig {
    #[serde(default)]
    auths: BTreeMap<String, DockerAuth>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase", default)]
struct DockerAuth {
    auth: String,
    username: String,
    password: String,
    registrytoken: String,
}

impl RegistryCredentials {
    /// What a docker config (`.dockerconfigjson` of a Secret) has for the repository: the entry
    /// with the longest path wins, as with the containers tools. `None`: nothing.
    pub fn from_docker_config(
        config: &[u8],
        registry: &str,
        repository: &str,
    ) -> Result<Option<Self>, ImageError> {
        let invalid = |why: String| ImageError::InvalidAccess { why };
        // Whatever the parser says may quote what it read.
        let config: DockerConfig = serde_json::from_slice(config).map_err(|error| {
            invalid(format!(
                "the docker config is no JSON at line {}",
                error.line()
            ))
        })?;
        let wanted = format!("{registry}/{repository}");
        let matching = |key: &str| {
            let key = key
                .trim_start_matches("https://")
                .trim_start_matches("http://");
            let key = key
                .trim_end_matches('/')
                .trim_end_matches("/v1")
                .trim_end_matches("/v2");
            let key = match key {
                "index.docker.io" | "registry-1.docker.io" => "docker.io",
                key => key,
            };
            let rest = wanted.strip_prefix(key)?;
            (rest.is_empty() || rest.starts_with('/')).then_some(key.len())
        };
        let found = config
            .auths
            .into_iter()
            .filter_map(|(key, auth)| Some((matching(&key)?, auth)))
            .max_by_key(|(length, _)| *length);
        let Some((_, auth)) = found else {
            return Ok(None);
        };
        if !auth.registrytoken.is_empty() {
            return Ok(Some(Self::Bearer(auth.registrytoken)));
        }
        if !auth.username.is_empty() {
            return Ok(Some(Self::Basic(auth.username, auth.password)));
        }
        if auth.auth.is_empty() {
            return Ok(None);
        }
        let pair = STANDARD
            .decode(auth.auth.trim())
            .ok()
            .and_then(|pair| String::from_utf8(pair).ok());
        let (user, password) = pair
            .as_deref()
            .and_then(|pair| pair.split_once(':'))
            .ok_or_else(|| {
                invalid(format!(
                    "the docker config's entry for `{registry}` is broken"
                ))
            })?;
        Ok(Some(Self::Basic(user.to_owned(), password.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_entry_wins() {
        let config = br#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "aHViOnB3"},
            "ghcr.io": {"username": "u", "password": "p"},
            "ghcr.io/weir": {"auth": "dzpw"},
            "localhost:5000": {"registrytoken": "t"},
            "empty.io": {},
            "broken.io": {"auth": "!"}
        }}"#;
        let find = |registry, repository| {
            RegistryCredentials::from_docker_config(config, registry, repository)
        };
        let basic = |user: &str, password: &str| {
            Some(RegistryCredentials::Basic(user.into(), password.into()))
        };
        assert_eq!(find("docker.io", "library/x").unwrap(), basic("hub", "pw"));
        assert_eq!(find("ghcr.io", "other/x").unwrap(), basic("u", "p"));
        assert_eq!(find("ghcr.io", "weir/x").unwrap(), basic("w", "p"));
        assert_eq!(find("ghcr.io", "weirdo/x").unwrap(), basic("u", "p"));
        assert_eq!(
            find("localhost:5000", "x").unwrap(),
            Some(RegistryCredentials::Bearer("t".into()))
        );
        assert_eq!(find("ghcr.io.evil.org", "x").unwrap(), None);
        assert_eq!(find("empty.io", "x").unwrap(), None);
        assert!(find("broken.io", "x").is_err());
        assert!(RegistryCredentials::from_docker_config(b"{", "h", "x").is_err());
    }
}
