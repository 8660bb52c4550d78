//! Scanning anchors, tags and directives.

use super::scan::{Scan, Scanner, is_alpha, is_blank};
use super::token::{Mark, Token, TokenKind};

impl Scanner<'_> {
    fn alphanumeric(&mut self) -> String {
        let mut text = String::new();
        while is_alpha(self.byte(0)) {
            self.read(&mut text);
        }
        text
    }

    pub(super) fn scan_anchor(&mut self) -> Scan<Token> {
        let start = self.mark;
        let alias = self.byte(0) == b'*';
        self.skip();
        let name = self.alphanumeric();
        let ends = self.is_blankz(0)
            || matches!(
                self.byte(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !ends {
            return self.problem(
                start,
                "did not find expected alphabetic or numeric character",
            );
        }
        let kind = if alias {
            TokenKind::Alias(name)
        } else {
            TokenKind::Anchor(name)
        };
        Ok(Token {
            kind,
            start,
            end: self.mark,
        })
    }

    pub(super) fn scan_tag(&mut self) -> Scan<Token> {
        let start = self.mark;
        let (handle, suffix) = if self.byte(1) == b'<' {
            self.skip();
            self.skip();
            let suffix = self.scan_tag_uri("", start)?;
            if self.byte(0) != b'>' {
                return self.problem(start, "did not find the expected '>'");
            }
            self.skip();
            (String::new(), suffix)
        } else {
            let handle = self.scan_tag_handle(false, start)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.scan_tag_uri("", start)?;
                (handle, suffix)
            } else {
                let suffix = self.scan_tag_uri(&handle, start)?;
                // `!` alone is a tag without a handle.
                if suffix.is_empty() {
                    (String::new(), "!".to_owned())
                } else {
                    ("!".to_owned(), suffix)
                }
            }
        };
        if !self.is_blankz(0) {
            return self.problem(start, "did not find expected whitespace or line break");
        }
        Ok(Token {
            kind: TokenKind::Tag(handle, suffix),
            start,
            end: self.mark,
        })
    }

    fn scan_tag_handle(&mut self, directive: bool, start: Mark) -> Scan<String> {
        if self.byte(0) != b'!' {
            return self.problem(start, "did not find expected '!'");
        }
        let mut handle = String::new();
        self.read(&mut handle);
        handle.push_str(&self.alphanumeric());
        if self.byte(0) == b'!' {
            self.read(&mut handle);
        } else if directive && handle != "!" {
            return self.problem(start, "did not find expected '!'");
        }
        Ok(handle)
    }

    /// `head`: what was read as a handle and turned out to belong to the suffix.
    fn scan_tag_uri(&mut self, head: &str, start: Mark) -> Scan<String> {
        let mut found = !head.is_empty();
        let mut bytes: Vec<u8> = head.bytes().skip(1).collect();
        loop {
            let b = self.byte(0);
            if b == b'%' {
                let hex = |ahead| char::from(self.byte(ahead)).to_digit(16);
                let (Some(high), Some(low)) = (hex(1), hex(2)) else {
                    return self.problem(start, "did not find URI escaped octet");
                };
                bytes.push((high * 16 + low) as u8);
                for _ in 0..3 {
                    self.skip();
                }
            } else if is_alpha(b) || b";/?:@&=+$,.!~*'()[]".contains(&b) {
                bytes.push(b);
                self.skip();
            } else {
                break;
            }
            found = true;
        }
        if !found {
            return self.problem(start, "did not find expected tag URI");
        }
        match String::from_utf8(bytes) {
            Ok(uri) => Ok(uri),
            Err(_) => self.problem(start, "found an incorrect leading UTF-8 octet"),
        }
    }

    fn skip_blanks(&mut self) {
        while is_blank(self.byte(0)) {
            self.skip();
        }
    }

    pub(super) fn scan_directive(&mut self) -> Scan<Option<Token>> {
        let start = self.mark;
        self.skip();
        let name = self.alphanumeric();
        if name.is_empty() {
            return self.problem(start, "could not find expected directive name");
        }
        if !self.is_blankz(0) {
            return self.problem(start, "found unexpected non-alphabetical character");
        }
        let kind = match name.as_str() {
            "YAML" => {
                self.skip_blanks();
                let mut version = String::new();
                while self.byte(0).is_ascii_digit() || self.byte(0) == b'.' {
                    self.read(&mut version);
                }
                let mut parts = version.split('.');
                let number = |part: Option<&str>| {
                    part.is_some_and(|part| !part.is_empty() && part.len() <= 2)
                };
                if !number(parts.next()) || !number(parts.next()) || parts.next().is_some() {
                    return self.problem(start, "did not find expected version number");
                }
                if version != "1.1" {
                    return self.problem(start, "found incompatible YAML document");
                }
                TokenKind::VersionDirective
            }
            "TAG" => {
                self.skip_blanks();
                let handle = self.scan_tag_handle(true, start)?;
                if !is_blank(self.byte(0)) {
                    return self.problem(start, "did not find expected whitespace");
                }
                self.skip_blanks();
                let prefix = self.scan_tag_uri("", start)?;
                TokenKind::TagDirective(handle, prefix)
            }
            _ => return self.problem(start, "found unknown directive name"),
        };
        let token = Token {
            kind,
            start,
            end: self.mark,
        };
        self.skip_blanks();
        if self.byte(0) == b'#' {
            while !self.is_breakz(0) {
                self.skip();
            }
        }
        if !self.is_breakz(0) {
            return self.problem(start, "did not find expected comment or line break");
        }
        if self.is_break(0) {
            self.skip_line();
        }
        Ok(Some(token))
    }
}
