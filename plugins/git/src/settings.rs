//! Settings: the fields of a GitRepository's `spec` that decide what is fetched. The others are
//! the host's business and are let pass.

use schemars::JsonSchema;
use serde::Deserialize;

/// `spec` of a GitRepository (source.toolkit.fluxcd.io/v1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The repository, by `http`, `https` or `ssh`.
    #[schemars(regex(pattern = r"^(http|https|ssh)://.*$"))]
    pub url: String,
    /// Which revision; the branch `master` when absent.
    #[serde(rename = "ref")]
    pub reference: Option<Reference>,
    /// Secret with the credentials; used through the slot `default`.
    pub secret_ref: Option<SecretReference>,
    /// Whether submodules are fetched too, with the same credentials.
    #[serde(default)]
    pub recurse_submodules: bool,
    /// Directories to fetch; all when absent.
    #[serde(default, deserialize_with = "null_as_default")]
    pub sparse_checkout: Vec<String>,
}

/// Which revision. When several are given, `commit` wins over `name`, that over `semver`, `tag`
/// and `branch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Reference {
    /// The newest commit of a branch.
    pub branch: Option<String>,
    /// The commit of a tag.
    pub tag: Option<String>,
    /// The tag with the highest version in a range.
    pub semver: Option<String>,
    /// The commit of a reference by its full name, `refs/pull/420/head`.
    pub name: Option<String>,
    /// A commit, 40 or 64 hex digits; with `branch`, one of that branch.
    pub commit: Option<String>,
}

/// A Secret of the object's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct SecretReference {
    /// Its name.
    pub name: String,
}

fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Settings {
    /// The directories to fetch, without the leading `./` that Git does not know and without
    /// trailing slashes; empty: everything.
    pub fn directories(&self) -> Vec<String> {
        let directories: Vec<String> = self
            .sparse_checkout
            .iter()
            .map(|path| path.trim_start_matches("./").trim_matches('/').to_owned())
            .collect();
        let whole = directories
            .iter()
            .any(|path| path.is_empty() || path == ".");
        if whole { Vec::new() } else { directories }
    }

    /// The URL as it may be shown: without a password.
    pub fn shown_url(&self) -> String {
        let parts = self.url.split_once("://").and_then(|(scheme, rest)| {
            let authority = rest.find('/').unwrap_or(rest.len());
            let (user, _) = rest[..authority].rsplit_once('@')?;
            let (name, _) = user.split_once(':')?;
            Some(format!("{scheme}://{name}:***{}", &rest[user.len()..]))
        });
        parts.unwrap_or_else(|| self.url.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_spec_and_ignores_what_is_the_hosts() {
        let settings: Settings = serde_json::from_str(
            r#"{"url": "https://example.com/a.git", "interval": "1m", "timeout": "60s",
                "provider": "generic", "ref": {"branch": "main"}, "secretRef": {"name": "a"},
                "recurseSubmodules": true, "sparseCheckout": null, "suspend": false}"#,
        )
        .unwrap();
        assert_eq!(settings.reference.unwrap().branch.as_deref(), Some("main"));
        assert_eq!(settings.secret_ref.unwrap().name, "a");
        assert!(settings.recurse_submodules && settings.sparse_checkout.is_empty());
    }

    #[test]
    fn sparse_directories_are_normalised() {
        let directories = |paths: &[&str]| {
            let sparse_checkout = paths.iter().map(|path| (*path).to_owned()).collect();
            Settings {
                sparse_checkout,
                ..Settings::default()
            }
            .directories()
        };
        assert_eq!(
            directories(&["./apps", "infra/base/"]),
            ["apps", "infra/base"]
        );
        assert!(
            directories(&["apps", "./"]).is_empty(),
            "the root is everything"
        );
    }

    #[test]
    fn a_password_is_not_shown() {
        let shown = |url: &str| {
            Settings {
                url: url.into(),
                ..Settings::default()
            }
            .shown_url()
        };
        assert_eq!(
            shown("https://a:secret@example.com/x@y"),
            "https://a:***@example.com/x@y"
        );
        assert_eq!(shown("ssh://git@example.com/x"), "ssh://git@example.com/x");
        assert_eq!(
            shown("https://example.com/a:b@c"),
            "https://example.com/a:b@c"
        );
    }
}
