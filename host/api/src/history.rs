//! `status.history`: the last outcomes of a Kustomization.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Duration, Time};

/// How many snapshots are kept (fluxcd/pkg apis/meta/history_types.go).
pub const MAX_SNAPSHOTS: usize = 5;

/// One state that was reconciled, keyed by digest and outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Digest of the rendered manifests.
    pub digest: String,
    /// When this state was reconciled first.
    pub first_reconciled: Time,
    /// When this state was reconciled last.
    pub last_reconciled: Time,
    /// How long the last run took.
    #[schemars(with = "String")]
    pub last_reconciled_duration: Duration,
    /// Reason of the last run's outcome.
    pub last_reconciled_status: String,
    /// Runs with this digest and outcome.
    pub total_reconciliations: i64,
    /// `revision`, `originRevision`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// Records a run: the same digest and outcome moves to the front and counts on, another one is
/// put in front, and what exceeds [`MAX_SNAPSHOTS`] is dropped from the end.
pub fn record(
    history: &mut Vec<Snapshot>,
    digest: &str,
    status: &str,
    at: Time,
    took: Duration,
    metadata: BTreeMap<String, String>,
) {
    let known = history
        .iter()
        .position(|s| s.digest == digest && s.last_reconciled_status == status)
        .map(|index| history.remove(index));
    let snapshot = Snapshot {
        digest: digest.to_owned(),
        first_reconciled: known
            .as_ref()
            .map_or_else(|| at.clone(), |s| s.first_reconciled.clone()),
        last_reconciled: at,
        last_reconciled_duration: took,
        last_reconciled_status: status.to_owned(),
        total_reconciliations: known
            .map_or(0, |s| s.total_reconciliations)
            .saturating_add(1),
        metadata,
    };
    history.insert(0, snapshot);
    history.truncate(MAX_SNAPSHOTS);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time(jiff::Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn same_digest_and_outcome_counts_on_and_moves_to_the_front() {
        let mut history = Vec::new();
        let mut run = |digest: &str, status: &str, second| {
            record(
                &mut history,
                digest,
                status,
                at(second),
                Duration::from_secs(1),
                BTreeMap::default(),
            );
        };
        run("a", "ReconciliationSucceeded", 1);
        run("b", "ReconciliationSucceeded", 2);
        run("a", "HealthCheckFailed", 3);
        run("a", "ReconciliationSucceeded", 4);
        let seen: Vec<_> = history
            .iter()
            .map(|s| {
                (
                    s.digest.as_str(),
                    s.last_reconciled_status.as_str(),
                    s.total_reconciliations,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("a", "ReconciliationSucceeded", 2),
                ("a", "HealthCheckFailed", 1),
                ("b", "ReconciliationSucceeded", 1),
            ]
        );
        assert_eq!(history[0].first_reconciled, at(1));
        assert_eq!(history[0].last_reconciled, at(4));
    }

    #[test]
    fn only_the_newest_are_kept() {
        let mut history = Vec::new();
        for n in 0..9 {
            record(
                &mut history,
                &n.to_string(),
                "ReconciliationSucceeded",
                at(n),
                Duration::default(),
                BTreeMap::default(),
            );
        }
        let digests: Vec<_> = history.iter().map(|s| s.digest.as_str()).collect();
        assert_eq!(digests, ["8", "7", "6", "5", "4"]);
    }
}
