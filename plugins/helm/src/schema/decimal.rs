//! Numbers as they were written: a tenth is a tenth.

use std::cmp::Ordering;

use weir_yaml::{Value as Plain, number};

/// A number; exact as long as it has no more digits than fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal {
    /// Digits and the power of ten they are multiplied with.
    exact: Option<(i128, u32)>,
    value: f64,
}

/// More places than any schema has; beyond them floats will do.
const MAX_PLACES: u32 = 18;

impl Decimal {
    /// The number of a JSON value.
    pub(super) fn of(value: &Plain) -> Option<Self> {
        match value {
            Plain::Int(value) => Some(Self::whole(i128::from(*value))),
            Plain::Uint(value) => Some(Self::whole(i128::from(*value))),
            Plain::Float(value) => Some(Self {
                exact: exact(*value),
                value: *value,
            }),
            _ => None,
        }
    }

    fn whole(value: i128) -> Self {
        Self {
            exact: Some((value, 0)),
            value: value as f64,
        }
    }

    /// Whether it has no fraction.
    pub(super) fn is_integer(self) -> bool {
        self.value.fract() == 0.0
    }

    /// How it compares.
    pub(super) fn compare(self, other: Self) -> Ordering {
        match self.aligned(other) {
            Some((left, right)) => left.cmp(&right),
            None => self.value.total_cmp(&other.value),
        }
    }

    /// Whether it is a multiple of another.
    pub(super) fn is_multiple_of(self, other: Self) -> bool {
        match self.aligned(other) {
            Some((left, right)) => right != 0 && left % right == 0,
            None => (self.value / other.value).fract() == 0.0,
        }
    }

    /// Whether it is above zero.
    pub(super) fn is_positive(self) -> bool {
        self.value > 0.0
    }

    fn aligned(self, other: Self) -> Option<(i128, i128)> {
        let ((left, left_places), (right, right_places)) = (self.exact?, other.exact?);
        let places = left_places.max(right_places);
        let scale =
            |digits: i128, from: u32| digits.checked_mul(10_i128.checked_pow(places - from)?);
        Some((scale(left, left_places)?, scale(right, right_places)?))
    }
}

/// Digits and decimal places of the shortest text of a float.
fn exact(value: f64) -> Option<(i128, u32)> {
    let text = format!("{value}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let places = u32::try_from(fraction.len()).ok()?;
    if places > MAX_PLACES {
        return None;
    }
    Some((format!("{whole}{fraction}").parse().ok()?, places))
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&number::format_float(self.value))
    }
}
