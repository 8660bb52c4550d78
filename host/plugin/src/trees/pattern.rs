//! Patterns of the glob: parsed into parts that a walk follows directory by directory, so that it
//! enters only what can still match and compiles nothing.

use std::collections::BTreeSet;

use crate::normalise;

/// A pattern may have this many bytes; no path has more.
const MAX_LENGTH: usize = 4096;
/// Parts that all alternatives may have together: what each directory of a walk may cost.
const MAX_PARTS: usize = 4096;
/// Alternatives that one pattern may stand for: `{a,b}{c,d}` stands for four.
const MAX_ALTERNATIVES: usize = 1024;

/// The pattern does not parse.
#[derive(Debug, thiserror::Error)]
#[error("`{pattern}` is no glob pattern: {why}")]
pub struct InvalidPattern {
    /// As given.
    pub pattern: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A parsed pattern: any of its alternatives may match.
#[derive(Debug)]
pub(super) struct Pattern {
    alternatives: Vec<Vec<Part>>,
}

/// Between two slashes.
#[derive(Debug)]
pub(super) enum Part {
    /// `**`: any number of directories; at the end, all below.
    Directories,
    /// A name without special characters.
    Literal(String),
    /// Any other.
    Name(Vec<Token>),
}

#[derive(Debug)]
pub(super) enum Token {
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
    /// `[a-z]`, `[!a-z]`
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// How far the alternatives have come on the way to a directory.
pub(super) type Progress = BTreeSet<(usize, usize)>;

impl Pattern {
    pub(super) fn parse(pattern: &str) -> Result<Self, InvalidPattern> {
        let invalid = |why| InvalidPattern {
            pattern: pattern.to_owned(),
            why,
        };
        if pattern.len() > MAX_LENGTH {
            return Err(InvalidPattern {
                pattern: pattern.chars().take(100).collect::<String>() + "…",
                why: "it is too long",
            });
        }
        let mut texts = Vec::new();
        expand(pattern, &mut texts).map_err(invalid)?;
        let mut alternatives = Vec::with_capacity(texts.len());
        // An alternative that leaves the tree matches nothing in it.
        for text in texts.iter().filter_map(|text| normalise(text)) {
            let parts = text
                .split('/')
                .filter(|part| !part.is_empty())
                .map(parse_part);
            let mut parts = parts.collect::<Result<Vec<_>, _>>().map_err(invalid)?;
            // Any number of directories after any number of directories is any number.
            parts.dedup_by(|a, b| matches!((a, b), (Part::Directories, Part::Directories)));
            alternatives.push(parts);
        }
        if alternatives.iter().map(Vec::len).sum::<usize>() > MAX_PARTS {
            return Err(invalid("its alternatives have too many parts"));
        }
        Ok(Self { alternatives })
    }

    /// At the root.
    pub(super) fn start(&self) -> Progress {
        let mut progress = Progress::new();
        for index in 0..self.alternatives.len() {
            self.reach(index, 0, &mut progress);
        }
        progress
    }

    /// One directory further down.
    pub(super) fn enter(&self, progress: &Progress, name: &str) -> Progress {
        let mut next = Progress::new();
        for &(index, at) in progress {
            match &self.alternatives[index][at] {
                Part::Directories => self.reach(index, at, &mut next),
                part if part.matches(name) => self.reach(index, at + 1, &mut next),
                _ => {}
            }
        }
        next
    }

    /// Whether a file of that name in the directory matches.
    pub(super) fn matches(&self, progress: &Progress, name: &str) -> bool {
        progress.iter().any(|&(index, at)| {
            let alternative = &self.alternatives[index];
            at + 1 == alternative.len() && alternative[at].matches(name)
        })
    }

    /// The only names in the directory that can matter, if they are known without listing it.
    pub(super) fn names<'a>(&'a self, progress: &Progress) -> Option<Vec<&'a str>> {
        let mut names = Vec::new();
        for &(index, at) in progress {
            match &self.alternatives[index][at] {
                Part::Literal(name) => names.push(name.as_str()),
                _ => return None,
            }
        }
        names.sort_unstable();
        names.dedup();
        Some(names)
    }

    /// Adds a position, and those behind `**`, which may stand for no directory at all.
    fn reach(&self, index: usize, at: usize, progress: &mut Progress) {
        let Some(part) = self.alternatives[index].get(at) else {
            return;
        };
        progress.insert((index, at));
        if matches!(part, Part::Directories) {
            self.reach(index, at + 1, progress);
        }
    }
}

impl Part {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Directories => true,
            Self::Literal(literal) => literal == name,
            Self::Name(tokens) => matches_name(tokens, name),
        }
    }
}

/// Greedy, going back to the last `*` on a mismatch: at most the product of both lengths.
fn matches_name(tokens: &[Token], name: &str) -> bool {
    let (mut token, mut rest) = (0, name);
    let mut retry: Option<(usize, &str)> = None;
    loop {
        let next = rest.chars().next();
        let step = match (tokens.get(token), next) {
            (None, None) => return true,
            (Some(Token::Many), _) => {
                retry = Some((token, rest));
                token += 1;
                continue;
            }
            (Some(Token::One), Some(_)) => true,
            (Some(Token::Char(wanted)), Some(found)) => *wanted == found,
            (Some(Token::Class { negated, ranges }), Some(found)) => {
                ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&found))
                    != *negated
            }
            _ => false,
        };
        if step {
            token += 1;
            rest = after_first(rest);
        } else {
            // Let the last `*` take one character more.
            let Some((star, from)) = retry.filter(|(_, from)| !from.is_empty()) else {
                return false;
            };
            let from = after_first(from);
            retry = Some((star, from));
            (token, rest) = (star + 1, from);
        }
    }
}

fn after_first(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.as_str()
}

/// Replaces each `{a,b}` by its alternatives.
fn expand(pattern: &str, into: &mut Vec<String>) -> Result<(), &'static str> {
    let Some((before, inside, after)) = braces(pattern)? else {
        if into.len() >= MAX_ALTERNATIVES {
            return Err("it stands for too many alternatives");
        }
        into.push(pattern.to_owned());
        return Ok(());
    };
    for alternative in inside {
        expand(&format!("{before}{alternative}{after}"), into)?;
    }
    Ok(())
}

/// What is before the first `{…}`, its alternatives, and what is after it.
type Braces<'a> = (&'a str, Vec<&'a str>, &'a str);

fn braces(pattern: &str) -> Result<Option<Braces<'_>>, &'static str> {
    let (mut open, mut start, mut depth) = (0, 0, 0_usize);
    let mut alternatives = Vec::new();
    let mut in_class = false;
    let mut chars = pattern.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => drop(chars.next()),
            '[' if !in_class => {
                in_class = true;
                // A bracket that comes first is one of the class.
                chars.next_if(|(_, char)| matches!(char, '!' | '^'));
                chars.next_if(|(_, char)| *char == ']');
            }
            ']' => in_class = false,
            _ if in_class => {}
            '{' => {
                if depth == 0 {
                    (open, start) = (at, at + 1);
                }
                depth += 1;
            }
            ',' if depth == 1 => {
                alternatives.push(&pattern[start..at]);
                start = at + 1;
            }
            '}' if depth == 1 => {
                alternatives.push(&pattern[start..at]);
                return Ok(Some((&pattern[..open], alternatives, &pattern[at + 1..])));
            }
            '}' if depth == 0 => return Err("a `}` opens nowhere"),
            '}' => depth -= 1,
            _ => {}
        }
    }
    if depth > 0 {
        Err("a `{` is not closed")
    } else {
        Ok(None)
    }
}

fn parse_part(text: &str) -> Result<Part, &'static str> {
    if text == "**" {
        return Ok(Part::Directories);
    }
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        tokens.push(match char {
            '?' => Token::One,
            '*' => {
                // More than one star within a name are as good as one.
                while chars.next_if_eq(&'*').is_some() {}
                Token::Many
            }
            '\\' => Token::Char(chars.next().ok_or("it ends with a `\\`")?),
            '[' => {
                let negated = chars.next_if(|char| matches!(char, '!' | '^')).is_some();
                let mut ranges = Vec::new();
                loop {
                    let low = match chars.next().ok_or("a `[` is not closed")? {
                        ']' if !ranges.is_empty() => break,
                        '\\' => chars.next().ok_or("a `[` is not closed")?,
                        char => char,
                    };
                    let mut ahead = chars.clone();
                    let high = match (ahead.next(), ahead.next()) {
                        (Some('-'), Some(high)) if high != ']' => {
                            chars = ahead;
                            high
                        }
                        _ => low,
                    };
                    if high < low {
                        return Err("a range ends before it begins");
                    }
                    ranges.push((low, high));
                }
                Token::Class { negated, ranges }
            }
            char => Token::Char(char),
        });
    }
    let literal = |token: &Token| {
        if let Token::Char(char) = token {
            Some(*char)
        } else {
            None
        }
    };
    match tokens.iter().map(literal).collect::<Option<String>>() {
        Some(literal) => Ok(Part::Literal(literal)),
        None => Ok(Part::Name(tokens)),
    }
}
