//! Dates (Masterminds/sprig `date.go`).

use super::{Result, text};
use crate::error::CallError;
use crate::exec::Call;
use crate::function::Function;
use crate::function::Type::{Any, Named, String as Str};
use crate::time::{self, Duration, SECOND, Time, Zone};
use crate::value::{IntKind, Value};

/// `time.Time`.
const TIME: crate::function::Type = Named("time.Time");

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("now", &[], |call, _| Ok(now(call).value())),
    Function::new("date", &[Str, Any], |call, v| {
        Ok(shown(call, &text(&v[0]), &v[1], "Local"))
    }),
    Function::new("dateInZone", &[Str, Any, Str], in_zone),
    Function::new("date_in_zone", &[Str, Any, Str], in_zone),
    Function::new("htmlDate", &[Any], |call, v| {
        Ok(shown(call, HTML, &v[0], "Local"))
    }),
    Function::new("htmlDateInZone", &[Any, Str], |call, v| {
        Ok(shown(call, HTML, &v[0], &text(&v[1])))
    }),
    Function::new("dateModify", &[Str, TIME], |_, v| modify(v, false)),
    Function::new("date_modify", &[Str, TIME], |_, v| modify(v, false)),
    Function::new("mustDateModify", &[Str, TIME], |_, v| modify(v, true)),
    Function::new("must_date_modify", &[Str, TIME], |_, v| modify(v, true)),
    Function::new("toDate", &[Str, Str], |_, v| {
        let time = time::parse(&text(&v[0]), &text(&v[1]));
        Ok(time.unwrap_or_else(|_| Time::zero()).value())
    }),
    Function::new("mustToDate", &[Str, Str], |_, v| {
        let time = time::parse(&text(&v[0]), &text(&v[1]));
        time.map(Time::value).map_err(CallError::from)
    }),
    Function::new("unixEpoch", &[TIME], |_, v| {
        let seconds = Time::of(&v[0]).map_or(0, |time| time.seconds);
        Ok(seconds.to_string().into())
    }),
    Function::new("ago", &[Any], ago),
    Function::new("duration", &[Any], duration),
    Function::new("durationRound", &[Any], duration_round),
];

const HTML: &str = "2006-01-02";

fn now(call: &Call<'_>) -> Time {
    Time::from_nanos(call.host().now())
}

/// The time that an argument stands for; the present one if it stands for none.
fn time_of(call: &Call<'_>, value: &Value) -> Time {
    match value {
        Value::Int(_, seconds) => Time::from_unix(*seconds),
        value => Time::of(value).cloned().unwrap_or_else(|| now(call)),
    }
}

fn shown(call: &Call<'_>, layout: &str, value: &Value, zone: &str) -> Value {
    let zone = Zone::find(zone).unwrap_or(Zone::Utc);
    time::format(&time_of(call, value).within(zone), layout).into()
}

fn in_zone(call: &mut Call<'_>, v: &[Value]) -> Result {
    Ok(shown(call, &text(&v[0]), &v[1], &text(&v[2])))
}

fn modify(v: &[Value], must: bool) -> Result {
    match (time::parse_duration(&text(&v[0])), Time::of(&v[1])) {
        (Ok(duration), Some(time)) => Ok(time.plus(duration).value()),
        (Err(error), _) if must => Err(CallError::text(error)),
        _ => Ok(v[1].clone()),
    }
}

fn ago(call: &mut Call<'_>, v: &[Value]) -> Result {
    let time = match &v[0] {
        Value::Int(IntKind::Int32, _) => now(call),
        value => time_of(call, value),
    };
    let passed = now(call).since(&time).0;
    let seconds = (passed.abs() + SECOND / 2) / SECOND * SECOND * passed.signum();
    Ok(Duration(seconds).to_string().into())
}

fn duration(_: &mut Call<'_>, v: &[Value]) -> Result {
    let seconds: i64 = match &v[0] {
        Value::Int(IntKind::Int64, seconds) => *seconds,
        value => value.as_str().map_or(0, |text| text.parse().unwrap_or(0)),
    };
    Ok(Duration(seconds.wrapping_mul(SECOND)).to_string().into())
}

/// The largest unit of a duration, without a sign.
fn duration_round(call: &mut Call<'_>, v: &[Value]) -> Result {
    let nanos = match &v[0] {
        Value::Int(IntKind::Int64, nanos) => *nanos,
        value => match (value.text(), Time::of(value)) {
            (Some(text), _) => time::parse_duration(&text).map_or(0, |duration| duration.0),
            (None, Some(time)) => now(call).since(time).0,
            (None, None) => 0,
        },
    };
    let seconds = nanos.unsigned_abs() as f64 / SECOND as f64;
    let units = [
        (365 * 86400, "y"),
        (30 * 86400, "mo"),
        (86400, "d"),
        (3600, "h"),
        (60, "m"),
        (1, "s"),
    ];
    let unit = units
        .into_iter()
        .find(|(unit, _)| nanos.unsigned_abs() > unit * SECOND as u64);
    Ok(match unit {
        Some((unit, name)) => format!("{}{name}", (seconds / unit as f64).floor() as u64).into(),
        None => "0s".into(),
    })
}
