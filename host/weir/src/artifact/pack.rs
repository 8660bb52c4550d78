//! A tree on disk: the files' contents one after another, and an index of where each begins.
//!
//! Renders read single files with `pread`; nothing is ever unpacked for them, and a thousand
//! Kustomizations of one monorepo share one open pack. A pack is a cache: it can be made again
//! from the archive of the same digest (`rebuild`).

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use weir_plugin::{Digest, Entry, EntryKind, FileInfo, Tree};

use super::{Store, StoreError};

/// Written into each index; another number is rebuilt, not read.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Index {
    format: u32,
    pack_size: u64,
    /// Sorted bytewise by path.
    files: Vec<PackedFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PackedFile {
    path: Box<str>,
    offset: u64,
    size: u64,
    digest: Digest,
    executable: bool,
}

/// An open pack.
#[derive(Debug)]
pub struct PackTree {
    pack: File,
    files: Vec<PackedFile>,
    /// A read did not give what was put in: the next to open the tree makes it anew.
    damaged: AtomicBool,
}

impl PackTree {
    /// Opens the pack of an archive's digest below `folder`.
    pub fn open(folder: &Path, digest: &Digest) -> Result<Self, StoreError> {
        let index_path = folder.join(format!("{}.index", digest.hex()));
        let pack_path = folder.join(format!("{}.pack", digest.hex()));
        let bytes = std::fs::read(&index_path).map_err(StoreError::io("read", &index_path))?;
        let damaged = |why: String| StoreError::Damaged(digest.to_string(), why);
        let index: Index =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if index.format != FORMAT {
            return Err(damaged(format!(
                "format {} of another version",
                index.format
            )));
        }
        let pack = File::open(&pack_path).map_err(StoreError::io("open", &pack_path))?;
        let size = pack
            .metadata()
            .map_err(StoreError::io("stat", &pack_path))?
            .len();
        if size != index.pack_size {
            return Err(damaged(format!(
                "{size} bytes instead of {}",
                index.pack_size
            )));
        }
        Ok(Self {
            pack,
            files: index.files,
            damaged: AtomicBool::new(false),
        })
    }

    /// Whether a read has found the pack to be other than it was written.
    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    fn read_exactly(&self, file: &PackedFile, offset: u64, len: usize) -> io::Result<Bytes> {
        let mut content = vec![0; len];
        self.pack
            .read_exact_at(&mut content, file.offset + offset)?;
        // Parts of a file cannot be checked; who asks for a part knows a large file.
        if content.len() as u64 == file.size && Digest::of(&content) != file.digest {
            let message = format!("{} is damaged in the artifact store", file.path);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(content.into())
    }

    fn find(&self, path: &str) -> Option<&PackedFile> {
        let index = self
            .files
            .binary_search_by(|file| (*file.path).cmp(path))
            .ok()?;
        self.files.get(index)
    }

    /// The files whose path starts with `prefix`.
    fn starting_with<'t>(&'t self, prefix: &'t str) -> impl Iterator<Item = &'t PackedFile> {
        let start = self.files.partition_point(|file| &*file.path < prefix);
        self.files
            .iter()
            .skip(start)
            .take_while(move |file| file.path.starts_with(prefix))
    }
}

/// `dir` as the prefix of what is in it; the root has the empty prefix.
fn prefix_of(directory: &str) -> String {
    if directory.is_empty() {
        String::new()
    } else {
        format!("{directory}/")
    }
}

impl Tree for PackTree {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        if path.is_empty() {
            return Some(EntryKind::Directory);
        }
        if self.find(path).is_some() {
            return Some(EntryKind::File);
        }
        self.starting_with(&prefix_of(path))
            .next()
            .map(|_| EntryKind::Directory)
    }

    fn entries(&self, path: &str) -> Option<Vec<Entry>> {
        let prefix = prefix_of(path);
        let mut entries: Vec<Entry> = Vec::new();
        let mut at = self.files.partition_point(|file| *file.path < *prefix);
        while let Some(file) = self.files.get(at) {
            let Some(rest) = file.path.strip_prefix(&*prefix) else {
                break;
            };
            match rest.split_once('/') {
                None => {
                    entries.push(Entry {
                        name: rest.to_owned(),
                        kind: EntryKind::File,
                    });
                    at += 1;
                }
                Some((name, _)) => {
                    // Everything below it sorts before `name` followed by the byte after `/`.
                    let past = format!("{prefix}{name}0");
                    entries.push(Entry {
                        name: name.to_owned(),
                        kind: EntryKind::Directory,
                    });
                    at = self.files.partition_point(|file| *file.path < *past);
                }
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        // A name that sorts between a directory and its content splits the directory's range.
        entries.dedup();
        (path.is_empty() || !entries.is_empty()).then_some(entries)
    }

    fn file(&self, path: &str) -> Option<FileInfo> {
        self.find(path).map(|file| FileInfo {
            digest: file.digest,
            size: file.size,
            executable: file.executable,
        })
    }

    fn read(&self, path: &str) -> io::Result<Bytes> {
        self.read_at(path, 0, usize::MAX)
    }

    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Bytes> {
        let file = self.find(path).ok_or(io::ErrorKind::NotFound)?;
        let offset = offset.min(file.size);
        let len = len.min(usize::try_from(file.size - offset).unwrap_or(usize::MAX));
        self.read_exactly(file, offset, len)
            .inspect_err(|_| self.damaged.store(true, Ordering::Relaxed))
    }
}

/// Writes a pack; files may come in any order.
pub(super) struct PackWriter {
    pack: BufWriter<tempfile::NamedTempFile>,
    size: u64,
    files: Vec<PackedFile>,
}

impl PackWriter {
    pub(super) fn new(incoming: &Path) -> io::Result<Self> {
        let pack = BufWriter::new(tempfile::NamedTempFile::new_in(incoming)?);
        Ok(Self {
            pack,
            size: 0,
            files: Vec::new(),
        })
    }

    /// `digest` is that of `content`.
    pub(super) fn file(
        &mut self,
        path: &str,
        executable: bool,
        digest: Digest,
        content: &[u8],
    ) -> io::Result<()> {
        self.pack.write_all(content)?;
        let size = content.len() as u64;
        self.files.push(PackedFile {
            path: path.into(),
            offset: self.size,
            size,
            digest,
            executable,
        });
        self.size += size;
        Ok(())
    }

    /// Ends the pack and names it by the archive's digest below `folder`. The index comes last:
    /// a pack without one does not exist.
    pub(super) fn finish(
        mut self,
        folder: &Path,
        incoming: &Path,
        digest: &Digest,
    ) -> io::Result<()> {
        self.pack.flush()?;
        let file = self
            .pack
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.persist(folder.join(format!("{}.pack", digest.hex())))
            .map_err(|error| error.error)?;
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        let index = Index {
            format: FORMAT,
            pack_size: self.size,
            files: self.files,
        };
        let mut file = BufWriter::new(tempfile::NamedTempFile::new_in(incoming)?);
        serde_json::to_writer(&mut file, &index)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.persist(folder.join(format!("{}.index", digest.hex())))
            .map_err(|error| error.error)?;
        Ok(())
    }
}

/// Makes the pack of `digest` again from its archive, which is checked against the digest.
pub(super) fn rebuild(
    store: &Store,
    digest: &Digest,
    archive: &Path,
) -> Result<PackTree, StoreError> {
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    let mut file = File::open(archive).map_err(StoreError::io("open", archive))?;
    io::copy(&mut file, &mut hasher).map_err(StoreError::io("read", archive))?;
    let found = Digest::from_bytes(hasher.finalize().into());
    if found != *digest {
        return Err(StoreError::Damaged(
            digest.to_string(),
            format!("its digest is {found}"),
        ));
    }

    let file = File::open(archive).map_err(StoreError::io("open", archive))?;
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(io::BufReader::new(file)));
    let folder = store.root.join("trees");
    let mut write = || -> io::Result<()> {
        let mut pack = PackWriter::new(&store.incoming())?;
        let mut content = Vec::new();
        for entry in tar.entries()? {
            let mut entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let executable = entry.header().mode()? & 0o111 != 0;
            content.clear();
            entry.read_to_end(&mut content)?;
            pack.file(&path, executable, Digest::of(&content), &content)?;
        }
        pack.finish(&folder, &store.incoming(), digest)
    };
    write().map_err(StoreError::io("rebuild", archive))?;
    PackTree::open(&folder, digest)
}
