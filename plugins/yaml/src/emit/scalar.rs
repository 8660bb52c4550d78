//! How a scalar can be written, and the low-level writer, after libyaml's emitter as changed by
//! go-yaml.

use crate::resolve::Dialect;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

/// Where a scalar stands.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    pub(crate) flow: bool,
    pub(crate) key: bool,
}

/// What a text allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Analysis {
    pub(crate) multiline: bool,
    flow_plain: bool,
    block_plain: bool,
    single_quoted: bool,
    block: bool,
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
}

/// Looks at every character once.
pub(crate) fn analyze(dialect: Dialect, text: &str) -> Analysis {
    if text.is_empty() {
        return Analysis {
            multiline: false,
            flow_plain: false,
            block_plain: true,
            single_quoted: true,
            block: false,
        };
    }
    let simple = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/' | b'.');
    let bytes = text.as_bytes();
    let harmless = bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|b| simple(*b) || *b == b'-');
    if harmless {
        return Analysis {
            multiline: false,
            flow_plain: true,
            block_plain: true,
            single_quoted: true,
            block: true,
        };
    }
    let document_marker = text.starts_with("---") || text.starts_with("...");
    let (mut block_indicators, mut flow_indicators) = (document_marker, document_marker);
    let (mut line_breaks, mut special, mut tabs) = (false, false, false);
    let (mut leading, mut trailing_space, mut trailing_break) = (false, false, false);
    let (mut break_space, mut space_break) = (false, false);
    let (mut after_space, mut after_break) = (false, false);
    let mut after_blank = true;
    let mut chars = text.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        let last = chars.peek().is_none();
        let before_blank = chars.peek().is_none_or(|next| is_blank(*next));
        if first {
            match c {
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"'
                | '%' | '@' | '`' => (flow_indicators, block_indicators) = (true, true),
                '?' | ':' => {
                    flow_indicators = true;
                    block_indicators |= before_blank;
                }
                '-' if before_blank => (flow_indicators, block_indicators) = (true, true),
                _ => {}
            }
        } else {
            match c {
                ',' | '?' | '[' | ']' | '{' | '}' => flow_indicators = true,
                ':' => {
                    flow_indicators = true;
                    block_indicators |= before_blank;
                }
                '#' if after_blank => (flow_indicators, block_indicators) = (true, true),
                _ => {}
            }
        }
        if c == '\t' && dialect == Dialect::V3 {
            tabs = true;
        } else if !is_printable(c) {
            special = true;
        }
        if c == ' ' {
            leading |= first;
            trailing_space |= last;
            break_space |= after_break;
            (after_space, after_break) = (true, false);
        } else if is_break(c) {
            line_breaks = true;
            leading |= first;
            trailing_break |= last;
            space_break |= after_space;
            (after_space, after_break) = (false, true);
        } else {
            (after_space, after_break) = (false, false);
        }
        after_blank = is_blank(c) || is_break(c) || c == '\0';
        first = false;
    }
    let ends = leading || trailing_space || trailing_break;
    let odd = space_break || special;
    let plain = !(ends || break_space || odd || tabs || line_breaks);
    Analysis {
        multiline: line_breaks,
        flow_plain: plain && !flow_indicators,
        block_plain: plain && !block_indicators,
        single_quoted: !(break_space || odd || tabs),
        block: !(trailing_space || odd),
    }
}

/// The form that is used when `wanted` was asked for. `implicit`: without a tag, a plain scalar
/// may stand for itself.
pub(crate) fn select(wanted: Form, analysis: Analysis, empty: bool, place: Place) -> Form {
    let mut form = wanted;
    if place.key && analysis.multiline {
        form = Form::DoubleQuoted;
    }
    if form == Form::Plain {
        let allowed = if place.flow {
            analysis.flow_plain
        } else {
            analysis.block_plain
        };
        if !allowed || (empty && (place.flow || place.key)) {
            form = Form::SingleQuoted;
        }
    }
    if form == Form::SingleQuoted && !analysis.single_quoted {
        form = Form::DoubleQuoted;
    }
    if matches!(form, Form::Literal | Form::Folded) && (!analysis.block || place.flow || place.key)
    {
        form = Form::DoubleQuoted;
    }
    form
}

/// The text written so far and what the next piece depends on.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) out: String,
    pub(crate) dialect: Dialect,
    pub(crate) column: usize,
    /// Indentation of the block being written; negative outside of any.
    pub(crate) indent: i32,
    /// The last character was white space.
    pub(crate) whitespace: bool,
    /// Nothing but indentation stands on the line.
    pub(crate) indention: bool,
    /// Lines are folded at a space beyond this column.
    width: usize,
}

pub(crate) const INDENT: i32 = 2;

impl Writer {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let width = if dialect == Dialect::V2 {
            80
        } else {
            usize::MAX
        };
        Self {
            out: String::new(),
            dialect,
            column: 0,
            indent: -1,
            whitespace: true,
            indention: true,
            width,
        }
    }

    pub(crate) fn too_wide(&self) -> bool {
        self.column > self.width
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.indention = true;
    }

    /// A line break of the text itself.
    fn write_break(&mut self, c: char) {
        if c == '\n' {
            self.line_break();
        } else {
            self.out.push(c);
            self.column = 0;
            self.indention = true;
        }
    }

    pub(crate) fn write_indent(&mut self) {
        let indent = usize::try_from(self.indent).unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        if self.dialect == Dialect::V2 {
            self.indention = true;
        }
    }

    pub(crate) fn indicator(&mut self, text: &str, need_space: bool, space: bool, indention: bool) {
        if need_space && !self.whitespace {
            self.put(' ');
        }
        for c in text.chars() {
            self.put(c);
        }
        self.whitespace = space;
        self.indention = self.indention && indention;
    }

    /// Writes a scalar in the given form. The indent is already that of the scalar.
    pub(crate) fn scalar(&mut self, text: &str, form: Form, key: bool) {
        match form {
            Form::Plain => self.plain(text, !key),
            Form::SingleQuoted => self.single_quoted(text, !key),
            Form::DoubleQuoted => self.double_quoted(text, !key),
            Form::Literal => self.literal(text),
            Form::Folded => self.folded(text),
        }
    }

    fn plain(&mut self, text: &str, breaks_allowed: bool) {
        if text.is_empty() && self.dialect == Dialect::V3 {
            self.indention = false;
            return;
        }
        if !self.whitespace {
            self.put(' ');
        }
        // Plain scalars never hold line breaks here: the analysis forbids it.
        let mut spaces = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c == ' ' {
                if breaks_allowed && !spaces && self.too_wide() && chars.peek() != Some(&' ') {
                    self.write_indent();
                } else {
                    self.put(c);
                }
                spaces = true;
            } else {
                self.put(c);
                self.indention = false;
                spaces = false;
            }
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn single_quoted(&mut self, text: &str, breaks_allowed: bool) {
        self.indicator("'", true, false, false);
        let (mut spaces, mut breaks) = (false, false);
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c == ' ' {
                let inside = at > 0 && at < text.len() - 1;
                let before_space = chars.peek().is_some_and(|(_, next)| *next == ' ');
                if breaks_allowed && !spaces && self.too_wide() && inside && !before_space {
                    self.write_indent();
                } else {
                    self.put(c);
                }
                spaces = true;
            } else if is_break(c) {
                if !breaks && c == '\n' {
                    self.line_break();
                }
                self.write_break(c);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if c == '\'' {
                    self.put('\'');
                }
                self.put(c);
                self.indention = false;
                (spaces, breaks) = (false, false);
            }
        }
        self.indicator("'", false, false, false);
    }

    fn double_quoted(&mut self, text: &str, breaks_allowed: bool) {
        self.indicator("\"", true, false, false);
        // go-yaml asks whether the whole text begins with a byte order mark, at every character.
        let bom = text.starts_with('\u{feff}');
        let mut spaces = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if bom || !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                self.escaped(c);
                spaces = false;
            } else if c == ' ' {
                let inside = at > 0 && at < text.len() - 1;
                if breaks_allowed && !spaces && self.too_wide() && inside {
                    self.write_indent();
                    if chars.peek().is_some_and(|(_, next)| *next == ' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                spaces = true;
            } else {
                self.put(c);
                spaces = false;
            }
        }
        self.indicator("\"", false, false, false);
    }

    fn escaped(&mut self, c: char) {
        self.put('\\');
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = u32::from(c);
                let text = match code {
                    0..=0xff => format!("x{code:02X}"),
                    0x100..=0xffff => format!("u{code:04X}"),
                    _ => format!("U{code:08X}"),
                };
                text.chars().for_each(|digit| self.put(digit));
                return;
            }
        };
        self.put(short);
    }

    fn block_hints(&mut self, text: &str) {
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.indicator(&INDENT.to_string(), false, false, false);
        }
        let mut backwards = text.chars().rev();
        let last = backwards.next();
        let before = backwards.next();
        if !last.is_some_and(is_break) {
            self.indicator("-", false, false, false);
        } else if before.is_none_or(is_break) {
            self.indicator("+", false, false, false);
        }
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false, false);
        self.block_hints(text);
        self.line_break();
        self.whitespace = true;
        let mut breaks = true;
        for c in text.chars() {
            if is_break(c) {
                self.write_break(c);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                self.put(c);
                self.indention = false;
                breaks = false;
            }
        }
    }

    fn folded(&mut self, text: &str) {
        self.indicator(">", true, false, false);
        self.block_hints(text);
        self.line_break();
        self.whitespace = true;
        let (mut breaks, mut leading_spaces) = (true, true);
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if is_break(c) {
                if !breaks && !leading_spaces && c == '\n' {
                    let rest = text[at..].trim_start_matches(is_break);
                    if !rest.is_empty() && !rest.starts_with(is_blank) {
                        self.line_break();
                    }
                }
                self.write_break(c);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                    leading_spaces = is_blank(c);
                }
                let before_space = chars.peek().is_some_and(|(_, next)| *next == ' ');
                if !breaks && c == ' ' && !before_space && self.too_wide() {
                    self.write_indent();
                } else {
                    self.put(c);
                }
                self.indention = false;
                breaks = false;
            }
        }
    }
}
