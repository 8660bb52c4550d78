//! A table of templates with what the real Helm makes of them: `expressions.txt`. What the
//! differential test finds is added there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[expect(dead_code, reason = "of the generator only the values are needed here")]
mod generate;
mod support;

/// A template, and its output or error.
struct Row {
    line: usize,
    template: &'static str,
    expected: Result<String, String>,
}

fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (at, text) in include_str!("expressions.txt").lines().enumerate() {
        let Some((mark, rest)) = text.split_at_checked(2) else {
            continue;
        };
        if mark == "> " {
            rows.push(Row {
                line: at + 1,
                template: rest,
                expected: Ok(String::new()),
            });
            continue;
        }
        let Some(row) = rows.last_mut() else {
            continue;
        };
        let before = match &row.expected {
            Ok(text) | Err(text) if text.is_empty() => String::new(),
            Ok(text) | Err(text) => format!("{text}\n"),
        };
        row.expected = match mark {
            "| " => Ok(before + rest),
            "! " => Err(before + rest),
            other => panic!("line {}: begins with {other:?}", at + 1),
        };
    }
    rows
}

#[test]
fn expressions_are_as_with_helm() {
    let mut wrong = Vec::new();
    for row in rows() {
        let ours = support::render(row.template, generate::VALUES);
        if ours != row.expected {
            wrong.push(format!(
                "line {}: {}\n  real {:?}\n  ours {ours:?}",
                row.line, row.template, row.expected
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
