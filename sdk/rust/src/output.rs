//! What renderers hand back: documents, by-products, remarks.

use crate::Result;
use crate::bindings::imports::weir::plugin::output;

/// Manifests are handed over in batches of about this many bytes: large enough that crossing costs
/// nothing, small enough to bound the component's memory and let the host parse meanwhile.
const BATCH_BYTES: usize = 256 << 10;
/// And at most this many, so that many small ones do not wait either.
const BATCH_COUNT: usize = 256;

/// One or more YAML or JSON documents.
#[derive(Clone, Debug)]
pub struct Manifest(output::Manifest);

impl Manifest {
    /// Documents to apply.
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Self(output::Manifest {
            body: body.into(),
            origin: None,
            role: None,
        })
    }

    /// The file that they come from; named in errors about them.
    pub fn from_file(mut self, path: impl Into<String>) -> Self {
        self.0.origin = Some(path.into());
        self
    }

    /// `crd`: applied before everything else; `hook`: run by its annotations. The host refuses a
    /// role that the object's kind lacks.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.0.role = Some(role.into());
        self
    }
}

/// Takes what a renderer makes. Order is kept.
#[derive(Debug)]
pub struct Emitter {
    host: output::Emitter,
    batch: Vec<output::Manifest>,
    bytes: usize,
}

impl Emitter {
    pub(crate) fn new(host: output::Emitter) -> Self {
        Self {
            host,
            batch: Vec::new(),
            bytes: 0,
        }
    }

    /// Emits documents.
    ///
    /// # Errors
    /// `denied` once the host's limit of objects or bytes is reached.
    pub fn emit(&mut self, manifest: Manifest) -> Result<()> {
        self.bytes += manifest.0.body.len();
        self.batch.push(manifest.0);
        if self.bytes >= BATCH_BYTES || self.batch.len() >= BATCH_COUNT {
            self.flush()?;
        }
        Ok(())
    }

    /// Hands over what is buffered; done by itself after a render that returned ok.
    ///
    /// # Errors
    /// As [`Emitter::emit`].
    pub fn flush(&mut self) -> Result<()> {
        if !self.batch.is_empty() {
            self.host.emit(&std::mem::take(&mut self.batch))?;
            self.bytes = 0;
        }
        Ok(())
    }

    /// Hands over a by-product that the object's kind knows by name (HelmRelease: `notes`).
    ///
    /// # Errors
    /// `denied` when the kind knows no such by-product, or at the host's limit.
    pub fn attach(&mut self, name: &str, data: &[u8]) -> Result<()> {
        Ok(self.host.attach(name, data)?)
    }

    /// A remark that is no failure; it becomes an Event, and is kept with a cached result.
    pub fn warn(&mut self, code: &str, message: &str) {
        self.host.warn(code, message);
    }
}
