//! Bytes that the host holds for a call: small ones in memory, larger ones in an unnamed
//! temporary file that vanishes with its last handle.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::{BlobSource, Digest};

/// What fits into memory stays there.
const IN_MEMORY: usize = 256 << 10;

/// A blob in memory.
#[derive(Clone, Debug)]
pub struct MemoryBlob {
    content: Bytes,
    digest: Digest,
}

impl MemoryBlob {
    /// Hashes the content.
    pub fn new(content: impl Into<Bytes>) -> Self {
        let content = content.into();
        let digest = Digest::of(&content);
        Self { content, digest }
    }
}

impl BlobSource for MemoryBlob {
    fn size(&self) -> u64 {
        self.content.len() as u64
    }

    fn digest(&self) -> Digest {
        self.digest
    }

    fn read_at(&self, offset: u64, len: usize) -> io::Result<Bytes> {
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.content.len());
        Ok(self
            .content
            .slice(start..self.content.len().min(start.saturating_add(len))))
    }
}

/// A blob in an unnamed file.
#[derive(Debug)]
struct FileBlob {
    file: File,
    size: u64,
    digest: Digest,
}

impl BlobSource for FileBlob {
    fn size(&self) -> u64 {
        self.size
    }

    fn digest(&self) -> Digest {
        self.digest
    }

    fn read_at(&self, offset: u64, len: usize) -> io::Result<Bytes> {
        let left = self.size.saturating_sub(offset);
        let mut part = vec![0; len.min(usize::try_from(left).unwrap_or(usize::MAX))];
        read_exact_at(&self.file, &mut part, offset)?;
        Ok(part.into())
    }
}

/// Reads at a position without moving one that others share.
#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, part: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, part, offset)
}

/// Reads at a position without moving one that others share.
#[cfg(not(unix))]
pub(crate) fn read_exact_at(file: &File, part: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(part)
}

/// A blob being written.
#[derive(Debug)]
pub(crate) struct Spool {
    directory: PathBuf,
    memory: Vec<u8>,
    file: Option<File>,
    hasher: Sha256,
    size: u64,
}

impl Spool {
    /// Temporary files go into `directory`.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            memory: Vec::new(),
            file: None,
            hasher: Sha256::new(),
            size: 0,
        }
    }

    pub(crate) fn write(&mut self, data: &[u8]) -> io::Result<()> {
        self.hasher.update(data);
        self.size += data.len() as u64;
        if self.file.is_none() {
            if self.memory.len() + data.len() <= IN_MEMORY {
                self.memory.extend_from_slice(data);
                return Ok(());
            }
            let mut file = tempfile::tempfile_in(&self.directory)?;
            file.write_all(&std::mem::take(&mut self.memory))?;
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(data),
            None => Ok(()),
        }
    }

    /// Bytes so far.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn finish(self) -> Arc<dyn BlobSource> {
        let digest = Digest::from_bytes(self.hasher.finalize().into());
        match self.file {
            Some(file) => Arc::new(FileBlob {
                file,
                size: self.size,
                digest,
            }),
            None => Arc::new(MemoryBlob {
                content: self.memory.into(),
                digest,
            }),
        }
    }
}

impl Write for Spool {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.write(data)?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
