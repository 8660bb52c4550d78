//! The glob of `files.dir.glob`: `*` and `?` within a name, `**` over directories, `[a-z]`,
//! `{a,b}`; case counts, a leading dot does not matter.

use super::pattern::{InvalidPattern, Pattern, Progress};
use crate::{EntryKind, Tree};

/// Files of `tree` that match `pattern`, sorted bytewise. A pattern that leaves the tree matches
/// nothing. Only directories in which something can match are looked into.
pub fn glob(tree: &dyn Tree, pattern: &str) -> Result<Vec<String>, InvalidPattern> {
    Ok(glob_until(tree, pattern, &|| false)?.unwrap_or_default())
}

/// As [`glob`], given up (`None`) when `is_over` says so: a walk may take long.
pub(crate) fn glob_until(
    tree: &dyn Tree,
    pattern: &str,
    is_over: &dyn Fn() -> bool,
) -> Result<Option<Vec<String>>, InvalidPattern> {
    let pattern = Pattern::parse(pattern)?;
    let mut found = Vec::new();
    let mut pending: Vec<(String, Progress)> = vec![(String::new(), pattern.start())];
    while let Some((directory, progress)) = pending.pop() {
        if is_over() {
            return Ok(None);
        }
        let mut visit = |name: &str, kind: EntryKind| {
            let path = || {
                if directory.is_empty() {
                    name.to_owned()
                } else {
                    format!("{directory}/{name}")
                }
            };
            match kind {
                EntryKind::File if pattern.matches(&progress, name) => found.push(path()),
                EntryKind::File => {}
                EntryKind::Directory => {
                    let next = pattern.enter(&progress, name);
                    if !next.is_empty() {
                        pending.push((path(), next));
                    }
                }
            }
        };
        match pattern.names(&progress) {
            Some(names) => {
                for name in names {
                    let path = if directory.is_empty() {
                        name.to_owned()
                    } else {
                        format!("{directory}/{name}")
                    };
                    if let Some(kind) = tree.kind(&path) {
                        visit(name, kind);
                    }
                }
            }
            None => {
                for entry in tree.entries(&directory).unwrap_or_default() {
                    visit(&entry.name, entry.kind);
                }
            }
        }
    }
    found.sort_unstable();
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryTree;

    const FILES: [&str; 9] = [
        ".hidden.yaml",
        "a-b/x.yaml",
        "a.yaml",
        "a/b/c.yaml",
        "a/b/c.yml",
        "a/x.yaml",
        "A.yaml",
        "b/b/b/b.yaml",
        "é.yaml",
    ];

    fn check(pattern: &str, expected: &[&str]) {
        let tree = MemoryTree::from_pairs(FILES.map(|path| (path, ""))).unwrap();
        assert_eq!(glob(&tree, pattern).unwrap(), expected, "{pattern}");
    }

    #[test]
    fn patterns_match_as_the_contract_says() {
        check("*.yaml", &[".hidden.yaml", "A.yaml", "a.yaml", "é.yaml"]);
        check("a.yaml", &["a.yaml"]);
        check("a", &[]);
        check("", &[]);
        check("./a/../a.yaml", &["a.yaml"]);
        check("../a.yaml", &[]);
        check("{../,}a.yaml", &["a.yaml"]);
        check("a/*", &["a/x.yaml"]);
        check("a/**", &["a/b/c.yaml", "a/b/c.yml", "a/x.yaml"]);
        check("**/*.yml", &["a/b/c.yml"]);
        check("**/x.yaml", &["a-b/x.yaml", "a/x.yaml"]);
        check("**/b/**", &["a/b/c.yaml", "a/b/c.yml", "b/b/b/b.yaml"]);
        check("b/**/b.yaml", &["b/b/b/b.yaml"]);
        check("{a/b,a-b}/*.yaml", &["a-b/x.yaml", "a/b/c.yaml"]);
        check("a/b/c.{yaml,yml}", &["a/b/c.yaml", "a/b/c.yml"]);
        check(
            "{a,{b/b/b/b,A}}.yaml",
            &["A.yaml", "a.yaml", "b/b/b/b.yaml"],
        );
        check("[a-c].yaml", &["a.yaml"]);
        check("[!a-c].yaml", &["A.yaml", "é.yaml"]);
        check("[]a].yaml", &["a.yaml"]);
        check("?.yaml", &["A.yaml", "a.yaml", "é.yaml"]);
        check("\\a.yaml", &["a.yaml"]);
        check("\\*.yaml", &[]);
        check("*a*y*a*m*l", &["a.yaml"]);
        check("nowhere/**", &[]);
    }

    #[test]
    fn a_pattern_that_does_not_parse_is_an_error() {
        let many = "{a,b}".repeat(11);
        for pattern in ["[a", "[", "[]", "{a", "a}", "[b-a]", "a\\", &many] {
            assert!(glob(&MemoryTree::new(), pattern).is_err(), "{pattern}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig {
            failure_persistence: None,
            ..Default::default()
        })]
        /// The same answers as another implementation, wherever both take the pattern.
        #[test]
        fn globset_agrees(pattern in "(\\*\\*/)?[ab*?]{0,4}(/[ab*?.yml]{1,5}|/\\*\\*)?(/\\{a,b\\}\\*|[.]yaml)?") {
            // It takes `?` for a byte.
            let files = FILES.into_iter().filter(|path| path.is_ascii());
            let tree =
                MemoryTree::from_pairs(files.clone().map(|path| (path, ""))).unwrap();
            let other = globset::GlobBuilder::new(&pattern).literal_separator(true).build();
            // A slash too many and stars that are no `**` are read differently by intent.
            let odd = pattern.starts_with('/') || pattern.contains("//") || pattern.ends_with('/')
                || pattern.split('/').any(|part| part.contains("**") && part != "**")
                || pattern.split('/').any(|part| part == "." || part == "..");
            if let (Ok(other), false) = (other, odd) {
                let other = other.compile_matcher();
                let mut expected: Vec<_> =
                    files.filter(|path| other.is_match(path)).collect();
                expected.sort_unstable();
                proptest::prop_assert_eq!(glob(&tree, &pattern).unwrap(), expected, "{}", pattern);
            }
        }
    }
}
