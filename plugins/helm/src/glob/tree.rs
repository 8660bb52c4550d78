//! Patterns as gobwas/glob has them with `/` as the separator, for `.Files.Glob`.

/// A pattern: `*` and `?` stay within a name, `**` does not; `[abc]`, `[!a-z]` and `{one,two}`
/// stand for any of theirs; a backslash takes the next character as it is.
#[derive(Debug, Clone)]
pub(crate) struct TreePattern {
    tokens: Vec<Token>,
}

#[derive(Debug, Clone)]
enum Token {
    Text(Vec<char>),
    Any,
    AnyDepth,
    One,
    List {
        negated: bool,
        chars: Vec<char>,
    },
    Range {
        negated: bool,
        low: char,
        high: char,
    },
    OneOf(Vec<Vec<Token>>),
}

/// Deeper alternatives within alternatives are refused: no chart writes them, a hostile one would.
const MAX_NESTING: usize = 32;

impl TreePattern {
    /// Reads a pattern; nothing if it is malformed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let chars: Vec<char> = text.chars().collect();
        let mut reader = Reader {
            chars: &chars,
            at: 0,
        };
        let tokens = reader.tokens(0)?;
        Some(Self { tokens })
    }

    /// Whether the whole of `path` matches.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let path: Vec<char> = path.chars().collect();
        let mut ends = vec![0];
        follow(&self.tokens, &path, &mut ends);
        ends.contains(&path.len())
    }
}

/// Moves every place that could be reached so far over the tokens: never more places than the path
/// has characters, whatever the pattern.
fn follow(tokens: &[Token], path: &[char], ends: &mut Vec<usize>) {
    for token in tokens {
        let mut next: Vec<usize> = Vec::new();
        for &from in ends.iter() {
            let rest = &path[from..];
            match token {
                Token::Text(text) => {
                    if rest.starts_with(text) {
                        next.push(from + text.len());
                    }
                }
                Token::Any => {
                    let within = rest.iter().take_while(|c| **c != '/').count();
                    next.extend(from..=from + within);
                }
                Token::AnyDepth => next.extend(from..=path.len()),
                Token::One | Token::List { .. } | Token::Range { .. } => {
                    if rest.first().is_some_and(|c| token.fits(*c)) {
                        next.push(from + 1);
                    }
                }
                Token::OneOf(alternatives) => {
                    for alternative in alternatives {
                        let mut inner = vec![from];
                        follow(alternative, path, &mut inner);
                        next.append(&mut inner);
                    }
                }
            }
        }
        next.sort_unstable();
        next.dedup();
        *ends = next;
    }
}

impl Token {
    fn fits(&self, c: char) -> bool {
        match self {
            Self::One => c != '/',
            Self::List { negated, chars } => chars.contains(&c) != *negated,
            Self::Range { negated, low, high } => (*low..=*high).contains(&c) != *negated,
            _ => false,
        }
    }
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += usize::from(c.is_some());
        c
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Reads up to the end, or to what ends an alternative. One that is not closed ends with the
    /// pattern, as the original has it.
    fn tokens(&mut self, nesting: usize) -> Option<Vec<Token>> {
        if nesting > MAX_NESTING {
            return None;
        }
        let mut tokens = Vec::new();
        while let Some(c) = self.peek() {
            if nesting > 0 && matches!(c, ',' | '}') {
                break;
            }
            tokens.push(match c {
                '*' => {
                    self.at += 1;
                    if self.peek() == Some('*') {
                        self.at += 1;
                        Token::AnyDepth
                    } else {
                        Token::Any
                    }
                }
                '?' => {
                    self.at += 1;
                    Token::One
                }
                '[' => {
                    self.at += 1;
                    self.class()?
                }
                '{' => {
                    self.at += 1;
                    self.one_of(nesting)?
                }
                _ => Token::Text(self.text(if nesting > 0 { "?*[{}," } else { "?*[{" })),
            });
        }
        Some(tokens)
    }

    fn one_of(&mut self, nesting: usize) -> Option<Token> {
        let mut alternatives = vec![self.tokens(nesting + 1)?];
        while self.next() == Some(',') {
            alternatives.push(self.tokens(nesting + 1)?);
        }
        Some(Token::OneOf(alternatives))
    }

    fn text(&mut self, until: &str) -> Vec<char> {
        let mut text = Vec::new();
        while let Some(c) = self.peek().filter(|c| !until.contains(*c)) {
            self.at += 1;
            if c == '\\' {
                text.extend(self.next());
            } else {
                text.push(c);
            }
        }
        text
    }

    fn class(&mut self) -> Option<Token> {
        let negated = self.peek() == Some('!');
        self.at += usize::from(negated);
        let token = if self.chars.get(self.at + 1) == Some(&'-') {
            let low = self.next()?;
            self.at += 1;
            let high = self.next().filter(|high| *high >= low)?;
            Token::Range { negated, low, high }
        } else {
            let chars = self.text("]");
            if chars.is_empty() {
                return None;
            }
            Token::List { negated, chars }
        };
        (self.next() == Some(']')).then_some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_gobwas_glob() {
        let rows = [
            ("*", "a.txt", true),
            ("*", "a/b", false),
            ("**", "a/b", true),
            ("files/*.yaml", "files/a.yaml", true),
            ("files/*.yaml", "files/x/a.yaml", false),
            ("files/**.yaml", "files/x/a.yaml", true),
            ("**/a.yaml", "a.yaml", false),
            ("**/a.yaml", "x/y/a.yaml", true),
            ("{a,b}/*", "b/c", true),
            ("{a,b}/*", "c/c", false),
            ("{a*,b{c,d}}", "bd", true),
            ("[ab].txt", "b.txt", true),
            ("[!ab].txt", "b.txt", false),
            ("[a-c].txt", "c.txt", true),
            ("[!a-c].txt", "c.txt", false),
            ("?.txt", "/.txt", false),
            ("a\\*", "a*", true),
            ("a,b}", "a,b}", true),
            ("", "", true),
            ("", "a", false),
        ];
        for (pattern, path, expected) in rows {
            let parsed = TreePattern::parse(pattern).unwrap();
            assert_eq!(parsed.matches(path), expected, "{pattern} {path}");
        }
        for pattern in ["[", "[]", "[!", "[c-a]", "[a-"] {
            assert!(TreePattern::parse(pattern).is_none(), "{pattern}");
        }
    }
}
