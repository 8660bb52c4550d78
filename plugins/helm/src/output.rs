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
        if !options.show_only.is_empty() {
            return Ok(stream(self.select(options)?.into_iter()));
        }
        let mut text = self.manifest(options.include_crds).trim().to_owned();
        text.push('\n');
        text.push_str(&stream(self.hook_documents(options)));
        Ok(text)
    }

    /// The documents that `helm template` prints, in order.
    pub fn select(&self, options: &OutputOptions) -> Result<Vec<Document<'_>>, Error> {
        let crds = self.crd_documents().filter(|_| options.include_crds);
        let all = crds.chain(self.object_documents());
        let all = all.chain(self.hook_documents(options));
        if options.show_only.is_empty() {
            Ok(all.collect())
        } else {
            show_only(&all.collect::<Vec<_>>(), &options.show_only)
        }
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

/// Leaves the documents of some templates, in the order of the patterns. Helm cuts its output into
/// documents anew, so that each of a file in `crds/` is one, and only the first says where it is
/// from.
fn show_only<'a>(
    documents: &[Document<'a>],
    patterns: &[String],
) -> Result<Vec<Document<'a>>, Error> {
    let mut shown = Vec::new();
    for pattern in patterns {
        // A malformed pattern matches nothing.
        let parsed = PathPattern::parse(pattern).ok();
        let before = shown.len();
        for document in documents {
            let path = document.path.split_once('/').map_or("", |(_, path)| path);
            if parsed.as_ref().is_some_and(|it| it.matches(path)) {
                let content = split(&document.content)
                    .first()
                    .map(|text| (*text).to_owned());
                shown.push(Document {
                    content: Cow::Owned(content.unwrap_or_default()),
                    ..document.clone()
                });
            }
        }
        if shown.len() == before {
            return Err(Error::Options(format!(
                "could not find template {pattern} in chart"
            )));
        }
    }
    Ok(shown)
}
