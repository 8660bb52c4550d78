//! `fmt.Sprintf`: reading the format (golang/go `src/fmt/print.go`, `doPrintf`).

use super::verb::{Flags, write_value};
use crate::value::{IntKind, List, Value, View};

/// Widths and precisions beyond are errors, as in Go.
const TOO_LARGE: i64 = 1_000_000;

/// Formats `values` by `format`; what does not fit is said in the text itself.
/// `None` if widths and precisions ask for more than `room` bytes.
pub(crate) fn sprintf(format: &[u8], values: &[Value], room: usize) -> Option<Vec<u8>> {
    let mut formatter = Formatter {
        format,
        at: 0,
        values,
        next: 0,
        reordered: false,
        after_index: false,
        good_index: true,
        out: Vec::with_capacity(format.len() + 16),
        room,
    };
    formatter.run();
    (formatter.out.len() <= room).then_some(formatter.out)
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
    /// Bytes that `out` may have; one byte more means that it is given up.
    room: usize,
}

impl Formatter<'_> {
    fn run(&mut self) {
        while self.at < self.format.len() && self.out.len() <= self.room {
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
            // They hold for each part of a list or a map.
            let each = flags.width.max(flags.precision).unwrap_or(0);
            let left = self.room.saturating_sub(self.out.len());
            if each > 0 && shown(value, left / each + 1) > left / each {
                self.out.resize(self.room + 1, b' ');
                return;
            }
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

    /// A width or precision. One that is too large takes the rest of the
    /// format with it, so that no verb is found
    /// (golang/go `src/fmt/print.go`, `parsenum`).
    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(byte) = self.peek().filter(u8::is_ascii_digit) {
            let so_far = number.unwrap_or(0);
            if so_far > TOO_LARGE as usize {
                self.at = self.format.len();
                return None;
            }
            number = Some(so_far * 10 + usize::from(byte - b'0'));
            self.at += 1;
        }
        number
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

/// How many values `value` shows, keys and itself included, counted up to about `most`.
fn shown(value: &Value, most: usize) -> usize {
    let mut count = 0;
    let mut todo = vec![value.clone()];
    while count < most
        && let Some(value) = todo.pop()
    {
        count += 1;
        let list = |todo: &mut Vec<Value>, list: &List| todo.extend(list.iter().cloned());
        match value {
            Value::List(items) => list(&mut todo, &items),
            Value::Map(map) => {
                count += map.len();
                map.each(|_, value| todo.push(value.clone()));
            }
            Value::Bytes(bytes) => count += bytes.len(),
            Value::Object(object) => match object.view() {
                View::List(items) => list(&mut todo, &items),
                View::Map(map) => todo.push(Value::Map(map)),
                View::Struct(fields) => todo.extend(fields.into_iter().map(|(_, value)| value)),
                View::Int(_) => {}
            },
            _ => {}
        }
    }
    count
}
