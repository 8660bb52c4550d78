//! Answers that would harm whoever believes them.

use crate::weir::plugin::types::{FailureClass, Position};
use crate::{Attack, Failure};

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("fail-hugely", |_| {
        let text = "é".repeat(1 << 20);
        let position = Position {
            path: text.clone(),
            line: Some(u32::MAX),
            column: Some(0),
        };
        Err(Failure {
            code: "X".repeat(1 << 20),
            message: text.clone(),
            positions: vec![position; 10],
            detail: Some(text),
            ..failure()
        })
    }),
    ("fail-with-many-positions", |_| {
        let position = Position {
            path: "a".into(),
            line: None,
            column: None,
        };
        Err(Failure {
            positions: vec![position; 300_000],
            ..failure()
        })
    }),
    ("fail-without-reason", |_| {
        Err(Failure {
            code: "No reason:\n\"at all\"".into(),
            ..failure()
        })
    }),
    ("fail-for-a-century", |_| {
        Err(Failure {
            retry_after: Some(u32::MAX),
            ..failure()
        })
    }),
];

fn failure() -> Failure {
    Failure {
        class: FailureClass::InvalidInput,
        code: "Hostile".into(),
        message: "hostile".into(),
        retry_after: None,
        positions: vec![],
        detail: None,
    }
}
