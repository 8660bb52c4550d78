//! What a component says of itself and what it would need.

use std::io::{self, Write};

use clap::Args;
use serde_json::{Value, json};
use weir_plugin::{Description, Plugin};

use super::Form;
use super::registry::{RegistryArgs, load};
use crate::builtin::{BUILTINS, BuiltinError};
use crate::cli::output::{self, Table};
use crate::cli::{Error, component};

/// Show what a plugin is: world, version, what it imports and wants granted, its settings.
#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// A file, an image (oci://host/repository:tag) or the name of a built-in plugin
    component: String,
    #[command(flatten)]
    registry: RegistryArgs,
    /// Form of the output; json and yaml include the schema of the settings
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: Form,
}

/// List the plugins that this binary carries.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Form of the output
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: Form,
}

pub(super) async fn inspect(args: InspectArgs) -> Result<(), Error> {
    let runtime = component::runtime()?;
    let plugin = load(&runtime, &args.component, &args.registry).await?;
    let mut to = io::stdout().lock();
    match args.output {
        Form::Json => output::json(&mut to, &data(&plugin))?,
        Form::Yaml => output::yaml(&mut to, &data(&plugin))?,
        Form::Text => text(&mut to, plugin.description(), plugin.imports())?,
    }
    Ok(())
}

fn data(plugin: &Plugin) -> Value {
    let mut data = serde_json::to_value(plugin.description()).unwrap_or_default();
    if let Some(fields) = data.as_object_mut() {
        fields.insert("imports".into(), json!(plugin.imports()));
    }
    data
}

fn text(to: &mut impl Write, plugin: &Description, imports: &[String]) -> io::Result<()> {
    let info = &plugin.info;
    let mut line = |title: &str, text: &str| writeln!(to, "{:<11}{text}", format!("{title}:"));
    line("Name", &info.name)?;
    line("Version", &info.version)?;
    line("Summary", &info.summary)?;
    line("World", plugin.world.name())?;
    line("Contract", &plugin.contract)?;
    line("Digest", &plugin.digest.to_string())?;
    let own = |import: &&String| import.starts_with("weir:plugin/");
    let names: Vec<&str> = imports
        .iter()
        .filter(own)
        .map(|name| interface(name))
        .collect();
    line("Imports", &names.join(", "))?;
    let settings = info
        .settings_schema
        .pointer("/properties")
        .and_then(Value::as_object);
    let names: Vec<&str> = settings
        .into_iter()
        .flat_map(|all| all.keys())
        .map(String::as_str)
        .collect();
    line("Settings", &names.join(", "))?;
    for (at, want) in info.wants.iter().enumerate() {
        let title = if at == 0 { "Wants" } else { "" };
        let colon = if at == 0 { ":" } else { "" };
        let title = format!("{title}{colon}");
        writeln!(
            to,
            "{title:<11}{} {}: {}",
            want.kind, want.name, want.reason
        )?;
    }
    Ok(())
}

/// `weir:plugin/files@0.1.0` is `files`.
fn interface(import: &str) -> &str {
    let name = import.rsplit('/').next().unwrap_or(import);
    name.split('@').next().unwrap_or(name)
}

pub(super) fn list(args: ListArgs) -> Result<(), Error> {
    if BUILTINS.is_empty() {
        return Err(BuiltinError::NoComponents.into());
    }
    let mut table = Table::new(["NAME", "WORLD", "VERSION", "DIGEST"]);
    let mut items = Vec::new();
    for builtin in BUILTINS {
        let description = builtin.description()?;
        let (world, version) = (description.world.name(), description.info.version.clone());
        let digest = description.digest.to_string();
        items.push(json!({
            "name": builtin.name, "world": world, "version": version, "digest": digest,
        }));
        table.row(vec![
            builtin.name.to_owned(),
            world.to_owned(),
            version,
            digest,
        ]);
    }
    let mut to = io::stdout().lock();
    match args.output {
        Form::Json => output::json(&mut to, &items)?,
        Form::Yaml => output::yaml(&mut to, &items)?,
        Form::Text => table.write(&mut to, true)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use weir_plugin::{Digest, Info, Want, World};

    use super::*;

    #[test]
    fn the_text_names_what_an_operator_decides_on() {
        let want = |kind: &str, name: &str, reason: &str| Want {
            kind: kind.into(),
            name: name.into(),
            reason: reason.into(),
        };
        let description = Description {
            digest: Digest::of("x"),
            world: World::Notifier,
            contract: "0.1.0".into(),
            info: Info {
                name: "chat".into(),
                version: "1.2.3".into(),
                summary: "Posts to a chat".into(),
                settings_schema: json!({ "properties": { "channel": {}, "token": {} } }),
                wants: vec![
                    want("host", "https://chat.example", "where messages go"),
                    want("slot", "default", "the token"),
                ],
                ..Info::default()
            },
        };
        let imports = [
            "weir:plugin/http@0.1.0",
            "weir:plugin/log@0.1.0",
            "wasi:io/error@0.2.6",
        ];
        let mut written = Vec::new();
        text(&mut written, &description, &imports.map(str::to_owned)).unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "\
Name:      chat
Version:   1.2.3
Summary:   Posts to a chat
World:     notifier
Contract:  0.1.0
Digest:    sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881
Imports:   http, log
Settings:  channel, token
Wants:     host https://chat.example: where messages go
           slot default: the token
"
        );
    }
}
