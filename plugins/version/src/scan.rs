//! Splits text into the pieces of a version: what Masterminds/semver does by two regular
//! expressions that differ only in the characters that a number may have.

/// The pieces of a version at the start of a text; each as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pieces<'a> {
    /// Major, minor and patch, without dots; the latter two may be absent.
    pub(crate) numbers: [Option<&'a str>; 3],
    /// Pre-release, without its dash.
    pub(crate) pre: Option<&'a str>,
    /// Build metadata, without its plus.
    pub(crate) build: Option<&'a str>,
    /// How much of the text this is.
    pub(crate) len: usize,
}

/// The longest version at the start of `text`, a leading `v` included; `None`: there is none.
pub(crate) fn version(text: &str, is_number: fn(u8) -> bool) -> Option<Pieces<'_>> {
    let mut rest = Cursor { text, at: 0 };
    rest.accept(b'v');
    let major = rest.take_while(is_number)?;
    let minor = rest.after(b'.', |rest| rest.take_while(is_number));
    let patch = match minor {
        Some(_) => rest.after(b'.', |rest| rest.take_while(is_number)),
        None => None,
    };
    let pre = rest.after(b'-', Cursor::identifiers);
    let build = rest.after(b'+', Cursor::identifiers);
    Some(Pieces {
        numbers: [Some(major), minor, patch],
        pre,
        build,
        len: rest.at,
    })
}

/// The characters of a number in a version.
pub(crate) fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// Those in a range, where `x` and `*` stand for any number. (`|` is let through so that its
/// meaning as an error is found where the number is read.)
pub(crate) fn is_wild_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|')
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn accept(&mut self, byte: u8) -> bool {
        let found = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    /// At least one byte of a kind. All kinds are ASCII, so that `at` stays on a boundary.
    fn take_while(&mut self, is: fn(u8) -> bool) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let len = rest.bytes().take_while(|byte| is(*byte)).count();
        self.at += len;
        (len > 0).then(|| &rest[..len])
    }

    /// What `inner` finds behind `byte`; nothing is consumed unless both are there.
    fn after(
        &mut self,
        byte: u8,
        inner: impl FnOnce(&mut Self) -> Option<&'a str>,
    ) -> Option<&'a str> {
        let start = self.at;
        let found = if self.accept(byte) { inner(self) } else { None };
        if found.is_none() {
            self.at = start;
        }
        found
    }

    /// Identifiers joined by dots; a trailing dot is not consumed.
    fn identifiers(&mut self) -> Option<&'a str> {
        let is_identifier = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let start = self.at;
        self.take_while(is_identifier)?;
        while self
            .after(b'.', |rest| rest.take_while(is_identifier))
            .is_some()
        {}
        self.text.get(start..self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_longest_version() {
        let pieces = version("v1.2-rc.1+b.2. rest", is_digit).unwrap();
        assert_eq!(pieces.numbers, [Some("1"), Some("2"), None]);
        assert_eq!((pieces.pre, pieces.build), (Some("rc.1"), Some("b.2")));
        assert_eq!(pieces.len, "v1.2-rc.1+b.2".len());
    }

    #[test]
    fn leaves_what_belongs_to_no_version() {
        assert_eq!(version("1.2.3.4", is_digit).unwrap().len, 5);
        assert_eq!(version("1.2.3-", is_digit).unwrap().len, 5);
        assert_eq!(version("1.x", is_digit).unwrap().len, 1);
        assert_eq!(version("1.x", is_wild_digit).unwrap().len, 3);
        assert_eq!(version("", is_digit), None);
        assert_eq!(version("vx", is_digit), None);
    }
}
