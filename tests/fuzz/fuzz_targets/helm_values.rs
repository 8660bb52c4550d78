//! Values: any texts as the values of the user, of a chart and of its subchart, as a schema and as
//! the chart's metadata become one set of values that a template sees, or are refused.
#![no_main]

use std::rc::Rc;

use weir_helm::{
    Assumed, Discovery, Error, MemoryFs, Options, OutputOptions, ValueOptions, Warnings, load,
    render,
};
use weir_template::{Host, Limits, Value};

/// A host without time and randomness: no template here asks for them.
struct Still;

impl Host for Still {
    fn now(&self) -> i128 {
        0
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }

    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Value, String> {
        Ok(Value::map::<&str>([]))
    }
}

/// What parts one text from the next.
const MARK: &str = "\n%%\n";
const TEMPLATE: &str = "values: {{ .Values | toYaml | quote }}\n";

fn rendered(text: &str) -> Result<String, Error> {
    let mut texts = text.split(MARK);
    let mut next = || texts.next().unwrap_or_default();
    let (given, own, inner, schema, metadata) = (next(), next(), next(), next(), next());
    let options = ValueOptions {
        files: vec!["given".to_owned()],
        ..ValueOptions::default()
    };
    let values = options.merge(&|_| Ok(given.as_bytes().to_vec()))?;
    let mut tree = MemoryFs::new();
    let of_chart = |name: &str| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    tree.insert("c/Chart.yaml", format!("{}{metadata}", of_chart("c")));
    tree.insert("c/values.yaml", own);
    tree.insert("c/templates/t.yaml", TEMPLATE);
    tree.insert("c/charts/s/Chart.yaml", of_chart("s"));
    tree.insert("c/charts/s/values.yaml", inner);
    tree.insert("c/charts/s/templates/t.yaml", TEMPLATE);
    if !schema.is_empty() {
        tree.insert("c/values.schema.json", schema);
    }
    let chart = Rc::new(load(&tree, "c", "c")?);
    let discovery: Rc<dyn Discovery> = Rc::new(Assumed::default());
    let options = Options {
        limits: Limits {
            steps: 1_000_000,
            output: 4 << 20,
            ..Limits::default()
        },
        ..Options::default()
    };
    let warnings = Warnings::default();
    render(&chart, &values, &options, &discovery, &Still, &warnings)?
        .print(&OutputOptions::default())
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = rendered(text);
});
