//! The image policy plugin `semver`: the tag with the highest version in a range.
//!
//! Source of the rules: fluxcd/image-reflector-controller `internal/policy/semver.go`.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::Deserialize;
use weir_sdk::{About, Call, Error, ImagePolicy, Problem, Result};
use weir_version::{InvalidRange, Range, Version};

/// `spec.policy.semver` of an ImagePolicy (image.toolkit.fluxcd.io).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// The range: `>=1.0.0 <2.0.0`, `^1.2`, `1.x || >=3.0.0-0`.
    range: String,
}

impl Settings {
    fn range(&self) -> Result<Range, InvalidRange> {
        self.range.parse()
    }
}

struct SemVer;

impl ImagePolicy for SemVer {
    type Settings = Settings;

    fn about() -> About {
        About::new("semver", env!("CARGO_PKG_VERSION"))
            .summary("The tag with the highest version in a range")
            .example(serde_json::json!({ "range": ">=1.0.0 <2.0.0" }))
    }

    fn check(settings: &Settings) -> Vec<Problem> {
        match settings.range() {
            Ok(_) => Vec::new(),
            Err(error) => vec![Problem::new("/range", error.to_string())],
        }
    }

    fn select(_: &Call, settings: Settings, candidates: &[String]) -> Result<Option<usize>> {
        let range = settings
            .range()
            .map_err(|error| Error::invalid_settings("InvalidPolicy", error.to_string()))?;
        Ok(latest(&range, candidates))
    }
}

weir_sdk::export!(image_policy: SemVer);

/// Index of the highest version in the range; of equal ones the first.
pub fn latest(range: &Range, candidates: &[String]) -> Option<usize> {
    let mut best: Option<(usize, Version)> = None;
    for (index, tag) in candidates.iter().enumerate() {
        let Ok(version) = Version::parse(tag) else {
            continue;
        };
        let higher = best
            .as_ref()
            .is_none_or(|(_, best)| version.precedence(best) == Ordering::Greater);
        if higher && range.contains(&version) {
            best = Some((index, version));
        }
    }
    best.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_in_the_range_wins() {
        let tags = [
            "latest",
            "1.9.0",
            "v1.10.0",
            "1.10.0",
            "2.0.0-rc.1",
            "2.0.0",
            "1.11",
            "3.0.0",
        ]
        .map(str::to_owned);
        let latest =
            |range: &str| latest(&range.parse().unwrap(), &tags).map(|index| tags[index].as_str());
        assert_eq!(latest("1.x"), Some("v1.10.0"), "of equal ones the first");
        assert_eq!(latest("<1.10"), Some("1.9.0"));
        assert_eq!(latest(">=1.0.0-0 <2.0.0"), Some("2.0.0-rc.1"));
        assert_eq!(latest("*"), Some("3.0.0"));
        assert_eq!(latest("^7"), None);
    }

    #[test]
    fn a_bad_range_is_told_at_admission() {
        let problems = SemVer::check(&Settings {
            range: "latest".into(),
        });
        assert_eq!(problems[0].pointer, "/range");
        assert!(SemVer::check(&Settings { range: "^1".into() }).is_empty());
    }
}
