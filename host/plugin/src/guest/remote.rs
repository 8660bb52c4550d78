//! `remote`: what a kustomization names by URL. Nobody's credentials go along, and the origin has
//! to be granted. What another day brings may be something else, so a result that depends on it is
//! not cached; only a commit, named in full, stays what it is.

use http::HeaderMap;
use url::Url;
use wasmtime::component::Resource;

use super::secrets::denied;
use super::{Blob, Dir, State, Stop, unsupported};
use crate::bindings::weir::plugin::remote;
use crate::net::{Outgoing, Trust};
use crate::{Failure, FailureClass, Git, Reference, Remote, Wanted};

/// The commit that a reference stood for when this call first asked: it stays the same to its end.
pub(super) type Pins = std::collections::HashMap<(String, Option<String>), Wanted>;

impl remote::Host for State {
    fn get_file(&mut self, url: String) -> Result<Resource<Blob>, Stop> {
        self.recorder.impure().remote = true;
        let outgoing = Outgoing {
            method: http::Method::GET,
            url: parse(&url)?,
            headers: HeaderMap::new(),
            body: None,
            trust: Trust::default(),
        };
        let download = self.download(Ok(outgoing));
        let (answer, blob) = self.wait(download)??;
        let class = match answer.status {
            200..=299 => return Ok(self.push(blob)?),
            404 | 410 => FailureClass::NotFound,
            401 | 403 => FailureClass::Unauthorized,
            _ => FailureClass::Unavailable,
        };
        let message = format!("`{url}` answers with status {}", answer.status);
        Err(Failure::new(class, "HTTPError", message).into())
    }

    fn get_repository(
        &mut self,
        url: String,
        reference: Option<String>,
    ) -> Result<Resource<Dir>, Stop> {
        let is_commit = reference.as_deref().is_some_and(is_commit_id);
        // Also what is refused today may be allowed tomorrow.
        self.recorder.impure().remote = true;
        let address = parse(&url)?;
        if self.call()?.grants.allows(&address).is_none() {
            let origin = address.origin().ascii_serialization();
            let origin = Some(origin).filter(|origin| origin != "null");
            let origin = origin.unwrap_or_else(|| format!("{}:", address.scheme()));
            return Err(denied(format!("`{origin}` is not granted to the plugin")).into());
        }
        let git = self.call()?.services.git.clone();
        let git = git.ok_or_else(|| unsupported("remote repositories"))?;
        let remote = Remote {
            url: address.into(),
            credentials: None,
            ca_certificate: None,
        };
        let pin = (url, reference);
        let wanted = match self.pins.get(&pin) {
            Some(wanted) => wanted.clone(),
            None if is_commit => wanted(pin.1.clone().unwrap_or_default(), None),
            None => self.resolve(&*git, &remote, pin.1.as_deref())?,
        };
        self.pins.insert(pin, wanted.clone());
        let checkout = self.wait(git.fetch(remote, wanted))??;
        Ok(self.push(Dir {
            tree: checkout.files,
            input: None,
        })?)
    }
}

impl State {
    /// The commit that a reference stands for now.
    fn resolve(
        &mut self,
        git: &dyn Git,
        remote: &Remote,
        reference: Option<&str>,
    ) -> Result<Wanted, Stop> {
        let names = match reference {
            None => vec!["HEAD".to_owned()],
            Some(name) => candidates(name),
        };
        let listed = git.list_references(remote.clone(), names.clone());
        let listed = self.wait(listed)??;
        // Names are asked for as prefixes; git's own order of preference decides between them.
        let named = |name: &String| listed.iter().find(|listed| listed.name == *name);
        let Some(found) = names.iter().find_map(named) else {
            let message = match reference {
                None => format!("{} has no default branch", remote.url),
                Some(name) => format!("{} has no reference `{name}`", remote.url),
            };
            return Err(Failure::new(FailureClass::NotFound, "NotFound", message).into());
        };
        let Reference {
            name,
            target,
            peeled,
        } = found.clone();
        let under = (name != "HEAD").then_some(name);
        Ok(wanted(peeled.unwrap_or(target), under))
    }
}

fn wanted(commit: String, reference: Option<String>) -> Wanted {
    Wanted {
        commit,
        reference,
        sparse: Vec::new(),
        // A submodule may lead to where nothing is granted.
        submodules: false,
    }
}

fn is_commit_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Full names that a short one may stand for, as `git fetch` tries them.
fn candidates(name: &str) -> Vec<String> {
    let rules = ["refs/tags/", "refs/heads/"];
    let full = name.starts_with("refs/").then(|| name.to_owned());
    full.into_iter()
        .chain(rules.iter().map(|prefix| format!("{prefix}{name}")))
        .collect()
}

fn parse(url: &str) -> Result<Url, Failure> {
    Url::parse(url).map_err(|error| {
        let message = format!("`{url}` is no URL: {error}");
        Failure::new(FailureClass::InvalidInput, "InvalidURL", message)
    })
}
