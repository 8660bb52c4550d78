//! Archives to trees: tar, tar.gz, tar.zst and zip, told by their first bytes.
//!
//! An archive with an absolute path or `..` is refused as a whole; links, devices and names that
//! are not UTF-8 are left out, as in any tree. What it unpacks to is bounded by a number of bytes,
//! by a number of entries, and by a ratio to the archive's own size.

use std::cell::Cell;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use crate::spool::BlobReader;
use crate::trees::{Builder, UnpackError};
use crate::{BlobSource, Failure, FailureClass, Tree};

/// Text compresses tenfold, rarely fiftyfold; what claims more is made to fill a disk.
const MAX_RATIO: u64 = 200;
/// Small archives may be as dense as they like.
const ALWAYS_ALLOWED: u64 = 16 << 20;

/// What lies between the contents of a tar's entries may have this many bytes: a header, a long
/// name, extended attributes. A decoder keeps all of it in memory.
const MAX_HEADER: u64 = 1 << 20;

/// Bounds of what archives unpack to. Each one uses some of it up: a guest may unpack the same
/// archive as often as it likes.
#[derive(Clone, Debug)]
pub(crate) struct UnpackLimits {
    /// Temporary files go here.
    pub(crate) directory: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) entries: usize,
    /// Of the bytes, those that may stay in memory; what is beyond goes to disk.
    pub(crate) memory: usize,
}

/// The archive's tree, taken from the bounds; given up when `is_over` says so.
pub(crate) fn unpack(
    blob: &dyn BlobSource,
    limits: &mut UnpackLimits,
    is_over: &dyn Fn() -> bool,
) -> Result<Arc<dyn Tree>, Failure> {
    let allowed = blob
        .size()
        .saturating_mul(MAX_RATIO)
        .max(ALWAYS_ALLOWED)
        .min(limits.bytes);
    let mut builder = Builder::new(limits, allowed, is_over);
    let start = blob
        .read_at(0, 512)
        .map_err(|error| failure(&UnpackError::Host(error)))?;
    let reader = BufReader::with_capacity(64 << 10, BlobReader::new(blob));
    // What a decoder skips over costs time as well: everything that leaves it is counted.
    let header = Cell::new(MAX_HEADER);
    let bound = |decoder| Bounded {
        decoder,
        left: allowed.saturating_mul(2).saturating_add(MAX_HEADER),
        header: &header,
        is_over,
    };
    let unpacked = match &start[..] {
        [0x1f, 0x8b, ..] => tar(
            bound(Box::new(MultiGzDecoder::new(reader)) as Box<dyn Read>),
            &header,
            &mut builder,
        ),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => match ruzstd::decoding::StreamingDecoder::new(reader) {
            Ok(decoder) => tar(bound(Box::new(decoder)), &header, &mut builder),
            Err(error) => Err(UnpackError::Invalid(std::io::Error::other(
                error.to_string(),
            ))),
        },
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => zip(reader, &mut builder),
        first if first.get(257..262) == Some(b"ustar") => {
            tar(bound(Box::new(reader)), &header, &mut builder)
        }
        _ => {
            let message = "the blob is no tar, tar.gz, tar.zst or zip archive";
            return Err(Failure::new(
                FailureClass::InvalidInput,
                "UnknownArchive",
                message,
            ));
        }
    };
    builder.charge(limits);
    unpacked.map_err(|error| failure(&error))?;
    Ok(Arc::new(builder.finish()))
}

fn failure(error: &UnpackError) -> Failure {
    let (class, code) = match error {
        UnpackError::UnsafePath(_) | UnpackError::Conflict(_) | UnpackError::Invalid(_) => {
            (FailureClass::InvalidInput, "InvalidArchive")
        }
        UnpackError::TooManyEntries(_) | UnpackError::TooLarge(_) | UnpackError::LongPaths => {
            (FailureClass::Denied, "ArchiveTooLarge")
        }
        UnpackError::OutOfTime | UnpackError::Host(_) => {
            (FailureClass::Unavailable, "UnpackFailed")
        }
    };
    Failure::new(class, code, error.to_string())
}

/// A decoder that ends with an error once it has given too much.
struct Bounded<'a> {
    decoder: Box<dyn Read + 'a>,
    left: u64,
    /// What a header may still have; without bound within an entry's content.
    header: &'a Cell<u64>,
    is_over: &'a dyn Fn() -> bool,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if (self.is_over)() {
            return Err(std::io::Error::other("there is no time left"));
        }
        let read = self.decoder.read(buffer)?;
        let too_large = || std::io::Error::other("it is far larger than it may be");
        let count = read as u64;
        self.left = self.left.checked_sub(count).ok_or_else(too_large)?;
        let header = self.header.get().checked_sub(count).ok_or_else(too_large)?;
        self.header.set(header);
        Ok(read)
    }
}

fn tar(
    reader: impl Read,
    header: &Cell<u64>,
    builder: &mut Builder<'_>,
) -> Result<(), UnpackError> {
    let mut archive = tar::Archive::new(reader);
    let mut entries = archive.entries().map_err(UnpackError::Invalid)?;
    loop {
        header.set(MAX_HEADER);
        let Some(entry) = entries.next() else {
            return Ok(());
        };
        let mut entry = entry.map_err(UnpackError::Invalid)?;
        header.set(u64::MAX);
        let kind = entry.header().entry_type();
        // Global headers are about the archive; they are no entries of a tree.
        if kind.is_pax_global_extensions() {
            pass(entry)?;
            continue;
        }
        let bytes = entry.path_bytes().into_owned();
        let Ok(name) = String::from_utf8(bytes) else {
            builder.skip("-")?;
            pass(entry)?;
            continue;
        };
        if kind.is_dir() {
            builder.directory(&name)?;
        } else if kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse() {
            let executable = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
            builder.file(&name, executable, &mut entry)?;
        } else {
            builder.skip(&name)?;
        }
        pass(entry)?;
    }
}

/// Reads what is left of an entry, so that it does not count as part of the next header.
fn pass(mut entry: impl Read) -> Result<(), UnpackError> {
    std::io::copy(&mut entry, &mut std::io::sink()).map_err(UnpackError::Invalid)?;
    Ok(())
}

fn zip<R: Read + std::io::Seek>(reader: R, builder: &mut Builder<'_>) -> Result<(), UnpackError> {
    let invalid = |error: zip::result::ZipError| UnpackError::Invalid(error.into());
    let mut archive = zip::ZipArchive::new(reader).map_err(invalid)?;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(invalid)?;
        let Ok(name) = entry.name().map(std::borrow::Cow::into_owned) else {
            builder.skip("-")?;
            continue;
        };
        if entry.is_dir() {
            builder.directory(&name)?;
        } else if entry.is_file() {
            let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
            builder.file(&name, executable, entry)?;
        } else {
            builder.skip(&name)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
