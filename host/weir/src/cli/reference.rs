//! The page `docs/reference/cli.md`: every command with its flags, variables and defaults, made
//! from the very definitions that parse them.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};

/// The page. `root` is built, so that flags of all commands are in place.
pub(super) fn page(root: &Command) -> String {
    let mut page = String::from(
        "# Command line\n\nMade from the flags themselves; a test keeps it true \
         (`UPDATE_REFERENCE=1 cargo test --workspace --lib reference` writes it anew).\n",
    );
    commands(root, "", &mut page);
    if let Some(codes) = root.get_after_help() {
        let _ = write!(page, "\n## Exit codes\n\n```text\n{codes}\n```\n");
    }
    page
}

fn commands(command: &Command, parents: &str, page: &mut String) {
    let name = format!("{parents} {}", command.get_name());
    let name = name.trim_start();
    let visible = |argument: &&Arg| {
        !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
    };
    let arguments: Vec<&Arg> = command.get_arguments().filter(visible).collect();
    if !arguments.is_empty() {
        let about = command.get_about().map(ToString::to_string);
        let _ = write!(page, "\n## `{name}`\n\n{}\n\n", about.unwrap_or_default());
        page.push_str("| argument | variable | default | what |\n|---|---|---|---|\n");
        for argument in arguments {
            row(argument, page);
        }
    }
    for child in command
        .get_subcommands()
        .filter(|child| !child.is_hide_set())
    {
        if child.get_name() != "help" {
            commands(child, name, page);
        }
    }
}

fn row(argument: &Arg, page: &mut String) {
    let value = argument
        .get_value_names()
        .and_then(|names| names.first())
        .map(ToString::to_string);
    let takes_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let value = value.filter(|_| takes_value);
    let shown = match (argument.get_long(), value) {
        (Some(long), Some(value)) => format!("`--{long} {value}`"),
        (Some(long), None) => format!("`--{long}`"),
        (None, value) => format!(
            "`{}`",
            value.unwrap_or_else(|| argument.get_id().to_string())
        ),
    };
    let variable = argument
        .get_env()
        .map(|name| format!("`{}`", name.to_string_lossy()))
        .unwrap_or_default();
    let defaults: Vec<String> = argument
        .get_default_values()
        .iter()
        .filter(|_| takes_value)
        .map(|value| format!("`{}`", value.to_string_lossy()))
        .collect();
    let mut what = argument
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let possible: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| takes_value)
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !possible.is_empty() {
        let _ = write!(what, " ({})", possible.join(", "));
    }
    let what = what.replace('|', "\\|").replace('\n', " ");
    let _ = writeln!(
        page,
        "| {shown} | {variable} | {} | {what} |",
        defaults.join(", ")
    );
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_reference_page_is_current() {
        let mut root = super::super::Cli::command();
        root.build();
        let page = page(&root);
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            std::fs::write(&file, &page).unwrap();
        }
        let known = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            known == page,
            "{} is not what the flags say; write it anew with UPDATE_REFERENCE=1",
            file.display()
        );
    }
}
