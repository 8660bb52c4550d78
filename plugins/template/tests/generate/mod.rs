//! Random templates: a grammar over the language and its functions.
//!
//! What differs from run to run is left out: the time, randomness, addresses, and the order of
//! `keys` and `values`, which in Go is random.

mod choices;
mod functions;
mod leaves;

use std::fmt::Write as _;

use choices::Choices;
use functions::{FUNCTIONS, Kind};
use leaves::leaves;

/// The values that the templates see.
pub(crate) const VALUES: &str = r#"
s: hello world
name: my-App_2
empty: ""
num: 3
neg: -7
big: 1234567890123
f: 2.5
tiny: 0.000001
t: true
off_: false
nothing: null
list: [a, b, c]
nums: [3, 1, 2]
mixed: [1, two, 3.5, true, null, {k: v}, [x]]
elist: []
emap: {}
m: {a: 1, b: two, c: [1, 2], d: {e: f}}
deep: {x: {w: {z: 42}}}
people: [{name: Ann, age: 30, tags: [x, y]}, {name: Bob, age: 4}]
text: "line one\nline two\n  indented\n"
unicode: "häßlich 日本 ✓"
yaml: "a: 1\nb: [x, y]\n"
json: "{\"k\": [1, 2.5, null], \"s\": \"<&>\"}"
semver: v1.22.3-rc.1+b5
date: "2024-02-29"
"#;

/// A template of one line or a few.
pub(crate) fn template(seed: u64) -> String {
    let mut generator = Generator {
        choices: Choices::new(seed),
        variables: Vec::new(),
        defined: String::new(),
    };
    let mut body = String::new();
    for _ in 0..=generator.choices.below(3) {
        body.push_str(&generator.statement(2));
    }
    // The dot is made here, because that of a chart holds more than both sides are given. As a string
    // of JSON anything is good YAML, which Helm insists on.
    let dot = "(dict \"Values\" .Values \"Release\" (dict \"Name\" \"r\"))";
    let defined = generator.defined;
    format!(
        "{defined}{{{{define \"main\"}}}}{body}{{{{end}}}}k: {{{{include \"main\" {dot} | toJson}}}}\n"
    )
}

/// A template with a few pieces taken out, doubled or moved, which mostly does not parse.
pub(crate) fn mutated(seed: u64) -> String {
    let mut choices = Choices::new(!seed);
    let mut text = template(seed);
    for _ in 0..=choices.below(2) {
        let at = choices.below(text.len());
        let len = 1 + choices.below(6);
        // What is within a character is left alone.
        let Some(piece) = text.get(at..(at + len).min(text.len())).map(str::to_owned) else {
            continue;
        };
        match choices.below(4) {
            0 => text.replace_range(at..at + piece.len(), ""),
            1 => text.insert_str(at, &piece),
            2 => {
                let odd = choices.pick(&[
                    "{{",
                    "}}",
                    " -",
                    "- ",
                    "|",
                    ".",
                    "$",
                    "(",
                    ")",
                    "\"",
                    "`",
                    "{{end}}",
                    "{{else}}",
                    "{{/* c */}}",
                    "{{ /*",
                    ":=",
                    ",",
                    "'",
                    "\\",
                    "0x",
                    "nil ",
                    "{{if}}",
                    "\n",
                    "{{break}}",
                    "@",
                    "é",
                    "{{- ",
                    " -}}",
                ]);
                text.insert_str(at, odd);
            }
            _ => {
                let to = choices.below(text.len());
                if text.is_char_boundary(to) {
                    text.insert_str(to, &piece);
                }
            }
        }
    }
    text
}

struct Generator {
    choices: Choices,
    variables: Vec<String>,
    /// Templates that are called.
    defined: String,
}

impl Generator {
    fn statement(&mut self, depth: usize) -> String {
        let roll = if depth == 0 {
            0
        } else {
            self.choices.below(14)
        };
        let (open, close) = (
            self.choices.pick(&["{{", "{{- ", "{{ "]),
            self.choices.pick(&["}}", " -}}", " }}"]),
        );
        match roll {
            8 => {
                let condition = self.expression(Kind::Any, 2);
                let (then, otherwise) = (self.body(depth), self.body(depth));
                let word = self.choices.pick(&["if", "with"]);
                format!("{open}{word} {condition}{close}{then}{{{{else}}}}{otherwise}{{{{end}}}}\n")
            }
            9 => self.range(depth, open, close),
            10 => {
                let value = self.expression(Kind::Any, 2);
                let name = format!("$v{}", self.choices.below(3));
                let statement = format!("{open}{name} := {value}{close}\n");
                self.variables.push(name);
                statement
            }
            11 => {
                let outer = std::mem::take(&mut self.variables);
                let body = self.body(depth);
                self.variables = outer;
                let name = format!("\"t{}\"", self.defined.len());
                let _ = write!(self.defined, "{{{{define {name}}}}}{body}{{{{end}}}}");
                let dot = self.expression(Kind::Any, 1);
                if self.choices.one_in(2) {
                    format!("{open}include {name} ({dot}){close}\n")
                } else {
                    format!("{open}template {name} {dot}{close}\n")
                }
            }
            12 => {
                let text = self.expression(Kind::Text, 2);
                format!("{open}tpl ({text}) .{close}\n")
            }
            _ => {
                let kind = self.any_kind();
                let value = self.expression(kind, 3);
                let shown = self.choices.pick(&[
                    "",
                    "",
                    " | quote",
                    " | toYaml",
                    " | toJson",
                    " | printf \"%v %T\" 1",
                    " | printf \"%q\"",
                    " | squote",
                    " | kindOf",
                    " | typeOf",
                    " | toString | nindent 2",
                    " | toYaml | indent 4",
                ]);
                format!("k:{open}{value}{shown}{close}\n")
            }
        }
    }

    fn body(&mut self, depth: usize) -> String {
        let known = self.variables.len();
        let body = self.statement(depth - 1);
        self.variables.truncate(known);
        body
    }

    fn range(&mut self, depth: usize, open: &str, close: &str) -> String {
        let kind = self.choices.pick(&[&Kind::List, &Kind::Dict, &Kind::Any]);
        let over = self.expression(*kind, 2);
        let known = self.variables.len();
        let declared = match self.choices.below(3) {
            0 => "",
            1 => {
                self.variables.push("$item".to_owned());
                "$item := "
            }
            _ => {
                self.variables.extend(["$i".to_owned(), "$item".to_owned()]);
                "$i, $item := "
            }
        };
        let body = self.statement(depth - 1);
        self.variables.truncate(known);
        let leave = if self.choices.one_in(5) {
            self.choices.pick(&["{{break}}", "{{continue}}"])
        } else {
            ""
        };
        format!("{open}range {declared}{over}{close}{body}{leave}{{{{else}}}}none{{{{end}}}}\n")
    }

    fn any_kind(&mut self) -> Kind {
        *self.choices.pick(&[
            &Kind::Text,
            &Kind::Int,
            &Kind::Float,
            &Kind::Bool,
            &Kind::List,
            &Kind::Dict,
            &Kind::Any,
        ])
    }

    /// An expression that mostly is of a kind; sometimes it is of another, for the errors.
    fn expression(&mut self, kind: Kind, depth: usize) -> String {
        // What is no moment is the present one, which differs from run to run.
        let kind = if kind != Kind::Moment && self.choices.one_in(25) {
            self.any_kind()
        } else {
            kind
        };
        if depth == 0 || self.choices.one_in(4) {
            return self.leaf(kind);
        }
        let fitting: Vec<_> = FUNCTIONS
            .iter()
            .filter(|function| function.result == kind || kind == Kind::Any && function.is_plain())
            .collect();
        if fitting.is_empty() {
            return self.leaf(kind);
        }
        let function = fitting[self.choices.below(fitting.len())];
        let mut arguments: Vec<String> = Vec::new();
        for kind in function.params {
            let argument = self.expression(*kind, depth - 1);
            arguments.push(argument);
        }
        if function.variadic {
            let last = function.params.last().copied().unwrap_or(Kind::Any);
            for _ in 0..self.choices.below(3) {
                let argument = self.expression(last, depth - 1);
                arguments.push(argument);
            }
        }
        if self.choices.one_in(60) {
            arguments.pop();
        }
        let piped = !arguments.is_empty() && self.choices.one_in(3);
        let last = if piped { arguments.pop() } else { None };
        let mut call = function.name.to_owned();
        for argument in &arguments {
            call.push(' ');
            call.push_str(&parenthesised(argument));
        }
        match last {
            Some(last) => format!("{} | {call}", parenthesised(&last)),
            None => call,
        }
    }

    fn leaf(&mut self, kind: Kind) -> String {
        if !self.variables.is_empty() && self.choices.one_in(4) {
            let at = self.choices.below(self.variables.len());
            return self.variables[at].clone();
        }
        self.choices.pick(leaves(kind)).to_owned()
    }
}

/// One operand.
fn parenthesised(expression: &str) -> String {
    let quoted = |quote: char| {
        expression.len() > 1
            && expression.starts_with(quote)
            && expression.ends_with(quote)
            && !expression[1..expression.len() - 1].contains(quote)
    };
    if !expression.contains([' ', '\t']) || quoted('"') || quoted('`') {
        expression.to_owned()
    } else {
        format!("({expression})")
    }
}
