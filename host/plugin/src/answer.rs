//! The canonical form of every answer, as its digest.
//!
//! The recorder of a running call and the later check of its trace use the same functions, so
//! they cannot drift apart. Each form starts with its own tag: no answer of one kind can have
//! the digest of another kind's.

use sha2::{Digest as _, Sha256};

use crate::{Digest, Entry, EntryKind, FailureClass, FileInfo, Subject};

/// Builds the digest of one answer.
struct Form(Sha256);

impl Form {
    fn new(tag: &str) -> Self {
        Self(Sha256::new()).field(tag.as_bytes())
    }

    /// Appends a field with its length, so that fields cannot run into each other.
    fn field(mut self, data: &[u8]) -> Self {
        self.0.update((data.len() as u64).to_le_bytes());
        self.0.update(data);
        self
    }

    fn end(self) -> Digest {
        Digest::from_bytes(self.0.finalize().into())
    }
}

/// A failure, by class and code only: a message may name what differs from host to host.
pub(crate) fn failure(class: FailureClass, code: &str) -> Digest {
    Form::new("failure")
        .field(format!("{class:?}").as_bytes())
        .field(code.as_bytes())
        .end()
}

pub(crate) fn absent() -> Digest {
    failure(FailureClass::NotFound, "NotFound")
}

pub(crate) fn kind(kind: Option<EntryKind>) -> Digest {
    match kind {
        None => absent(),
        Some(EntryKind::File) => Form::new("kind").field(b"file").end(),
        Some(EntryKind::Directory) => Form::new("kind").field(b"directory").end(),
    }
}

pub(crate) fn entries(entries: Option<&[Entry]>) -> Digest {
    let Some(entries) = entries else {
        return absent();
    };
    let mut form = Form::new("entries");
    for entry in entries {
        let kind: &[u8] = match entry.kind {
            EntryKind::File => b"f",
            EntryKind::Directory => b"d",
        };
        form = form.field(kind).field(entry.name.as_bytes());
    }
    form.end()
}

/// A file's own digest, as there are many of them; none is no digest of anything that is known.
pub(crate) fn file(info: Option<&FileInfo>) -> Digest {
    info.map_or(Digest::from_bytes([0; 32]), |info| info.digest)
}

pub(crate) fn text(text: &str) -> Digest {
    Form::new("text").field(text.as_bytes()).end()
}

pub(crate) fn optional(text: Option<&str>) -> Digest {
    match text {
        None => Form::new("none").end(),
        Some(text) => self::text(text),
    }
}

pub(crate) fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Digest {
    let mut form = Form::new("texts");
    for text in texts {
        form = form.field(text.as_ref().as_bytes());
    }
    form.end()
}

/// The paths that a glob found; `None`: the pattern did not parse.
pub(crate) fn globbed(paths: Option<&[String]>) -> Digest {
    match paths {
        None => failure(FailureClass::InvalidInput, "InvalidPattern"),
        Some(paths) => texts(paths),
    }
}

pub(crate) fn flag(flag: bool) -> Digest {
    Form::new("flag").field(&[u8::from(flag)]).end()
}

pub(crate) fn number(number: u32) -> Digest {
    Form::new("number").field(&number.to_le_bytes()).end()
}

pub(crate) fn subject(subject: &Subject) -> Digest {
    Form::new("subject")
        .field(subject.api_version.as_bytes())
        .field(subject.kind.as_bytes())
        .field(subject.namespace.as_bytes())
        .field(subject.name.as_bytes())
        .field(subject.uid.as_bytes())
        .end()
}
