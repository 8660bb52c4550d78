//! Numbers of templates (golang/go `src/text/template/parse/node.go`, `newNumber`).

use super::ast::Number;
use super::quote::{Unescaped, quote, unescape};

/// Reads `'x'`.
pub(super) fn character(text: &str) -> Result<Number, String> {
    let malformed = || format!("malformed character constant: {text}");
    let inner = text.get(1..).unwrap_or_default();
    let (c, tail) = unescape(inner, '\'').ok_or_else(|| "invalid syntax".to_owned())?;
    if tail != "'" {
        return Err(malformed());
    }
    let code = match c {
        Unescaped::Char(c) => u32::from(c),
        Unescaped::Byte(byte) => byte.into(),
    };
    Ok(Number {
        int: Some(code.into()),
        float: Some(code.into()),
        complex: None,
    })
}

/// Reads `1+2i`. One without an imaginary part is also any other number that it equals.
pub(super) fn complex(text: &str) -> Result<Number, String> {
    let malformed = || format!("illegal number syntax: {}", quote(text));
    let body = text.strip_suffix('i').ok_or_else(malformed)?;
    // The sign of the imaginary part, not of an exponent.
    let is_exponent = |at: usize| body[..at].ends_with(['e', 'E', 'p', 'P']);
    let sign = body
        .char_indices()
        .rev()
        .find(|(at, c)| *at > 0 && matches!(c, '+' | '-') && !is_exponent(*at));
    let (real, imaginary) = sign.map_or(("0", body), |(at, _)| body.split_at(at));
    let real = parse_float(real).ok_or_else(malformed)?;
    let imaginary = parse_float(imaginary).ok_or_else(malformed)?;
    let whole = real.fract() == 0.0 && real.abs() < 9.2e18;
    let float = (imaginary == 0.0).then_some(real);
    Ok(Number {
        int: float.filter(|_| whole).map(|value| value as i64),
        float,
        complex: Some((real, imaginary)),
    })
}

/// Reads an integer or a decimal number.
pub(super) fn number(text: &str) -> Result<Number, String> {
    if let Some(imaginary) = text.strip_suffix('i')
        && parse_float(imaginary).is_some()
    {
        return complex(text);
    }
    let mut int = parse_int(text);
    // Too large for an integer of a template, but no error until it is used as one.
    let uint = parse_uint(text);
    let mut float = int.map(|int| int as f64).or(uint.map(|uint| uint as f64));
    if float.is_none()
        && let Some(value) = parse_float(text)
    {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", quote(text)));
        }
        float = Some(value);
        if value.fract() == 0.0 && value.abs() < 9.2e18 {
            int = Some(value as i64);
        }
    }
    if float.is_none() {
        return Err(format!("illegal number syntax: {}", quote(text)));
    }
    Ok(Number {
        int,
        float,
        complex: None,
    })
}

/// `strconv.ParseInt` with base 0: prefixes, and underscores between digits.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let magnitude = parse_uint(digits)?;
    if negative {
        0i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    }
}

fn parse_uint(text: &str) -> Option<u64> {
    weir_yaml::number::parse_uint(&without_underscores(text)?)
}

/// `strconv.ParseFloat`, hexadecimal form included.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = without_underscores(text)?;
    let (sign, magnitude) = match text.strip_prefix(['-', '+']) {
        Some(magnitude) => (if text.starts_with('-') { -1.0 } else { 1.0 }, magnitude),
        None => (1.0, text.as_str()),
    };
    if let Some(hex) = magnitude
        .strip_prefix("0x")
        .or(magnitude.strip_prefix("0X"))
    {
        let (mantissa, exponent) = hex.split_once(['p', 'P'])?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()?;
        let power = exponent.parse::<i32>().ok()? - 4 * i32::try_from(fraction.len()).ok()?;
        return Some(sign * digits as f64 * 2f64.powi(power));
    }
    if !magnitude.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    magnitude
        .parse::<f64>()
        .ok()
        .filter(|value| value.is_finite())
        .map(|value| sign * value)
}

/// Underscores may stand between digits and after a base prefix.
fn without_underscores(text: &str) -> Option<String> {
    if !text.contains('_') {
        return Some(text.to_owned());
    }
    let unsigned = text.trim_start_matches(['-', '+']);
    let prefixed = unsigned
        .get(..2)
        .is_some_and(|start| matches!(&start.to_ascii_lowercase()[..], "0x" | "0o" | "0b"));
    let hex = prefixed && unsigned[1..].starts_with(['x', 'X']);
    let body = if prefixed { &unsigned[2..] } else { unsigned };
    let mut before = if prefixed { '0' } else { ' ' };
    let is_digit = |c: char| c.is_ascii_digit() || hex && c.is_ascii_hexdigit();
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '_' && !(is_digit(before) && chars.peek().is_some_and(|next| is_digit(*next))) {
            return None;
        }
        before = c;
    }
    Some(text.replace('_', ""))
}
