//! What a plugin answers, held against its contract and cut to what statuses, events and people can
//! take: nothing that comes from a guest is believed to be short.

use serde_json::Value;

use super::{Info, Want};
use crate::bindings::exports::weir::plugin::{about, source};
use crate::mask::Mask;
use crate::schema::{MAX_PROBLEMS, Problem};
use crate::{Failure, FailureClass, Revision, Warning};

/// What a description may hold, in bytes of JSON.
const MAX_INFO: usize = 1 << 20;
/// What an item of a list counts besides its text: a million empty ones are much as well.
const ITEM: usize = 16;
/// Names and versions are put into labels and conditions.
const MAX_NAME: usize = 128;
/// A revision ends up in a status: id, token, metadata.
const MAX_REVISION: usize = 64 << 10;
/// A failure or a warning keeps this much of each of its texts.
const MAX_TEXT: usize = 16 << 10;
/// What is meant as one line keeps this much.
const MAX_LINE: usize = 1 << 10;
/// A failure keeps this many positions.
const MAX_POSITIONS: usize = 100;
/// The reason of an event may have this many bytes (`kubernetes/kubernetes
/// pkg/apis/core/validation/events.go`).
const MAX_REASON: usize = 128;
/// Each becomes an event; the last one counts what was left out.
const MAX_WARNINGS: usize = 100;
/// Nobody is put off for longer, whatever the plugin says: an hour is what rate limits take.
const MAX_RETRY_AFTER: u32 = 3600;

/// The plugin answered what its contract rules out.
fn invalid_answer(message: String) -> Failure {
    Failure::new(FailureClass::Internal, "InvalidAnswer", message)
}

/// Cuts at a character boundary.
fn cut(text: &mut String, len: usize) {
    if text.len() > len {
        text.truncate(text.floor_char_boundary(len));
    }
}

/// Whether it can be the reason of a condition and of an event (`kubernetes/kubernetes
/// staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go`): letters, digits
/// and `_`, with `,` and `:` inside.
fn is_reason(code: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b',' | b':');
    code.len() <= MAX_REASON
        && code.starts_with(|first: char| first.is_ascii_alphabetic())
        && code.bytes().all(inner)
        && !code.ends_with([',', ':'])
}

/// The failure that a plugin returned, without secrets: those go before anything is cut, or a part
/// of one would stay.
pub(super) fn failure(failure: &mut Failure, mask: &Mask) {
    failure.positions.truncate(MAX_POSITIONS);
    mask.apply_to(failure);
    if !is_reason(&failure.code) {
        "Failed".clone_into(&mut failure.code);
    }
    cut(&mut failure.message, MAX_TEXT);
    if let Some(detail) = &mut failure.detail {
        cut(detail, MAX_TEXT);
    }
    for position in &mut failure.positions {
        cut(&mut position.path, MAX_LINE);
    }
    failure.retry_after = failure.retry_after.map(|after| after.min(MAX_RETRY_AFTER));
}

/// The warnings of a render, without secrets.
pub(super) fn warnings(warnings: &mut Vec<Warning>, mask: &Mask) {
    let more = warnings.len().saturating_sub(MAX_WARNINGS - 1);
    if more > 1 {
        warnings.truncate(MAX_WARNINGS - 1);
        warnings.push(Warning {
            code: "TooManyWarnings".into(),
            message: format!("the plugin gave {more} more warnings"),
        });
    }
    for warning in warnings {
        mask.apply(&mut warning.code);
        mask.apply(&mut warning.message);
        if !is_reason(&warning.code) {
            "Warning".clone_into(&mut warning.code);
        }
        cut(&mut warning.message, MAX_TEXT);
    }
}

/// The problems that a plugin finds in its settings.
pub(super) fn problems(problems: Vec<about::Problem>) -> Vec<Problem> {
    let problem = |found: about::Problem| {
        let mut problem = Problem {
            pointer: found.pointer,
            message: found.message,
            fatal: found.fatal,
        };
        cut(&mut problem.pointer, MAX_LINE);
        cut(&mut problem.message, MAX_LINE);
        problem
    };
    problems
        .into_iter()
        .take(MAX_PROBLEMS)
        .map(problem)
        .collect()
}

/// The index of one of the candidates.
pub(super) fn index(index: Option<u32>, candidates: usize) -> Result<Option<u32>, Failure> {
    match index {
        Some(index) if index as usize >= candidates => Err(invalid_answer(format!(
            "the plugin selected candidate {index} of {candidates}"
        ))),
        index => Ok(index),
    }
}

/// The revision of a source.
pub(super) fn revision(revision: source::Revision) -> Result<Revision, Failure> {
    let metadata: usize = revision
        .metadata
        .iter()
        .map(|(k, v)| k.len() + v.len() + ITEM)
        .sum();
    if revision.id.is_empty() {
        return Err(invalid_answer(
            "the plugin returned a revision without an id".into(),
        ));
    }
    if revision.id.len() + revision.token.len() + metadata > MAX_REVISION {
        return Err(invalid_answer(format!(
            "the plugin returned a revision of more than {MAX_REVISION} bytes"
        )));
    }
    let line = |text: Option<String>| {
        text.map(|mut text| {
            cut(&mut text, MAX_LINE);
            text
        })
    };
    Ok(Revision {
        id: revision.id,
        token: revision.token,
        summary: line(revision.summary),
        verified: line(revision.verified),
        metadata: revision.metadata,
    })
}

/// What a plugin says of itself.
pub(super) fn info(info: about::Info) -> Result<Info, String> {
    let annotation = |(name, value): &(String, String)| name.len() + value.len() + ITEM;
    let want = |w: &about::Want| w.kind.len() + w.name.len() + w.reason.len() + ITEM;
    let size = info.settings_schema.len()
        + info.summary.len()
        + info.examples.iter().map(|e| e.len() + ITEM).sum::<usize>()
        + info.annotations.iter().map(annotation).sum::<usize>()
        + info.wants.iter().map(want).sum::<usize>();
    if size > MAX_INFO {
        return Err(format!("it has {size} bytes, {MAX_INFO} are allowed"));
    }
    for (what, text) in [("name", &info.name), ("version", &info.version)] {
        if text.is_empty() || text.len() > MAX_NAME {
            return Err(format!(
                "its {what} has {} bytes, 1 to {MAX_NAME} are allowed",
                text.len()
            ));
        }
    }
    let json = |what: &str, text: &str| -> Result<Value, String> {
        serde_json::from_str(text).map_err(|error| format!("its {what} is no JSON: {error}"))
    };
    Ok(Info {
        settings_schema: json("settings schema", &info.settings_schema)?,
        examples: info
            .examples
            .iter()
            .map(|e| json("example", e))
            .collect::<Result<_, _>>()?,
        wants: info
            .wants
            .into_iter()
            .map(|w| Want {
                kind: w.kind,
                name: w.name,
                reason: w.reason,
            })
            .collect(),
        name: info.name,
        version: info.version,
        summary: info.summary,
        annotations: info.annotations,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_at_the_cut_leaves_nothing() {
        let mut mask = Mask::default();
        let secret = [("password".to_owned(), b"correct horse".to_vec())];
        mask.learn(&secret.into_iter().collect());
        let message = format!("{}correct horse", "x".repeat(MAX_TEXT - 8));
        let mut failed = Failure::new(FailureClass::Internal, "Code", message.clone());
        failure(&mut failed, &mask);
        assert!(!failed.message.contains("corr"));
        let code = "Code".into();
        let mut warned = vec![Warning { code, message }];
        warnings(&mut warned, &mask);
        assert!(!warned[0].message.contains("corr"));
    }

    #[test]
    fn a_code_is_a_reason_or_replaced() {
        for code in ["NotFound", "A", "a1:b,c_d", "X_"] {
            assert!(is_reason(code), "{code}");
        }
        for code in ["", "1a", "no reason", "a\nb", "é", "a:", &"X".repeat(129)] {
            assert!(!is_reason(code), "{code}");
        }
    }
}
