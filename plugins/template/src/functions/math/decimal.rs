//! Decimal numbers of any size (shopspring/decimal, as far as Sprig uses it).

use num_bigint::BigInt;

/// Digits behind the point that a division keeps (`DivisionPrecision`).
const DIVISION_DIGITS: i32 = 16;

/// `digits` times ten to the power of `exponent`.
pub(super) struct Decimal {
    digits: BigInt,
    exponent: i32,
}

impl Decimal {
    /// The shortest decimal that reads back as the float; nothing for what is no number.
    pub(super) fn from_float(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let decimals = mantissa.split_once('.').map_or(0, |(_, tail)| tail.len());
        Some(Self {
            digits: mantissa.replace('.', "").parse().ok()?,
            exponent: exponent.parse::<i32>().ok()? - decimals as i32,
        })
    }

    /// The nearest float.
    pub(super) fn to_float(&self) -> f64 {
        let text = format!("{}e{}", self.digits, self.exponent);
        text.parse().unwrap_or(f64::NAN)
    }

    /// Digits at a lower exponent.
    fn at(&self, exponent: i32) -> BigInt {
        let power = u32::try_from(self.exponent - exponent).unwrap_or(0);
        &self.digits * BigInt::from(10).pow(power)
    }

    pub(super) fn add(&self, other: &Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        Some(Self {
            digits: self.at(exponent) + other.at(exponent),
            exponent,
        })
    }

    pub(super) fn subtract(&self, other: &Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        Some(Self {
            digits: self.at(exponent) - other.at(exponent),
            exponent,
        })
    }

    pub(super) fn multiply(&self, other: &Self) -> Option<Self> {
        Some(Self {
            digits: &self.digits * &other.digits,
            exponent: self.exponent + other.exponent,
        })
    }

    /// Rounded half away from zero; nothing if the divisor is zero.
    pub(super) fn divide(&self, other: &Self) -> Option<Self> {
        let zero = BigInt::ZERO;
        if other.digits == zero {
            return None;
        }
        let shift = self.exponent - other.exponent + DIVISION_DIGITS;
        let power = BigInt::from(10).pow(shift.unsigned_abs());
        let (dividend, divisor) = if shift >= 0 {
            (&self.digits * power, other.digits.clone())
        } else {
            (self.digits.clone(), &other.digits * power)
        };
        let mut quotient = &dividend / &divisor;
        let remainder = &dividend % &divisor;
        let magnitude = |value: &BigInt| if *value < zero { -value } else { value.clone() };
        if magnitude(&remainder) * 2 >= magnitude(&divisor) {
            let negative = (dividend < zero) != (divisor < zero);
            quotient += if negative { -1 } else { 1 };
        }
        Some(Self {
            digits: quotient,
            exponent: -DIVISION_DIGITS,
        })
    }
}
