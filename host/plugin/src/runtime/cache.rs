//! Compiled code on disk, so that a restart compiles nothing.
//!
//! `<dir>/<engine>/<digest>.cwasm` is what wasmtime precompiled, `<digest>.json` its description
//! with checksums of both. The folder of the engine is named by the hash of all that the code
//! depends on (wasmtime, processor, settings). Code is run as it is: only this host writes the
//! folder, nothing in it ever comes from a registry, and its files are private to the user. The
//! checksum finds damage, not malice.

#![expect(
    unsafe_code,
    reason = "loading precompiled code is unsafe: this module wrote it"
)]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::builtin::Packed;
use crate::{Description, Digest};

/// What the name of an engine's folder begins with.
const ENGINE: &str = "engine-";
/// How long code that another build extracted, or another engine compiled, is kept without being
/// used.
const UNUSED: Duration = Duration::from_hours(30 * 24);

/// A folder of compiled code.
#[derive(Debug)]
pub(super) struct Cache {
    directory: PathBuf,
    max_bytes: u64,
}

/// What lies beside the code.
#[derive(Serialize, Deserialize)]
struct Entry {
    size: u64,
    crc32: u32,
    /// Of the description: it decides what settings are let through, and costs no more to check.
    description_crc32: u32,
    description: Description,
}

impl Entry {
    fn new(code: &[u8], description: Description) -> serde_json::Result<Self> {
        Ok(Self {
            size: code.len() as u64,
            crc32: crc32fast::hash(code),
            description_crc32: sum_of(&description)?,
            description,
        })
    }
}

fn sum_of(description: &Description) -> serde_json::Result<u32> {
    Ok(crc32fast::hash(&serde_json::to_vec(description)?))
}

/// Makes a component of code that is in memory, copying it.
pub(super) fn from_memory(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the callers pass what `Engine::precompile_component` returned a moment ago, or what
    // the build embedded in this very binary.
    unsafe { Component::deserialize(engine, code) }
}

/// Makes a component of code in a file, mapping it.
fn from_file(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file was written by this host into a private folder and its checksum is right;
    // files are replaced by renaming, never changed, so a mapped one stays as it is.
    unsafe { Component::deserialize_file(engine, path) }
}

impl Cache {
    /// Opens or makes the folder for this engine's code, readable by its user only.
    pub(super) fn open(directory: PathBuf, engine: &Engine, max_bytes: u64) -> io::Result<Self> {
        let directory = directory.join(format!("{ENGINE}{}", super::engine::stamp(engine)));
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&directory)?;
        Ok(Self {
            directory,
            max_bytes,
        })
    }

    fn code(&self, digest: Digest) -> PathBuf {
        self.directory.join(format!("{}.cwasm", digest.hex()))
    }

    fn entry(&self, digest: Digest) -> PathBuf {
        self.directory.join(format!("{}.json", digest.hex()))
    }

    /// The component of that digest, if it is there and whole. What is damaged is removed.
    pub(super) fn load(&self, engine: &Engine, digest: Digest) -> Option<(Component, Description)> {
        let entry = fs::read(self.entry(digest)).ok()?;
        let checked = || -> Result<(Component, Description), String> {
            let entry: Entry = serde_json::from_slice(&entry).map_err(|e| e.to_string())?;
            if entry.description.digest != digest {
                return Err("it describes another component".into());
            }
            if sum_of(&entry.description).map_err(|e| e.to_string())? != entry.description_crc32 {
                return Err("the checksum of its description is wrong".into());
            }
            let path = self.code(digest);
            let (size, crc32) = checksum(&path).map_err(|e| e.to_string())?;
            if (size, crc32) != (entry.size, entry.crc32) {
                return Err("its checksum is wrong".into());
            }
            let component = from_file(engine, &path).map_err(|e| format!("{e:#}"))?;
            Ok((component, entry.description))
        };
        match checked() {
            Ok(found) => {
                touch(&self.entry(digest));
                Some(found)
            }
            Err(problem) => {
                tracing::warn!(%digest, problem, "cached code is damaged, compiling anew");
                self.remove(digest);
                None
            }
        }
    }

    /// Keeps code and description; the description is what makes it count, so it comes last.
    pub(super) fn store(&self, code: &[u8], description: &Description) -> io::Result<()> {
        let digest = description.digest;
        write(&self.code(digest), code)?;
        let entry = Entry::new(code, description.clone())?;
        write(&self.entry(digest), &serde_json::to_vec(&entry)?)?;
        self.prune(digest);
        self.forget_engines();
        Ok(())
    }

    /// Code of this binary as a file, so that it can be mapped; `None`: it does not fit, or cannot
    /// be written. The name holds a checksum of the code: another build brings another file.
    pub(super) fn extract(
        &self,
        engine: &Engine,
        code: Packed,
        digest: Digest,
    ) -> Option<Component> {
        let (size, crc32) = code.sum()?;
        let name = format!("{}-{crc32:08x}.cwasm", digest.hex());
        let path = self.directory.join(name);
        let whole = checksum(&path).is_ok_and(|found| found == (size, crc32));
        if whole {
            touch(&path);
        } else {
            write_by(&path, |file| code.write_to(file))
                .inspect_err(|error| tracing::warn!(%error, "failed to extract a built-in plugin"))
                .ok()?;
            self.forget_extracted();
            self.forget_engines();
        }
        from_file(engine, &path).ok()
    }

    /// Removes what other builds extracted and have not used for long.
    fn forget_extracted(&self) {
        for path in paths_in(&self.directory) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let extracted = name.contains('-') && name.ends_with(".cwasm");
            if extracted && is_unused(&path) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// Removes the folders of other engines, such as that of the version before, in which nothing
    /// was used for long.
    fn forget_engines(&self) {
        for folder in self.directory.parent().into_iter().flat_map(paths_in) {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            let other = name.starts_with(ENGINE) && folder != self.directory;
            // The folder's own time tells of one that was made a moment ago and is empty.
            if other && is_unused(&folder) && paths_in(&folder).all(|path| is_unused(&path)) {
                let _ = fs::remove_dir_all(&folder);
            }
        }
    }

    fn image(&self, manifest: Digest) -> PathBuf {
        self.directory.join(format!("{}.image", manifest.hex()))
    }

    /// The component that a manifest named when it was pulled.
    pub(super) fn component_of(&self, manifest: Digest) -> Option<Digest> {
        fs::read_to_string(self.image(manifest)).ok()?.parse().ok()
    }

    /// Keeps which component a manifest names. To lose that costs a pull.
    pub(super) fn remember_image(&self, manifest: Digest, component: Digest) {
        if let Err(error) = write(&self.image(manifest), component.to_string().as_bytes()) {
            tracing::warn!(%error, %manifest, "failed to keep the component's digest");
        }
    }

    fn remove(&self, digest: Digest) {
        let _ = fs::remove_file(self.entry(digest));
        let _ = fs::remove_file(self.code(digest));
    }

    /// Removes what was used longest ago until the rest fits. Mapped files live on until they are
    /// dropped.
    fn prune(&self, keep: Digest) {
        let mut known: Vec<(SystemTime, u64, Digest)> = paths_in(&self.directory)
            .filter_map(|path| {
                let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
                let digest: Digest = format!("sha256:{name}").parse().ok()?;
                let modified = path.metadata().ok()?.modified().ok()?;
                Some((modified, self.code(digest).metadata().ok()?.len(), digest))
            })
            .collect();
        known.sort_unstable();
        let mut total: u64 = known.iter().map(|(_, size, _)| size).sum();
        for (_, size, digest) in known {
            if total <= self.max_bytes {
                break;
            }
            if digest != keep {
                self.remove(digest);
                total -= size;
            }
        }
    }
}

/// What is in a folder; nothing for one that cannot be listed.
fn paths_in(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path()))
}

/// Whether the time of its last use is long ago.
fn is_unused(path: &Path) -> bool {
    let modified = path.metadata().and_then(|found| found.modified());
    let age = modified.ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > UNUSED)
}

/// Its time tells what was used last; a failure only makes it look older.
fn touch(path: &Path) {
    if let Ok(file) = File::options().append(true).open(path) {
        let _ = file.set_modified(SystemTime::now());
    }
}

/// Size and CRC of a file, read rather than mapped: pages that are only summed up must not count
/// as this process's memory.
fn checksum(path: &Path) -> io::Result<(u64, u32)> {
    let mut file = File::open(path)?;
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; 256 << 10];
    let mut size = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((size, hasher.finalize())),
            n => {
                hasher.update(&buffer[..n]);
                size += n as u64;
            }
        }
    }
}

/// Writes a private file and renames it into place.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    write_by(path, |file| file.write_all(content))
}

fn write_by(path: &Path, content: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    // Temporary files are made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    content(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_engines_that_nothing_uses_any_more_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - 2 * UNUSED;
        for (name, used) in [
            ("engine-old", old),
            ("engine-used", SystemTime::now()),
            ("notes", old),
        ] {
            let engine = folder.path().join(name);
            fs::create_dir(&engine).unwrap();
            let code = File::create(engine.join("a.cwasm")).unwrap();
            code.set_modified(used).unwrap();
            File::open(&engine).unwrap().set_modified(old).unwrap();
        }
        let folder_of_all = folder.path().to_owned();
        let cache = Cache::open(folder_of_all, &Engine::default(), 1 << 20).unwrap();
        cache.forget_engines();
        let own = cache.directory.file_name().unwrap().to_str().unwrap();
        let mut left: Vec<_> = paths_in(folder.path())
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        left.sort_unstable();
        let mut expected = [own, "engine-used", "notes"];
        expected.sort_unstable();
        assert_eq!(left, expected);
    }
}
