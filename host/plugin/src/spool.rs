//! Bytes that the host holds for a call: small ones in memory, larger ones in an unnamed
//! temporary file that vanishes with its last handle.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::{BlobSource, Digest};

/// What fits into memory stays there.
pub(crate) const IN_MEMORY: usize = 256 << 10;

/// Bytes being written, in memory until there are too many.
#[derive(Debug)]
pub(crate) struct Buffer {
    directory: PathBuf,
    in_memory: usize,
    memory: Vec<u8>,
    file: Option<File>,
    size: u64,
}

/// Bytes that were written.
#[derive(Debug)]
pub(crate) enum Content {
    Memory(Bytes),
    File(File, u64),
}

impl Buffer {
    /// Temporary files go into `directory`, what is larger than `in_memory` into one of them.
    pub(crate) fn new(directory: PathBuf, in_memory: usize) -> Self {
        Self {
            directory,
            in_memory,
            memory: Vec::new(),
            file: None,
            size: 0,
        }
    }

    /// Bytes so far.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Bytes that are in memory.
    pub(crate) const fn memory(&self) -> usize {
        self.memory.len()
    }

    pub(crate) fn append(&mut self, data: &[u8]) -> io::Result<()> {
        self.size += data.len() as u64;
        let file = match &mut self.file {
            Some(file) => file,
            None if self.memory.len() + data.len() <= self.in_memory => {
                self.memory.extend_from_slice(data);
                return Ok(());
            }
            None => {
                let mut file = tempfile::tempfile_in(&self.directory)?;
                file.write_all(&std::mem::take(&mut self.memory))?;
                self.file.insert(file)
            }
        };
        file.write_all(data)
    }

    pub(crate) fn finish(self) -> Content {
        match self.file {
            Some(file) => Content::File(file, self.size),
            None => Content::Memory(self.memory.into()),
        }
    }
}

impl Content {
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, size) => *size,
        }
    }

    /// A part, shorter than `len` only at the end.
    pub(crate) fn read_at(&self, offset: u64, len: usize) -> io::Result<Bytes> {
        let left = usize::try_from(self.size().saturating_sub(offset)).unwrap_or(usize::MAX);
        let len = len.min(left);
        match self {
            Self::Memory(_) if len == 0 => Ok(Bytes::new()),
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                Ok(bytes.slice(start..start + len))
            }
            Self::File(file, _) => {
                let mut part = vec![0; len];
                read_exact_at(file, &mut part, offset)?;
                Ok(part.into())
            }
        }
    }
}

/// Reads at a position without moving one that others share.
#[cfg(unix)]
fn read_exact_at(file: &File, part: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, part, offset)
}

/// Reads at a position without moving one that others share.
#[cfg(windows)]
fn read_exact_at(file: &File, mut part: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !part.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, part, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        part = &mut part[read..];
        offset += read as u64;
    }
    Ok(())
}

/// A blob being written.
#[derive(Debug)]
pub(crate) struct Spool {
    buffer: Buffer,
    hasher: Sha256,
}

impl Spool {
    /// Temporary files go into `directory`.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self {
            buffer: Buffer::new(directory, IN_MEMORY),
            hasher: Sha256::new(),
        }
    }

    pub(crate) fn append(&mut self, data: &[u8]) -> io::Result<()> {
        self.hasher.update(data);
        self.buffer.append(data)
    }

    pub(crate) fn finish(self) -> Arc<dyn BlobSource> {
        let digest = Digest::from_bytes(self.hasher.finalize().into());
        Arc::new(SpooledBlob {
            content: self.buffer.finish(),
            digest,
        })
    }
}

#[derive(Debug)]
struct SpooledBlob {
    content: Content,
    digest: Digest,
}

impl BlobSource for SpooledBlob {
    fn size(&self) -> u64 {
        self.content.size()
    }

    fn digest(&self) -> Digest {
        self.digest
    }

    fn read_at(&self, offset: u64, len: usize) -> io::Result<Bytes> {
        self.content.read_at(offset, len)
    }
}

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

/// A blob as a stream.
pub(crate) struct BlobReader<'a> {
    blob: &'a dyn BlobSource,
    position: u64,
}

impl<'a> BlobReader<'a> {
    pub(crate) fn new(blob: &'a dyn BlobSource) -> Self {
        Self { blob, position: 0 }
    }
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let part = self.blob.read_at(self.position, buffer.len())?;
        buffer[..part.len()].copy_from_slice(&part);
        self.position += part.len() as u64;
        Ok(part.len())
    }
}

impl Seek for BlobReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.blob.size().checked_add_signed(offset),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_blobs_read_the_same() {
        for size in [10, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY] {
            let content: Vec<u8> = (0..size).map(|i| i as u8).collect();
            let mut spool = Spool::new(std::env::temp_dir());
            for part in content.chunks(100_000) {
                spool.append(part).unwrap();
            }
            let blob = spool.finish();
            assert_eq!(
                (blob.size(), blob.digest()),
                (size as u64, Digest::of(&content))
            );
            assert_eq!(blob.read_at(7, 100).unwrap(), content[7..size.min(107)]);
            assert_eq!(
                blob.read_at(size as u64 - 1, 100).unwrap(),
                content[size - 1..]
            );
            assert!(blob.read_at(size as u64 + 5, 100).unwrap().is_empty());
            let mut copy = Vec::new();
            io::copy(&mut BlobReader::new(&*blob), &mut copy).unwrap();
            assert_eq!(copy, content);
        }
    }
}
