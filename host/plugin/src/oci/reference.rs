//! Names of images: in a registry, in an OCI layout on disk, or a plain file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// The name of an image.
///
/// | form | is |
/// |---|---|
/// | `oci://host/repository:tag`, `…@sha256:<hex>`, or both | an image in a registry; without both, the tag `latest` |
/// | `oci-layout:PATH`, `…:tag`, `…@sha256:<hex>` | an image in an OCI layout; without both, its only one |
/// | `file://PATH` of a directory | the same as `oci-layout:PATH` |
/// | `file://PATH` | a component |
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ImageReference {
    /// In a registry.
    Registry(RegistryImage),
    /// In an OCI layout on disk.
    Layout(LayoutImage),
    /// A component on disk.
    File(PathBuf),
}

/// An image in a registry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RegistryImage {
    /// `host` or `host:port`.
    pub registry: String,
    /// `weir/plugins/kustomize`.
    pub repository: String,
    /// Which of them now.
    pub tag: Option<String>,
    /// Which of them for good; a tag beside it is only for people.
    pub digest: Option<Digest>,
}

/// An image in an OCI layout on disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LayoutImage {
    /// The directory with the file `oci-layout`.
    pub path: PathBuf,
    /// `org.opencontainers.image.ref.name` of its index.
    pub tag: Option<String>,
    /// Of the manifest.
    pub digest: Option<Digest>,
}

/// The text is no name of an image.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is no image reference: {why}")]
pub struct InvalidReference {
    text: String,
    why: &'static str,
}

impl ImageReference {
    /// The digest that it is pinned to.
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Self::Registry(image) => image.digest,
            Self::Layout(image) => image.digest,
            Self::File(_) => None,
        }
    }
}

impl FromStr for ImageReference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |why| InvalidReference {
            text: text.to_owned(),
            why,
        };
        let parsed = if let Some(name) = text.strip_prefix("oci://") {
            registry(name).map(Self::Registry)
        } else if let Some(path) = text.strip_prefix("oci-layout:") {
            layout(path.strip_prefix("//").unwrap_or(path)).map(Self::Layout)
        } else if let Some(path) = text.strip_prefix("file://") {
            match path {
                "" => Err("it names no file"),
                path if Path::new(path).is_dir() => layout(path).map(Self::Layout),
                path => Ok(Self::File(path.into())),
            }
        } else {
            Err("it begins with none of `oci://`, `oci-layout:` and `file://`")
        };
        parsed.map_err(invalid)
    }
}

/// Splits `@sha256:…` and then `:tag` off; a colon before the last slash is a port's.
fn split(name: &str) -> Result<(&str, Option<String>, Option<Digest>), &'static str> {
    let (name, digest) = match name.split_once('@') {
        None => (name, None),
        Some((name, digest)) => {
            let digest = digest
                .parse()
                .map_err(|_| "what follows `@` is no sha256 digest")?;
            (name, Some(digest))
        }
    };
    let start = name.rfind('/').map_or(0, |slash| slash + 1);
    match name[start..].split_once(':') {
        None => Ok((name, None, digest)),
        Some((last, tag)) => {
            let valid = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if tag.is_empty() || tag.len() > 128 || !tag.chars().all(valid) {
                return Err("what follows `:` is no tag");
            }
            Ok((&name[..start + last.len()], Some(tag.to_owned()), digest))
        }
    }
}

fn registry(name: &str) -> Result<RegistryImage, &'static str> {
    let (host, rest) = name.split_once('/').ok_or("it names no repository")?;
    let (repository, tag, digest) = split(rest)?;
    let valid_host = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    if host.is_empty() || !host.chars().all(valid_host) {
        return Err("it names no registry");
    }
    let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    if !repository
        .split('/')
        .all(|part| !part.is_empty() && part.chars().all(valid))
    {
        return Err("its repository is not made of lower-case letters, digits, `.`, `_` and `-`");
    }
    Ok(RegistryImage {
        registry: host.to_owned(),
        repository: repository.to_owned(),
        tag,
        digest,
    })
}

fn layout(path: &str) -> Result<LayoutImage, &'static str> {
    let (path, tag, digest) = split(path)?;
    if path.is_empty() {
        return Err("it names no directory");
    }
    Ok(LayoutImage {
        path: path.into(),
        tag,
        digest,
    })
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(image) => image.fmt(f),
            Self::Layout(image) => image.fmt(f),
            Self::File(path) => write!(f, "file://{}", path.display()),
        }
    }
}

fn suffix(f: &mut fmt::Formatter<'_>, tag: Option<&str>, digest: Option<Digest>) -> fmt::Result {
    if let Some(tag) = tag {
        write!(f, ":{tag}")?;
    }
    match digest {
        Some(digest) => write!(f, "@{digest}"),
        None => Ok(()),
    }
}

impl fmt::Display for RegistryImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", self.registry, self.repository)?;
        suffix(f, self.tag.as_deref(), self.digest)
    }
}

impl fmt::Display for LayoutImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display().to_string();
        // The first two slashes of a path that begins with two would be taken for a URL's.
        let slashes = if path.starts_with("//") { "//" } else { "" };
        write!(f, "oci-layout:{slashes}{path}")?;
        suffix(f, self.tag.as_deref(), self.digest)
    }
}

impl TryFrom<String> for ImageReference {
    type Error = InvalidReference;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ImageReference> for String {
    fn from(image: ImageReference) -> Self {
        image.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    #[test]
    fn registry_images_parse_and_print() {
        let check = |text: &str, host: &str, repository: &str, tag: Option<&str>, pinned: bool| {
            let ImageReference::Registry(image) = text.parse().unwrap() else {
                panic!("{text}")
            };
            assert_eq!(
                (image.registry.as_str(), image.repository.as_str()),
                (host, repository)
            );
            assert_eq!(
                (image.tag.as_deref(), image.digest.is_some()),
                (tag, pinned)
            );
            assert_eq!(image.to_string(), text);
        };
        check(
            "oci://ghcr.io/weir/git:1.0",
            "ghcr.io",
            "weir/git",
            Some("1.0"),
            false,
        );
        check(
            "oci://localhost:5000/git",
            "localhost:5000",
            "git",
            None,
            false,
        );
        check(&format!("oci://h/a/b@{HEX}"), "h", "a/b", None, true);
        check(
            &format!("oci://h:1/a/b:v1@{HEX}"),
            "h:1",
            "a/b",
            Some("v1"),
            true,
        );
    }

    #[test]
    fn layouts_and_files_parse() {
        let directory = tempfile::tempdir().unwrap();
        let text = format!("file://{}", directory.path().display());
        assert!(matches!(text.parse().unwrap(), ImageReference::Layout(_)));
        assert_eq!(
            "oci-layout:./a/b:v1".parse::<ImageReference>().unwrap(),
            ImageReference::Layout(LayoutImage {
                path: "./a/b".into(),
                tag: Some("v1".into()),
                digest: None
            })
        );
        let root: ImageReference = "file:////".parse().unwrap();
        assert_eq!(root.to_string().parse::<ImageReference>().unwrap(), root);
        assert_eq!(
            "file://x.wasm".parse::<ImageReference>().unwrap(),
            ImageReference::File("x.wasm".into())
        );
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "",
            "ghcr.io/weir/git",
            "oci://",
            "oci://host",
            "oci://host/",
            "oci:///x",
            "oci://h/A",
            "oci://h/a:",
            "oci://h/a:b:c",
            "oci://h/a@sha256:12",
            "oci://h/a//b",
            "oci://u@h/a",
            "file://",
            "oci-layout:",
            "http://h/a",
        ] {
            assert!(text.parse::<ImageReference>().is_err(), "{text}");
        }
    }
}
