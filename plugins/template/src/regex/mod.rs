//! Regular expressions.
/// Expressions that a run has compiled.
#[derive(Default)]
pub(crate) struct Regexes;
