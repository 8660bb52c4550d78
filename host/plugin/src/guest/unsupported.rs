//! Interfaces that are part of the contract but not hosted yet: every function answers failure
//! class `unsupported`, so that a component built for them loads and says what is missing.

use wasmtime::component::Resource;

use super::{Blob, State, Stop, unsupported};
use crate::bindings::weir::plugin::{oci, review, tcp};

/// No connection is ever made.
#[derive(Debug)]
pub enum Connection {}

/// No change set is ever handed out.
#[derive(Debug)]
pub enum ChangeSet {}

impl oci::Host for State {
    fn tags(&mut self, _repository: oci::Repository) -> Result<Vec<String>, Stop> {
        Err(unsupported("OCI registries in plugins").into())
    }

    fn resolve(&mut self, _repository: oci::Repository, _tag: String) -> Result<String, Stop> {
        Err(unsupported("OCI registries in plugins").into())
    }

    fn get_manifest(
        &mut self,
        _repository: oci::Repository,
        _digest: String,
    ) -> Result<oci::Manifest, Stop> {
        Err(unsupported("OCI registries in plugins").into())
    }

    fn get_blob(
        &mut self,
        _repository: oci::Repository,
        _digest: String,
    ) -> Result<Resource<Blob>, Stop> {
        Err(unsupported("OCI registries in plugins").into())
    }

    fn verify(
        &mut self,
        _repository: oci::Repository,
        _digest: String,
        _trust: oci::Trust,
    ) -> Result<String, Stop> {
        Err(unsupported("OCI registries in plugins").into())
    }
}

impl tcp::Host for State {
    fn connect(&mut self, _address: String, _tls: bool) -> Result<Resource<Connection>, Stop> {
        Err(unsupported("TCP connections").into())
    }
}

impl tcp::HostConnection for State {
    fn read(&mut self, _: Resource<Connection>, _max: u32) -> Result<Vec<u8>, Stop> {
        Err(unsupported("TCP connections").into())
    }

    fn write(&mut self, _: Resource<Connection>, _data: Vec<u8>) -> Result<(), Stop> {
        Err(unsupported("TCP connections").into())
    }

    fn start_tls(&mut self, _: Resource<Connection>) -> Result<(), Stop> {
        Err(unsupported("TCP connections").into())
    }

    fn drop(&mut self, handle: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl review::Host for State {}

impl review::HostChangeSet for State {
    fn size(&mut self, _: Resource<ChangeSet>) -> wasmtime::Result<u32> {
        Ok(0)
    }

    fn desired(
        &mut self,
        _: Resource<ChangeSet>,
        _start: u32,
        _count: u32,
    ) -> wasmtime::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn live(&mut self, _: Resource<ChangeSet>, _index: u32) -> Result<Option<String>, Stop> {
        Err(unsupported("validators").into())
    }

    fn drop(&mut self, handle: Resource<ChangeSet>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}
