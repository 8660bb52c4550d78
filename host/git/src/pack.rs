//! Packs as files: which there are, and several written anew as one.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use gix_hash::{Kind as Hash, ObjectId};
use gix_object::Kind;
use sha1::{Digest as _, Sha1};

use crate::error::Error;
use crate::objects::{self, Objects};
use crate::operation::Operation;
use crate::repository;

/// A pack with its index.
#[derive(Clone, Debug)]
pub(crate) struct Pack {
    pub(crate) index: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) bytes: u64,
}

impl Pack {
    pub(crate) fn remove(&self) -> Result<(), Error> {
        // The index first: a pack without one is not seen.
        fs::remove_file(&self.index).map_err(Error::local("remove", &self.index))?;
        fs::remove_file(&self.data).map_err(Error::local("remove", &self.data))
    }
}

/// Packs that have both files; none when the folder cannot be read.
pub(crate) fn list(directory: &Path) -> Vec<Pack> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut packs = Vec::new();
    for entry in entries.flatten() {
        let index = entry.path();
        if index
            .extension()
            .is_some_and(|extension| extension == "idx")
        {
            let data = index.with_extension("pack");
            if let Ok(metadata) = data.metadata() {
                packs.push(Pack {
                    index,
                    data,
                    bytes: metadata.len(),
                });
            }
        }
    }
    packs
}

/// All but those that hold most of the bytes: joining them costs what came lately, not what the
/// repository weighs.
pub(crate) fn small(mut packs: Vec<Pack>) -> Vec<Pack> {
    packs.sort_by_key(|pack| pack.bytes);
    let mut sum = 0;
    let mut kept = packs.len();
    for (at, pack) in packs.iter().enumerate() {
        if at > 1 && pack.bytes > 2 * sum {
            kept = at;
            break;
        }
        sum += pack.bytes;
    }
    packs.truncate(kept);
    packs
}

/// Writes the objects of the packs into one stream; returns the file.
pub(crate) fn join(
    packs: &[Pack],
    objects: &Objects,
    directory: &Path,
    operation: &Operation,
) -> Result<PathBuf, Error> {
    let mut ids = HashSet::new();
    for pack in packs {
        let index = gix_pack::index::File::at(&pack.index, Hash::Sha1)
            .map_err(|error| Error::damaged("cannot read a pack's index", &error))?;
        ids.extend(index.iter().map(|entry| entry.oid));
    }
    let path = directory.join("joined.tmp");
    let mut out = Hashed {
        inner: repository::create(&path)?,
        hash: Sha1::new(),
    };
    write(&mut out, &ids, objects, operation, &path)?;
    Ok(path)
}

fn write(
    out: &mut Hashed<impl Write>,
    ids: &HashSet<ObjectId>,
    objects: &Objects,
    operation: &Operation,
    path: &Path,
) -> Result<(), Error> {
    let failed = |error| Error::local("write", path)(error);
    let handle = objects.walker();
    let count = u32::try_from(ids.len())
        .map_err(|_| Error::Content(format!("{} objects are too many for a pack", ids.len())))?;
    out.write_all(b"PACK\0\0\0\x02")
        .and_then(|()| out.write_all(&count.to_be_bytes()))
        .map_err(failed)?;
    for id in ids {
        operation.check()?;
        let (kind, content) = objects::find(&handle, *id)?;
        out.write_all(&entry_header(kind, content.len() as u64))
            .map_err(failed)?;
        let mut encoder = ZlibEncoder::new(&mut *out, Compression::fast());
        encoder
            .write_all(&content)
            .and_then(|()| encoder.finish().map(drop))
            .map_err(failed)?;
    }
    let digest = out.hash.clone().finalize();
    out.inner
        .write_all(&digest)
        .and_then(|()| out.inner.flush())
        .map_err(failed)
}

/// Type and size of an entry, as gitformat-pack says: four bits of the size beside the type, then
/// seven a byte.
fn entry_header(kind: Kind, size: u64) -> Vec<u8> {
    let kind: u8 = match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    };
    let mut bytes = vec![(kind << 4) | (size & 0x0f) as u8];
    let mut rest = size >> 4;
    while rest > 0 {
        if let Some(last) = bytes.last_mut() {
            *last |= 0x80;
        }
        bytes.push((rest & 0x7f) as u8);
        rest >>= 7;
    }
    bytes
}

struct Hashed<W> {
    inner: W,
    hash: Sha1,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let length = self.inner.write(data)?;
        self.hash.update(data.get(..length).unwrap_or_default());
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_carry_type_and_size() {
        assert_eq!(entry_header(Kind::Blob, 5), [0x35]);
        assert_eq!(entry_header(Kind::Tree, 16), [0xa0, 0x01]);
        assert_eq!(entry_header(Kind::Commit, 0x7_ff), [0x9f, 0x7f]);
        assert_eq!(entry_header(Kind::Tag, 0x8_00), [0xc0, 0x80, 0x01]);
    }

    #[test]
    fn the_packs_that_weigh_most_stay() {
        let sizes = |sizes: &[u64]| {
            let pack = |bytes: &u64| Pack {
                index: "i".into(),
                data: "d".into(),
                bytes: *bytes,
            };
            let small = small(sizes.iter().map(pack).collect());
            small.into_iter().map(|pack| pack.bytes).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[5000, 1, 2, 3]), [1, 2, 3]);
        assert_eq!(sizes(&[4, 1, 2, 3]), [1, 2, 3, 4]);
        // Two at least, or nothing would be gained.
        assert_eq!(sizes(&[1, 900]), [1, 900]);
    }
}
