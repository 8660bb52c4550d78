//! `.gitmodules`: where the repositories are that a commit pins.

use std::collections::HashMap;

use gix_config::file::init::Options;
use url::Url;

use crate::error::{Error, chain};

/// Path of the file in a commit.
pub(crate) const FILE: &str = ".gitmodules";
/// Submodules of submodules.
pub(crate) const MAX_DEPTH: usize = 8;

/// Addresses by path.
pub(crate) fn addresses(content: &[u8]) -> Result<HashMap<String, String>, Error> {
    let metadata = gix_config::file::Metadata::default();
    let file = gix_config::File::from_bytes_no_includes(content, metadata, Options::default())
        .map_err(|error| Error::Content(format!("'{FILE}' cannot be read: {}", chain(&error))))?;
    let mut addresses = HashMap::new();
    for section in file.sections_by_name("submodule").into_iter().flatten() {
        if let (Some(path), Some(url)) = (section.value("path"), section.value("url")) {
            let path = path.to_string().trim_end_matches('/').to_owned();
            addresses.insert(path, url.to_string());
        }
    }
    Ok(addresses)
}

/// The address of a submodule, which may be relative to the one of its parent.
pub(crate) fn resolve(parent: &Url, address: &str) -> Result<Url, Error> {
    if address.starts_with("./") || address.starts_with("../") {
        let mut base = parent.clone();
        base.set_path(&format!("{}/", parent.path().trim_end_matches('/')));
        return base
            .join(address)
            .map_err(|error| Error::Content(format!("'{address}' is no address: {error}")));
    }
    match Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        _ => Err(Error::Unsupported(
            "only http:// and https:// addresses and relative ones are supported".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_by_path() {
        let content = b"[submodule \"x\"]\n\tpath = libs/x/\n\turl = ../x.git\n\tbranch = main\n\
            [submodule \"half\"]\n\tpath = half\n[core]\n\tbare = true\n";
        let addresses = addresses(content).unwrap();
        assert_eq!(
            addresses,
            HashMap::from([("libs/x".to_owned(), "../x.git".to_owned())])
        );
    }

    #[test]
    fn relative_addresses_start_at_the_repository() {
        let check = |address: &str, expected: &str| {
            let parent = Url::parse("https://git.example/team/app.git").unwrap();
            assert_eq!(resolve(&parent, address).unwrap().as_str(), expected);
        };
        check("../lib.git", "https://git.example/team/lib.git");
        check("../../other/lib.git", "https://git.example/other/lib.git");
        check("./sub.git", "https://git.example/team/app.git/sub.git");
        check("https://b.example/lib", "https://b.example/lib");
    }

    #[test]
    fn other_transports_are_refused() {
        let parent = Url::parse("https://git.example/team/app.git").unwrap();
        for address in [
            "git@git.example:team/lib.git",
            "ssh://git@x/y",
            "file:///etc",
            "/srv/x",
        ] {
            assert!(
                matches!(resolve(&parent, address), Err(Error::Unsupported(_))),
                "{address}"
            );
        }
    }
}
