//! A release as `helm template` prints it (helm/helm cmd/helm/template.go).

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

impl Release {
    /// The manifests as a release record holds them: one stream, each with the template that it
    /// comes from.
    pub fn manifest(&self, include_crds: bool) -> String {
        let mut text = String::new();
        if include_crds {
            for crd in &self.crds {
                let data = String::from_utf8_lossy(&crd.data);
                push_document(&mut text, &crd.path, &data);
            }
        }
        for manifest in &self.manifests {
            push_document(&mut text, &manifest.path, &manifest.content);
        }
        text
    }

    /// What `helm template` prints.
    pub fn print(&self, options: &OutputOptions) -> Result<String, Error> {
        let manifest = self.manifest(options.include_crds);
        let mut text = manifest.trim().to_owned();
        text.push('\n');
        if !options.no_hooks {
            let hooks = self.hooks.iter();
            for hook in hooks.filter(|hook| !(options.skip_tests && hook.is_test())) {
                push_document(&mut text, &hook.path, &hook.manifest);
            }
        }
        if options.show_only.is_empty() {
            Ok(text)
        } else {
            show_only(&text, &options.show_only)
        }
    }
}

fn push_document(text: &mut String, path: &str, content: &str) {
    // Writing to a string does not fail.
    let _ = write!(text, "---\n# Source: {path}\n{content}\n");
}

/// Leaves the documents of some templates, in the order of the patterns.
fn show_only(text: &str, patterns: &[String]) -> Result<String, Error> {
    let documents: Vec<(&str, &str)> = split(text)
        .into_iter()
        .filter_map(|document| Some((source(document)?, document)))
        .collect();
    let mut shown = String::new();
    for pattern in patterns {
        // A malformed pattern matches nothing.
        let parsed = PathPattern::parse(pattern).ok();
        let before = shown.len();
        for (path, document) in &documents {
            if parsed.as_ref().is_some_and(|it| it.matches(path)) {
                let _ = write!(shown, "---\n{document}\n");
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

/// The template that a document names in its comment, without the chart.
fn source(document: &str) -> Option<&str> {
    let (_, after) = document.split_once("# Source: ")?;
    let (chart, path) = after.split_once('/')?;
    let path = path.lines().next()?;
    (!chart.is_empty() && !path.is_empty()).then_some(path)
}
