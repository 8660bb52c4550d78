//! Arithmetic (Masterminds/sprig `numeric.go` and `functions.go`).

mod decimal;

use std::rc::Rc;

use decimal::Decimal;

use super::{Result, cast, int, text};
use crate::error::CallError;
use crate::exec::Call;
use crate::fmt;
use crate::function::Function;
use crate::function::Type::{Any, Float, Int, String as Str};
use crate::syntax::constant;
use crate::value::{List, ListType, Value};

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("int", &[Any], |_, v| Ok(Value::int(cast::to_int(&v[0])))),
    Function::new("int64", &[Any], |_, v| {
        Ok(Value::int64(cast::to_int(&v[0])))
    }),
    Function::new("float64", &[Any], |_, v| Ok(cast::to_float(&v[0]).into())),
    Function::new("atoi", &[Str], |_, v| Ok(Value::int(atoi(&text(&v[0]))))),
    Function::new("toDecimal", &[Any], to_decimal),
    Function::new("add1", &[Any], |_, v| fold(1, v, i64::wrapping_add)),
    Function::variadic("add", &[Any], |_, v| fold(0, v, i64::wrapping_add)),
    Function::new("sub", &[Any, Any], |_, v| {
        fold(cast::to_int(&v[0]), &v[1..], i64::wrapping_sub)
    }),
    Function::new("div", &[Any, Any], |_, v| divide(v, i64::wrapping_div)),
    Function::new("mod", &[Any, Any], |_, v| divide(v, i64::wrapping_rem)),
    Function::variadic("mul", &[Any, Any], |_, v| {
        fold(cast::to_int(&v[0]), &v[1..], i64::wrapping_mul)
    }),
    Function::variadic("max", &[Any, Any], |_, v| {
        fold(cast::to_int(&v[0]), &v[1..], i64::max)
    }),
    Function::variadic("biggest", &[Any, Any], |_, v| {
        fold(cast::to_int(&v[0]), &v[1..], i64::max)
    }),
    Function::variadic("min", &[Any, Any], |_, v| {
        fold(cast::to_int(&v[0]), &v[1..], i64::min)
    }),
    Function::variadic("maxf", &[Any, Any], |_, v| Ok(extreme(v, larger))),
    Function::variadic("minf", &[Any, Any], |_, v| {
        Ok(extreme(v, |a, b| -larger(-a, -b)))
    }),
    Function::new("add1f", &[Any], |_, v| {
        decimals(&v[0], &[Value::int(1)], Decimal::add)
    }),
    Function::variadic("addf", &[Any], |_, v| {
        decimals(&Value::Float(0.0), v, Decimal::add)
    }),
    Function::variadic("subf", &[Any, Any], |_, v| {
        decimals(&v[0], &v[1..], Decimal::subtract)
    }),
    Function::variadic("mulf", &[Any, Any], |_, v| {
        decimals(&v[0], &v[1..], Decimal::multiply)
    }),
    Function::variadic("divf", &[Any, Any], |_, v| {
        decimals(&v[0], &v[1..], Decimal::divide)
    }),
    Function::new("ceil", &[Any], |_, v| {
        Ok(cast::to_float(&v[0]).ceil().into())
    }),
    Function::new("floor", &[Any], |_, v| {
        Ok(cast::to_float(&v[0]).floor().into())
    }),
    Function::variadic("round", &[Any, Int, Float], round),
    Function::new("until", &[Int], |call, v| {
        let count = int(&v[0]);
        let step = if count < 0 { -1 } else { 1 };
        steps(call, 0, count, step).map(ints)
    }),
    Function::new("untilStep", &[Int, Int, Int], |call, v| {
        steps(call, int(&v[0]), int(&v[1]), int(&v[2])).map(ints)
    }),
    Function::variadic("seq", &[Int], seq),
];

/// `strconv.Atoi`; 0 for what is no number.
fn atoi(text: &str) -> i64 {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    let clamped = if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    };
    // Sprig drops the error but not the value, which for a number too large is the nearest.
    text.parse().unwrap_or(clamped)
}

/// Octal, in spite of its name.
fn to_decimal(_: &mut Call<'_>, v: &[Value]) -> Result {
    let text = fmt::text_of(&v[0]);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let magnitude = weir_yaml::number::parse_radix(digits, 8);
    let magnitude = magnitude.and_then(|magnitude| i64::try_from(magnitude).ok());
    let sign = if text.starts_with('-') { -1 } else { 1 };
    Ok(Value::int64(magnitude.map_or(0, |value| sign * value)))
}

fn fold(start: i64, values: &[Value], combine: fn(i64, i64) -> i64) -> Result {
    let numbers = values.iter().map(cast::to_int);
    Ok(Value::int64(numbers.fold(start, combine)))
}

fn divide(v: &[Value], combine: fn(i64, i64) -> i64) -> Result {
    let divisor = cast::to_int(&v[1]);
    if divisor == 0 {
        return Err("runtime error: integer divide by zero".into());
    }
    Ok(Value::int64(combine(cast::to_int(&v[0]), divisor)))
}

/// `math.Max`: infinity wins over what is no number, which wins over the rest.
fn larger(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

fn extreme(v: &[Value], choose: fn(f64, f64) -> f64) -> Value {
    let numbers = v.iter().map(cast::to_float);
    Value::Float(numbers.reduce(choose).unwrap_or(0.0))
}

/// Decimal arithmetic, for sums that floats would spoil.
fn decimals(
    first: &Value,
    others: &[Value],
    combine: fn(&Decimal, &Decimal) -> Option<Decimal>,
) -> Result {
    let read = |value: &Value| {
        let number = cast::to_float(value);
        Decimal::from_float(number).ok_or_else(|| {
            let shown = weir_yaml::number::format_float(number);
            CallError::text(format!("Cannot create a Decimal from {shown}"))
        })
    };
    let mut result = read(first)?;
    for other in others {
        let other = read(other)?;
        result = combine(&result, &other).ok_or("decimal division by 0")?;
    }
    Ok(result.to_float().into())
}

fn round(_: &mut Call<'_>, v: &[Value]) -> Result {
    let up_from = v.get(2).map_or(0.5, cast::to_float);
    let power = constant::parse_float(&format!("1e{}", int(&v[1]))).unwrap_or(f64::INFINITY);
    let scaled = power * cast::to_float(&v[0]);
    let whole = if scaled.fract() >= up_from {
        scaled.ceil()
    } else {
        scaled.floor()
    };
    Ok((whole / power).into())
}

fn steps(
    call: &mut Call<'_>,
    start: i64,
    stop: i64,
    step: i64,
) -> std::result::Result<Vec<i64>, CallError> {
    if stop < start && step >= 0 || stop >= start && step <= 0 {
        return Ok(Vec::new());
    }
    let distance = stop.abs_diff(start);
    let count = distance.div_ceil(step.unsigned_abs());
    call.charge_items(usize::try_from(count).unwrap_or(usize::MAX))?;
    Ok((0..count as i64).map(|i| start + i * step).collect())
}

fn ints(numbers: Vec<i64>) -> Value {
    let items = numbers.into_iter().map(Value::int).collect();
    Value::List(Rc::new(List::new(ListType::Ints, items)))
}

/// As the command `seq`, ends included.
fn seq(call: &mut Call<'_>, v: &[Value]) -> Result {
    let numbers = match v {
        [end] => {
            let direction = if int(end) < 1 { -1 } else { 1 };
            steps(call, 1, int(end).saturating_add(direction), direction)?
        }
        [start, end] => {
            let direction = if int(end) < int(start) { -1 } else { 1 };
            steps(
                call,
                int(start),
                int(end).saturating_add(direction),
                direction,
            )?
        }
        [start, step, end] => {
            let down = int(end) < int(start);
            if down && int(step) > 0 {
                return Ok("".into());
            }
            let direction = if down { -1 } else { 1 };
            steps(
                call,
                int(start),
                int(end).saturating_add(direction),
                int(step),
            )?
        }
        _ => return Ok("".into()),
    };
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Ok(texts.join(" ").into())
}
