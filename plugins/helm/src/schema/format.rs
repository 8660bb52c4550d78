//! The keyword `format` (gojsonschema format_checkers.go), as strict or lenient as Go's own parsers
//! of dates, addresses and the like are.

use std::net::{Ipv4Addr, Ipv6Addr};

use weir_template::GoRegex;

/// Whether text has a format; nothing if there is no such format. What is no text has none.
pub(super) fn is_format(format: &str, text: Option<&str>) -> Option<bool> {
    let check: fn(&str) -> bool = match format {
        "date" => is_date,
        "time" => is_time,
        "date-time" => is_date_time,
        "hostname" => is_hostname,
        "email" | "idn-email" => is_email,
        "ipv4" => |text| text.parse::<Ipv4Addr>().is_ok() || is_mapped_ipv4(text),
        "ipv6" => |text| text.parse::<Ipv6Addr>().is_ok(),
        "uri" | "iri" => is_uri,
        "uri-reference" | "iri-reference" => is_uri_reference,
        "uri-template" => is_uri_template,
        "uuid" => is_uuid,
        "regex" => |text| GoRegex::new(text).is_ok(),
        "json-pointer" => is_json_pointer,
        "relative-json-pointer" => is_relative_json_pointer,
        _ => return None,
    };
    Some(text.is_some_and(check))
}

/// The original asks for an address of any kind that has a dot.
fn is_mapped_ipv4(text: &str) -> bool {
    text.contains('.') && text.parse::<Ipv6Addr>().is_ok()
}

/// `N` digits that stand for a number up to a bound, and the rest.
fn digits(text: &str, count: usize, range: std::ops::RangeInclusive<u32>) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let numeric = digits.bytes().all(|b| b.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| numeric)?;
    range.contains(&number).then_some((number, rest))
}

fn date(text: &str) -> Option<&str> {
    let (year, rest) = digits(text, 4, 0..=9999)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2, 1..=12)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let (_, rest) = digits(rest.strip_prefix('-')?, 2, 1..=days)?;
    Some(rest)
}

/// Go lets an hour have one digit, and a fraction follow the seconds.
fn clock(text: &str) -> Option<&str> {
    let hour_digits = if text.as_bytes().get(1) == Some(&b':') {
        1
    } else {
        2
    };
    let (_, rest) = digits(text, hour_digits, 0..=23)?;
    let (_, rest) = digits(rest.strip_prefix(':')?, 2, 0..=59)?;
    let (_, rest) = digits(rest.strip_prefix(':')?, 2, 0..=59)?;
    match rest.strip_prefix(['.', ',']) {
        Some(fraction) => {
            let after = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            (after.len() < fraction.len()).then_some(after)
        }
        None => Some(rest),
    }
}

fn zone(text: &str) -> bool {
    let offset = |text: &str| {
        let (_, rest) = digits(text.strip_prefix(['+', '-'])?, 2, 0..=24)?;
        let (_, rest) = digits(rest.strip_prefix(':')?, 2, 0..=60)?;
        rest.is_empty().then_some(())
    };
    text == "Z" || offset(text).is_some()
}

fn is_date(text: &str) -> bool {
    date(text).is_some_and(str::is_empty)
}

fn is_time(text: &str) -> bool {
    clock(text).is_some_and(|rest| rest.is_empty() || zone(rest))
}

fn is_date_time(text: &str) -> bool {
    let rest = date(text).and_then(|rest| rest.strip_prefix('T'));
    let full = rest.and_then(clock).is_some_and(zone);
    full || is_date(text) || is_time(text)
}

fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        let bytes = label.as_bytes();
        (1..=63).contains(&bytes.len())
            && bytes
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
            && bytes[0] != b'-'
            && bytes[bytes.len() - 1] != b'-'
    };
    text.len() < 256 && text.split('.').all(label)
}

/// An address, with or without a name before it in angle brackets.
fn is_email(text: &str) -> bool {
    let text = text.trim();
    let address = match text.strip_suffix('>') {
        Some(rest) => rest.rsplit_once('<').map_or("", |(_, address)| address),
        None => text,
    };
    let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii();
    let dotted = |text: &str| {
        text.split('.')
            .all(|part| !part.is_empty() && part.chars().all(atom))
    };
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            let quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
            (quoted || dotted(local)) && dotted(domain)
        }
        None => false,
    }
}

/// What Go's `url.Parse` takes.
struct Url {
    has_scheme: bool,
}

fn url(text: &str) -> Option<Url> {
    if text.bytes().any(|b| b < b' ' || b == 0x7f) || text.contains('\\') {
        return None;
    }
    let scheme_end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c));
    let (scheme, rest) = match scheme_end {
        Some(0) if text.starts_with(':') => return None,
        Some(end)
            if text[end..].starts_with(':')
                && text.starts_with(|c: char| c.is_ascii_alphabetic()) =>
        {
            (Some(&text[..end]), &text[end + 1..])
        }
        _ => (None, text),
    };
    let first_segment = rest.split('/').next().unwrap_or_default();
    if scheme.is_none() && first_segment.split('?').next()?.contains(':') {
        return None;
    }
    let escapes = |text: &str| {
        text.match_indices('%').all(|(at, _)| {
            let hex = text.as_bytes().get(at + 1..at + 3);
            hex.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
        })
    };
    if let Some(authority) = rest.strip_prefix("//") {
        let host = authority.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains(' ') || !port_is_numeric(host) {
            return None;
        }
    }
    let path = rest.split('?').next().unwrap_or_default();
    escapes(path).then_some(Url {
        has_scheme: scheme.is_some(),
    })
}

fn port_is_numeric(host: &str) -> bool {
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
    match after.rsplit_once(':') {
        Some((_, port)) => port.bytes().all(|b| b.is_ascii_digit()),
        None => true,
    }
}

fn is_uri(text: &str) -> bool {
    url(text).is_some_and(|url| url.has_scheme)
}

fn is_uri_reference(text: &str) -> bool {
    url(text).is_some()
}

/// Braces are balanced and do not nest.
fn is_uri_template(text: &str) -> bool {
    let mut open = false;
    let balanced = text.chars().all(|c| match c {
        '{' => !std::mem::replace(&mut open, true),
        '}' => {
            open = false;
            true
        }
        _ => true,
    });
    url(text).is_some() && balanced && !open
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(hex))
}

fn is_json_pointer(text: &str) -> bool {
    let mut tokens = text.split('/');
    let escaped = |token: &str| {
        let mut parts = token.split('~').skip(1);
        parts.all(|part| part.starts_with(['0', '1']))
    };
    tokens.next() == Some("") && tokens.all(escaped)
}

fn is_relative_json_pointer(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = &text[..text.len() - rest.len()];
    let canonical = number == "0" || !number.is_empty() && !number.starts_with('0');
    canonical && (rest == "#" || is_json_pointer(rest))
}
