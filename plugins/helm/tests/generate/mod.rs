//! Random charts and values: what is tried is how values of files, flags, charts and subcharts
//! become one, so every template shows all that it sees.

mod lines;
mod yaml;

#[path = "../../../template/tests/generate/choices.rs"]
mod choices;

use std::fmt::Write as _;

use choices::Choices;

/// Names of subcharts; values are given to them and to others alike.
const SUBCHARTS: [&str; 3] = ["sub", "other", "b"];
/// Shows what a chart sees.
const TEMPLATE: &str = "values: {{ .Values | toJson | quote }}\nchart: {{ .Chart.Name }}\n\
    subcharts: {{ keys .Subcharts | sortAlpha | join \",\" | quote }}\n";

/// A chart, and how it is rendered.
#[derive(Debug, Default)]
pub(crate) struct Scenario {
    /// Paths with contents: the chart below `chart/`, and files of values.
    pub(crate) files: Vec<(String, String)>,
    /// Flags with their values.
    pub(crate) flags: Vec<(&'static str, String)>,
}

impl Scenario {
    /// The one of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut scenario = Self::default();
        let mut choices = Choices::new(seed);
        let count = choices.below(3);
        scenario.chart(&mut choices, "chart", "top", count);
        for number in 0..choices.below(3) {
            let name = format!("values{number}.yaml");
            let values = yaml::document(&mut choices);
            scenario.files.push((name.clone(), values));
            scenario.flags.push(("--values", name));
        }
        scenario
            .files
            .push(("note.txt".to_owned(), "a, note\n".to_owned()));
        for _ in 0..choices.below(4) {
            scenario.flags.push(lines::flag(&mut choices));
        }
        scenario
    }

    fn add(&mut self, path: String, content: impl Into<String>) {
        self.files.push((path, content.into()));
    }

    fn chart(&mut self, choices: &mut Choices, folder: &str, name: &str, subcharts: usize) {
        let mut metadata = format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\n");
        if name != "top" && choices.one_in(12) {
            metadata.push_str("type: library\n");
        }
        if subcharts > 0 {
            metadata.push_str("dependencies:\n");
        }
        for subchart in SUBCHARTS.iter().take(subcharts) {
            metadata.push_str(&dependency(choices, subchart));
            if choices.one_in(8) {
                metadata.push_str(&dependency(choices, subchart));
            }
            let folder = format!("{folder}/charts/{subchart}");
            let below = usize::from(name == "top" && choices.one_in(4));
            self.chart(choices, &folder, subchart, below);
        }
        self.add(format!("{folder}/Chart.yaml"), metadata);
        self.add(format!("{folder}/values.yaml"), yaml::document(choices));
        self.add(format!("{folder}/templates/all.yaml"), TEMPLATE);
    }
}

fn dependency(choices: &mut Choices, name: &str) -> String {
    let mut text = format!("- name: {name}\n  version: \"{}\"\n", {
        choices.pick(&[
            "*", "*", "*", "0.1.0", "^0.1.0", ">=0.0.1", ">=1", "0.x", "",
        ])
    });
    if choices.one_in(4) {
        let _ = writeln!(
            text,
            "  alias: {}",
            choices.pick(&["alias", "alias", "own", name])
        );
    }
    if choices.one_in(3) {
        let condition = choices.pick(&[
            "a",
            "a.b",
            "sub.enabled",
            "global.a",
            "nope,a",
            "b.c",
            "sub.a,b",
        ]);
        let _ = writeln!(text, "  condition: {condition}");
    }
    if choices.one_in(4) {
        let tags = choices.pick(&["[a]", "[a, b]", "[x]"]);
        let _ = writeln!(text, "  tags: {tags}");
    }
    if choices.one_in(4) {
        let import = choices.pick(&[
            "[a]",
            "[a, b]",
            "[{child: a, parent: b}]",
            "[{child: a.b, parent: c}, c]",
            "[{child: ., parent: d}]",
            "[nope]",
        ]);
        let _ = writeln!(text, "  import-values: {import}");
    }
    text
}
