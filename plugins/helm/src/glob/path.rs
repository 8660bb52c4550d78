//! Patterns as Go's `path/filepath.Match` has them (golang/go src/path/filepath/match.go).

/// A malformed pattern; the text is Go's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub(crate) struct BadPattern;

/// A pattern for whole paths: `*` and `?` stay within a name, `[a-z]` and `[^a-z]` are one
/// character, a backslash takes the next character as it is.
#[derive(Debug, Clone)]
pub(crate) struct PathPattern {
    tokens: Vec<Token>,
}

#[derive(Debug, Clone)]
enum Token {
    Any,
    One,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Char(char),
}

impl PathPattern {
    /// Reads a pattern.
    pub(crate) fn parse(text: &str) -> Result<Self, BadPattern> {
        let mut tokens = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            tokens.push(match c {
                '*' => Token::Any,
                '?' => Token::One,
                '[' => class(&mut rest)?,
                '\\' => Token::Char(rest.next().ok_or(BadPattern)?),
                c => Token::Char(c),
            });
        }
        Ok(Self { tokens })
    }

    /// Whether the whole of `name` matches.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let (mut rest, mut token) = (name, 0);
        // The last star and where its match began: only the last one needs to be tried again,
        // for what stands between two stars is best found as early as it can be.
        let mut star: Option<(usize, &str)> = None;
        loop {
            let fits = match (self.tokens.get(token), rest.chars().next()) {
                (None, None) => return true,
                (Some(Token::Any), _) => {
                    star = Some((token, rest));
                    token += 1;
                    continue;
                }
                (Some(token), Some(c)) => token.fits(c),
                _ => false,
            };
            if fits {
                rest = behind_first(rest);
                token += 1;
                continue;
            }
            match star {
                Some((star_token, from)) if !from.is_empty() && !from.starts_with('/') => {
                    rest = behind_first(from);
                    star = Some((star_token, rest));
                    token = star_token + 1;
                }
                _ => return false,
            }
        }
    }
}

/// What stands behind the first character.
fn behind_first(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.as_str()
}

impl Token {
    fn fits(&self, c: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => c != '/',
            Self::Class { negated, ranges } => {
                let within = ranges.iter().any(|(low, high)| (*low..=*high).contains(&c));
                within != *negated
            }
            Self::Char(wanted) => c == *wanted,
        }
    }
}

fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Token, BadPattern> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    while ranges.is_empty() || rest.next_if_eq(&']').is_none() {
        let low = class_char(rest)?;
        let high = match rest.next_if_eq(&'-') {
            Some(_) => class_char(rest)?,
            None => low,
        };
        ranges.push((low, high));
    }
    Ok(Token::Class { negated, ranges })
}

fn class_char(rest: &mut impl Iterator<Item = char>) -> Result<char, BadPattern> {
    match rest.next() {
        None | Some('-' | ']') => Err(BadPattern),
        Some('\\') => rest.next().ok_or(BadPattern),
        Some(c) => Ok(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_go() {
        let rows = [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("ab[c]", "abc", true),
            ("ab[^b-d]", "abc", false),
            ("a\\*b", "a*b", true),
            ("a?b", "a/b", false),
            ("a[^a]b", "a/b", true),
            ("*x", "xxx", true),
            ("[\\]a]", "]", true),
            ("templates/.?*", "templates/.x", true),
            ("templates/.?*", "templates/.", false),
            ("", "", true),
            ("", "a", false),
        ];
        for (pattern, name, expected) in rows {
            let pattern_ = PathPattern::parse(pattern).unwrap();
            assert_eq!(pattern_.matches(name), expected, "{pattern} {name}");
        }
        for pattern in [
            "[]a]", "[-]", "[x-]", "[", "[^", "[^bc", "a[", "a\\", "[a-b-c]",
        ] {
            assert_eq!(
                PathPattern::parse(pattern).err(),
                Some(BadPattern),
                "{pattern}"
            );
        }
    }
}
