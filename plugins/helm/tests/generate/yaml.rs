//! Random values in YAML, with all that YAML allows and some that it does not.

use std::fmt::Write as _;

use super::choices::Choices;

const KEYS: [&str; 16] = [
    "a", "b", "c", "d", "e", "x", "sub", "other", "alias", "global", "tags", "exports", "enabled",
    "\"a.b\"", "'k k'", "1",
];
const SCALARS: [&str; 50] = [
    "1",
    "-1",
    "0",
    "007",
    "0o17",
    "0x1F",
    "0b11",
    "1_000",
    "1e3",
    "1E-3",
    ".5",
    "5.",
    "1.0",
    "1.50",
    "12345678901234567890",
    "9223372036854775807",
    "-9223372036854775808",
    "0.1e-7",
    "+1",
    "true",
    "True",
    "TRUE",
    "yes",
    "No",
    "on",
    "off",
    "y",
    "n",
    "~",
    "null",
    "Null",
    "",
    "text",
    "\"quoted\"",
    "'single'",
    "\"\\u00e9\\n\\x41\"",
    "a b c",
    "2024-01-02",
    "2024-01-02T03:04:05Z",
    "12:30",
    "!!str 1",
    "!!int \"3\"",
    "!!float 1",
    "!!bool \"true\"",
    "a#b",
    "a #b",
    "\"\"",
    "''",
    "é",
    "1.2.3",
];
const TABLES: [&str; 6] = ["sub", "other", "alias", "global", "tags", "exports"];
/// What has no JSON, or is wrong.
const ODD: [&str; 15] = [
    ".inf",
    "-.INF",
    ".nan",
    "1e400",
    "!!null x",
    "!!int x",
    "-",
    "@x",
    "%x",
    "*gone",
    "!!float x",
    "!own 1",
    "`a`",
    "[",
    "a: b",
];

/// A document: mostly a map.
pub(super) fn document(choices: &mut Choices) -> String {
    if choices.one_in(40) {
        let odd = [
            "",
            "---\n",
            "- a\n",
            "text\n",
            "# nothing\n",
            "a: [\n",
            "{}\n",
            "a: b: c\n",
        ];
        return choices.pick(&odd).to_owned();
    }
    let mut text = String::new();
    map(choices, &mut text, 0, 3);
    text
}

fn scalar(choices: &mut Choices) -> &'static str {
    if choices.one_in(150) {
        choices.pick(&ODD)
    } else {
        choices.pick(&SCALARS)
    }
}

fn map(choices: &mut Choices, text: &mut String, indent: usize, depth: usize) {
    let mut taken: Vec<&str> = Vec::new();
    for _ in 0..=choices.below(4) {
        let key = choices.pick(&KEYS);
        // Now and then a key is there twice.
        if taken.contains(&key) && !choices.one_in(30) {
            continue;
        }
        taken.push(key);
        text.push_str(&" ".repeat(indent));
        text.push_str(key);
        text.push(':');
        // What is a table for Helm is one, nearly always.
        if TABLES.contains(&key) && depth > 0 && !choices.one_in(12) {
            text.push('\n');
            map(choices, text, indent + 2, depth - 1);
        } else {
            value(choices, text, indent, depth);
        }
    }
}

fn value(choices: &mut Choices, text: &mut String, indent: usize, depth: usize) {
    let inner = " ".repeat(indent + 2);
    match choices.below(if depth == 0 { 6 } else { 12 }) {
        0..=3 => {
            text.push(' ');
            text.push_str(scalar(choices));
            text.push('\n');
        }
        4 => {
            let style = choices.pick(&["|", "|-", "|+", ">", ">-", ">+"]);
            let lines = ["one", "two", "", "  more", "last"];
            text.push(' ');
            text.push_str(style);
            text.push('\n');
            for line in lines.iter().take(1 + choices.below(lines.len())) {
                if !line.is_empty() {
                    text.push_str(&inner);
                    text.push_str(line);
                }
                text.push('\n');
            }
        }
        5 => {
            let flow = [
                " []",
                " {}",
                " [1, a, null]",
                " {a: 1, b: {c: 2}}",
                " [{a: 1}, [2]]",
                " {a, b: }",
                " &x [1]",
                " {\"a\":1,'b':yes}",
                " [a, b,]",
            ];
            text.push_str(choices.pick(&flow));
            text.push('\n');
        }
        6 => {
            for _ in 0..=choices.below(3) {
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push_str(&inner);
                text.push('-');
                value(choices, text, indent + 2, 0);
            }
        }
        7 => {
            // An anchor, and what it is good for.
            let scalar = scalar(choices);
            let _ = write!(
                text,
                " &n\n{inner}a: {scalar}\n{inner}c: &m {{e: 1}}\n{inner}d: *m\n"
            );
            if choices.one_in(2) {
                let _ = write!(text, "{inner}b:\n{inner}  <<: *m\n{inner}  x: 2\n");
            }
        }
        _ => {
            text.push('\n');
            map(choices, text, indent + 2, depth - 1);
        }
    }
}
