//! `time.Time`.

use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;

use super::layout::format;
use super::{DAYS, Duration, MONTHS, SECOND, Zone};
use crate::error::CallError;
use crate::function::Type;
use crate::value::{IntKind, Kind, Object, Value, View};

/// The name of the type.
pub(crate) const TYPE: &str = "time.Time";

/// Days from the first of January of the year 1 to the epoch of Unix.
const DAYS_TO_EPOCH: i64 = 719_162;

/// A moment, and the zone in which it is shown.
#[derive(Clone)]
pub(crate) struct Time {
    /// Seconds since the epoch of Unix.
    pub(crate) seconds: i64,
    pub(crate) nanos: i64,
    pub(crate) zone: Zone,
}

/// A date and a time of day.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: i64,
    /// From 1.
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Civil {
    /// Days since the epoch of Unix, by the Gregorian calendar at all times; months and days may
    /// be out of range, as those of `time.Date`.
    fn days(self) -> i64 {
        let year = self.year + (self.month - 1).div_euclid(12);
        let month = (self.month - 1).rem_euclid(12) + 1;
        // Years begin in March, so that the day of a leap year comes last.
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let of_era = shifted.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + self.day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// Seconds since the epoch of Unix if this were UTC.
    pub(crate) fn seconds(self) -> i64 {
        self.days() * 86400 + self.hour * 3600 + self.minute * 60 + self.second
    }

    fn from_seconds(seconds: i64) -> Self {
        let days = seconds.div_euclid(86400) + 719_468;
        let of_day = seconds.rem_euclid(86400);
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: of_year - (153 * shifted + 2) / 5 + 1,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
        }
    }

    /// 0 is Sunday.
    pub(crate) fn weekday(self) -> i64 {
        (self.days() + 4).rem_euclid(7)
    }

    /// From 1.
    pub(crate) fn day_of_year(self) -> i64 {
        let first = Self {
            month: 1,
            day: 1,
            ..self
        };
        self.days() - first.days() + 1
    }
}

impl Time {
    /// Nanoseconds since the epoch of Unix, in UTC.
    pub(crate) fn from_nanos(nanos: i128) -> Self {
        let second = i128::from(SECOND);
        Self {
            seconds: nanos.div_euclid(second) as i64,
            nanos: nanos.rem_euclid(second) as i64,
            zone: Zone::Utc,
        }
    }

    /// Seconds since the epoch of Unix, in UTC.
    pub(crate) fn from_unix(seconds: i64) -> Self {
        Self {
            seconds,
            nanos: 0,
            zone: Zone::Utc,
        }
    }

    /// The zero value of the type: the first of January of the year 1.
    pub(crate) fn zero() -> Self {
        Self::from_unix(-DAYS_TO_EPOCH * 86400)
    }

    /// The same moment shown elsewhere.
    pub(crate) fn within(&self, zone: Zone) -> Self {
        Self {
            zone,
            ..self.clone()
        }
    }

    pub(crate) fn nanos_since_epoch(&self) -> i128 {
        i128::from(self.seconds) * i128::from(SECOND) + i128::from(self.nanos)
    }

    /// A moment later, in the same zone.
    pub(crate) fn plus(&self, duration: Duration) -> Self {
        let moved = Self::from_nanos(self.nanos_since_epoch() + i128::from(duration.0));
        moved.within(self.zone.clone())
    }

    /// The time that passed since another one.
    pub(crate) fn since(&self, other: &Self) -> Duration {
        let nanos = self.nanos_since_epoch() - other.nanos_since_epoch();
        let most = i128::from(i64::MAX);
        Duration(nanos.clamp(-most - 1, most) as i64)
    }

    /// What a clock and a calendar show there.
    pub(crate) fn civil(&self) -> Civil {
        let (offset, _) = self.zone.at(self.seconds);
        Civil::from_seconds(self.seconds.saturating_add(offset.into()))
    }

    pub(crate) fn value(self) -> Value {
        Value::Object(Rc::new(self))
    }

    /// The time of an argument that was checked to be one.
    pub(crate) fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// `AddDate`.
    fn plus_date(&self, years: i64, months: i64, days: i64) -> Self {
        let mut civil = self.civil();
        civil.year = civil.year.saturating_add(years);
        civil.month = civil.month.saturating_add(months);
        civil.day = civil.day.saturating_add(days);
        let local = civil.seconds();
        let (offset, _) = self.zone.at(local);
        let (offset, _) = self.zone.at(local - i64::from(offset));
        Self {
            seconds: local - i64::from(offset),
            ..self.clone()
        }
    }
}

/// `time.Month` and `time.Weekday`: numbers with names.
struct Named {
    type_name: &'static str,
    name: &'static str,
    number: i64,
}

impl Object for Named {
    fn type_name(&self) -> Cow<'static, str> {
        self.type_name.into()
    }

    fn kind(&self) -> Kind {
        Kind::Int
    }

    fn view(&self) -> View {
        View::Int(self.number)
    }

    fn method(&self, name: &str) -> Option<&'static [Type]> {
        (name == "String").then_some(&[])
    }

    fn call(&self, _: &str, _: &[Value]) -> Result<Value, CallError> {
        Ok(self.name.into())
    }

    fn text(&self) -> Option<String> {
        Some(self.name.to_owned())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn month(number: i64) -> Value {
    let name = MONTHS[(number - 1).rem_euclid(12) as usize];
    Value::Object(Rc::new(Named {
        type_name: "time.Month",
        name,
        number,
    }))
}

fn weekday(number: i64) -> Value {
    let name = DAYS[number.rem_euclid(7) as usize];
    Value::Object(Rc::new(Named {
        type_name: "time.Weekday",
        name,
        number,
    }))
}

impl Object for Time {
    fn type_name(&self) -> Cow<'static, str> {
        TYPE.into()
    }

    fn view(&self) -> View {
        View::Struct(Vec::new())
    }

    fn method(&self, name: &str) -> Option<&'static [Type]> {
        match name {
            "Year" | "Month" | "Day" | "Hour" | "Minute" | "Second" | "Nanosecond" | "Weekday"
            | "YearDay" | "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano" | "UTC" | "Local"
            | "IsZero" | "String" => Some(&[]),
            "Format" => Some(&[Type::String]),
            "Add" => Some(&[Type::Named("time.Duration")]),
            "AddDate" => Some(&[Type::Int, Type::Int, Type::Int]),
            "After" | "Before" | "Equal" | "Compare" | "Sub" => Some(&[Type::Named(TYPE)]),
            _ => None,
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, CallError> {
        let civil = self.civil();
        let number = |at: usize| match arguments.get(at) {
            Some(Value::Int(IntKind::Int, number)) => *number,
            _ => 0,
        };
        Ok(match name {
            "Year" => Value::int(civil.year),
            "Month" => month(civil.month),
            "Day" => Value::int(civil.day),
            "Hour" => Value::int(civil.hour),
            "Minute" => Value::int(civil.minute),
            "Second" => Value::int(civil.second),
            "Nanosecond" => Value::int(self.nanos),
            "Weekday" => weekday(civil.weekday()),
            "YearDay" => Value::int(civil.day_of_year()),
            "Unix" => Value::int64(self.seconds),
            "UnixMilli" => Value::int64((self.nanos_since_epoch() / 1_000_000) as i64),
            "UnixMicro" => Value::int64((self.nanos_since_epoch() / 1_000) as i64),
            "UnixNano" => Value::int64(self.nanos_since_epoch() as i64),
            "UTC" | "Local" => self.within(Zone::Utc).value(),
            "IsZero" => (self.nanos_since_epoch() == Self::zero().nanos_since_epoch()).into(),
            "Format" => {
                let layout = arguments[0].text().unwrap_or_default();
                format(self, &layout).into()
            }
            "Add" => match &arguments[0] {
                Value::Object(object) => match object.view() {
                    View::Int(nanos) => self.plus(Duration(nanos)).value(),
                    _ => return Err("no duration".into()),
                },
                _ => return Err("no duration".into()),
            },
            "AddDate" => self.plus_date(number(0), number(1), number(2)).value(),
            "String" => self.text().unwrap_or_default().into(),
            _ => {
                let other = Self::of(&arguments[0]).ok_or("no time")?;
                let order = self.nanos_since_epoch().cmp(&other.nanos_since_epoch());
                match name {
                    "After" => order.is_gt().into(),
                    "Before" => order.is_lt().into(),
                    "Equal" => order.is_eq().into(),
                    "Compare" => Value::int(order as i64),
                    _ => Value::Object(Rc::new(self.since(other))),
                }
            }
        })
    }

    fn text(&self) -> Option<String> {
        Some(format(self, "2006-01-02 15:04:05.999999999 -0700 MST"))
    }

    fn json(&self) -> Option<Value> {
        Some(format(self, "2006-01-02T15:04:05.999999999Z07:00").into())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
