//! Structured log. Rate-limited and attributed by the host; a cached result replays none of it,
//! so say what users must see by [`Emitter::warn`](crate::Emitter::warn) or an error.
//!
//! ```no_run
//! weir_sdk::log::info("listed tags", &[("count", "12")]);
//! ```

use crate::bindings::imports::weir::plugin::log;

/// Severity.
pub use log::Level;

/// Writes one record.
pub fn write(level: Level, message: &str, fields: &[(&str, &str)]) {
    let fields: Vec<_> = fields
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    log::write(level, message, &fields);
}

/// For the plugin's author.
pub fn debug(message: &str, fields: &[(&str, &str)]) {
    write(Level::Debug, message, fields);
}

/// For the operator.
pub fn info(message: &str, fields: &[(&str, &str)]) {
    write(Level::Info, message, fields);
}

/// For the operator, who should look.
pub fn warn(message: &str, fields: &[(&str, &str)]) {
    write(Level::Warn, message, fields);
}

/// For the operator, who should act.
pub fn error(message: &str, fields: &[(&str, &str)]) {
    write(Level::Error, message, fields);
}
