//! The time of day. A result that asked for it is not cached.

use std::time::{Duration, SystemTime};

use crate::bindings::imports::weir::plugin::clock;

/// Now. (`SystemTime::now` is a constant inside a component.)
pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(clock::now())
}
