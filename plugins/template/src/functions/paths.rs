//! Paths (golang/go `src/path`), which Sprig has under two names each.

use std::borrow::Cow;

use super::text;
use crate::function::Function;
use crate::function::Type::String as Str;

/// The functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("base", &[Str], |_, v| Ok(base(&text(&v[0])).into())),
    Function::new("osBase", &[Str], |_, v| Ok(base(&text(&v[0])).into())),
    Function::new("dir", &[Str], |_, v| Ok(dir(&text(&v[0])).into())),
    Function::new("osDir", &[Str], |_, v| Ok(dir(&text(&v[0])).into())),
    Function::new("clean", &[Str], |_, v| Ok(clean(&text(&v[0])).into())),
    Function::new("osClean", &[Str], |_, v| Ok(clean(&text(&v[0])).into())),
    Function::new("ext", &[Str], |_, v| Ok(ext(&text(&v[0])).into())),
    Function::new("osExt", &[Str], |_, v| Ok(ext(&text(&v[0])).into())),
    Function::new("isAbs", &[Str], |_, v| {
        Ok(text(&v[0]).starts_with('/').into())
    }),
    Function::new("osIsAbs", &[Str], |_, v| {
        Ok(text(&v[0]).starts_with('/').into())
    }),
];

fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        Some("") | None => "/",
        Some(name) => name,
    }
}

fn dir(path: &str) -> String {
    let end = path.rfind('/').map_or(0, |at| at + 1);
    clean(&path[..end])
}

/// The shortest path that names the same, without looking at any file.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => match names.last() {
                Some(last) if *last != ".." => {
                    names.pop();
                }
                _ if rooted => {}
                _ => names.push(".."),
            },
            name => names.push(name),
        }
    }
    let joined: Cow<'_, str> = names.join("/").into();
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined.into_owned(),
    }
}

fn ext(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |at| at + 1);
    path[name..].rfind('.').map_or("", |at| &path[name + at..])
}
