//! Addresses of Git repositories, as kustomizations name them (kustomize
//! `api/internal/git/repospec.go`).

/// A directory in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// What is cloned: `https://`, `http://`, `ssh://` or `file://`.
    pub(crate) url: String,
    /// Directory in the repository, relative to its root.
    pub(crate) path: String,
    /// Branch, tag or commit; the default branch if there is none.
    pub(crate) reference: Option<String>,
}

const SCHEMES: [&str; 4] = ["ssh://", "https://", "http://", "file://"];

impl Address {
    /// Reads an address; `None` for anything else, such as a path.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.starts_with('/') {
            return None;
        }
        let (text, query) = text.split_once('?').unwrap_or((text, ""));
        let text = strip_ignoring_case(text, "git::").unwrap_or(text);
        let scheme = SCHEMES
            .iter()
            .find_map(|scheme| Some((*scheme, strip_ignoring_case(text, scheme)?)));
        let (scheme, rest) = scheme.unwrap_or(("", text));
        let (host, rest) = match scheme {
            "file://" => (scheme.to_owned(), rest),
            scheme => host(scheme, rest)?,
        };
        // Of the other hosts it is known how many parts a repository's name has.
        let parts = if scheme == "file://" { usize::MAX } else { 2 };
        let (repository, path) = split(rest, parts)?;
        let path = path.trim_start_matches('/');
        let leaves = crate::path::clean(path);
        if repository.is_empty() || leaves == ".." || leaves.starts_with("../") {
            return None;
        }
        Some(Self {
            url: format!("{host}{repository}"),
            path: path.to_owned(),
            reference: reference(query),
        })
    }
}

fn strip_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

/// The part up to the repository's name, with scheme and user, and what follows. `user@host:name`
/// becomes an `ssh://` address.
fn host<'a>(scheme: &str, rest: &'a str) -> Option<(String, &'a str)> {
    let is_user = |user: &str| {
        user.starts_with(|c: char| c.is_ascii_alphabetic())
            && user.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let (user, rest) = match rest.split_once('@') {
        Some((user, rest)) if is_user(user) => (Some(user), rest),
        _ => (None, rest),
    };
    let is_github = ["github.com/", "github.com:"]
        .iter()
        .any(|name| strip_ignoring_case(rest, name).is_some());
    let without_scheme = scheme.is_empty();
    if without_scheme && user.is_none() && !is_github {
        return None;
    }
    let slash = rest.find('/');
    let colon = rest
        .find(':')
        .filter(|at| without_scheme && *at > 0 && slash.is_none_or(|slash| *at < slash));
    let at = colon.or(slash)?;
    let (name, rest) = (&rest[..at], &rest[at + 1..]);
    if name.is_empty() {
        return None;
    }
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let by_ssh = without_scheme && (!user.is_empty() || colon.is_some() && !is_github);
    let host = match (is_github, scheme) {
        (true, "ssh://") => format!("ssh://{}github.com/", or_git(&user)),
        (true, _) if !user.is_empty() => format!("ssh://{user}github.com/"),
        (true, _) => "https://github.com/".to_owned(),
        (false, _) if by_ssh => format!("ssh://{user}{name}/"),
        (false, scheme) => format!("{scheme}{user}{name}/"),
    };
    Some((host, rest))
}

fn or_git(user: &str) -> &str {
    if user.is_empty() { "git@" } else { user }
}

/// The repository's name and the path in it: by a mark, or else after that many parts.
fn split(text: &str, parts: usize) -> Option<(String, &str)> {
    if let Some(at) = text.find("_git/") {
        let after = at + "_git/".len();
        let end = text[after..]
            .find('/')
            .map_or(text.len(), |end| after + end);
        return Some((text[..end].to_owned(), &text[end..]));
    }
    if let Some((repository, path)) = text.split_once("//") {
        return Some((repository.to_owned(), path));
    }
    if let Some(at) = text.find(".git") {
        let end = at + ".git".len();
        return Some((text[..end].to_owned(), &text[end..]));
    }
    if parts == usize::MAX {
        return Some((text.to_owned(), ""));
    }
    let mut slashes = text.match_indices('/').map(|(at, _)| at);
    slashes.nth(parts - 2)?;
    let end = slashes.next().unwrap_or(text.len());
    Some((text[..end].to_owned(), &text[end..]))
}

/// `ref` of a query, or else `version`.
fn reference(query: &str) -> Option<String> {
    let value = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, value)| *key == name && !value.is_empty())
            .map(|(_, value)| decoded(value))
    };
    value("ref").or_else(|| value("version"))
}

/// Without percent signs, as in a query.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (byte, length) = match (first, hex) {
            (b'%', Some(byte)) => (byte, 3),
            (b'+', _) => (b' ', 1),
            (byte, _) => (*byte, 1),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, &str, Option<&str>)>) {
        let expected = expected.map(|(url, path, reference)| Address {
            url: url.to_owned(),
            path: path.to_owned(),
            reference: reference.map(str::to_owned),
        });
        assert_eq!(Address::parse(text), expected, "{text}");
    }

    #[test]
    fn addresses_are_split_as_kustomize_splits_them() {
        let v1 = Some("v1");
        for (text, url, path, reference) in [
            ("https://github.com/o/r", "https://github.com/o/r", "", None),
            (
                "https://github.com/o/r/a/b?ref=v1",
                "https://github.com/o/r",
                "a/b",
                v1,
            ),
            (
                "github.com/o/r//a?version=v1",
                "https://github.com/o/r",
                "a",
                v1,
            ),
            (
                "GITHUB.com/o/r?version=v2&ref=v1",
                "https://github.com/o/r",
                "",
                v1,
            ),
            (
                "git@github.com:o/r.git//a",
                "ssh://git@github.com/o/r.git",
                "a",
                None,
            ),
            (
                "ssh://git@host.xz/o/r/a",
                "ssh://git@host.xz/o/r",
                "a",
                None,
            ),
            (
                "git@host.xz:o/r.git/a?ref=v1",
                "ssh://git@host.xz/o/r.git",
                "/a".trim_start_matches('/'),
                v1,
            ),
            (
                "git::https://host.xz/x/y/z.git//a",
                "https://host.xz/x/y/z.git",
                "a",
                None,
            ),
            (
                "https://host.xz:8443/o/r.git/a",
                "https://host.xz:8443/o/r.git",
                "a",
                None,
            ),
            (
                "http://127.0.0.1:80/r.git//a/b?timeout=9&ref=a%2Fb",
                "http://127.0.0.1:80/r.git",
                "a/b",
                Some("a/b"),
            ),
            (
                "https://u@dev.azure.com/o/p/_git/r/a/b",
                "https://u@dev.azure.com/o/p/_git/r",
                "a/b",
                None,
            ),
            ("file:///srv/r", "file:///srv/r", "", None),
            ("https://host.xz/a/b?ref=", "https://host.xz/a/b", "", None),
        ] {
            check(text, Some((url, path, reference)));
        }
    }

    #[test]
    fn paths_are_no_addresses() {
        for text in [
            "/github.com/o/r",
            "../base",
            "base",
            "host.xz/o/r.git",
            "https://host.xz/file.yaml",
            "https://host.xz",
            "git@",
            "https://github.com/o/r//../../x",
            "",
        ] {
            check(text, None);
        }
    }
}
