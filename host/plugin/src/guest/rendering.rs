//! `rendering`: what a renderer may ask about its target. Every question is recorded.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::{State, Stop, unsupported};
use crate::bindings::weir::plugin::rendering;
use crate::trace::Question;
use crate::{Target, answer};

/// The handle of the target; all it stands for is in [`State::target`].
#[derive(Debug)]
pub struct TargetHandle;

impl State {
    fn target(&self) -> wasmtime::Result<Arc<dyn Target>> {
        self.target
            .clone()
            .ok_or_else(|| wasmtime::Error::msg("no render is in progress"))
    }
}

impl rendering::Host for State {}

impl rendering::HostTarget for State {
    fn path(&mut self, _: Resource<TargetHandle>) -> wasmtime::Result<String> {
        let path = self.target()?.path();
        self.recorder.record(Question::Path, || answer::text(&path));
        Ok(path)
    }

    fn values(&mut self, _: Resource<TargetHandle>) -> wasmtime::Result<String> {
        let values = self.target()?.values();
        self.recorder
            .record(Question::Values, || answer::text(&values));
        Ok(values.as_ref().to_owned())
    }

    fn namespace(&mut self, _: Resource<TargetHandle>) -> wasmtime::Result<Option<String>> {
        let namespace = self.target()?.namespace();
        self.recorder.record(Question::Namespace, || {
            answer::optional(namespace.as_deref())
        });
        Ok(namespace)
    }

    fn release_name(&mut self, _: Resource<TargetHandle>) -> wasmtime::Result<Option<String>> {
        let name = self.target()?.release_name();
        self.recorder
            .record(Question::ReleaseName, || answer::optional(name.as_deref()));
        Ok(name)
    }

    fn release_revision(&mut self, _: Resource<TargetHandle>) -> wasmtime::Result<u32> {
        let revision = self.target()?.release_revision();
        self.recorder
            .record(Question::ReleaseRevision, || answer::number(revision));
        Ok(revision)
    }

    fn is_upgrade(&mut self, _: Resource<TargetHandle>) -> wasmtime::Result<bool> {
        let is_upgrade = self.target()?.is_upgrade();
        self.recorder
            .record(Question::IsUpgrade, || answer::flag(is_upgrade));
        Ok(is_upgrade)
    }

    fn kube_version(&mut self, _: Resource<TargetHandle>) -> wasmtime::Result<String> {
        let version = self.target()?.kube_version();
        self.recorder
            .record(Question::KubeVersion, || answer::text(&version));
        Ok(version)
    }

    fn has_api(&mut self, _: Resource<TargetHandle>, name: String) -> wasmtime::Result<bool> {
        let has = self.target()?.has_api(&name);
        self.recorder
            .record(Question::HasApi(name), || answer::flag(has));
        Ok(has)
    }

    fn apis(&mut self, _: Resource<TargetHandle>) -> wasmtime::Result<Vec<String>> {
        let apis = self.target()?.apis();
        self.recorder
            .record(Question::Apis, || answer::texts(&apis));
        Ok(apis)
    }

    fn decrypt(
        &mut self,
        _: Resource<TargetHandle>,
        _data: Vec<u8>,
        _format: String,
    ) -> Result<Vec<u8>, Stop> {
        Err(unsupported("decryption").into())
    }

    fn drop(&mut self, handle: Resource<TargetHandle>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}
