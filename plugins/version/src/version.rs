//! A version, read leniently and ordered by SemVer's precedence.

use std::cmp::Ordering;
use std::fmt;

use crate::scan;

/// The text is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no semantic version")]
pub struct InvalidVersion(pub(crate) String);

/// A semantic version that remembers how it was written.
///
/// There is no `Ord`: build metadata and spelling do not count for [`Version::precedence`], so
/// versions that are equal by it need not be the same text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    pub(crate) major: u64,
    pub(crate) minor: u64,
    pub(crate) patch: u64,
    pub(crate) pre: String,
    build: String,
    original: String,
}

impl Version {
    /// Parses what Flux takes for a version: three numbers, optionally with a leading `v`, leading
    /// zeros in the numbers, a pre-release and build metadata (fluxcd/pkg `version.ParseVersion`).
    ///
    /// # Errors
    /// Any other text, and numbers beyond 64 bits.
    pub fn parse(text: &str) -> Result<Self, InvalidVersion> {
        // `1.2` and `1` are tags that people move, so they are no versions here.
        if text.splitn(3, '.').count() < 3 {
            return Err(InvalidVersion(text.to_owned()));
        }
        Self::parse_short(text)
    }

    /// As [`Version::parse`]; absent minor and patch numbers are 0 (Masterminds/semver
    /// `NewVersion`). What Helm takes for a version.
    ///
    /// # Errors
    /// Any other text, and numbers beyond 64 bits.
    pub fn parse_short(text: &str) -> Result<Self, InvalidVersion> {
        let invalid = || InvalidVersion(text.to_owned());
        let pieces = scan::version(text, scan::is_digit)
            .filter(|pieces| pieces.len == text.len())
            .ok_or_else(invalid)?;
        let pre = pieces.pre.unwrap_or_default();
        // SemVer 2.0.0 §9. In the three numbers leading zeros are let pass, for `2025.02.03`.
        if pre
            .split('.')
            .any(|part| part.len() > 1 && part.starts_with('0') && is_numeric(part))
        {
            return Err(invalid());
        }
        let [major, minor, patch] = pieces.numbers.map(|number| number.unwrap_or("0").parse());
        Ok(Self {
            major: major.map_err(|_| invalid())?,
            minor: minor.map_err(|_| invalid())?,
            patch: patch.map_err(|_| invalid())?,
            pre: pre.to_owned(),
            build: pieces.build.unwrap_or_default().to_owned(),
            original: text.to_owned(),
        })
    }

    /// Precedence: numbers, then pre-release; build metadata does not count.
    pub fn precedence(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self)
            .cmp(&numbers(other))
            .then_with(|| pre_precedence(&self.pre, &other.pre))
    }

    /// Whether it has a pre-release part.
    pub fn is_pre_release(&self) -> bool {
        !self.pre.is_empty()
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.major
    }

    /// The second number.
    pub fn minor(&self) -> u64 {
        self.minor
    }

    /// The third number.
    pub fn patch(&self) -> u64 {
        self.patch
    }

    /// The pre-release, without its dash; empty for none.
    pub fn pre_release(&self) -> &str {
        &self.pre
    }

    /// The build metadata, without its plus; empty for none.
    pub fn build(&self) -> &str {
        &self.build
    }

    /// The text it was parsed from.
    pub fn as_str(&self) -> &str {
        &self.original
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.original)
    }
}

fn is_numeric(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit())
}

/// SemVer 2.0.0 §11.3 and 11.4: none is highest, then identifier by identifier.
pub(crate) fn pre_precedence(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => left
            .split('.')
            .zip(right.split('.'))
            .map(|(left, right)| identifier_precedence(left, right))
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| left.split('.').count().cmp(&right.split('.').count())),
    }
}

/// Numbers below words; numbers by value, words by their bytes. A number beyond 64 bits is a word,
/// as in Masterminds/semver.
fn identifier_precedence(left: &str, right: &str) -> Ordering {
    let number = |part: &str| part.parse::<u64>().ok().filter(|_| is_numeric(part));
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.cmp(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_leniently() {
        for text in [
            "1.2.3",
            "v1.2.3",
            "v2025.02.03-rc.1",
            "1.2.3-alpha.1+build.5",
            "0.0.0",
        ] {
            assert_eq!(Version::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_no_versions() {
        for text in [
            "",
            "latest",
            "1",
            "v1.2",
            "1.2.3.4",
            "1.2.3-",
            "1.2.3-01",
            "1.2.3 ",
            "V1.2.3",
            "1.2.3-a..b",
            "1.2.99999999999999999999",
            "-1.2.3",
            "1.2.x",
        ] {
            assert_eq!(
                Version::parse(text),
                Err(InvalidVersion(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn precedence_is_semvers() {
        // SemVer 2.0.0 §11.
        let ascending = [
            "1.0.0-1",
            "1.0.0-9",
            "1.0.0-10",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "v1.0.0",
            "1.0.1",
            "1.2.0",
            "1.10.0",
            "2.0.0",
        ];
        for pair in ascending.windows(2) {
            let [low, high] = [pair[0], pair[1]].map(|text| Version::parse(text).unwrap());
            assert_eq!(low.precedence(&high), Ordering::Less, "{low} < {high}");
            assert_eq!(high.precedence(&low), Ordering::Greater, "{high} > {low}");
        }
    }

    #[test]
    fn spelling_and_build_metadata_do_not_count() {
        let [a, b] = ["v1.02.3+one", "1.2.3+two"].map(|text| Version::parse(text).unwrap());
        assert_eq!(a.precedence(&b), Ordering::Equal);
        assert_ne!(a, b);
    }
}
