//! Which files of a source stay out of its artifact.
//!
//! Rules of fluxcd/pkg `sourceignore`: version-control files are always left out; then either
//! the built-in defaults or, as soon as there is a single user pattern, the user's patterns
//! alone (each `.sourceignore`, scoped to its directory, then `spec.ignore`). The last pattern
//! that matches a path or one of its parents decides, so `!` can bring back what an earlier
//! pattern left out.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

const VERSION_CONTROL: &[&str] = &[".git/", ".gitignore", ".gitmodules", ".gitattributes"];

const DEFAULTS: &[&str] = &[
    "*.jpg",
    "*.jpeg",
    "*.gif",
    "*.png",
    "*.wmv",
    "*.flv",
    "*.tar.gz",
    "*.zip",
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    "**/.goreleaser.yml",
    "**/.sops.yaml",
    "**/.flux.yaml",
];

/// Name of the ignore file that a source may hold in any directory.
pub(super) const FILE_NAME: &str = ".sourceignore";

/// The rules of one artifact, in order of rising priority.
#[derive(Debug, Clone)]
pub struct IgnoreRules {
    always: Gitignore,
    /// One matcher a pattern, because the order between files of different directories counts.
    user: Vec<(String, Gitignore)>,
    defaults: Option<Gitignore>,
}

impl IgnoreRules {
    /// Rules from the object's `spec.ignore` and the `.sourceignore` files of the source, given
    /// as pairs of directory and text. Patterns that do not parse are skipped, as Git does.
    pub fn new(spec_ignore: Option<&str>, mut files: Vec<(String, String)>) -> Self {
        files.sort();
        files.push((String::new(), spec_ignore.unwrap_or_default().to_owned()));
        let user: Vec<_> = files
            .iter()
            .flat_map(|(directory, text)| {
                lines(text).map(|line| (directory.clone(), matcher(std::iter::once(line))))
            })
            .collect();
        let defaults = user.is_empty().then(|| matcher(DEFAULTS.iter().copied()));
        Self {
            always: matcher(VERSION_CONTROL.iter().copied()),
            user,
            defaults,
        }
    }

    /// Whether `path` (relative to the root of the source) stays out.
    pub fn leaves_out(&self, path: &str, is_directory: bool) -> bool {
        for (directory, matcher) in self.user.iter().rev() {
            let Some(path) = below(directory, path) else {
                continue;
            };
            let found = matcher.matched_path_or_any_parents(Path::new(path), is_directory);
            if !found.is_none() {
                return found.is_ignore();
            }
        }
        std::iter::once(&self.always)
            .chain(&self.defaults)
            .any(|matcher| {
                matcher
                    .matched_path_or_any_parents(Path::new(path), is_directory)
                    .is_ignore()
            })
    }
}

/// `path` relative to `directory`, if it is below it.
fn below<'p>(directory: &str, path: &'p str) -> Option<&'p str> {
    if directory.is_empty() {
        return Some(path);
    }
    path.strip_prefix(directory)?.strip_prefix('/')
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
}

fn matcher<'a>(patterns: impl Iterator<Item = &'a str>) -> Gitignore {
    let mut builder = GitignoreBuilder::new("");
    for pattern in patterns {
        let _ = builder.add_line(None, pattern);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spec: Option<&str>, files: &[(&str, &str)], expected: &[(&str, bool)]) {
        let files = files
            .iter()
            .map(|(d, t)| ((*d).to_owned(), (*t).to_owned()))
            .collect();
        let rules = IgnoreRules::new(spec, files);
        for (path, left_out) in expected {
            assert_eq!(
                rules.leaves_out(path, false),
                *left_out,
                "{path} under {spec:?}"
            );
        }
    }

    #[test]
    fn defaults_apply_while_nobody_gives_a_pattern() {
        check(
            None,
            &[("", "# only a comment\n\n")],
            &[
                (".git/config", true),
                ("docs/logo.png", true),
                (".github/workflows/ci.yaml", true),
                ("apps/.sops.yaml", true),
                ("apps/deployment.yaml", false),
            ],
        );
    }

    #[test]
    fn one_user_pattern_drops_the_defaults_but_not_the_version_control_rules() {
        check(
            Some("*.md"),
            &[],
            &[
                ("a.md", true),
                ("logo.png", false),
                (".gitignore", true),
                (".github/x", false),
            ],
        );
    }

    #[test]
    fn a_sourceignore_counts_below_its_directory_only() {
        check(
            None,
            &[("apps", "*.txt\n")],
            &[
                ("apps/a.txt", true),
                ("apps/deep/a.txt", true),
                ("a.txt", false),
            ],
        );
    }

    #[test]
    fn the_last_match_decides() {
        let text = "/*\n!/deploy\n";
        check(
            Some(text),
            &[],
            &[("src/a.go", true), ("deploy/a.yaml", false)],
        );
        check(Some("!a.txt\n*.txt"), &[], &[("a.txt", true)]);
        check(
            Some("!a.txt"),
            &[("", "*.txt")],
            &[("a.txt", false), ("b.txt", true)],
        );
    }
}
