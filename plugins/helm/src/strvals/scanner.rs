//! A line, character by character.

use super::Stop;

pub(super) struct Scanner<'a> {
    rest: &'a str,
}

/// What was read before a stop.
pub(super) struct Read {
    pub(super) text: String,
    /// The stop; nothing at the end of the line.
    pub(super) stop: Option<char>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { rest: line }
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    pub(super) fn next_if(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Up to and with one of `stops`; a backslash makes the next character an ordinary one.
    pub(super) fn until(&mut self, stops: &[char]) -> Read {
        let mut text = String::new();
        while let Some(c) = self.next() {
            if stops.contains(&c) {
                return Read {
                    text,
                    stop: Some(c),
                };
            }
            match c {
                '\\' => text.extend(self.next()),
                c => text.push(c),
            }
        }
        Read { text, stop: None }
    }

    /// As [`Scanner::until`]; a backslash is a backslash.
    pub(super) fn until_literally(&mut self, stops: &[char]) -> Read {
        match self.rest.find(stops) {
            Some(at) => {
                let text = self.rest[..at].to_owned();
                self.rest = &self.rest[at..];
                let stop = self.next();
                Read { text, stop }
            }
            None => Read {
                text: std::mem::take(&mut self.rest).to_owned(),
                stop: None,
            },
        }
    }

    /// Takes spaces, and one comma behind them; true if the value is empty.
    pub(super) fn empty_value(&mut self) -> bool {
        let trimmed = self.rest.trim_start();
        self.rest = trimmed.strip_prefix(',').unwrap_or(trimmed);
        trimmed.is_empty() || trimmed.starts_with(',')
    }

    /// Takes one JSON document.
    pub(super) fn json(&mut self) -> Result<serde_json::Value, Stop> {
        let mut documents = serde_json::Deserializer::from_str(self.rest).into_iter();
        let document = documents.next();
        let end = documents.byte_offset();
        match document {
            Some(Ok(document)) => {
                self.rest = &self.rest[end..];
                Ok(document)
            }
            Some(Err(err)) => Err(Stop::Error(err.to_string())),
            None => Err(Stop::End),
        }
    }
}

/// A place in a list as it stands between brackets.
pub(super) fn index(read: Read) -> Result<i64, Stop> {
    let Read { text, stop } = read;
    if stop.is_none() {
        return Err(Stop::Error("error parsing index: EOF".to_owned()));
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    text.parse().map_err(|_| {
        let numeric = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let why = if numeric {
            "value out of range"
        } else {
            "invalid syntax"
        };
        Stop::Error(format!(
            "error parsing index: strconv.Atoi: parsing {text:?}: {why}"
        ))
    })
}

/// The error for what stands between `]` and what may follow it.
pub(super) fn unexpected_after_index(text: &str) -> Stop {
    let quoted: Vec<String> = text.chars().map(|c| format!("{c:?}")).collect();
    Stop::Error(format!(
        "unexpected data at end of array index: [{}]",
        quoted.join(" ")
    ))
}
