//! Version ranges: `||` of alternatives, each a conjunction of comparisons.
//!
//! Source of the rules: Masterminds/semver 3.4 `constraints.go`, its oddities included (`~0.0.0`
//! takes everything; `<=1.2` takes `1.2.9`), for a range must select the same version here as it
//! does in Flux.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::scan;
use crate::version::{Version, pre_precedence};

/// The text is no version range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("improper constraint: \"{0}\"")]
pub struct InvalidRange(String);

/// A version range.
///
/// ```
/// use weir_version::{Range, Version};
///
/// let range: Range = "^1.2 || >= 3.0.0-0".parse()?;
/// assert!(range.contains(&Version::parse("v1.9.0")?));
/// assert!(!range.contains(&Version::parse("2.0.0")?));
/// assert!(range.contains(&Version::parse("3.1.0-rc.1")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    text: String,
    alternatives: Vec<Alternative>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Alternative {
    comparisons: Vec<Comparison>,
    /// Pre-releases are considered only where one of the comparisons names one.
    pre_releases: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Comparison {
    operator: Operator,
    /// What was left open is 0 in here.
    version: Version,
    open: Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Tilde,
    Caret,
}

/// The first number that a comparison leaves open, by `x` or by ending before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Major,
    Minor,
    Patch,
    Nothing,
}

impl Range {
    /// Whether a version is in the range.
    pub fn contains(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|alternative| {
            (alternative.pre_releases || !version.is_pre_release())
                && alternative
                    .comparisons
                    .iter()
                    .all(|comparison| comparison.holds(version))
        })
    }

    /// As [`Range::contains`], by the rules of Masterminds/semver 3.3, which Helm 3.17 has: each
    /// comparison refuses pre-releases unless it names one itself, whatever stands beside it.
    pub fn contains_each(&self, version: &Version) -> bool {
        let admits = |comparison: &Comparison| {
            // `!=` of a whole version says nothing about them.
            let exact =
                comparison.operator == Operator::NotEqual && comparison.open == Open::Nothing;
            exact || comparison.version.is_pre_release() || !version.is_pre_release()
        };
        self.alternatives.iter().any(|alternative| {
            let mut comparisons = alternative.comparisons.iter();
            comparisons.all(|comparison| admits(comparison) && comparison.holds(version))
        })
    }
}

impl FromStr for Range {
    type Err = InvalidRange;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let alternatives = rewrite_hyphens(text)
            .split("||")
            .map(|part| alternative(part).ok_or_else(|| InvalidRange(part.to_owned())))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            text: text.to_owned(),
            alternatives,
        })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Comparison {
    fn holds(&self, v: &Version) -> bool {
        use Operator::{Caret, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual, Tilde};
        let order = v.precedence(&self.version);
        match (self.operator, self.open) {
            (Equal, Open::Nothing) => order.is_eq(),
            (Equal | Tilde, _) => order.is_ge() && self.tilde(v),
            (Caret, _) => order.is_ge() && self.caret(v),
            (Greater, _) => self.greater(v, order),
            (GreaterOrEqual, _) => order.is_ge(),
            (Less, _) => order.is_lt(),
            (LessOrEqual, Open::Nothing) => order.is_le(),
            (LessOrEqual, open) => {
                v.major < self.version.major
                    || v.major == self.version.major
                        && (v.minor <= self.version.minor || open == Open::Minor)
            }
            (NotEqual, _) => self.differs(v, order),
        }
    }

    /// `~1.2.3` and `~1.2` stay within 1.2, `~1` within 1.
    fn tilde(&self, v: &Version) -> bool {
        let this = &self.version;
        let zero = (this.major, this.minor, this.patch) == (0, 0, 0);
        if zero && matches!(self.open, Open::Major | Open::Nothing) {
            return true;
        }
        v.major == this.major && (v.minor == this.minor || self.open == Open::Minor)
    }

    /// `^` keeps the first number that is not 0.
    fn caret(&self, v: &Version) -> bool {
        let this = &self.version;
        if this.major > 0 || self.open == Open::Minor {
            return v.major == this.major;
        }
        if v.major > 0 {
            return false;
        }
        if this.minor > 0 || self.open == Open::Patch {
            return v.minor == this.minor;
        }
        v.minor == 0 && v.patch == this.patch
    }

    /// `>11` is `>=12`, `>11.1` is `>=11.2`.
    fn greater(&self, v: &Version, order: Ordering) -> bool {
        let this = &self.version;
        match self.open {
            Open::Nothing | Open::Major => order.is_gt(),
            Open::Minor => v.major > this.major,
            Open::Patch => (v.major, v.minor) > (this.major, this.minor),
        }
    }

    fn differs(&self, v: &Version, order: Ordering) -> bool {
        let this = &self.version;
        match self.open {
            Open::Minor => v.major != this.major,
            Open::Patch => {
                (v.major, v.minor) != (this.major, this.minor)
                    || pre_precedence(&v.pre, &this.pre).is_ne()
            }
            Open::Nothing | Open::Major => order.is_ne(),
        }
    }
}

/// White space as the ranges' grammar knows it.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// `a - b` is `>= a, <= b`.
fn rewrite_hyphens(text: &str) -> String {
    let mut rewritten = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some((low, high, after)) = hyphen_range(rest) {
            rewritten.extend([">= ", low, ", <= ", high, " "]);
            rest = after;
        } else {
            rewritten.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    rewritten
}

/// The two versions of a hyphen range at the start of `text`, and what comes after it.
fn hyphen_range(text: &str) -> Option<(&str, &str, &str)> {
    let text = skip_space(text);
    let (low, rest) = text.split_at(scan::version(text, scan::is_wild_digit)?.len);
    let dash = skip_space(rest)
        .strip_prefix('-')
        .filter(|_| rest.starts_with(is_space))?;
    let high = skip_space(dash);
    if !dash.starts_with(is_space) {
        return None;
    }
    let (high, after) = high.split_at(scan::version(high, scan::is_wild_digit)?.len);
    Some((low, high, skip_space(after)))
}

/// Comparisons separated by commas or white space.
fn alternative(text: &str) -> Option<Alternative> {
    let mut comparisons = Vec::new();
    let mut rest = skip_space(text);
    loop {
        let (operator, after) = operator(rest);
        let after = skip_space(after);
        let (this, after) = after.split_at(scan::version(after, scan::is_wild_digit)?.len);
        comparisons.push(comparison(operator, this)?);
        rest = skip_space(after);
        if rest.is_empty() {
            let pre_releases = comparisons.iter().any(|each| each.version.is_pre_release());
            return Some(Alternative {
                comparisons,
                pre_releases,
            });
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = skip_space(after),
            // Without a comma there has to be white space.
            None if rest.len() == after.len() => return None,
            None => {}
        }
    }
}

fn operator(text: &str) -> (Operator, &str) {
    const OPERATORS: [(&str, Operator); 11] = [
        // Longer ones first.
        ("!=", Operator::NotEqual),
        (">=", Operator::GreaterOrEqual),
        ("=>", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        ("=<", Operator::LessOrEqual),
        ("~>", Operator::Tilde),
        (">", Operator::Greater),
        ("<", Operator::Less),
        ("=", Operator::Equal),
        ("~", Operator::Tilde),
        ("^", Operator::Caret),
    ];
    OPERATORS
        .iter()
        .find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)))
        .unwrap_or((Operator::Equal, text))
}

/// Numbers behind an open one are not looked at, as in `1.x.5`.
fn comparison(operator: Operator, text: &str) -> Option<Comparison> {
    let pieces = scan::version(text, scan::is_wild_digit)?;
    let is_open = |number: Option<&str>| number.is_none_or(|it| matches!(it, "x" | "X" | "*"));
    let [major, minor, patch] = pieces.numbers;
    let open = match () {
        () if is_open(major) => Open::Major,
        () if is_open(minor) => Open::Minor,
        () if is_open(patch) => Open::Patch,
        () => Open::Nothing,
    };
    let pre = pieces.pre.map(|pre| format!("-{pre}")).unwrap_or_default();
    let closed = match open {
        Open::Major => format!("0.0.0{pre}"),
        Open::Minor => format!("{}.0.0{pre}", major?),
        Open::Patch => format!("{}.{}.0{pre}", major?, minor?),
        Open::Nothing => text.to_owned(),
    };
    Some(Comparison {
        operator,
        version: Version::parse_short(&closed).ok()?,
        open,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Range, versions in it, versions outside it.
    const TABLE: &[(&str, &[&str], &[&str])] = &[
        (
            "1.2.3",
            &["1.2.3", "v1.2.3", "1.2.3+build"],
            &["1.2.4", "1.2.3-rc.1"],
        ),
        ("=1.2.3", &["1.2.3"], &["1.2.4"]),
        ("!=1.2.3", &["1.2.4", "0.1.0"], &["1.2.3"]),
        ("!=1.2", &["1.3.0", "2.2.0"], &["1.2.0", "1.2.9"]),
        // Wildcards, and numbers left out.
        ("*", &["0.0.0", "1.2.3", "99.0.0"], &["1.2.3-rc.1"]),
        ("1.x", &["1.0.0", "1.9.9"], &["2.0.0", "0.9.9"]),
        ("1.2.*", &["1.2.0", "1.2.9"], &["1.3.0"]),
        ("1", &["1.9.0"], &["2.0.0"]),
        ("1.X.7", &["1.0.0", "1.8.1"], &["2.0.0"]),
        // Comparisons.
        (">1.2.3", &["1.2.4", "2.0.0"], &["1.2.3"]),
        (">11", &["12.0.0"], &["11.1.0", "11.0.0"]),
        (">11.1", &["11.2.0"], &["11.1.1"]),
        ("<=1.2", &["1.2.9", "1.0.0"], &["1.3.0"]),
        ("=<2", &["2.9.9", "1.0.0"], &["3.0.0"]),
        ("<2", &["1.9.9"], &["2.0.0"]),
        (">=1.0.0 <2.0.0", &["1.0.0", "1.9.9"], &["2.0.0", "0.9.0"]),
        (
            ">= 1.2, != 1.3.4, < 2",
            &["1.3.3", "1.9.0"],
            &["1.3.4", "2.0.0"],
        ),
        // Tilde keeps the minor number, or the major where only that is given.
        ("~1.2.3", &["1.2.3", "1.2.9"], &["1.2.2", "1.3.0"]),
        ("~>1.2", &["1.2.0", "1.2.9"], &["1.3.0"]),
        ("~1", &["1.0.0", "1.9.0"], &["2.0.0"]),
        ("~0.0.0", &["0.0.0", "7.0.0"], &[]),
        // Caret keeps the first number that is not 0.
        ("^1.2.3", &["1.2.3", "1.9.0"], &["1.2.2", "2.0.0"]),
        ("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0"]),
        ("^0.0.3", &["0.0.3"], &["0.0.4"]),
        ("^0.0", &["0.0.0", "0.0.9"], &["0.1.0"]),
        ("^0", &["0.0.0", "0.9.9"], &["1.0.0"]),
        // Alternatives and hyphen ranges.
        (
            "1.2.3 || ^2 || ~4.1",
            &["1.2.3", "2.9.0", "4.1.7"],
            &["1.2.4", "3.0.0", "4.2.0"],
        ),
        ("1.2 - 1.4.5", &["1.2.0", "1.4.5"], &["1.4.6", "1.1.9"]),
        (
            "1 - 2 || 4 - 5",
            &["1.0.0", "2.9.0", "5.1.0"],
            &["3.0.0", "6.0.0"],
        ),
        // Pre-releases, where one of the joined comparisons names one.
        (
            ">=1.2.3-0",
            &["1.2.3-alpha", "1.2.3", "2.0.0-rc.1"],
            &["1.2.2"],
        ),
        (
            ">=1.0.0-0 <2",
            &["1.5.0-beta", "2.0.0-alpha"],
            &["2.0.0", "0.9.0-rc.1"],
        ),
        (
            ">=1.0.0 || >=3.0.0-0",
            &["3.1.0-rc.1", "1.0.0"],
            &["1.1.0-rc.1"],
        ),
        (
            "~1.2.3-beta.2",
            &["1.2.3-beta.10", "1.2.4-alpha", "1.2.3"],
            &["1.2.3-beta.1", "1.3.0"],
        ),
        ("*-0", &["1.0.0-rc.1", "0.0.1"], &[]),
        ("1.x-0", &["1.4.0-rc.1", "1.4.0"], &["2.0.0"]),
    ];

    #[test]
    fn before_3_4_each_comparison_decides_on_pre_releases() {
        let rows = [
            (">=1.2.0-0 <2.0.0", "1.5.0-rc.1", true, false),
            (">=1.2.0-0 <2.0.0-0", "1.5.0-rc.1", true, true),
            (">=1.2.0", "1.5.0-rc.1", false, false),
            ("!=1.2.0", "1.5.0-rc.1", false, true),
            ("!=1.2", "1.5.0-rc.1", false, false),
            (">=1.2.0-0 <2.0.0", "1.5.0", true, true),
        ];
        for (range, version, contains, each) in rows {
            let (range, version) = (
                range.parse::<Range>().unwrap(),
                Version::parse(version).unwrap(),
            );
            assert_eq!(range.contains(&version), contains, "{range} {version}");
            assert_eq!(range.contains_each(&version), each, "{range} {version}");
        }
    }

    #[test]
    fn ranges_select_as_in_flux() {
        for (text, inside, outside) in TABLE {
            let range: Range = text.parse().unwrap();
            for (versions, expected) in [(inside, true), (outside, false)] {
                for version in *versions {
                    let version = Version::parse(version).unwrap();
                    assert_eq!(range.contains(&version), expected, "{version} in `{text}`");
                }
            }
        }
    }

    #[test]
    fn other_texts_are_no_ranges() {
        for text in [
            "",
            " ",
            "latest",
            "1 ||",
            ">=1.0.0<2.0.0",
            "==1.2.3",
            "1.2.3.4",
            "^",
            "1 | 2",
            "1.2.3 -",
            "1.2.3 -2",
            "1 - 2 - 3",
            "^1 - 2",
            ">= v",
            "~ > 1",
            "1,,2",
            "1.0.0-01",
        ] {
            assert!(text.parse::<Range>().is_err(), "`{text}`");
        }
        let error = "1.0.0 || latest".parse::<Range>().unwrap_err();
        assert_eq!(error.to_string(), r#"improper constraint: " latest""#);
    }
}
