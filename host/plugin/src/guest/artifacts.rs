//! `artifacts`: the artifact under construction, and blobs that a guest writes.

use std::sync::Arc;

use parking_lot::Mutex;
use wasmtime::component::Resource;

use super::{Blob, Dir, State, Stop};
use crate::bindings::weir::plugin::{artifacts, files};
use crate::spool::{MemoryBlob, Spool};
use crate::{ArtifactSink, EntryKind, Failure, FailureClass, Tree, normalise};

/// The handle of the artifact; the artifact is [`State::sink`].
#[derive(Debug)]
pub struct ArtifactHandle;

/// A blob being written; `None` once it is finished.
pub struct Writer(Option<Spool>);

impl State {
    fn sink(&self) -> wasmtime::Result<Arc<Mutex<dyn ArtifactSink>>> {
        self.sink
            .clone()
            .ok_or_else(|| wasmtime::Error::msg("no artifact is being made"))
    }

    /// Number and bytes of the files that `copy` would bring.
    fn measure(&mut self, tree: &dyn Tree, path: &str) -> Result<(), Stop> {
        let mut pending = vec![path.to_owned()];
        while let Some(path) = pending.pop() {
            // Directories alone count for nothing, but there may be many, walked many times.
            self.meter.check()?;
            match tree.kind(&path) {
                None => {}
                Some(EntryKind::File) => {
                    let size = tree.file(&path).map_or(0, |file| file.size);
                    self.count_output(1, size)?;
                }
                Some(EntryKind::Directory) => {
                    for entry in tree.entries(&path).unwrap_or_default() {
                        pending.push(join(&path, &entry.name));
                    }
                }
            }
        }
        Ok(())
    }
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

/// The path of a file in the artifact. Without control characters: archives end names at a NUL,
/// and people read them in logs.
fn file_path(path: &str) -> Result<String, Failure> {
    normalise(path)
        .filter(|path| !path.is_empty() && !path.contains(char::is_control))
        .ok_or_else(|| {
            let message = format!("{path:?} is no path for a file of an artifact");
            Failure::new(FailureClass::InvalidInput, "InvalidPath", message)
        })
}

impl artifacts::Host for State {}

impl artifacts::HostArtifact for State {
    fn put(&mut self, _: Resource<ArtifactHandle>, files: Vec<files::File>) -> Result<(), Stop> {
        let sink = self.sink()?;
        for file in files {
            let path = file_path(&file.path)?;
            self.count_output(1, file.data.len() as u64)?;
            sink.lock().put(&path, &MemoryBlob::new(file.data))?;
        }
        Ok(())
    }

    fn put_blob(
        &mut self,
        _: Resource<ArtifactHandle>,
        path: String,
        content: Resource<Blob>,
    ) -> Result<(), Stop> {
        let blob = self.blob(&content)?;
        let path = file_path(&path)?;
        self.count_output(1, blob.size())?;
        Ok(self.sink()?.lock().put(&path, &*blob)?)
    }

    fn copy(
        &mut self,
        _: Resource<ArtifactHandle>,
        tree: Resource<Dir>,
        paths: Vec<(String, String)>,
    ) -> Result<(), Stop> {
        let tree = self.table.get(&tree)?.tree.clone();
        let mut pairs = Vec::with_capacity(paths.len());
        for (from, to) in paths {
            let source = normalise(&from).filter(|path| tree.kind(path).is_some());
            let source = source.ok_or_else(|| super::files::absent(&from))?;
            // A directory may become the artifact's root; a file needs a name.
            let target = match tree.kind(&source) {
                Some(EntryKind::Directory) if normalise(&to).is_some_and(|to| to.is_empty()) => {
                    String::new()
                }
                _ => file_path(&to)?,
            };
            self.measure(&*tree, &source)?;
            pairs.push((source, target));
        }
        Ok(self.sink()?.lock().copy(&tree, &pairs)?)
    }

    fn ignored(
        &mut self,
        _: Resource<ArtifactHandle>,
        paths: Vec<String>,
    ) -> wasmtime::Result<Vec<bool>> {
        let sink = self.sink()?;
        let ignored = sink.lock().ignored(&paths);
        Ok(ignored)
    }

    fn store(
        &mut self,
        _: Resource<ArtifactHandle>,
        content: Resource<Blob>,
        file_name: Option<String>,
    ) -> Result<(), Stop> {
        let blob = self.blob(&content)?;
        if let Some(name) = &file_name
            && (name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']))
        {
            let message = format!("`{name}` is no file name");
            return Err(Failure::new(FailureClass::InvalidInput, "InvalidPath", message).into());
        }
        self.count_output(1, blob.size())?;
        Ok(self.sink()?.lock().store(&*blob, file_name.as_deref())?)
    }

    fn drop(&mut self, handle: Resource<ArtifactHandle>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl artifacts::HostWriter for State {
    fn new(&mut self) -> wasmtime::Result<Resource<Writer>> {
        let spool = self.environment.spool();
        self.push(Writer(Some(spool)))
    }

    fn write(&mut self, handle: Resource<Writer>, data: Vec<u8>) -> Result<(), Stop> {
        // Counted as output already here: it fills the host's disk whether it is stored or not.
        self.count_output(0, data.len() as u64)?;
        let spool = self
            .table
            .get_mut(&handle)?
            .0
            .as_mut()
            .ok_or_else(finished)?;
        spool.append(&data).map_err(|error| {
            let message = format!("the host cannot write a blob: {error}");
            Failure::new(FailureClass::Unavailable, "WriteFailed", message)
        })?;
        Ok(())
    }

    fn finish(&mut self, handle: Resource<Writer>) -> Result<Resource<Blob>, Stop> {
        let spool = self.table.get_mut(&handle)?.0.take().ok_or_else(finished)?;
        Ok(self.push(Blob(spool.finish()))?)
    }

    fn drop(&mut self, handle: Resource<Writer>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

fn finished() -> Failure {
    Failure::new(FailureClass::Internal, "Finished", "the blob is finished")
}
