//! A release as `helm template` prints it (helm/helm cmd/helm/template.go).

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::error::Error;
use crate::glob::PathPattern;
use crate::manifest::split;
use crate::release::Release;

/// What is printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputOptions {
    /// The definitions in `crds/`, too.
    pub include_crds: bool,
    /// No hooks.
    pub no_hooks: bool,
    /// No hooks that are tests.
    pub skip_tests: bool,
    /// Only what comes from these templates: patterns of paths without the chart's name.
    pub show_only: Vec<String>,
}

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The definition of a kind, from `crds/`.
    Crd,
    /// An object to be applied.
    Object,
    /// A hook.
    Hook,
}

/// A document as it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document<'a> {
    /// The file that it comes from, with its chart.
    pub path: &'a str,
    /// What it is for.
    pub role: Role,
    /// The document; from `crds/` a file with any number of them.
    pub content: Cow<'a, str>,
}

impl Release {
    /// The manifests as a release record holds them: one stream, each with the template that it
    /// comes from.
    pub fn manifest(&self, include_crds: bool) -> String {
        let crds = self.crd_documents().filter(|_| include_crds);
        stream(crds.chain(self.object_documents()))
    }

    /// What `helm template` prints.
    pub fn print(&self, options: &OutputOptions) -> Result<String, Error> {
        let text = self.print_all(options);
        if options.show_only.is_empty() {
            return Ok(text);
        }
        let mut shown = String::new();
        for part in show_only(&text, &options.show_only)? {
            shown.extend(["---\n", part.text, "\n"]);
        }
        Ok(shown)
    }

    fn print_all(&self, options: &OutputOptions) -> String {
        let mut text = self.manifest(options.include_crds).trim().to_owned();
        text.push('\n');
        text.push_str(&stream(self.hook_documents(options)));
        text
    }

    /// The documents that `helm template` prints, in order.
    pub fn select(&self, options: &OutputOptions) -> Result<Vec<Document<'_>>, Error> {
        let crds = self.crd_documents().filter(|_| options.include_crds);
        let all = crds.chain(self.object_documents());
        let all: Vec<_> = all.chain(self.hook_documents(options)).collect();
        if options.show_only.is_empty() {
            return Ok(all);
        }
        let text = self.print_all(options);
        let parts = show_only(&text, &options.show_only)?.into_iter();
        let shown = parts.filter_map(|part| {
            let (_, content) = part.text.split_once(part.source)?;
            let document = all.iter().find(|document| document.path == part.source)?;
            Some(Document {
                content: Cow::Owned(content.trim_start_matches('\n').to_owned()),
                ..document.clone()
            })
        });
        Ok(shown.collect())
    }

    fn crd_documents(&self) -> impl Iterator<Item = Document<'_>> {
        self.crds.iter().map(|crd| Document {
            path: &crd.path,
            role: Role::Crd,
            content: String::from_utf8_lossy(&crd.data),
        })
    }

    fn object_documents(&self) -> impl Iterator<Item = Document<'_>> {
        self.manifests.iter().map(|manifest| Document {
            path: &manifest.path,
            role: Role::Object,
            content: Cow::Borrowed(&manifest.content),
        })
    }

    fn hook_documents(&self, options: &OutputOptions) -> impl Iterator<Item = Document<'_>> {
        let (no_hooks, skip_tests) = (options.no_hooks, options.skip_tests);
        let hooks = self.hooks.iter();
        let hooks = hooks.filter(move |hook| !(no_hooks || skip_tests && hook.is_test()));
        hooks.map(|hook| Document {
            path: &hook.path,
            role: Role::Hook,
            content: Cow::Borrowed(&hook.manifest),
        })
    }
}

fn stream<'a>(documents: impl Iterator<Item = Document<'a>>) -> String {
    let mut text = String::new();
    for Document { path, content, .. } in documents {
        // Writing to a string does not fail.
        let _ = write!(text, "---\n# Source: {path}\n{content}\n");
    }
    text
}

/// A document of a stream that says where it is from.
struct Part<'a> {
    text: &'a str,
    /// The file that it comes from, with its chart.
    source: &'a str,
}

/// Leaves the documents of some templates, in the order of the patterns. Helm cuts its output into
/// documents anew: what a template has written without saying where it is from is not among them.
fn show_only<'a>(text: &'a str, patterns: &[String]) -> Result<Vec<Part<'a>>, Error> {
    let parts = || {
        let documents = split(text).into_iter();
        documents.filter_map(|text| {
            let source = source(text)?;
            Some(Part { text, source })
        })
    };
    let mut shown = Vec::new();
    for pattern in patterns {
        // A malformed pattern matches nothing.
        let parsed = PathPattern::parse(pattern).ok();
        let before = shown.len();
        shown.extend(parts().filter(|part| {
            let path = part.source.split_once('/').map_or("", |(_, path)| path);
            parsed.as_ref().is_some_and(|it| it.matches(path))
        }));
        if shown.len() == before {
            return Err(Error::Options(format!(
                "could not find template {pattern} in chart"
            )));
        }
    }
    Ok(shown)
}

/// The file that a document names in its comment.
fn source(document: &str) -> Option<&str> {
    let (_, after) = document.split_once("# Source: ")?;
    let (chart, path) = after.split_once('/')?;
    let path = path.split('\n').next()?;
    let length = chart.len() + 1 + path.len();
    (!chart.is_empty() && !path.is_empty()).then(|| &after[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_shown_by_their_templates() {
        let text = "---\n# Source: c/templates/a.yaml\nkind: A\n---\nkind: B\n---\n\
                    # Source: c/charts/d/templates/b.yaml\nkind: C\n";
        let shown = |patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|it| (*it).to_owned()).collect();
            match show_only(text, &patterns) {
                Ok(parts) => parts
                    .iter()
                    .map(|part| part.source)
                    .collect::<Vec<_>>()
                    .join(" "),
                Err(err) => err.to_string(),
            }
        };
        assert_eq!(shown(&["templates/a.yaml"]), "c/templates/a.yaml");
        assert_eq!(
            shown(&["charts/*/templates/*", "templates/*"]),
            "c/charts/d/templates/b.yaml c/templates/a.yaml"
        );
        assert_eq!(
            shown(&["templates/a.yaml", "nope"]),
            "could not find template nope in chart"
        );
    }
}
