//! `output`: what renderers and generators emit, bounded by bytes and by number.

use bytes::Bytes;
use wasmtime::component::Resource;

use super::{State, Stop};
use crate::bindings::weir::plugin::output;
use crate::{Manifest, Warning};

/// The handle of the emitter; what was emitted is in [`State::output`].
#[derive(Debug)]
pub struct Emitter;

impl output::Host for State {}

impl output::HostEmitter for State {
    fn emit(&mut self, _: Resource<Emitter>, batch: Vec<output::Manifest>) -> Result<(), Stop> {
        let bytes = batch.iter().map(|manifest| {
            let texts = [&manifest.origin, &manifest.role];
            manifest.body.len() + texts.into_iter().flatten().map(String::len).sum::<usize>()
        });
        self.count_output(batch.len() as u64, bytes.sum::<usize>() as u64)?;
        self.output
            .manifests
            .extend(batch.into_iter().map(|manifest| Manifest {
                body: Bytes::from(manifest.body),
                origin: manifest.origin,
                role: manifest.role,
            }));
        Ok(())
    }

    fn attach(&mut self, _: Resource<Emitter>, name: String, data: Vec<u8>) -> Result<(), Stop> {
        self.count_output(1, (name.len() + data.len()) as u64)?;
        self.output.attachments.push((name, Bytes::from(data)));
        Ok(())
    }

    fn warn(
        &mut self,
        _: Resource<Emitter>,
        code: String,
        message: String,
    ) -> wasmtime::Result<()> {
        // The function has no failure to return: the meter alone ends the call.
        if self
            .count_output(1, (code.len() + message.len()) as u64)
            .is_ok()
        {
            self.output.warnings.push(Warning { code, message });
        }
        Ok(())
    }

    fn drop(&mut self, handle: Resource<Emitter>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}
