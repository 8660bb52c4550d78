//! Zones: by name, or by their distance from UTC.

use super::{Parser, Problem, exact, within};
use crate::time::Zone;
use crate::time::layout::Offset;

impl Parser {
    pub(super) fn zone_name<'t>(&mut self, value: &'t str) -> Result<&'t str, Problem> {
        if let Some(rest) = value.strip_prefix("UTC") {
            self.zone = Some(Zone::Utc);
            return Ok(rest);
        }
        let letters = value.bytes().take_while(u8::is_ascii_uppercase).count();
        let fits = match letters {
            3 => true,
            4 => value[..4].ends_with('T') || value.starts_with("WITA"),
            5 => value[..5].ends_with('T'),
            _ => false,
        };
        if !fits {
            return Err(Problem::Bad);
        }
        // No offset is known for a mere name, other than an offset from Greenwich.
        let (mut end, mut offset) = (letters, 0);
        if value.starts_with("GMT") && value[3..].starts_with(['+', '-']) {
            let digits = value[4..].bytes().take_while(u8::is_ascii_digit).count();
            if let Ok(hours) = value[3..4 + digits].parse::<i32>() {
                (end, offset) = (4 + digits, hours * 3600);
            }
        }
        self.zone = Some(Zone::Fixed(offset, value[..end].into()));
        Ok(&value[end..])
    }

    pub(super) fn offset<'t>(
        &mut self,
        value: &'t str,
        zulu: bool,
        shown: Offset,
    ) -> Result<&'t str, Problem> {
        if let Some(rest) = value.strip_prefix('Z').filter(|_| zulu) {
            self.zone = Some(Zone::Utc);
            return Ok(rest);
        }
        let negative = match value.as_bytes().first() {
            Some(b'+') => false,
            Some(b'-') => true,
            _ => return Err(Problem::Bad),
        };
        let colons = matches!(shown, Offset::ColonMinutes | Offset::ColonSeconds);
        let parts = match shown {
            Offset::Hours => 1,
            Offset::Minutes | Offset::ColonMinutes => 2,
            Offset::Seconds | Offset::ColonSeconds => 3,
        };
        let mut rest = &value[1..];
        let mut seconds = 0;
        let scale = [
            (3600, 24, "time zone offset hour"),
            (60, 60, "time zone offset minute"),
            (1, 60, "time zone offset second"),
        ];
        for (i, (unit, most, what)) in scale.into_iter().take(parts).enumerate() {
            if i > 0 && colons {
                rest = rest.strip_prefix(':').ok_or(Problem::Bad)?;
            }
            let (part, tail) = exact(rest, 2)?;
            seconds += within(part, 0, most, what)? * unit;
            rest = tail;
        }
        let signed = if negative { -seconds } else { seconds };
        // The local zone has no offset, and takes those that have none.
        self.zone = Some(if signed == 0 {
            Zone::Utc
        } else {
            Zone::Fixed(signed as i32, "".into())
        });
        Ok(rest)
    }
}
