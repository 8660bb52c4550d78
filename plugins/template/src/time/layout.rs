//! Layouts: the reference time of Go, `Mon Jan 2 15:04:05 MST 2006`
//! (golang/go `src/time/format.go`).

use std::fmt::Write as _;

use super::{DAYS, MONTHS, Time};

/// A piece of a layout that stands for a piece of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    LongMonth,
    Month,
    NumberMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderscoreDay,
    ZeroDay,
    UnderscoreYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    /// `PM`, or `pm`.
    Half(bool),
    ZoneName,
    /// An offset; `Z` for UTC, with what it shows.
    Offset(bool, Offset),
    /// A fraction of so many digits, zeros kept or not, behind this mark.
    Fraction(usize, bool, char),
}

/// How much of an offset is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offset {
    Hours,
    Minutes,
    ColonMinutes,
    Seconds,
    ColonSeconds,
}

/// Words of layouts that need no look at what follows; longer ones first.
const WORDS: &[(&str, Field)] = &[
    ("January", Field::LongMonth),
    ("Monday", Field::LongWeekday),
    ("MST", Field::ZoneName),
    ("002", Field::ZeroYearDay),
    ("01", Field::ZeroMonth),
    ("02", Field::ZeroDay),
    ("03", Field::ZeroHour12),
    ("04", Field::ZeroMinute),
    ("05", Field::ZeroSecond),
    ("06", Field::Year),
    ("15", Field::Hour),
    ("1", Field::NumberMonth),
    ("2006", Field::LongYear),
    ("2", Field::Day),
    ("__2", Field::UnderscoreYearDay),
    ("_2", Field::UnderscoreDay),
    ("3", Field::Hour12),
    ("4", Field::Minute),
    ("5", Field::Second),
    ("PM", Field::Half(true)),
    ("pm", Field::Half(false)),
    ("-070000", Field::Offset(false, Offset::Seconds)),
    ("-07:00:00", Field::Offset(false, Offset::ColonSeconds)),
    ("-0700", Field::Offset(false, Offset::Minutes)),
    ("-07:00", Field::Offset(false, Offset::ColonMinutes)),
    ("-07", Field::Offset(false, Offset::Hours)),
    ("Z070000", Field::Offset(true, Offset::Seconds)),
    ("Z07:00:00", Field::Offset(true, Offset::ColonSeconds)),
    ("Z0700", Field::Offset(true, Offset::Minutes)),
    ("Z07:00", Field::Offset(true, Offset::ColonMinutes)),
    ("Z07", Field::Offset(true, Offset::Hours)),
];

/// The text before the next field, the field with its length, and where it ends.
pub(super) fn next_field(layout: &str) -> (&str, Option<(Field, &str)>, &str) {
    for (at, _) in layout.char_indices() {
        let rest = &layout[at..];
        // "_2006" is an underscore and a year.
        if rest.starts_with("_2006") {
            continue;
        }
        if let Some((field, len)) = field_at(rest) {
            return (&layout[..at], Some((field, &rest[..len])), &rest[len..]);
        }
    }
    (layout, None, "")
}

fn field_at(rest: &str) -> Option<(Field, usize)> {
    let word = WORDS.iter().find(|(word, _)| rest.starts_with(word));
    if let Some((word, field)) = word {
        return Some((*field, word.len()));
    }
    let short = match rest.get(..3) {
        Some("Jan") => Some(Field::Month),
        Some("Mon") => Some(Field::Weekday),
        _ => None,
    };
    if let Some(field) = short {
        // "Money" is no weekday.
        let goes_on = rest[3..].starts_with(|c: char| c.is_ascii_lowercase());
        return (!goes_on).then_some((field, 3));
    }
    let mark = rest.chars().next().filter(|c| matches!(c, '.' | ','))?;
    let digit = rest[1..]
        .chars()
        .next()
        .filter(|c| matches!(c, '0' | '9'))?;
    let digits = rest[1..].chars().take_while(|c| *c == digit).count();
    let goes_on = rest[1 + digits..].starts_with(|c: char| c.is_ascii_digit());
    let field = Field::Fraction(digits, digit == '0', mark);
    (!goes_on).then_some((field, 1 + digits))
}

/// `Time.Format`.
pub(crate) fn format(time: &Time, layout: &str) -> String {
    let civil = time.civil();
    let (offset, zone_name) = time.zone.at(time.seconds);
    let mut out = String::new();
    let mut rest = layout;
    loop {
        let (before, found, after) = next_field(rest);
        out.push_str(before);
        rest = after;
        let Some((field, _)) = found else {
            return out;
        };
        let month = MONTHS[(civil.month - 1).rem_euclid(12) as usize];
        let day = DAYS[civil.weekday() as usize];
        let hour12 = (civil.hour + 11) % 12 + 1;
        let _ = match field {
            Field::LongMonth => write!(out, "{month}"),
            Field::Month => write!(out, "{}", &month[..3]),
            Field::NumberMonth => write!(out, "{}", civil.month),
            Field::ZeroMonth => write!(out, "{:02}", civil.month),
            Field::LongWeekday => write!(out, "{day}"),
            Field::Weekday => write!(out, "{}", &day[..3]),
            Field::Day => write!(out, "{}", civil.day),
            Field::UnderscoreDay => write!(out, "{:2}", civil.day),
            Field::ZeroDay => write!(out, "{:02}", civil.day),
            Field::UnderscoreYearDay => write!(out, "{:3}", civil.day_of_year()),
            Field::ZeroYearDay => write!(out, "{:03}", civil.day_of_year()),
            Field::Hour => write!(out, "{:02}", civil.hour),
            Field::Hour12 => write!(out, "{hour12}"),
            Field::ZeroHour12 => write!(out, "{hour12:02}"),
            Field::Minute => write!(out, "{}", civil.minute),
            Field::ZeroMinute => write!(out, "{:02}", civil.minute),
            Field::Second => write!(out, "{}", civil.second),
            Field::ZeroSecond => write!(out, "{:02}", civil.second),
            Field::LongYear if civil.year < 0 => write!(out, "-{:04}", -civil.year),
            Field::LongYear => write!(out, "{:04}", civil.year),
            Field::Year => write!(out, "{:02}", civil.year.rem_euclid(100)),
            Field::Half(upper) => {
                let half = if civil.hour >= 12 { "PM" } else { "AM" };
                if upper {
                    write!(out, "{half}")
                } else {
                    write!(out, "{}", half.to_ascii_lowercase())
                }
            }
            Field::ZoneName if zone_name.is_empty() => {
                write!(out, "{}", offset_text(offset, Offset::Minutes))
            }
            Field::ZoneName => write!(out, "{zone_name}"),
            Field::Offset(true, _) if offset == 0 => write!(out, "Z"),
            Field::Offset(_, shown) => write!(out, "{}", offset_text(offset, shown)),
            Field::Fraction(digits, keeps_zeros, mark) => {
                let nanos = format!("{:09}", time.nanos);
                let shown = &nanos[..digits.min(9)];
                if keeps_zeros {
                    write!(out, "{mark}{shown:0<digits$}")
                } else {
                    let shown = shown.trim_end_matches('0');
                    let mark = if shown.is_empty() {
                        ""
                    } else {
                        &mark.to_string()
                    };
                    write!(out, "{mark}{shown}")
                }
            }
        };
    }
}

fn offset_text(offset: i32, shown: Offset) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let magnitude = offset.unsigned_abs();
    let (hours, minutes) = (magnitude / 3600, magnitude / 60 % 60);
    let seconds = magnitude % 60;
    match shown {
        Offset::Hours => format!("{sign}{hours:02}"),
        Offset::Minutes => format!("{sign}{hours:02}{minutes:02}"),
        Offset::ColonMinutes => format!("{sign}{hours:02}:{minutes:02}"),
        Offset::Seconds => format!("{sign}{hours:02}{minutes:02}{seconds:02}"),
        Offset::ColonSeconds => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
    }
}
