//! The glob of `files.dir.glob`: `*` and `?` within a name, `**` over directories, `[a-z]`,
//! `{a,b}`; case counts, a leading dot does not matter.

use globset::GlobBuilder;

use crate::{EntryKind, Tree, normalise};

/// The pattern does not parse.
#[derive(Debug, thiserror::Error)]
#[error("`{pattern}` is no glob pattern")]
pub struct InvalidPattern {
    /// As given.
    pub pattern: String,
    source: globset::Error,
}

/// Files of `tree` that match `pattern`, sorted bytewise. A pattern that leaves the tree matches
/// nothing.
pub fn glob(tree: &dyn Tree, pattern: &str) -> Result<Vec<String>, InvalidPattern> {
    let Some(normal) = normalise(pattern) else {
        return Ok(Vec::new());
    };
    let matcher = GlobBuilder::new(&normal)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|source| InvalidPattern {
            pattern: pattern.to_owned(),
            source,
        })?
        .compile_matcher();

    let (prefix, literal) = literal_prefix(&normal);
    if literal {
        let is_file = tree.kind(prefix) == Some(EntryKind::File);
        return Ok(if is_file {
            vec![prefix.to_owned()]
        } else {
            Vec::new()
        });
    }
    // Without `**` nothing deeper than the pattern can match; alternatives may hold slashes, so
    // every slash of the pattern counts.
    let depth = if normal.contains("**") {
        usize::MAX
    } else {
        normal.matches('/').count() + 1
    };

    let mut found = Vec::new();
    let mut pending = vec![prefix.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in tree.entries(&directory).unwrap_or_default() {
            let path = if directory.is_empty() {
                entry.name
            } else {
                format!("{directory}/{}", entry.name)
            };
            match entry.kind {
                EntryKind::Directory if path.matches('/').count() + 1 < depth => pending.push(path),
                EntryKind::File if matcher.is_match(&path) => found.push(path),
                _ => {}
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The leading directories of a pattern that hold no special character, and whether that is all
/// of it.
fn literal_prefix(pattern: &str) -> (&str, bool) {
    let Some(special) = pattern.find(['*', '?', '[', '{', '\\']) else {
        return (pattern, true);
    };
    (
        pattern[..special]
            .rfind('/')
            .map_or("", |slash| &pattern[..slash]),
        false,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryTree;

    fn check(pattern: &str, expected: &[&str]) {
        let files = [
            ".hidden.yaml",
            "a-b/x.yaml",
            "a.yaml",
            "a/b/c.yaml",
            "a/b/c.yml",
            "a/x.yaml",
            "A.yaml",
        ];
        let tree = MemoryTree::from_pairs(files.map(|path| (path, ""))).unwrap();
        assert_eq!(glob(&tree, pattern).unwrap(), expected, "{pattern}");
    }

    #[test]
    fn patterns_match_as_the_contract_says() {
        check("*.yaml", &[".hidden.yaml", "A.yaml", "a.yaml"]);
        check("a.yaml", &["a.yaml"]);
        check("a", &[]);
        check("./a/../a.yaml", &["a.yaml"]);
        check("../a.yaml", &[]);
        check("a/*", &["a/x.yaml"]);
        check("a/**", &["a/b/c.yaml", "a/b/c.yml", "a/x.yaml"]);
        check("**/*.yml", &["a/b/c.yml"]);
        check("**/x.yaml", &["a-b/x.yaml", "a/x.yaml"]);
        check("{a/b,a-b}/*.yaml", &["a-b/x.yaml", "a/b/c.yaml"]);
        check("[a-c].yaml", &["a.yaml"]);
        check("?.yaml", &["A.yaml", "a.yaml"]);
        check("nowhere/**", &[]);
    }

    #[test]
    fn a_pattern_that_does_not_parse_is_an_error() {
        assert!(glob(&MemoryTree::new(), "[a").is_err());
    }
}
