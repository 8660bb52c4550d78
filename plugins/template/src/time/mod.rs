//! Times as Go knows them.
//!
//! The local zone is UTC: a component has no other.

mod duration;
mod layout;
mod moment;
mod parse;
mod zone;

pub(crate) use duration::{Duration, parse as parse_duration};
pub(crate) use layout::format;
pub(crate) use moment::{Civil, Time};
pub(crate) use parse::parse;
pub(crate) use zone::Zone;

/// Nanoseconds of a second.
pub(crate) const SECOND: i64 = 1_000_000_000;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
