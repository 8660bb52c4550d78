//! Numbers as Go reads and writes them (`strconv`).

/// `strconv.ParseInt(text, 0, 64)`: base by prefix, a leading zero means octal.
pub fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = parse_uint(digits)?;
    if negative {
        0i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    }
}

/// `strconv.ParseUint(text, 0, 64)`.
pub fn parse_uint(text: &str) -> Option<u64> {
    let lower = |prefix: &str| {
        text.get(..2)
            .filter(|start| start.eq_ignore_ascii_case(prefix))
            .and_then(|_| text.get(2..))
    };
    let (radix, digits) = if let Some(rest) = lower("0x") {
        (16, rest)
    } else if let Some(rest) = lower("0b") {
        (2, rest)
    } else if let Some(rest) = lower("0o") {
        (8, rest)
    } else if text.len() > 1 && text.starts_with('0') {
        (8, &text[1..])
    } else {
        (10, text)
    };
    parse_radix(digits, radix)
}

/// Digits only: no sign, no prefix.
pub fn parse_radix(digits: &str, radix: u32) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|b| char::from(b).is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// Digits of the shortest decimal that reads back as `value`, and the power of ten of the first.
fn shortest(value: f64) -> (String, i32) {
    let text = format!("{:e}", value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

fn sign(value: f64) -> &'static str {
    if value.is_sign_negative() { "-" } else { "" }
}

fn exponential(value: f64, min_digits: usize) -> String {
    let (digits, exponent) = shortest(value);
    let (head, tail) = digits.split_at(1);
    let point = if tail.is_empty() { "" } else { "." };
    let direction = if exponent < 0 { '-' } else { '+' };
    let power = exponent.unsigned_abs();
    format!(
        "{}{head}{point}{tail}e{direction}{power:0min_digits$}",
        sign(value)
    )
}

fn positional(value: f64) -> String {
    // Rust's own display is positional and shortest.
    format!("{value}")
}

/// `strconv.FormatFloat(value, 'g', -1, 64)`.
pub fn format_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value == 0.0 {
        return format!("{}0", sign(value));
    }
    // For the shortest form Go decides as if the precision were 6 (strconv/ftoa.go).
    let (_, exponent) = shortest(value);
    if (-4..6).contains(&exponent) {
        positional(value)
    } else {
        exponential(value, 2)
    }
}

/// A float as `encoding/json` writes it; nothing for what JSON has no form for.
pub fn format_json(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        Some(exponential(value, 1))
    } else if value == 0.0 {
        Some(format!("{}0", sign(value)))
    } else {
        Some(positional(value))
    }
}
