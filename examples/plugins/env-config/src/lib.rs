//! A renderer for weir: each `*.env` file of a directory becomes a ConfigMap.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use weir_sdk::{About, Call, Emitter, Error, Manifest, Renderer, Result, Target, join};

/// Settings; users see these comments in the schema.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Appended to the name of each ConfigMap.
    name_suffix: String,
}

struct EnvConfig;

impl Renderer for EnvConfig {
    type Settings = Settings;

    fn about() -> About {
        About::new("env-config", env!("CARGO_PKG_VERSION"))
            .summary("Turns *.env files into ConfigMaps")
            .example(json!({ "nameSuffix": "-env" }))
    }

    fn render(call: &Call, settings: Settings, target: &Target, out: &mut Emitter) -> Result<()> {
        let source = call.source()?;
        for path in source.glob(&join(&target.path(), "*.env"))? {
            let file = path.rsplit('/').next().unwrap_or(&path);
            let name = file.trim_end_matches(".env");
            let mut config_map = json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": { "name": format!("{name}{}", settings.name_suffix) },
                "data": parse(&path, &source.read_to_string(&path)?)?,
            });
            if let Some(namespace) = target.namespace() {
                config_map["metadata"]["namespace"] = json!(namespace);
            }
            out.emit(Manifest::new(config_map.to_string()).from_file(path))?;
        }
        Ok(())
    }
}

weir_sdk::export!(renderer: EnvConfig);

/// `KEY=value` lines; empty ones and those that begin with `#` are left out.
fn parse<'a>(path: &str, text: &'a str) -> Result<BTreeMap<&'a str, &'a str>> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            line.split_once('=').ok_or_else(|| {
                Error::invalid_input("BuildFailed", "a line needs the form KEY=value")
                    .at(path, number)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_empty_lines_are_left_out() {
        let parsed = parse("a.env", "# colours\n\nCOLOUR=blue\nURL=http://x/?a=b\n").unwrap();
        assert_eq!(
            parsed,
            BTreeMap::from([("COLOUR", "blue"), ("URL", "http://x/?a=b")])
        );
    }

    #[test]
    fn an_error_names_the_line() {
        let error = parse("a.env", "A=1\nB\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "a.env:2: a line needs the form KEY=value"
        );
    }
}
