//! Timestamps as go-yaml recognises them, and the RFC 3339 text that they become in JSON.

/// The RFC 3339 form of `text` if it is one of the timestamp forms that go-yaml knows.
pub(crate) fn parse(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let year_digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    if year_digits != 4 || bytes.get(4) != Some(&b'-') {
        return None;
    }
    let mut cursor = Cursor { rest: &text[5..] };
    let year: u32 = text[..4].parse().ok()?;
    let month = cursor.number(2)?;
    cursor.expect('-')?;
    let day = cursor.number(2)?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let date = format!("{}-{month:02}-{day:02}", &text[..4]);
    if cursor.rest.is_empty() {
        return Some(format!("{date}T00:00:00Z"));
    }
    let zoned = match cursor.next()? {
        'T' | 't' => true,
        ' ' => false,
        _ => return None,
    };
    let hour = cursor.number(2)?;
    cursor.expect(':')?;
    let minute = cursor.number(2)?;
    cursor.expect(':')?;
    let second = cursor.number(2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = cursor.fraction();
    let zone = if zoned {
        cursor.zone()?
    } else {
        "Z".to_owned()
    };
    if !cursor.rest.is_empty() {
        return None;
    }
    Some(format!(
        "{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"
    ))
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

struct Cursor<'a> {
    rest: &'a str,
}

impl Cursor<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let first = chars.next()?;
        self.rest = chars.as_str();
        Some(first)
    }

    fn expect(&mut self, wanted: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    fn digits(&self, max: usize) -> usize {
        self.rest
            .bytes()
            .take(max)
            .take_while(u8::is_ascii_digit)
            .count()
    }

    fn number(&mut self, max: usize) -> Option<u32> {
        let count = self.digits(max);
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        digits.parse().ok()
    }

    /// `.123`, without trailing zeros, at most nanoseconds; empty for none.
    fn fraction(&mut self) -> String {
        if !self.rest.starts_with(['.', ',']) {
            return String::new();
        }
        let count = self.rest[1..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        if count == 0 {
            return String::new();
        }
        let digits = &self.rest[1..=count.min(9)];
        let trimmed = digits.trim_end_matches('0');
        let text = if trimmed.is_empty() {
            String::new()
        } else {
            format!(".{trimmed}")
        };
        self.rest = &self.rest[1 + count..];
        text
    }

    fn zone(&mut self) -> Option<String> {
        if self.expect('Z').is_some() {
            return Some("Z".to_owned());
        }
        let sign = self.next().filter(|c| matches!(c, '+' | '-'))?;
        if self.digits(2) != 2 {
            return None;
        }
        let hours = self.number(2)?;
        self.expect(':')?;
        if self.digits(2) != 2 {
            return None;
        }
        let minutes = self.number(2)?;
        if hours > 24 || minutes > 60 {
            return None;
        }
        if hours == 0 && minutes == 0 {
            return Some("Z".to_owned());
        }
        Some(format!("{sign}{hours:02}:{minutes:02}"))
    }
}
