//! Health of a set of objects, from what the watches have seen. Asking costs no request; whoever
//! waits asks again after an [`Event::HealthChanged`](crate::Event), so no worker is held.

use weir_api::inventory::ObjectId;

use crate::kstatus::{State, Status};

/// How a set of objects fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthReport {
    /// Those that are not Current, in the order asked for.
    pub not_current: Vec<(ObjectId, Status)>,
}

impl HealthReport {
    /// Whether all are Current.
    pub fn is_healthy(&self) -> bool {
        self.not_current.is_empty()
    }

    /// Whether any has failed: waiting longer is of no use.
    pub fn has_failed(&self) -> bool {
        self.failed().next().is_some()
    }

    /// Those that have failed.
    pub fn failed(&self) -> impl Iterator<Item = &(ObjectId, Status)> {
        self.not_current
            .iter()
            .filter(|(_, status)| status.state == State::Failed)
    }

    /// Flux's message when time is up: every object that is not Current, with its state.
    pub fn timeout_message(&self) -> String {
        format!("timeout waiting for: [{}]", list(self.not_current.iter()))
    }

    /// Flux's message when an object has failed.
    pub fn failed_message(&self) -> String {
        format!(
            "failed early due to stalled resources: [{}]",
            list(self.failed())
        )
    }
}

fn list<'a>(entries: impl Iterator<Item = &'a (ObjectId, Status)>) -> String {
    let entries: Vec<String> = entries
        .map(|(id, status)| format!("{} status: '{}'", id.subject(), status.state))
        .collect();
    entries.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, state: State) -> (ObjectId, Status) {
        (
            ObjectId::new("ns", name, "apps", "Deployment"),
            Status::new(state, ""),
        )
    }

    #[test]
    fn messages_are_flux_messages() {
        let report = HealthReport {
            not_current: vec![entry("a", State::InProgress), entry("b", State::Failed)],
        };
        assert!(!report.is_healthy() && report.has_failed());
        assert_eq!(
            report.timeout_message(),
            "timeout waiting for: [Deployment/ns/a status: 'InProgress', \
             Deployment/ns/b status: 'Failed']"
        );
        assert_eq!(
            report.failed_message(),
            "failed early due to stalled resources: [Deployment/ns/b status: 'Failed']"
        );
    }
}
