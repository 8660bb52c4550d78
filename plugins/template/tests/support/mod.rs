//! Renders one template as Helm does a chart of one template.

use std::cell::Cell;

use weir_template::{Engine, Host, MapType, Options, Value};

/// A host without a cluster, where it is always the same second and all that is random comes in the
/// same order.
#[derive(Default)]
pub(crate) struct Still {
    state: Cell<u64>,
}

impl Host for Still {
    fn now(&self) -> i128 {
        1_700_000_000_000_000_000
    }

    fn fill_random(&self, buffer: &mut [u8]) {
        // A search for primes would not end if it were always the same (Marsaglia's xorshift).
        let mut state = self.state.get() ^ 0x2545_f491_4f6c_dd1d;
        for byte in buffer {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = (state >> 32) as u8;
        }
        self.state.set(state ^ 0x2545_f491_4f6c_dd1d);
    }

    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Value, String> {
        Ok(Value::map::<&str>([]))
    }
}

/// The name of the template within its chart.
pub(crate) const NAME: &str = "c/templates/t.yaml";

/// Renders with values given in YAML; the error is what Helm makes of Go's
/// (helm/helm `pkg/engine/engine.go`, `cleanupParseError` and `cleanupExecError`).
pub(crate) fn render(template: &str, values: &str) -> Result<String, String> {
    let mut engine = Engine::new(Options::default());
    engine.parse(NAME, template).map_err(|error| {
        let text = error.to_string();
        let pieces: Vec<&str> = text.split(": ").collect();
        format!(
            "parse error at ({}): {}",
            pieces[1],
            pieces[pieces.len() - 1]
        )
    })?;
    let values = weir_yaml::from_yaml(values).unwrap();
    let values = Value::from(&values);
    let values = values.as_map().unwrap();
    let named = values.with_type(MapType::Named("chartutil.Values"));
    let dot = Value::map([
        ("Values", Value::Map(named.into())),
        ("Release", Value::map([("Name", Value::from("r"))])),
    ]);
    match engine.execute(&Still::default(), NAME, dot) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).replace("<no value>", "")),
        Err(error) => Err(clean(&error.to_string())),
    }
}

fn clean(text: &str) -> String {
    let message = text
        .split_once("HELM_ERR_START")
        .and_then(|(_, rest)| rest.rsplit_once("HELM_ERR_END"));
    match message {
        Some((message, _)) => {
            let place = text.split(": ").nth(1).unwrap_or_default();
            format!("execution error at ({place}): {message}")
        }
        None => text.to_owned(),
    }
}
