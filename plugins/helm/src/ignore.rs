//! `.helmignore`: which files of a chart's directory are none of the chart's
//! (helm/helm internal/ignore). It looks like `.gitignore` and is not: rules are tried in order
//! and the first that speaks decides, `**` is refused, a negated rule drops all it does not match.

use crate::fs::EntryKind;
use crate::glob::{BadPattern, PathPattern};

/// Name of the file.
pub(crate) const FILE_NAME: &str = ".helmignore";

/// A file of rules that cannot be read; the texts are Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IgnoreError {
    #[error("double-star (**) syntax is not supported")]
    DoubleStar,
    #[error(transparent)]
    Pattern(#[from] BadPattern),
}

/// The rules of a chart.
#[derive(Debug)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    negated: bool,
    directories_only: bool,
    scope: Scope,
    pattern: PathPattern,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The pattern has a slash: it is for whole paths.
    Path,
    /// It is for names, wherever they stand.
    Name,
}

impl Rules {
    /// Reads a file of rules, and adds Helm's own: hidden files in `templates/`.
    pub(crate) fn parse(text: &str) -> Result<Self, IgnoreError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for line in text.split('\n').chain(["templates/.?*"]) {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                rules.push(Rule::parse(line)?);
            }
        }
        Ok(Self { rules })
    }

    /// Whether what stands at a path is left out, with all below it.
    pub(crate) fn ignores(&self, path: &str, kind: EntryKind) -> bool {
        for rule in &self.rules {
            let skipped = rule.directories_only && kind != EntryKind::Directory;
            if rule.negated {
                if skipped || !rule.matches(path) {
                    return true;
                }
            } else if !skipped && rule.matches(path) {
                return true;
            }
        }
        false
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Self, IgnoreError> {
        if line.contains("**") {
            return Err(IgnoreError::DoubleStar);
        }
        PathPattern::parse(line)?;
        let (negated, line) = match line.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let (directories_only, line) = match line.strip_suffix('/') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let scope = if line.contains('/') {
            Scope::Path
        } else {
            Scope::Name
        };
        Ok(Self {
            negated,
            directories_only,
            scope,
            pattern: PathPattern::parse(line.strip_prefix('/').unwrap_or(line))?,
        })
    }

    fn matches(&self, path: &str) -> bool {
        match self.scope {
            Scope::Path => self.pattern.matches(path),
            Scope::Name => {
                let name = path.rsplit('/').next().unwrap_or(path);
                self.pattern.matches(name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(rules: &str, path: &str) -> bool {
        let (path, kind) = match path.strip_suffix('/') {
            Some(path) => (path, EntryKind::Directory),
            None => (path, EntryKind::File),
        };
        Rules::parse(rules).unwrap().ignores(path, kind)
    }

    #[test]
    fn rules_ignore_as_in_helm() {
        let rows = [
            ("helm.txt", "helm.txt", true),
            ("helm.txt", "a/helm.txt", true),
            ("/helm.txt", "a/helm.txt", false),
            ("a/*.txt", "a/b.txt", true),
            ("a/*.txt", "x/a/b.txt", false),
            ("cargo/", "cargo/", true),
            ("cargo/", "cargo", false),
            ("# helm.txt", "helm.txt", false),
            ("  *.md  ", "README.md", true),
            ("!helm.txt", "helm.txt", false),
            ("!helm.txt", "other.txt", true),
            ("!*.md\nREADME.md", "README.md", true),
            ("*.md\n!README.md", "README.md", true),
            ("", "templates/.hidden", true),
            ("", "templates/a/.hidden", false),
            ("\u{feff}a", "a", true),
        ];
        for (rules, path, expected) in rows {
            assert_eq!(ignored(rules, path), expected, "{rules:?} {path}");
        }
        assert_eq!(Rules::parse("a/**").err(), Some(IgnoreError::DoubleStar));
        assert_eq!(
            Rules::parse("[").err(),
            Some(IgnoreError::Pattern(BadPattern))
        );
    }
}
