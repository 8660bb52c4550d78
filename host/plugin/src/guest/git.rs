//! `git`: references and trees of a remote, through the host's own transport.

use url::Url;
use wasmtime::component::Resource;

use super::secrets::denied;
use super::{Dir, State, Stop, unsupported};
use crate::bindings::weir::plugin::git;
use crate::{Checkout, Failure, FailureClass, Remote, Signed, Wanted};

/// A fetched commit in the hands of a guest.
pub struct GitCheckout(Checkout);

impl State {
    /// Checks the remote against the grants and adds what the object binds to it.
    fn remote(&mut self, remote: git::Remote) -> Result<Remote, Stop> {
        let url = Url::parse(&remote.url).map_err(|error| {
            let message = format!("`{}` is no URL of a repository: {error}", remote.url);
            Failure::new(FailureClass::InvalidSettings, "InvalidURL", message)
        })?;
        if self.call()?.grants.allows(&url).is_none() {
            let origin = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
            return Err(denied(format!("`{origin}` is not granted to the plugin")).into());
        }
        let credentials = match &remote.slot {
            Some(slot) => self.slot_for(slot, &url)?,
            None => None,
        };
        let ca_certificate = self.ca_certificate()?;
        Ok(Remote {
            // As it was read here: whoever reads it again must not come to another host.
            url: url.into(),
            credentials,
            ca_certificate,
        })
    }
}

impl git::Host for State {
    fn list_references(
        &mut self,
        remote: git::Remote,
        prefixes: Vec<String>,
    ) -> Result<Vec<git::Reference>, Stop> {
        let remote = self.remote(remote)?;
        let service = self
            .call()?
            .services
            .git
            .clone()
            .ok_or_else(|| unsupported("Git"))?;
        let references =
            self.wait(async move { service.list_references(remote, prefixes).await })??;
        Ok(references
            .into_iter()
            .map(|r| git::Reference {
                name: r.name,
                target: r.target,
                peeled: r.peeled,
            })
            .collect())
    }

    fn fetch(
        &mut self,
        remote: git::Remote,
        wanted: git::Wanted,
    ) -> Result<Resource<GitCheckout>, Stop> {
        let remote = self.remote(remote)?;
        let service = self
            .call()?
            .services
            .git
            .clone()
            .ok_or_else(|| unsupported("Git"))?;
        let wanted = Wanted {
            commit: wanted.commit,
            reference: wanted.reference,
            sparse: wanted.sparse,
            submodules: wanted.submodules,
        };
        let checkout = self.wait(async move { service.fetch(remote, wanted).await })??;
        Ok(self.push(GitCheckout(checkout))?)
    }
}

impl git::HostCheckout for State {
    fn commit(&mut self, handle: Resource<GitCheckout>) -> wasmtime::Result<git::Commit> {
        let commit = &self.table.get(&handle)?.0.commit;
        Ok(git::Commit {
            id: commit.id.clone(),
            time: commit.time,
            message: commit.message.clone(),
            signature: commit.signature.clone().map(Into::into),
        })
    }

    fn tag_signature(
        &mut self,
        handle: Resource<GitCheckout>,
    ) -> wasmtime::Result<Option<git::Signed>> {
        Ok(self
            .table
            .get(&handle)?
            .0
            .tag_signature
            .clone()
            .map(Into::into))
    }

    fn files(&mut self, handle: Resource<GitCheckout>) -> wasmtime::Result<Resource<Dir>> {
        let tree = self.table.get(&handle)?.0.files.clone();
        self.push(Dir { tree, input: None })
    }

    fn drop(&mut self, handle: Resource<GitCheckout>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl From<Signed> for git::Signed {
    fn from(signed: Signed) -> Self {
        Self {
            signature: signed.signature,
            payload: signed.payload,
        }
    }
}
