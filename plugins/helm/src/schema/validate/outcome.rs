//! What was found, and where.

/// Where in the data a value stands.
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) outer: Option<&'a Place<'a>>,
}

impl Place<'_> {
    /// The path as messages have it.
    pub(super) fn field(&self) -> String {
        match self.outer {
            None => self.name.to_owned(),
            Some(outer) if outer.outer.is_none() => self.name.to_owned(),
            Some(outer) => format!("{}.{}", outer.field(), self.name),
        }
    }
}

#[derive(Default)]
pub(super) struct Outcome {
    pub(super) problems: Vec<String>,
    pub(super) score: i64,
}

impl Outcome {
    pub(super) fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }

    pub(super) fn problem(&mut self, place: &Place<'_>, text: impl AsRef<str>) {
        self.problems
            .push(format!("{}: {}", place.field(), text.as_ref()));
        self.score -= 2;
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.score += other.score;
    }

    /// Keeps the one that came closer; the first of equals.
    pub(super) fn closest(best: &mut Option<Self>, other: Self) {
        if best.as_ref().is_none_or(|best| other.score > best.score) {
            *best = Some(other);
        }
    }
}
