//! `log`, `clock` and `random`, and the journal into which a guest's log, its standard output and
//! its standard error go.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rand::RngCore;

use super::State;
use crate::bindings::weir::plugin::{clock, log, random};
use crate::mask::Mask;

/// A line keeps this much of its text.
const MAX_LINE: usize = 16 << 10;
/// A line keeps this many fields.
const MAX_FIELDS: usize = 32;
/// What is kept of standard output and of standard error.
const MAX_CAPTURE: usize = 64 << 10;
/// `random.bytes` gives at most this much a call.
const MAX_RANDOM: u32 = 64 << 10;

/// Who is logging: fields of every line.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) plugin: String,
    pub(crate) digest: String,
}

/// Takes a call's log lines, up to a number.
#[derive(Debug)]
pub(crate) struct Journal {
    labels: Arc<Labels>,
    object: String,
    left: u32,
    dropped: u64,
    streams: [Stream; 2],
}

/// Standard output or error, line by line.
#[derive(Debug, Default)]
struct Stream {
    taken: usize,
    line: Vec<u8>,
    /// The last lines, for the message of a trap.
    tail: String,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standard {
    Output,
    Error,
}

impl Journal {
    pub(crate) fn new(labels: Arc<Labels>, object: String, lines: u32) -> Self {
        Self {
            labels,
            object,
            left: lines,
            dropped: 0,
            streams: Default::default(),
        }
    }

    /// The plugin's name.
    pub(crate) fn plugin(&self) -> &str {
        &self.labels.plugin
    }

    /// Lines that were not logged.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn line(&mut self, level: log::Level, mut message: String, fields: &str, mask: &Mask) {
        if self.left == 0 {
            self.dropped += 1;
            return;
        }
        self.left -= 1;
        tidy(&mut message, mask);
        let (plugin, digest) = (self.labels.plugin.as_str(), self.labels.digest.as_str());
        let object = self.object.as_str();
        macro_rules! event {
            ($level:ident) => {
                tracing::$level!(
                    target: "weir::guest",
                    {
                        plugin.name = plugin,
                        plugin.digest = digest,
                        "object.ref" = object,
                        plugin.fields = fields,
                    },
                    "{message}"
                )
            };
        }
        match level {
            log::Level::Trace => event!(trace),
            log::Level::Debug => event!(debug),
            log::Level::Info => event!(info),
            log::Level::Warn => event!(warn),
            log::Level::Error => event!(error),
        }
    }

    /// Takes what a guest writes to a standard stream; beyond the bound it is dropped.
    pub(crate) fn capture(&mut self, which: Standard, data: &[u8], mask: &Mask) {
        let stream = &mut self.streams[which as usize];
        let room = MAX_CAPTURE.saturating_sub(stream.taken);
        let data = &data[..data.len().min(room)];
        stream.taken += data.len();
        stream.line.extend_from_slice(data);
        if !data.contains(&b'\n') {
            return;
        }
        let text = std::mem::take(&mut self.streams[which as usize].line);
        let end = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |last| last + 1);
        for line in text[..end].split_inclusive(|byte| *byte == b'\n') {
            self.streams[which as usize].line = line.to_vec();
            self.flush(which, mask);
        }
        self.streams[which as usize].line = text[end..].to_vec();
    }

    fn flush(&mut self, which: Standard, mask: &Mask) {
        let stream = &mut self.streams[which as usize];
        let line = std::mem::take(&mut stream.line);
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if text.is_empty() {
            return;
        }
        if stream.tail.len() + text.len() > 4096 {
            stream.tail.clear();
        }
        stream.tail.push_str(&text);
        stream.tail.push('\n');
        let level = match which {
            Standard::Output => log::Level::Info,
            Standard::Error => log::Level::Warn,
        };
        self.line(level, text, "", mask);
    }

    /// Ends the streams; returns the last lines of standard error: a panic's message, a traceback.
    pub(crate) fn finish(&mut self, mask: &Mask) -> String {
        self.flush(Standard::Output, mask);
        self.flush(Standard::Error, mask);
        let mut tail = std::mem::take(&mut self.streams[Standard::Error as usize].tail);
        mask.apply(&mut tail);
        truncate(&mut tail, 4096);
        tail.trim_end().to_owned()
    }
}

/// Makes one line of what a guest wrote, without secrets: a line break would forge a line of the
/// host's own, an escape sequence act on the terminal of whoever reads it.
fn tidy(text: &mut String, mask: &Mask) {
    // Some more than is kept, for secrets that lie across the cut.
    truncate(text, 2 * MAX_LINE);
    mask.apply(text);
    truncate(text, MAX_LINE);
    if text.contains(char::is_control) {
        *text = text.chars().fold(String::new(), |mut tidied, char| {
            if char.is_control() {
                tidied.extend(char.escape_default());
            } else {
                tidied.push(char);
            }
            tidied
        });
    }
}

/// Cuts at a character boundary.
fn truncate(text: &mut String, len: usize) {
    if text.len() > len {
        text.truncate(text.floor_char_boundary(len));
    }
}

impl log::Host for State {
    fn write(
        &mut self,
        level: log::Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        let fields: Vec<_> = fields
            .iter()
            .take(MAX_FIELDS)
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let mut fields = fields.join(" ");
        tidy(&mut fields, &self.mask);
        self.journal.line(level, message, &fields, &self.mask);
        Ok(())
    }
}

impl clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<u64> {
        if !self.started {
            return Ok(0);
        }
        self.recorder.impure().clock = true;
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Ok(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl random::Host for State {
    fn bytes(&mut self, len: u32) -> wasmtime::Result<Vec<u8>> {
        Ok(self.random_bytes(len.min(MAX_RANDOM)))
    }
}

impl State {
    /// Real randomness inside a call, zeros while the instance starts.
    pub(super) fn random_bytes(&mut self, len: u32) -> Vec<u8> {
        let mut bytes = vec![0; len as usize];
        if self.started {
            self.recorder.impure().random = true;
            rand::rng().fill_bytes(&mut bytes);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_one_line_and_keeps_no_part_of_a_secret() {
        let mut mask = Mask::default();
        let secret = [("token".to_owned(), b"hunter22".to_vec())];
        mask.learn(&secret.into_iter().collect());
        let check = |text: &str| {
            let mut text = text.to_owned();
            tidy(&mut text, &mask);
            text
        };
        assert_eq!(check("é hunter22"), "é *****");
        assert_eq!(
            check("one\nlevel=ERROR two\r\n\x1b[31mthree"),
            "one\\nlevel=ERROR two\\r\\n\\u{1b}[31mthree"
        );
        let cut = check(&format!("{}hunter22", "x".repeat(MAX_LINE - 4)));
        assert!(!cut.contains("hunt") && cut.len() <= MAX_LINE);
    }
}
