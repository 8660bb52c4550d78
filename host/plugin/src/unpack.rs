//! Archives to trees: tar, tar.gz, tar.zst and zip, told by their first bytes.
//!
//! An archive with an absolute path or `..` is refused as a whole; links, devices and names that
//! are not UTF-8 are left out, as in any tree. What it unpacks to is bounded by a number of bytes,
//! by a number of entries, and by a ratio to the archive's own size.

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

/// Bounds of one archive.
#[derive(Clone, Debug)]
pub(crate) struct UnpackLimits {
    /// Temporary files go here.
    pub(crate) directory: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) entries: usize,
}

/// The archive's tree.
pub(crate) fn unpack(
    blob: &dyn BlobSource,
    limits: &UnpackLimits,
) -> Result<Arc<dyn Tree>, Failure> {
    let allowed = blob
        .size()
        .saturating_mul(MAX_RATIO)
        .max(ALWAYS_ALLOWED)
        .min(limits.bytes);
    let mut builder = Builder::new(limits.directory.clone(), limits.entries, allowed);
    let start = blob
        .read_at(0, 512)
        .map_err(|error| failure(&UnpackError::Host(error)))?;
    let reader = BufReader::with_capacity(64 << 10, BlobReader::new(blob));
    // What a decoder skips over costs time as well: everything that leaves it is counted.
    let bound = |decoder| Bounded {
        decoder,
        left: allowed.saturating_mul(2),
    };
    let unpacked = match &start[..] {
        [0x1f, 0x8b, ..] => tar(
            bound(Box::new(MultiGzDecoder::new(reader)) as Box<dyn Read>),
            &mut builder,
        ),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => match ruzstd::decoding::StreamingDecoder::new(reader) {
            Ok(decoder) => tar(bound(Box::new(decoder)), &mut builder),
            Err(error) => Err(UnpackError::Invalid(std::io::Error::other(
                error.to_string(),
            ))),
        },
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => zip(reader, &mut builder),
        header if header.get(257..262) == Some(b"ustar") => {
            tar(bound(Box::new(reader)), &mut builder)
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
    unpacked.map_err(|error| failure(&error))?;
    Ok(Arc::new(builder.finish()))
}

fn failure(error: &UnpackError) -> Failure {
    let (class, code) = match error {
        UnpackError::UnsafePath(_) | UnpackError::Conflict(_) | UnpackError::Invalid(_) => {
            (FailureClass::InvalidInput, "InvalidArchive")
        }
        UnpackError::TooManyEntries(_) | UnpackError::TooLarge(_) => {
            (FailureClass::Denied, "ArchiveTooLarge")
        }
        UnpackError::Host(_) => (FailureClass::Unavailable, "UnpackFailed"),
    };
    Failure::new(class, code, error.to_string())
}

/// A decoder that ends with an error once it has given too much.
struct Bounded<'a> {
    decoder: Box<dyn Read + 'a>,
    left: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.decoder.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| std::io::Error::other("it is far larger than it may be"))?;
        Ok(read)
    }
}

fn tar(reader: impl Read, builder: &mut Builder) -> Result<(), UnpackError> {
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().map_err(UnpackError::Invalid)? {
        let entry = entry.map_err(UnpackError::Invalid)?;
        let kind = entry.header().entry_type();
        // Global headers are about the archive; they are no entries of a tree.
        if kind.is_pax_global_extensions() {
            continue;
        }
        let bytes = entry.path_bytes().into_owned();
        let Ok(name) = String::from_utf8(bytes) else {
            builder.skip("-")?;
            continue;
        };
        if kind.is_dir() {
            builder.directory(&name)?;
        } else if kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse() {
            let executable = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
            builder.file(&name, executable, entry)?;
        } else {
            builder.skip(&name)?;
        }
    }
    Ok(())
}

fn zip<R: Read + std::io::Seek>(reader: R, builder: &mut Builder) -> Result<(), UnpackError> {
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
