//! Keys and values from literals, files and env files (kustomize `api/kv`).

use std::collections::BTreeMap;

use crate::error::{Context as _, Error, Result};
use crate::loader::Loader;
use crate::path;
use crate::types::GeneratorArgs;

/// Values by key.
pub(super) type Pairs = BTreeMap<String, Vec<u8>>;

/// Longest line of an env file (Go's `bufio.MaxScanTokenSize`); reading ends before a longer one.
const MAX_LINE: usize = 64 * 1024;

/// Everything that the arguments name; no key may come twice.
pub(super) fn load(loader: &Loader<'_>, args: &GeneratorArgs) -> Result<Pairs> {
    let mut pairs = Vec::new();
    let sources = &args.sources;
    let go_list = |list: &[String]| format!("[{}]", list.join(" "));
    let mut collect = || -> Result<()> {
        for path in &sources.envs {
            env_file(loader, path, &mut pairs)
                .context(format!("env source files: {}", go_list(&sources.envs)))?;
        }
        for literal in &sources.literals {
            let pair = parse_literal(literal)
                .context(format!("literal sources {}", go_list(&sources.literals)))?;
            pairs.push(pair);
        }
        for source in &sources.files {
            let pair = file(loader, source)
                .context(format!("file sources: {}", go_list(&sources.files)))?;
            pairs.push(pair);
        }
        Ok(())
    };
    collect().context("loading KV pairs")?;
    let mut known = Pairs::new();
    for (key, value) in pairs {
        if known.contains_key(&key) {
            return Err(Error::new(format!(
                "configmap {} illegally repeats the key `{key}`",
                args.name
            )));
        }
        known.insert(key, value);
    }
    Ok(known)
}

fn env_file(loader: &Loader<'_>, path: &str, pairs: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let content = loader.load(path)?;
    let mut lines = content.split(|b| *b == b'\n').peekable();
    let mut number = 0;
    while let Some(line) = lines.next() {
        if line.is_empty() && lines.peek().is_none() {
            break;
        }
        if line.len() >= MAX_LINE {
            break;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(text) = std::str::from_utf8(line) else {
            let bytes: Vec<_> = line.iter().map(ToString::to_string).collect();
            return Err(Error::new(format!(
                "line [{}] has invalid utf8 bytes : {}",
                bytes.join(" "),
                String::from_utf8_lossy(line)
            ))
            .at_file(&loader.relative(path)));
        };
        let text = if number == 0 {
            text.strip_prefix('\u{feff}').unwrap_or(text)
        } else {
            text
        };
        number += 1;
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if !key.is_empty() {
            pairs.push((key.to_owned(), value.as_bytes().to_vec()));
        }
    }
    Ok(())
}

fn parse_literal(source: &str) -> Result<(String, Vec<u8>)> {
    match source.split_once('=') {
        Some((key, value)) if !key.is_empty() => {
            Ok((key.to_owned(), unquoted(value).as_bytes().to_vec()))
        }
        _ => Err(Error::new(format!(
            "invalid literal source {source}, expected key=value"
        ))),
    }
}

/// Without quotes around the whole.
fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner;
        }
    }
    text
}

fn file(loader: &Loader<'_>, source: &str) -> Result<(String, Vec<u8>)> {
    let (key, path) = parse_file_source(source)?;
    Ok((key.to_owned(), loader.load(path)?))
}

/// `path`, or `key=path`.
fn parse_file_source(source: &str) -> Result<(&str, &str)> {
    let Some((key, file)) = source.split_once('=') else {
        return Ok((path::base(source), source));
    };
    let problem = if file.contains('=') {
        format!("source {source:?} key name or file path contains '='")
    } else if key.is_empty() {
        format!("missing key name for file path {file:?} in source {source:?}")
    } else if file.is_empty() {
        format!("missing file path for key name {key:?} in source {source:?}")
    } else {
        return Ok((key, file));
    };
    Err(Error::new(problem))
}
