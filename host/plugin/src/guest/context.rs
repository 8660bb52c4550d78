//! `context`: the subject, the settings and the input trees of a call. Every question is
//! recorded.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::{Dir, State, Stop};
use crate::bindings::weir::plugin::{context, types};
use crate::trace::Question;
use crate::{Failure, FailureClass, answer};

/// The handle of the call; all it stands for is in [`State::call`].
#[derive(Debug)]
pub struct CallHandle;

impl context::Host for State {}

impl context::HostCall for State {
    fn subject(&mut self, _: Resource<CallHandle>) -> wasmtime::Result<types::Subject> {
        let subject = self.call()?.subject.clone();
        self.recorder
            .record(Question::Subject, || answer::subject(&subject));
        Ok(types::Subject {
            api_version: subject.api_version,
            kind: subject.kind,
            namespace: subject.namespace,
            name: subject.name,
            uid: subject.uid,
        })
    }

    fn settings(&mut self, _: Resource<CallHandle>) -> wasmtime::Result<String> {
        let settings = self.call()?.settings.clone();
        self.recorder
            .record(Question::Settings, || answer::text(&settings));
        Ok(settings.as_ref().to_owned())
    }

    fn inputs(&mut self, _: Resource<CallHandle>) -> wasmtime::Result<Vec<String>> {
        let names: Vec<String> = self
            .call()?
            .inputs
            .iter()
            .map(|input| input.name.clone())
            .collect();
        self.recorder
            .record(Question::Inputs, || answer::texts(&names));
        Ok(names)
    }

    fn tree(&mut self, _: Resource<CallHandle>, name: String) -> Result<Resource<Dir>, Stop> {
        let input = self.call()?.inputs.iter().find(|input| input.name == name);
        let tree = input.map(|input| input.tree.clone());
        let root = tree.as_ref().and_then(|tree| tree.kind(""));
        let question = Question::Kind(name.as_str().into(), String::new());
        self.recorder.record(question, || answer::kind(root));
        let tree = tree.ok_or_else(|| no_input(&name))?;
        Ok(self.push(Dir {
            tree,
            input: Some(Arc::from(name)),
        })?)
    }

    fn revision(&mut self, _: Resource<CallHandle>, name: String) -> Result<String, Stop> {
        let input = self.call()?.inputs.iter().find(|input| input.name == name);
        let revision = input.map(|input| input.revision.clone());
        self.recorder.record(Question::Revision(name.clone()), || {
            revision
                .as_deref()
                .map_or_else(answer::absent, answer::text)
        });
        Ok(revision.ok_or_else(|| no_input(&name))?)
    }

    fn drop(&mut self, handle: Resource<CallHandle>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

fn no_input(name: &str) -> Failure {
    Failure::new(
        FailureClass::NotFound,
        "NotFound",
        format!("no artifact `{name}` is handed in"),
    )
}
