//! What templates can call, one file per family. Types of parameters are those of the Go functions,
//! for errors name them.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the functions of a table share one signature"
)]

mod case;
mod cast;
mod certificates;
mod compare;
mod crypto;
mod dates;
mod defaults;
mod dicts;
mod encoding;
mod helm;
mod language;
mod lists;
mod math;
mod merge;
mod paths;
mod random;
mod regex;
mod strings;
mod urls;
mod versions;

use std::borrow::Cow;

use crate::error::CallError;
use crate::function::Function;
use crate::value::Value;

/// All families; a later function of a name replaces an earlier.
pub(crate) const FAMILIES: &[&[Function]] = &[
    language::FUNCTIONS,
    compare::FUNCTIONS,
    strings::FUNCTIONS,
    case::FUNCTIONS,
    lists::FUNCTIONS,
    dicts::FUNCTIONS,
    merge::FUNCTIONS,
    math::FUNCTIONS,
    defaults::FUNCTIONS,
    encoding::FUNCTIONS,
    random::FUNCTIONS,
    crypto::FUNCTIONS,
    certificates::FUNCTIONS,
    dates::FUNCTIONS,
    urls::FUNCTIONS,
    regex::FUNCTIONS,
    paths::FUNCTIONS,
    versions::FUNCTIONS,
    helm::FUNCTIONS,
];

/// What a function returns.
type Result = std::result::Result<Value, CallError>;

/// A string argument as text.
fn text(value: &Value) -> Cow<'_, str> {
    value.text().unwrap_or_default()
}

/// An integer argument.
fn int(value: &Value) -> i64 {
    match value {
        Value::Int(_, number) => *number,
        _ => 0,
    }
}
