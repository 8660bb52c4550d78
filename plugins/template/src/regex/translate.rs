//! From Go's syntax (golang/go `src/regexp/syntax/parse.go`) to that of the crate `regex`.
//!
//! The differences: `\d \s \w \b` are of ASCII, braces that are no repetition stand for themselves,
//! classes have no operators, and there are octal escapes and `\Q…\E`.

use super::SyntaxError;
use super::class;

/// The same expression in the other syntax.
pub(super) fn translate(pattern: &str) -> Result<String, SyntaxError> {
    let mut translator = Translator {
        rest: pattern,
        out: String::with_capacity(pattern.len() + 16),
        open: 0,
        repeatable: false,
    };
    while let Some(c) = translator.rest.chars().next() {
        translator.piece(c, pattern)?;
    }
    if translator.open > 0 {
        return Err(SyntaxError::new("missing closing )", pattern));
    }
    Ok(translator.out)
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
    /// Parentheses that are open.
    open: usize,
    /// Something to be repeated stands before.
    repeatable: bool,
}

impl Translator<'_> {
    fn piece(&mut self, c: char, pattern: &str) -> Result<(), SyntaxError> {
        match c {
            '\\' => return self.escape(),
            '[' => {
                let (class, rest) = class::translate(self.rest)?;
                self.out.push_str(&class);
                self.rest = rest;
                self.repeatable = true;
                return Ok(());
            }
            '(' => return self.group(),
            '*' | '+' | '?' => return self.repetition(1),
            '{' => {
                if let Some((len, bounds)) = counted(self.rest) {
                    let too_many = |bound: &Option<u32>| bound.is_some_and(|bound| bound > 1000);
                    let reversed = matches!(bounds, (Some(low), Some(high)) if low > high);
                    if too_many(&bounds.0) || too_many(&bounds.1) || reversed {
                        let piece = &self.rest[..len];
                        return Err(SyntaxError::new("invalid repeat count", piece));
                    }
                    return self.repetition(len);
                }
                self.out.push_str("\\{");
                self.repeatable = true;
            }
            ')' => {
                if self.open == 0 {
                    return Err(SyntaxError::new("unexpected )", pattern));
                }
                self.open -= 1;
                self.out.push(')');
                self.repeatable = true;
            }
            '|' => {
                self.out.push('|');
                self.repeatable = false;
            }
            '}' => {
                self.out.push_str("\\}");
                self.repeatable = true;
            }
            c => {
                self.out.push(c);
                self.repeatable = true;
            }
        }
        self.rest = &self.rest[c.len_utf8()..];
        Ok(())
    }

    /// An operator of `len` bytes, and a `?` that makes it reluctant.
    fn repetition(&mut self, len: usize) -> Result<(), SyntaxError> {
        let (operator, after) = self.rest.split_at(len);
        if !self.repeatable {
            let what = "missing argument to repetition operator";
            return Err(SyntaxError::new(what, operator));
        }
        let lazy = usize::from(after.starts_with('?'));
        let (whole, after) = self.rest.split_at(len + lazy);
        let next = if after.starts_with(['*', '+', '?']) {
            Some(1)
        } else {
            counted(after).map(|(len, _)| len)
        };
        if let Some(next) = next {
            let piece = &self.rest[..whole.len() + next];
            let what = "invalid nested repetition operator";
            return Err(SyntaxError::new(what, piece));
        }
        self.out.push_str(whole);
        self.rest = after;
        Ok(())
    }

    fn group(&mut self) -> Result<(), SyntaxError> {
        self.repeatable = false;
        let Some(inner) = self.rest.strip_prefix("(?") else {
            self.open += 1;
            self.out.push('(');
            self.rest = &self.rest[1..];
            return Ok(());
        };
        if let Some(name) = inner.strip_prefix("P<").or(inner.strip_prefix('<')) {
            let Some(end) = name.find('>') else {
                return Err(SyntaxError::new("invalid named capture", self.rest));
            };
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let prefix = self.rest.len() - name.len();
            if end == 0 || !name[..end].chars().all(word) {
                let piece = &self.rest[..=prefix + end];
                return Err(SyntaxError::new("invalid named capture", piece));
            }
            // The crate refuses names that begin with a digit; no template refers to one.
            self.out.push_str("(?P<_");
            self.out.push_str(&name[..=end]);
            self.open += 1;
            self.rest = &name[end + 1..];
            return Ok(());
        }
        let flags = inner
            .find(|c| !matches!(c, 'i' | 'm' | 's' | 'U' | '-'))
            .unwrap_or(inner.len());
        match inner[flags..].chars().next() {
            Some(end @ (':' | ')')) if !inner[..flags].ends_with('-') => {
                self.out.push_str("(?");
                self.out.push_str(&inner[..=flags]);
                self.open += usize::from(end == ':');
                self.rest = &inner[flags + 1..];
                Ok(())
            }
            Some(c) => {
                let piece = &self.rest[..2 + flags + c.len_utf8()];
                Err(SyntaxError::new(
                    "invalid or unsupported Perl syntax",
                    piece,
                ))
            }
            None => Err(SyntaxError::new("missing closing )", self.rest)),
        }
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        self.repeatable = true;
        let mut chars = self.rest.chars();
        chars.next();
        let Some(c) = chars.next() else {
            return Err(SyntaxError::new(
                "trailing backslash at end of expression",
                "",
            ));
        };
        match c {
            'Q' => {
                let quoted = chars.as_str();
                let (literal, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                self.out.push_str(&regex::escape(literal));
                self.rest = after;
                return Ok(());
            }
            'A' | 'z' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'b' => self.out.push_str("(?-u:\\b)"),
            'B' => self.out.push_str("\\B"),
            _ => {
                let (class, rest) = class::escape(self.rest)?;
                self.out.push_str(&class.outside());
                self.rest = rest;
                return Ok(());
            }
        }
        self.rest = chars.as_str();
        Ok(())
    }
}

/// The least and the greatest count.
type Bounds = (Option<u32>, Option<u32>);

/// `{n}`, `{n,}` or `{n,m}`: its length and bounds.
fn counted(text: &str) -> Option<(usize, Bounds)> {
    let inner = text.strip_prefix('{')?;
    let end = inner.find('}')?;
    let bounds = &inner[..end];
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = text.len() > 1 && text.starts_with('0');
        (digits && !leading_zero).then(|| text.parse().unwrap_or(u32::MAX))
    };
    let bounds = match bounds.split_once(',') {
        None => (Some(number(bounds)?), None),
        Some((low, "")) => (Some(number(low)?), None),
        Some((low, high)) => (Some(number(low)?), Some(number(high)?)),
    };
    Some((end + 2, bounds))
}
