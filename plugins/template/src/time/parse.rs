//! Reading times by a layout (golang/go `src/time/format.go`, `parse`).

mod zone;

use super::layout::{Field, next_field};
use super::{Civil, DAYS, MONTHS, Time, Zone};
use crate::syntax::quote;

/// `time.Parse`; the error is Go's.
pub(crate) fn parse(layout: &str, text: &str) -> Result<Time, String> {
    let mut parser = Parser {
        year: 0,
        month: None,
        day: None,
        year_day: None,
        time: [0; 3],
        nanos: 0,
        afternoon: None,
        zone: None,
    };
    let complain = |field: &str, at: &str, extra: &str| {
        let shown = quote(text);
        if !extra.is_empty() {
            return format!("parsing time {shown}{extra}");
        }
        let (layout, at, field) = (quote(layout), quote(at), quote(field));
        format!("parsing time {shown} as {layout}: cannot parse {at} as {field}")
    };
    let (mut rest, mut remaining) = (text, layout);
    loop {
        let (before, found, after) = next_field(remaining);
        rest = skip(rest, before).map_err(|at| complain(before, at, ""))?;
        let Some((field, shown)) = found else {
            if rest.is_empty() {
                break;
            }
            let extra = format!(": extra text: {}", quote(rest));
            return Err(complain("", rest, &extra));
        };
        remaining = after;
        rest = match parser.field(field, rest, remaining) {
            Ok(rest) => rest,
            Err(Problem::Bad) => return Err(complain(shown, rest, "")),
            Err(Problem::Range(what)) => {
                return Err(complain(shown, rest, &format!(": {what} out of range")));
            }
        };
    }
    parser
        .finish()
        .map_err(|what| complain("", rest, &format!(": {what}")))
}

/// Steps over the text between fields; a space is any number of them.
fn skip<'t>(mut value: &'t str, prefix: &str) -> Result<&'t str, &'t str> {
    let mut prefix = prefix;
    while let Some(c) = prefix.chars().next() {
        if c == ' ' {
            if !value.is_empty() && !value.starts_with(' ') {
                return Err(value);
            }
            prefix = prefix.trim_start_matches(' ');
            value = value.trim_start_matches(' ');
            continue;
        }
        value = value.strip_prefix(c).ok_or(value)?;
        prefix = &prefix[c.len_utf8()..];
    }
    Ok(value)
}

enum Problem {
    Bad,
    Range(&'static str),
}

struct Parser {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    /// Hour, minute, second.
    time: [i64; 3],
    nanos: i64,
    afternoon: Option<bool>,
    zone: Option<Zone>,
}

/// One or two digits; both if `fixed`.
fn number(value: &str, fixed: bool) -> Result<(i64, &str), Problem> {
    let digits = value.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if digits == 0 || fixed && digits == 1 {
        return Err(Problem::Bad);
    }
    let (text, rest) = value.split_at(digits);
    Ok((text.parse().map_err(|_| Problem::Bad)?, rest))
}

fn exact(value: &str, len: usize) -> Result<(i64, &str), Problem> {
    let text = value.get(..len).ok_or(Problem::Bad)?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::Bad);
    }
    Ok((text.parse().map_err(|_| Problem::Bad)?, &value[len..]))
}

fn name<'t>(value: &'t str, names: &[&str], len: Option<usize>) -> Result<(i64, &'t str), Problem> {
    for (at, name) in names.iter().enumerate() {
        let name = &name[..len.unwrap_or(name.len())];
        let head = value.get(..name.len());
        if head.is_some_and(|head| head.eq_ignore_ascii_case(name)) {
            return Ok((at as i64 + 1, &value[name.len()..]));
        }
    }
    Err(Problem::Bad)
}

fn within(number: i64, low: i64, high: i64, what: &'static str) -> Result<i64, Problem> {
    if (low..=high).contains(&number) {
        Ok(number)
    } else {
        Err(Problem::Range(what))
    }
}

impl Parser {
    fn field<'t>(
        &mut self,
        field: Field,
        value: &'t str,
        remaining: &str,
    ) -> Result<&'t str, Problem> {
        let (read, rest) = match field {
            Field::Year => {
                let (year, rest) = exact(value, 2)?;
                self.year = year + if year >= 69 { 1900 } else { 2000 };
                return Ok(rest);
            }
            Field::LongYear => {
                let (year, rest) = exact(value, 4)?;
                self.year = year;
                return Ok(rest);
            }
            Field::Month => name(value, &MONTHS, Some(3))?,
            Field::LongMonth => name(value, &MONTHS, None)?,
            Field::Weekday => return name(value, &DAYS, Some(3)).map(|(_, rest)| rest),
            Field::LongWeekday => return name(value, &DAYS, None).map(|(_, rest)| rest),
            Field::UnderscoreDay => number(value.strip_prefix(' ').unwrap_or(value), false)?,
            Field::UnderscoreYearDay => {
                let trimmed = value.trim_start_matches(' ');
                exact(trimmed, 3)
                    .or_else(|_| exact(trimmed, 2))
                    .or_else(|_| exact(trimmed, 1))?
            }
            Field::ZeroYearDay => exact(value, 3)?,
            Field::ZeroMonth
            | Field::ZeroDay
            | Field::ZeroHour12
            | Field::ZeroMinute
            | Field::ZeroSecond => number(value, true)?,
            Field::NumberMonth
            | Field::Day
            | Field::Hour
            | Field::Hour12
            | Field::Minute
            | Field::Second => number(value, false)?,
            Field::Half(upper) => return self.half(value, upper),
            Field::ZoneName => return self.zone_name(value),
            Field::Offset(zulu, shown) => return self.offset(value, zulu, shown),
            Field::Fraction(digits, true, _) => {
                let end = digits + 1;
                let fraction = value.get(..end).ok_or(Problem::Bad)?;
                self.nanos = nanos(fraction)?;
                return Ok(&value[end..]);
            }
            Field::Fraction(..) => return self.fraction(value),
        };
        match field {
            Field::Month | Field::LongMonth | Field::NumberMonth | Field::ZeroMonth => {
                self.month = Some(within(read, 1, 12, "month")?);
            }
            Field::Day | Field::UnderscoreDay | Field::ZeroDay => self.day = Some(read),
            Field::UnderscoreYearDay | Field::ZeroYearDay => self.year_day = Some(read),
            Field::Hour => self.time[0] = within(read, 0, 23, "hour")?,
            Field::Hour12 | Field::ZeroHour12 => self.time[0] = within(read, 0, 12, "hour")?,
            Field::Minute | Field::ZeroMinute => self.time[1] = within(read, 0, 59, "minute")?,
            _ => {
                self.time[2] = within(read, 0, 59, "second")?;
                // A fraction that the layout does not mention is read all the same.
                let next = next_field(remaining).1;
                if !matches!(next, Some((Field::Fraction(..), _))) {
                    return self.fraction(rest);
                }
            }
        }
        Ok(rest)
    }

    fn half<'t>(&mut self, value: &'t str, upper: bool) -> Result<&'t str, Problem> {
        let half = value.get(..2).ok_or(Problem::Bad)?;
        self.afternoon = Some(match (half, upper) {
            ("PM", true) | ("pm", false) => true,
            ("AM", true) | ("am", false) => false,
            _ => return Err(Problem::Bad),
        });
        Ok(&value[2..])
    }

    /// A fraction, if there is one.
    fn fraction<'t>(&mut self, value: &'t str) -> Result<&'t str, Problem> {
        let digits = value.strip_prefix(['.', ',']).map_or(0, |rest| {
            rest.bytes().take_while(u8::is_ascii_digit).count()
        });
        if digits > 0 {
            self.nanos = nanos(&value[..=digits])?;
            return Ok(&value[digits + 1..]);
        }
        Ok(value)
    }

    fn finish(self) -> Result<Time, &'static str> {
        let mut hour = self.time[0];
        match self.afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        let mut civil = Civil {
            year: self.year,
            month: self.month.unwrap_or(1),
            day: self.day.unwrap_or(1),
            hour,
            minute: self.time[1],
            second: self.time[2],
        };
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        if let Some(day) = self.year_day {
            if !(1..=365 + i64::from(leap)).contains(&day) {
                return Err("day-of-year out of range");
            }
            let first = Civil {
                month: 1,
                day: 1,
                ..civil
            };
            let found = Time::from_unix(first.seconds() + (day - 1) * 86400).civil();
            if self.month.is_some_and(|month| month != found.month) {
                return Err("day-of-year does not match month");
            }
            if self.day.is_some_and(|day| day != found.day) {
                return Err("day-of-year does not match day");
            }
            (civil.month, civil.day) = (found.month, found.day);
        }
        let days = match civil.month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if !(1..=days).contains(&civil.day) {
            return Err("day out of range");
        }
        let zone = self.zone.unwrap_or(Zone::Utc);
        let (offset, _) = zone.at(0);
        Ok(Time {
            seconds: civil.seconds() - i64::from(offset),
            nanos: self.nanos,
            zone,
        })
    }
}

/// `.123`, in nanoseconds.
fn nanos(fraction: &str) -> Result<i64, Problem> {
    let digits = fraction.strip_prefix(['.', ',']).ok_or(Problem::Bad)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::Bad);
    }
    let nine = format!("{digits:0<9}");
    nine[..9].parse().map_err(|_| Problem::Bad)
}
