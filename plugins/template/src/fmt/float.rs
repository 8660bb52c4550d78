//! Floating-point numbers in the forms of `strconv.FormatFloat`.

/// Formats with a verb of `e f g` (or their capitals), and a precision unless the shortest form
/// that reads back is asked for.
pub(super) fn format(value: f64, verb: u8, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let text = match (verb.to_ascii_lowercase(), precision) {
        (b'e', precision) => exponential(value, precision),
        (b'f', Some(precision)) => format!("{value:.precision$}"),
        (b'f', None) => format!("{value}"),
        (b'x', precision) => hexadecimal(value, precision),
        (_, None) => weir_yaml::number::format_float(value),
        (_, Some(precision)) => general(value, precision.max(1)),
    };
    if verb.is_ascii_uppercase() {
        text.to_ascii_uppercase()
    } else {
        text
    }
}

fn exponential(value: f64, precision: Option<usize>) -> String {
    let text = match precision {
        Some(precision) => format!("{value:.precision$e}"),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// As many digits as `precision`, trailing zeros dropped, in the shorter of the two forms.
fn general(value: f64, precision: usize) -> String {
    let text = format!("{value:.*e}", precision - 1);
    let exponent = text.split_once('e').map_or("0", |(_, exponent)| exponent);
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // When the number has fewer digits than asked for, those decide.
    let digits = text
        .split('e')
        .next()
        .unwrap_or_default()
        .trim_start_matches('-')
        .replace('.', "");
    let digits = digits.trim_end_matches('0').len().max(1) as i32;
    let mut bound = precision as i32;
    if bound > digits && digits > exponent {
        bound = digits;
    }
    if exponent < -4 || exponent >= bound {
        let shown = exponential(value, Some(precision - 1));
        let (mantissa, power) = shown.split_once('e').unwrap_or((&shown, "+00"));
        return format!("{}e{power}", without_zeros(mantissa));
    }
    let decimals = usize::try_from(precision as i32 - 1 - exponent).unwrap_or(0);
    without_zeros(&format!("{value:.decimals$}")).to_owned()
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

/// `-0x1.23p+04`.
fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let bits = value.to_bits();
    let mut mantissa = bits & ((1 << 52) - 1);
    let mut exponent = ((bits >> 52) & 0x7ff) as i32 - 1023;
    if value == 0.0 {
        exponent = 0;
    } else if exponent == -1023 {
        // A subnormal number is shifted until it begins with one.
        let shift = mantissa.leading_zeros() - 11;
        mantissa = (mantissa << shift) & ((1 << 52) - 1);
        exponent = -1022 - shift as i32;
    }
    let mut head = u64::from(value != 0.0);
    let mut digits = format!("{mantissa:013x}");
    if let Some(precision) = precision.filter(|precision| *precision < 13) {
        let drop = 4 * (13 - precision) as u32;
        let whole = (head << 52) | mantissa;
        let kept = whole >> drop;
        let (rest, half) = (whole & ((1 << drop) - 1), 1 << (drop - 1));
        let up = u64::from(rest > half || rest == half && kept & 1 == 1);
        let rounded = (kept + up) << drop;
        head = rounded >> 52;
        if head > 1 {
            head = 1;
            exponent += 1;
        }
        digits = format!("{:013x}", rounded & ((1 << 52) - 1));
        digits.truncate(precision);
    } else if precision.is_none() {
        digits = digits.trim_end_matches('0').to_owned();
    }
    let point = if digits.is_empty() { "" } else { "." };
    let direction = if exponent < 0 { '-' } else { '+' };
    let power = exponent.unsigned_abs();
    format!("{sign}0x{head}{point}{digits}p{direction}{power:02}")
}
