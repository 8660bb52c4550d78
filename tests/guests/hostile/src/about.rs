//! Answers of `check-settings`.

use crate::exports::weir::plugin::about::Problem;

/// Far more problems than anybody would read, each longer than anybody would.
pub(crate) fn problems(settings: &str) -> Vec<Problem> {
    let count = if settings.contains("many-problems") {
        5_000
    } else {
        0
    };
    let problem = |n| Problem {
        pointer: "/x".repeat(5_000),
        message: format!("{n}: {}", "x".repeat(10_000)),
        fatal: false,
    };
    (0..count).map(problem).collect()
}
