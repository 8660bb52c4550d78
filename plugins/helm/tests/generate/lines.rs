//! Random lines of the family of `--set`: a grammar of their syntax, and now and then a mistake.

use super::choices::Choices;

const NAMES: [&str; 14] = [
    "a", "b", "c", "d", "sub", "other", "global", "tags", "alias", "x y", "a\\.b", "\"q\"", "1",
    "é",
];
const VALUES: [&str; 34] = [
    "1",
    "-1",
    "007",
    "0",
    "1.5",
    "1e3",
    "true",
    "false",
    "null",
    "",
    "text",
    "a b",
    "a\\,b",
    "a\\\\b",
    "\"q\"",
    "{a,b}",
    "{1,true,null}",
    "{}",
    "{a",
    "a}",
    "{{a},b}",
    "{a\\,b,c}",
    "0x1F",
    "12345678901234567890",
    "9223372036854775807",
    "9223372036854775808",
    "TRUE",
    "~",
    "[1]",
    "a=b",
    "é",
    "{a,}",
    "\\{a",
    " lead",
];
const JSONS: [&str; 20] = [
    "1",
    "1.50",
    "\"x\"",
    "null",
    "true",
    "{}",
    "[]",
    "{\"a\":1,\"b\":[1,2]}",
    "[1,{\"a\":null}]",
    "{\"a\":{\"b\":null}}",
    "12345678901234567890",
    "1e3",
    "\"é\\n\"",
    "{",
    "tru",
    "[1,]",
    "\"a\\\"b\"",
    "1 2",
    "",
    "{\"a\":1,\"a\":2}",
];
const FILES: [&str; 5] = [
    "note.txt",
    "nope.txt",
    "{note.txt,note.txt}",
    "",
    "values0.yaml",
];

/// A flag with its line.
pub(super) fn flag(choices: &mut Choices) -> (&'static str, String) {
    let flag = choices.pick(&[
        "--set",
        "--set",
        "--set",
        "--set-string",
        "--set-json",
        "--set-literal",
        "--set-file",
    ]);
    let values: &[&str] = match flag {
        "--set-json" => &JSONS,
        "--set-file" => &FILES,
        _ => &VALUES,
    };
    let mut line = String::new();
    for number in 0..=choices.below(2) {
        if number > 0 {
            line.push(',');
        }
        path(choices, &mut line);
        line.push('=');
        line.push_str(choices.pick(values));
    }
    if choices.one_in(15) {
        spoil(choices, &mut line);
    }
    (flag, line)
}

fn path(choices: &mut Choices, line: &mut String) {
    for number in 0..=choices.below(3) {
        if number > 0 {
            line.push('.');
        }
        line.push_str(choices.pick(&NAMES));
        for _ in 0..choices.below(6).saturating_sub(4) {
            line.push_str(choices.pick(&["[0]", "[1]", "[3]", "[0][1]"]));
        }
    }
}

/// Puts a character somewhere, or takes one away.
fn spoil(choices: &mut Choices, line: &mut String) {
    let mut characters: Vec<char> = line.chars().collect();
    let at = choices.below(characters.len() + 1);
    if choices.one_in(3) && at < characters.len() {
        characters.remove(at);
    } else {
        let odd = choices.pick(&[
            "=", ",", ".", "[", "]", "{", "}", "\\", "[]", "[-1]", "[x]", "[65537]", "null", " ",
        ]);
        for (offset, character) in odd.chars().enumerate() {
            characters.insert(at + offset, character);
        }
    }
    *line = characters.into_iter().collect();
}
