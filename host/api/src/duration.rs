//! Durations in Go's text form (`1m30s`, `10m0s`, `1.5h`), which is what every Flux field holds.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration as StdDuration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What Flux's CRDs accept for intervals and most timeouts.
pub const PATTERN: &str = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$";
/// What they accept for the timeouts of sources and providers: no hours.
pub const PATTERN_NO_HOURS: &str = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$";

/// A span of time, never negative. Values beyond Go's range (292 years) saturate, because an
/// object the API server has accepted must stay readable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub StdDuration);

/// The text is no Go duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no duration like 1m30s")]
pub struct InvalidDuration(String);

const SECOND: u128 = 1_000_000_000;
/// The greatest value a Go duration can have.
const MAX_NANOS: u128 = i64::MAX as u128;

impl Duration {
    /// Whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(StdDuration::from_secs(seconds))
    }

    /// Milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(StdDuration::from_millis(millis))
    }

    /// As the standard library's type.
    pub const fn get(self) -> StdDuration {
        self.0
    }
}

impl From<StdDuration> for Duration {
    fn from(duration: StdDuration) -> Self {
        Self(duration)
    }
}

impl From<Duration> for StdDuration {
    fn from(duration: Duration) -> Self {
        duration.0
    }
}

fn unit(text: &str) -> Option<(u128, &str)> {
    // Longer names first: `m` is a prefix of `ms`.
    const UNITS: [(&str, u128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", SECOND),
        ("m", 60 * SECOND),
        ("h", 3_600 * SECOND),
    ];
    UNITS
        .iter()
        .find_map(|(name, nanos)| text.strip_prefix(name).map(|rest| (*nanos, rest)))
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

fn parse_nanos(text: &str) -> Option<u128> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (whole, after) = split_digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => split_digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let (nanos, after) = unit(after)?;
        let whole = whole.bytes().fold(0_u128, |n, digit| {
            n.saturating_mul(10)
                .saturating_add(u128::from(digit - b'0'))
                .min(MAX_NANOS)
        });
        let mut part = whole.saturating_mul(nanos);
        let mut scale = nanos;
        for digit in fraction.bytes() {
            // Digits beyond a nanosecond are cut off, as Go does.
            scale /= 10;
            part = part.saturating_add(scale * u128::from(digit - b'0'));
        }
        total = total.saturating_add(part).min(MAX_NANOS);
        rest = after;
    }
    Some(total)
}

impl FromStr for Duration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let nanos = parse_nanos(text).ok_or_else(|| InvalidDuration(text.to_owned()))?;
        Ok(Self(StdDuration::new(
            (nanos / SECOND) as u64,
            (nanos % SECOND) as u32,
        )))
    }
}

/// `value` as a decimal number of units, without trailing zeros.
fn fraction(f: &mut fmt::Formatter<'_>, value: u128, unit: u128, name: &str) -> fmt::Result {
    let rest = value % unit;
    write!(f, "{}", value / unit)?;
    if rest != 0 {
        let width = unit.ilog10() as usize;
        let digits = format!("{rest:0width$}");
        write!(f, ".{}", digits.trim_end_matches('0'))?;
    }
    f.write_str(name)
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{nanos}ns"),
            1_000..1_000_000 => fraction(f, nanos, 1_000, "µs"),
            1_000_000..SECOND => fraction(f, nanos, 1_000_000, "ms"),
            _ => {
                let hours = nanos / (3_600 * SECOND);
                let minutes = nanos / (60 * SECOND) % 60;
                if hours > 0 {
                    write!(f, "{hours}h")?;
                }
                if hours > 0 || minutes > 0 {
                    write!(f, "{minutes}m")?;
                }
                fraction(f, nanos % (60 * SECOND), SECOND, "s")
            }
        }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": PATTERN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_go_reads() {
        let check = |text: &str, nanos: u128| {
            assert_eq!(
                text.parse::<Duration>().unwrap().0.as_nanos(),
                nanos,
                "{text}"
            );
        };
        check("0", 0);
        check("0s", 0);
        check("1m30s", 90 * SECOND);
        check("10m0s", 600 * SECOND);
        check("1.5h", 5_400 * SECOND);
        check(".5s", SECOND / 2);
        check("1.s", SECOND);
        check("750ms", 750_000_000);
        check("1h2m3s4ms", 3_723_004_000_000);
        check("3us", 3_000);
        check("3µs", 3_000);
        check("0.0000000001s", 0);
        check("99999999999999999999999999h", MAX_NANOS);
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in [
            "",
            "1",
            "s",
            ".s",
            "1d",
            "1w",
            "1m30",
            "-1s",
            "1 s",
            "1m 30s",
            "5 minutes",
        ] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    #[test]
    fn writes_as_go_writes() {
        let check = |text: &str, written: &str| {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), written);
        };
        check("0", "0s");
        check("90s", "1m30s");
        check("600s", "10m0s");
        check("1h", "1h0m0s");
        check("1500ms", "1.5s");
        check("100ms", "100ms");
        check("1.25ms", "1.25ms");
        check("1500ns", "1.5µs");
        check("61.001s", "1m1.001s");
    }

    proptest! {
        #[test]
        fn text_round_trips(nanos in 0..=i64::MAX as u64) {
            let duration = Duration(StdDuration::from_nanos(nanos));
            prop_assert_eq!(duration.to_string().parse::<Duration>().unwrap(), duration);
        }
    }
}
