//! `files`: trees and blobs. What a guest asks of an input is recorded, path by path; a tree
//! that follows from an answer already recorded (an unpacked blob) needs no record of its own.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use wasmtime::component::Resource;

use super::{State, Stop};
use crate::bindings::weir::plugin::files;
use crate::call::BlobSource;
use crate::trace::Question;
use crate::trees::glob_until;
use crate::unpack::unpack;
use crate::{Digest, EntryKind, Failure, FailureClass, FileInfo, Tree, answer, normalise};

/// A tree in the hands of a guest.
#[derive(Clone, Debug)]
pub struct Dir {
    pub(crate) tree: Arc<dyn Tree>,
    /// The input that it is, if it is one.
    pub(crate) input: Option<Arc<str>>,
}

/// A blob in the hands of a guest.
#[derive(Clone)]
pub struct Blob(pub(crate) Arc<dyn BlobSource>);

/// A file of a tree as a blob.
struct TreeFile {
    tree: Arc<dyn Tree>,
    path: String,
    info: FileInfo,
}

impl BlobSource for TreeFile {
    fn size(&self) -> u64 {
        self.info.size
    }

    fn digest(&self) -> Digest {
        self.info.digest
    }

    fn read_at(&self, offset: u64, len: usize) -> io::Result<Bytes> {
        self.tree.read_at(&self.path, offset, len)
    }
}

impl State {
    fn dir(&self, handle: &Resource<Dir>) -> wasmtime::Result<Dir> {
        Ok(self.table.get(handle)?.clone())
    }

    pub(super) fn blob(&self, handle: &Resource<Blob>) -> wasmtime::Result<Arc<dyn BlobSource>> {
        Ok(self.table.get(handle)?.0.clone())
    }

    /// Records a question about an input's tree.
    fn ask(
        &mut self,
        dir: &Dir,
        question: impl FnOnce(Arc<str>) -> Question,
        answer: impl FnOnce() -> Digest,
    ) {
        if let Some(input) = &dir.input {
            self.recorder.record(question(input.clone()), answer);
        }
    }

    /// Looks a file up, and records what was found.
    fn look_up(&mut self, dir: &Dir, path: &str) -> Result<(String, FileInfo), Failure> {
        // What leaves the tree is absent in every tree: nothing to record.
        let normal = normalise(path).ok_or_else(|| absent(path))?;
        let info = dir.tree.file(&normal);
        self.ask(
            dir,
            |input| Question::Read(input, normal.clone()),
            || answer::file(info.as_ref()),
        );
        Ok((normal, info.ok_or_else(|| absent(path))?))
    }

    /// What is read is copied into the guest's memory next: what cannot fit there must not fill
    /// the host's first.
    fn fits(&self, bytes: u64) -> Result<(), Failure> {
        let memory = self.meter.limits.memory;
        if bytes <= memory {
            return Ok(());
        }
        let message = format!("{bytes} bytes are more than the {memory} of the plugin's memory");
        Err(Failure::new(FailureClass::Denied, "TooLarge", message))
    }

    fn read_file(&mut self, dir: &Dir, path: &str) -> Result<Vec<u8>, Failure> {
        let (normal, info) = self.look_up(dir, path)?;
        self.fits(info.size)?;
        let content = dir
            .tree
            .read(&normal)
            .map_err(|error| unreadable(path, &error))?;
        Ok(content.into())
    }
}

pub(super) fn absent(path: &str) -> Failure {
    Failure::new(
        FailureClass::NotFound,
        "NotFound",
        format!("`{path}` is not in the tree"),
    )
}

fn unreadable(path: &str, error: &io::Error) -> Failure {
    let message = format!("the host cannot read `{path}`: {error}");
    Failure::new(FailureClass::Unavailable, "ReadFailed", message)
}

impl files::Host for State {}

impl files::HostDir for State {
    fn kind(
        &mut self,
        handle: Resource<Dir>,
        path: String,
    ) -> wasmtime::Result<Option<files::EntryKind>> {
        let dir = self.dir(&handle)?;
        let Some(path) = normalise(&path) else {
            return Ok(None);
        };
        let kind = dir.tree.kind(&path);
        self.ask(
            &dir,
            |input| Question::Kind(input, path),
            || answer::kind(kind),
        );
        Ok(kind.map(Into::into))
    }

    fn entries(&mut self, handle: Resource<Dir>, path: String) -> Result<Vec<files::Entry>, Stop> {
        let dir = self.dir(&handle)?;
        let normal = normalise(&path).ok_or_else(|| absent(&path))?;
        let entries = dir.tree.entries(&normal);
        self.ask(
            &dir,
            |input| Question::Entries(input, normal),
            || answer::entries(entries.as_deref()),
        );
        Ok(entries
            .ok_or_else(|| absent(&path))?
            .into_iter()
            .map(|entry| files::Entry {
                name: entry.name,
                kind: entry.kind.into(),
            })
            .collect())
    }

    fn glob(&mut self, handle: Resource<Dir>, pattern: String) -> Result<Vec<String>, Stop> {
        let dir = self.dir(&handle)?;
        let watch = self.meter.watch();
        let found = match glob_until(&*dir.tree, &pattern, &|| watch.is_over()) {
            Ok(Some(found)) => Ok(found),
            Ok(None) => return Err(self.over().into()),
            Err(error) => Err(error),
        };
        self.ask(
            &dir,
            |input| Question::Glob(input, pattern),
            || answer::globbed(found.as_deref().ok()),
        );
        Ok(found.map_err(|error| {
            Failure::new(
                FailureClass::InvalidInput,
                "InvalidPattern",
                error.to_string(),
            )
        })?)
    }

    fn read(&mut self, handle: Resource<Dir>, path: String) -> Result<Vec<u8>, Stop> {
        let dir = self.dir(&handle)?;
        Ok(self.read_file(&dir, &path)?)
    }

    fn read_many(
        &mut self,
        handle: Resource<Dir>,
        paths: Vec<String>,
    ) -> Result<Vec<files::File>, Stop> {
        let dir = self.dir(&handle)?;
        let mut files = Vec::with_capacity(paths.len());
        let mut bytes = 0;
        for path in paths {
            let data = self.read_file(&dir, &path)?;
            bytes += data.len() as u64;
            self.fits(bytes)?;
            self.meter.check()?;
            files.push(files::File { path, data });
        }
        Ok(files)
    }

    fn open(&mut self, handle: Resource<Dir>, path: String) -> Result<Resource<Blob>, Stop> {
        let dir = self.dir(&handle)?;
        let (path, info) = self.look_up(&dir, &path)?;
        Ok(self.push(Blob(Arc::new(TreeFile {
            tree: dir.tree,
            path,
            info,
        })))?)
    }

    fn drop(&mut self, handle: Resource<Dir>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl files::HostBlob for State {
    fn size(&mut self, handle: Resource<Blob>) -> wasmtime::Result<u64> {
        Ok(self.blob(&handle)?.size())
    }

    fn digest(&mut self, handle: Resource<Blob>) -> wasmtime::Result<String> {
        Ok(self.blob(&handle)?.digest().to_string())
    }

    fn read(&mut self, handle: Resource<Blob>, offset: u64, len: u32) -> Result<Vec<u8>, Stop> {
        let blob = self.blob(&handle)?;
        self.fits(blob.size().saturating_sub(offset).min(len.into()))?;
        let part = blob.read_at(offset, len as usize);
        Ok(part.map_err(|error| unreadable("the blob", &error))?.into())
    }

    fn unpack(&mut self, handle: Resource<Blob>) -> Result<Resource<Dir>, Stop> {
        let blob = self.blob(&handle)?;
        let watch = self.meter.watch();
        let unpacked = unpack(&*blob, &mut self.unpacking, &|| watch.is_over());
        // What was given up is no fault of the archive's.
        self.meter.check()?;
        let tree = unpacked?;
        Ok(self.push(Dir { tree, input: None })?)
    }

    fn drop(&mut self, handle: Resource<Blob>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl From<EntryKind> for files::EntryKind {
    fn from(kind: EntryKind) -> Self {
        match kind {
            EntryKind::File => Self::File,
            EntryKind::Directory => Self::Directory,
        }
    }
}
