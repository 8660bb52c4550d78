//! What a plain scalar means, by the rules of go-yaml v2 (YAML 1.1) and v3.

use crate::error::Error;
use crate::node::Tag;
use crate::number;
use crate::timestamp;

/// Whose rules apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// go-yaml v2: `yes`, `on` and their like are booleans; timestamps stay strings. Behind
    /// `sigs.k8s.io/yaml`, which reads kustomizations and prints results.
    V2,
    /// go-yaml v3, behind kyaml, which reads resources and patches.
    V3,
}

/// A scalar's meaning.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `null`, `~`, nothing
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits.
    Int(i64),
    /// A positive integer that only fits without sign.
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// A point in time, in RFC 3339.
    Timestamp(String),
    /// A string: the text as it stands.
    Str,
}

impl Scalar {
    /// The tag that stands for the meaning.
    pub fn tag(&self) -> Tag {
        match self {
            Self::Null => Tag::Null,
            Self::Bool(_) => Tag::Bool,
            Self::Int(_) | Self::Uint(_) => Tag::Int,
            Self::Float(_) => Tag::Float,
            Self::Timestamp(_) => Tag::Timestamp,
            Self::Str => Tag::Str,
        }
    }
}

/// The meaning of a plain scalar.
pub fn plain(dialect: Dialect, text: &str) -> Scalar {
    resolve(dialect, text, true)
}

fn resolve(dialect: Dialect, text: &str, timestamps: bool) -> Scalar {
    let Some(first) = text.bytes().next() else {
        return Scalar::Null;
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            word(dialect, text)
        }
        b'.' => match text {
            ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" => Scalar::Float(f64::INFINITY),
            _ => float(text).map_or(Scalar::Str, Scalar::Float),
        },
        b'+' | b'-' | b'0'..=b'9' => match text {
            "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
            _ => numeric(dialect, text, timestamps),
        },
        _ => Scalar::Str,
    }
}

fn word(dialect: Dialect, text: &str) -> Scalar {
    match text {
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if dialect == Dialect::V2 => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if dialect == Dialect::V2 => {
            Scalar::Bool(false)
        }
        _ => Scalar::Str,
    }
}

fn numeric(dialect: Dialect, text: &str, timestamps: bool) -> Scalar {
    if timestamps && let Some(time) = timestamp::parse(text) {
        return Scalar::Timestamp(time);
    }
    let stripped;
    let plain = if text.contains('_') {
        stripped = text.replace('_', "");
        &stripped
    } else {
        text
    };
    if let Some(value) = number::parse_int(plain) {
        return Scalar::Int(value);
    }
    if let Some(value) = number::parse_uint(plain) {
        return Scalar::Uint(value);
    }
    if is_float(plain)
        && let Some(value) = float(plain)
    {
        return Scalar::Float(value);
    }
    // `0b…` and `0o…` are integers already, but for a sign inside, which Go's parser of a given
    // base accepts.
    let prefixed = |prefix: &str, radix| {
        let digits = plain.strip_prefix(prefix)?;
        let (negative, digits) = match digits.as_bytes().first() {
            Some(b'-') => (true, &digits[1..]),
            Some(b'+') => (false, &digits[1..]),
            _ => (false, digits),
        };
        let magnitude = number::parse_radix(digits, radix)?;
        if negative {
            0i64.checked_sub_unsigned(magnitude)
        } else {
            i64::try_from(magnitude).ok()
        }
    };
    if let Some(value) = prefixed("0b", 2) {
        return Scalar::Int(value);
    }
    if dialect == Dialect::V3
        && let Some(value) = prefixed("0o", 8)
    {
        return Scalar::Int(value);
    }
    Scalar::Str
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    let exponent_ok =
        exponent.is_none_or(|part| digits(part.strip_prefix(['-', '+']).unwrap_or(part)));
    mantissa_ok && exponent_ok
}

fn float(text: &str) -> Option<f64> {
    // What Rust accepts beyond Go's decimal form are words, which never come here.
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// The meaning of a scalar with an explicit tag; `None` for tags that make it a string.
pub fn tagged(dialect: Dialect, tag: &Tag, text: &str) -> Result<Scalar, Error> {
    let found = match tag {
        Tag::Empty | Tag::Timestamp => resolve(dialect, text, true),
        Tag::Null | Tag::Bool | Tag::Int | Tag::Float => resolve(dialect, text, false),
        _ => return Ok(Scalar::Str),
    };
    match (tag, &found) {
        (Tag::Empty, _) => Ok(found),
        (Tag::Float, Scalar::Int(value)) => Ok(Scalar::Float(*value as f64)),
        _ if found.tag() == *tag => Ok(found),
        _ => Err(Error::new(format!(
            "yaml: cannot decode {} `{text}` as a {}",
            found.tag().name(),
            tag.name()
        ))),
    }
}

/// `1:30` and the like, which YAML 1.1 reads as a number in base 60.
pub fn is_base60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit()) || !unsigned.contains(':') {
        return false;
    }
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (unsigned, ""),
    };
    let digits_or_underscore = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let mut parts = whole.split(':');
    digits_or_underscore(fraction)
        && parts.next().is_some_and(digits_or_underscore)
        && parts.all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

/// The YAML 1.1 booleans that v3 still quotes.
pub fn is_old_bool(text: &str) -> bool {
    text.len() <= 3 && matches!(word(Dialect::V2, text), Scalar::Bool(_))
}
