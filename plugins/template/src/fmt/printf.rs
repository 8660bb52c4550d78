//! `fmt.Sprintf`: reading the format (golang/go `src/fmt/print.go`, `doPrintf`).

use super::verb::{Flags, write_value};
use crate::value::{IntKind, Value};

/// Widths and precisions beyond are errors, as in Go.
const TOO_LARGE: i64 = 1_000_000;

/// Formats `values` by `format`; what does not fit is said in the text itself.
pub(crate) fn sprintf(format: &[u8], values: &[Value]) -> Vec<u8> {
    let mut formatter = Formatter {
        format,
        at: 0,
        values,
        next: 0,
        reordered: false,
        after_index: false,
        good_index: true,
        out: Vec::with_capacity(format.len() + 16),
    };
    formatter.run();
    formatter.out
}

struct Formatter<'a> {
    format: &'a [u8],
    at: usize,
    values: &'a [Value],
    /// The argument that the next verb takes.
    next: usize,
    /// Some argument was chosen by its index.
    reordered: bool,
    after_index: bool,
    good_index: bool,
    out: Vec<u8>,
}

impl Formatter<'_> {
    fn run(&mut self) {
        while self.at < self.format.len() {
            let rest = &self.format[self.at..];
            let plain = rest.iter().position(|byte| *byte == b'%');
            let plain = plain.unwrap_or(rest.len());
            self.out.extend_from_slice(&rest[..plain]);
            self.at += plain;
            if self.at < self.format.len() {
                self.at += 1;
                self.verb();
            }
        }
        if !self.reordered && self.next < self.values.len() {
            self.extra();
        }
    }

    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    /// The `%` has been read.
    fn verb(&mut self) {
        let mut flags = self.flags();
        self.after_index = false;
        self.good_index = true;
        self.index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            self.star_width(&mut flags);
        } else {
            flags.width = self.number();
            // "%[3]2d" is no way to give a width.
            if self.after_index && flags.width.is_some() {
                self.good_index = false;
            }
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.after_index {
                self.good_index = false;
            }
            self.index();
            if self.peek() == Some(b'*') {
                self.at += 1;
                self.star_precision(&mut flags);
            } else {
                flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !self.after_index {
            self.index();
        }
        let rest = &self.format[self.at..];
        let Some(chunk) = rest.utf8_chunks().next() else {
            self.out.extend_from_slice(b"%!(NOVERB)");
            return;
        };
        let verb = if let Some(verb) = chunk.valid().chars().next() {
            self.at += verb.len_utf8();
            verb
        } else {
            self.at += 1;
            char::REPLACEMENT_CHARACTER
        };
        self.apply(verb, flags);
    }

    fn apply(&mut self, verb: char, mut flags: Flags) {
        if verb == 'v' && flags.plus {
            flags.plus = false;
            flags.names = true;
        }
        if verb == '%' {
            self.out.push(b'%');
        } else if !self.good_index {
            self.complain(verb, "(BADINDEX)");
        } else if let Some(value) = self.values.get(self.next) {
            self.next += 1;
            write_value(&mut self.out, value, verb, flags);
        } else {
            self.complain(verb, "(MISSING)");
        }
    }

    fn complain(&mut self, verb: char, what: &str) {
        self.out
            .extend_from_slice(format!("%!{verb}{what}").as_bytes());
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        flags
    }

    fn number(&mut self) -> Option<usize> {
        let rest = &self.format[self.at..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = std::str::from_utf8(&rest[..digits]).unwrap_or_default();
        let number = text.parse::<usize>().ok();
        let number = number.filter(|number| (*number as i64) <= TOO_LARGE)?;
        self.at += digits;
        Some(number)
    }

    /// `[n]`.
    fn index(&mut self) {
        if self.peek() != Some(b'[') {
            return;
        }
        self.reordered = true;
        let rest = &self.format[self.at..];
        let Some(close) = rest.iter().position(|byte| *byte == b']') else {
            self.good_index = false;
            self.at += 1;
            return;
        };
        let text = std::str::from_utf8(&rest[1..close]).unwrap_or_default();
        let index = text
            .parse::<usize>()
            .ok()
            .filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        self.at += close + 1;
        match index {
            Some(index) if (1..=self.values.len()).contains(&index) => {
                self.next = index - 1;
                self.after_index = true;
            }
            _ => self.good_index = false,
        }
    }

    /// An argument that gives a width or precision.
    fn star(&mut self) -> Option<i64> {
        self.after_index = false;
        let value = self.values.get(self.next)?;
        self.next += 1;
        match value {
            Value::Int(IntKind::Int | IntKind::Int64 | IntKind::Int32, number) => Some(*number),
            Value::Uint(_, number) => i64::try_from(*number).ok(),
            _ => None,
        }
        .filter(|number| number.abs() <= TOO_LARGE)
    }

    fn star_width(&mut self, flags: &mut Flags) {
        match self.star() {
            None => self.out.extend_from_slice(b"%!(BADWIDTH)"),
            Some(width) => {
                flags.minus |= width < 0;
                flags.width = Some(width.unsigned_abs() as usize);
            }
        }
    }

    fn star_precision(&mut self, flags: &mut Flags) {
        match self.star() {
            Some(precision) if precision >= 0 => flags.precision = Some(precision as usize),
            // A negative precision is as if there were none, and wrong.
            _ => self.out.extend_from_slice(b"%!(BADPREC)"),
        }
    }

    fn extra(&mut self) {
        self.out.extend_from_slice(b"%!(EXTRA ");
        for (i, value) in self.values[self.next..].iter().enumerate() {
            if i > 0 {
                self.out.extend_from_slice(b", ");
            }
            if value.is_nil() {
                self.out.extend_from_slice(b"<nil>");
            } else {
                self.out.extend_from_slice(value.type_name().as_bytes());
                self.out.push(b'=');
                write_value(&mut self.out, value, 'v', Flags::default());
            }
        }
        self.out.push(b')');
    }
}
