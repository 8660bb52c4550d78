//! What a run did, object by object, in the order of applying.

use std::fmt;

use weir_api::inventory::{Entry, Inventory, ObjectId};

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// It did not exist.
    Created,
    /// It was changed.
    Configured,
    /// It was as desired.
    Unchanged,
    /// It was deleted.
    Deleted,
    /// An annotation says to leave it alone.
    Skipped,
}

impl Action {
    /// As in events and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Skipped => "skipped",
        }
    }

    /// Whether the cluster is another than before.
    pub const fn is_change(self) -> bool {
        matches!(self, Self::Created | Self::Configured | Self::Deleted)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One object and what was done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The object.
    pub id: ObjectId,
    /// Its API version without the group.
    pub version: String,
    /// What was done.
    pub action: Action,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id.subject(), self.action)
    }
}

/// The outcome of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// In the order of applying, one entry per object.
    pub changes: Vec<Change>,
}

impl ChangeSet {
    /// Adds what was done to an object.
    pub fn push(&mut self, id: ObjectId, version: impl Into<String>, action: Action) {
        self.changes.push(Change {
            id,
            version: version.into(),
            action,
        });
    }

    /// The objects that are not as they were before.
    pub fn changed(&self) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(|change| change.action.is_change())
    }

    /// Whether nothing was changed.
    pub fn is_noop(&self) -> bool {
        self.changed().next().is_none()
    }

    /// How many objects an action was done to.
    pub fn count(&self, action: Action) -> usize {
        self.changes
            .iter()
            .filter(|change| change.action == action)
            .count()
    }

    /// The inventory after the run: everything but what was deleted. Unchanged and skipped
    /// objects belong to it.
    pub fn inventory(&self) -> Inventory {
        Inventory {
            entries: self
                .changes
                .iter()
                .filter(|change| change.action != Action::Deleted)
                .map(|change| Entry::new(&change.id, &change.version))
                .collect(),
        }
    }

    /// The objects whose health counts: those that were not skipped or deleted.
    pub fn health_ids(&self) -> impl Iterator<Item = (&ObjectId, &str)> {
        self.changes
            .iter()
            .filter(|change| !matches!(change.action, Action::Deleted | Action::Skipped))
            .map(|change| (&change.id, change.version.as_str()))
    }

    /// One line per changed object, `Kind/namespace/name created`: the message of Flux's event.
    pub fn summary(&self) -> String {
        let lines: Vec<String> = self.changed().map(ToString::to_string).collect();
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inventory_and_summary() {
        let mut set = ChangeSet::default();
        let id = |name: &str| ObjectId::new("ns", name, "", "ConfigMap");
        set.push(id("a"), "v1", Action::Created);
        set.push(id("b"), "v1", Action::Unchanged);
        set.push(id("c"), "v1", Action::Skipped);
        set.push(id("d"), "v1", Action::Deleted);
        let ids: Vec<_> = set.inventory().entries.into_iter().map(|e| e.id).collect();
        assert_eq!(
            ids,
            ["ns_a__ConfigMap", "ns_b__ConfigMap", "ns_c__ConfigMap"]
        );
        assert_eq!(
            set.summary(),
            "ConfigMap/ns/a created\nConfigMap/ns/d deleted"
        );
        assert_eq!(set.health_ids().count(), 2);
        assert!(!set.is_noop());
    }
}
