//! Conditions: the standard shape with `observedGeneration`, and the rules for changing them.
//!
//! A status list may hold conditions of other writers. The functions here touch only the type
//! they are given, so that foreign ones survive.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::string_enum::string_enum;
use crate::{Time, meta, now};

/// Longest message the schema accepts.
pub const MAX_MESSAGE: usize = 32_768;

string_enum! {
    /// Truth of a condition.
    ConditionStatus {
        /// It holds.
        True = "True",
        /// It does not hold.
        False = "False",
        /// Not known yet.
        Unknown = "Unknown",
    }
}

/// One aspect of an object's state (`metav1.Condition`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// PascalCase name of the aspect.
    #[serde(rename = "type")]
    #[schemars(
        length(max = 316),
        pattern(
            r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
        )
    )]
    pub type_: String,
    /// True, False or Unknown.
    pub status: ConditionStatus,
    /// Generation the condition was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// When `status` changed last.
    pub last_transition_time: Time,
    /// PascalCase cause.
    #[schemars(
        length(min = 1, max = 1024),
        pattern(r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    )]
    pub reason: String,
    /// For people; may be empty.
    #[schemars(length(max = 32_768))]
    pub message: String,
}

impl Condition {
    /// A condition that changed now. The message is cut to what the schema accepts.
    pub fn new(
        type_: &str,
        status: ConditionStatus,
        reason: &str,
        message: impl Into<String>,
        generation: Option<i64>,
    ) -> Self {
        let mut message = message.into();
        if message.len() > MAX_MESSAGE {
            let mut end = MAX_MESSAGE - '…'.len_utf8();
            while !message.is_char_boundary(end) {
                end -= 1;
            }
            message.truncate(end);
            message.push('…');
        }
        Self {
            type_: type_.to_owned(),
            status,
            observed_generation: generation,
            last_transition_time: now(),
            reason: reason.to_owned(),
            message,
        }
    }

    /// Whether the status is True.
    pub fn is_true(&self) -> bool {
        self.status == ConditionStatus::True
    }

    /// Whether the status is False.
    pub fn is_false(&self) -> bool {
        self.status == ConditionStatus::False
    }
}

/// The condition of a type.
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// Whether the condition of a type is present and True.
pub fn is_true(conditions: &[Condition], type_: &str) -> bool {
    find(conditions, type_).is_some_and(Condition::is_true)
}

/// Adds or replaces a condition. The transition time is kept unless the status changes. Returns
/// whether anything but the transition time changed.
pub fn set(conditions: &mut Vec<Condition>, mut condition: Condition) -> bool {
    let Some(known) = conditions
        .iter_mut()
        .find(|known| known.type_ == condition.type_)
    else {
        conditions.push(condition);
        return true;
    };
    if known.status == condition.status {
        condition.last_transition_time = known.last_transition_time.clone();
    }
    let changed = *known != condition;
    *known = condition;
    changed
}

/// Removes the condition of a type; returns whether there was one.
pub fn remove(conditions: &mut Vec<Condition>, type_: &str) -> bool {
    let before = conditions.len();
    conditions.retain(|condition| condition.type_ != type_);
    conditions.len() != before
}

/// Replaces the conditions of `owned` types by those in `desired`, leaving all other types as
/// they are in `current` (which may be fresher than what `desired` was made from).
pub fn merge_owned(current: &[Condition], desired: &[Condition], owned: &[&str]) -> Vec<Condition> {
    let mut merged: Vec<Condition> = current
        .iter()
        .filter(|known| {
            !owned.contains(&known.type_.as_str()) || find(desired, &known.type_).is_some()
        })
        .cloned()
        .collect();
    for condition in desired.iter().filter(|c| owned.contains(&c.type_.as_str())) {
        set(&mut merged, condition.clone());
    }
    merged
}

/// What Flux's kinds say while a run is going on: Ready Unknown and Reconciling True, both with
/// reason `Progressing`.
pub fn mark_reconciling(
    conditions: &mut Vec<Condition>,
    generation: Option<i64>,
    message: impl Into<String>,
) {
    use meta::condition::{READY, RECONCILING, STALLED};
    let message = message.into();
    let progressing = meta::reason::PROGRESSING;
    remove(conditions, STALLED);
    set(
        conditions,
        Condition::new(
            READY,
            ConditionStatus::Unknown,
            progressing,
            "Reconciliation in progress",
            generation,
        ),
    );
    set(
        conditions,
        Condition::new(
            RECONCILING,
            ConditionStatus::True,
            progressing,
            message,
            generation,
        ),
    );
}

/// Success: Ready True; Reconciling and Stalled removed.
pub fn mark_ready(
    conditions: &mut Vec<Condition>,
    generation: Option<i64>,
    reason: &str,
    message: impl Into<String>,
) {
    use meta::condition::{READY, RECONCILING, STALLED};
    remove(conditions, STALLED);
    remove(conditions, RECONCILING);
    set(
        conditions,
        Condition::new(READY, ConditionStatus::True, reason, message, generation),
    );
}

/// A failure that will be retried: Ready False, Reconciling `ProgressingWithRetry`.
pub fn mark_failed(
    conditions: &mut Vec<Condition>,
    generation: Option<i64>,
    reason: &str,
    message: impl Into<String>,
) {
    use meta::condition::{READY, RECONCILING, STALLED};
    let message = message.into();
    remove(conditions, STALLED);
    set(
        conditions,
        Condition::new(
            READY,
            ConditionStatus::False,
            reason,
            message.clone(),
            generation,
        ),
    );
    set(
        conditions,
        Condition::new(
            RECONCILING,
            ConditionStatus::True,
            meta::reason::PROGRESSING_WITH_RETRY,
            message,
            generation,
        ),
    );
}

/// A failure that only a change can end: Ready False and Stalled True; Reconciling removed.
pub fn mark_stalled(
    conditions: &mut Vec<Condition>,
    generation: Option<i64>,
    reason: &str,
    message: impl Into<String>,
) {
    use meta::condition::{READY, RECONCILING, STALLED};
    let message = message.into();
    remove(conditions, RECONCILING);
    set(
        conditions,
        Condition::new(
            READY,
            ConditionStatus::False,
            reason,
            message.clone(),
            generation,
        ),
    );
    set(
        conditions,
        Condition::new(STALLED, ConditionStatus::True, reason, message, generation),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use meta::condition::{READY, RECONCILING, STALLED};

    fn old(type_: &str, status: ConditionStatus) -> Condition {
        Condition {
            last_transition_time: Time(jiff::Timestamp::from_second(1).unwrap()),
            ..Condition::new(type_, status, "Before", "", Some(1))
        }
    }

    #[test]
    fn transition_time_moves_only_with_the_status() {
        let mut conditions = vec![old(READY, ConditionStatus::False)];
        let same = Condition::new(READY, ConditionStatus::False, "Other", "text", Some(2));
        assert!(set(&mut conditions, same.clone()));
        assert_eq!(conditions[0].last_transition_time.0.as_second(), 1);
        assert!(
            !set(&mut conditions, same),
            "nothing changed the second time"
        );
        set(
            &mut conditions,
            Condition::new(READY, ConditionStatus::True, "Done", "", Some(2)),
        );
        assert!(conditions[0].last_transition_time.0.as_second() > 1);
    }

    #[test]
    fn foreign_types_survive_a_merge() {
        let current = [
            old("Foreign", ConditionStatus::True),
            old(STALLED, ConditionStatus::True),
        ];
        let desired = [Condition::new(
            READY,
            ConditionStatus::True,
            "Done",
            "",
            Some(2),
        )];
        let merged = merge_owned(&current, &desired, &[READY, STALLED, RECONCILING]);
        let types: Vec<_> = merged.iter().map(|c| c.type_.as_str()).collect();
        assert_eq!(types, ["Foreign", READY]);
    }

    #[test]
    fn stalled_and_reconciling_exclude_each_other() {
        let mut conditions = Vec::new();
        mark_failed(&mut conditions, Some(1), "BuildFailed", "no");
        assert!(is_true(&conditions, RECONCILING) && find(&conditions, STALLED).is_none());
        mark_stalled(&mut conditions, Some(1), "AccessDenied", "no");
        assert!(is_true(&conditions, STALLED) && find(&conditions, RECONCILING).is_none());
        mark_ready(&mut conditions, Some(1), "Succeeded", "yes");
        assert_eq!(conditions.len(), 1);
    }

    #[test]
    fn long_messages_are_cut_on_a_character() {
        let condition =
            Condition::new(READY, ConditionStatus::False, "R", "é".repeat(40_000), None);
        assert!(condition.message.len() <= MAX_MESSAGE);
        assert!(condition.message.ends_with("é…"));
    }
}
