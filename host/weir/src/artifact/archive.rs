//! The `.tar.gz` that Flux's consumers download.
//!
//! Entries as fluxcd/source-controller `Storage.Archive` writes them: directories without a
//! trailing slash (the root is `.`), mode 0750; executable files 0700, others 0600; no owner, no
//! times. The digest therefore depends on names and content only.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use weir_plugin::Digest;

/// Counts and hashes what passes through.
struct Hashing<W> {
    inner: W,
    hasher: Sha256,
    size: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(data)?;
        self.hasher.update(data.get(..written).unwrap_or_default());
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes an archive; entries come in the order of a walk.
pub(super) struct Archive<W: Write> {
    tar: tar::Builder<GzEncoder<Hashing<W>>>,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(inner: W) -> Self {
        let hashing = Hashing {
            inner,
            hasher: Sha256::new(),
            size: 0,
        };
        Self {
            tar: tar::Builder::new(GzEncoder::new(hashing, Compression::default())),
        }
    }

    pub(super) fn directory(&mut self, path: &str) -> io::Result<()> {
        let mut header = header(0o750, 0, tar::EntryType::Directory);
        let path = if path.is_empty() { "." } else { path };
        self.tar.append_data(&mut header, path, io::empty())
    }

    pub(super) fn file(&mut self, path: &str, executable: bool, content: &[u8]) -> io::Result<()> {
        let mode = if executable { 0o700 } else { 0o600 };
        let mut header = header(mode, content.len() as u64, tar::EntryType::Regular);
        self.tar.append_data(&mut header, path, content)
    }

    /// Ends the archive; gives the writer back with digest and size of what was written to it.
    pub(super) fn finish(self) -> io::Result<(W, Digest, u64)> {
        let hashing = self.tar.into_inner()?.finish()?;
        let digest = Digest::from_bytes(hashing.hasher.finalize().into());
        Ok((hashing.inner, digest, hashing.size))
    }
}

fn header(mode: u32, size: u64, kind: tar::EntryType) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}
