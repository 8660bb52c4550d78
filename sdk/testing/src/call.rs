//! One call of a plugin, described step by step.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use weir_plugin::{
    Call, Credentials, DirTree, Failure, FailureClass, FixedTarget, Grants, Input, Limits,
    MemoryTree, Plugin, Services, Subject, Tree,
};

use crate::component::block_on;
use crate::git::Repository;
use crate::outcome::{Outcome, Rendered};
use crate::peer::Peer;
use crate::sink::{Pulled, Sink};

/// The input that a renderer renders.
const SOURCE: &str = "source";
/// Revision of an input for which none is given.
const REVISION: &str = "main@sha1:0000000000000000000000000000000000000000";

type Secret = BTreeMap<String, Vec<u8>>;

/// A call that is being described. Without further words it has no files, empty settings, the
/// host's default limits, and the slots and secrets that the plugin's `describe` wants, as if an
/// operator had granted what it asks for. Hosts are granted by [`Test::peer`],
/// [`Test::repository`] and [`Test::grant_host`].
#[must_use]
pub struct Test {
    plugin: Arc<Plugin>,
    subject: Subject,
    settings: Value,
    inputs: BTreeMap<String, (String, Content)>,
    secrets: BTreeMap<String, Secret>,
    grants: Grants,
    limits: Limits,
    target: FixedTarget,
    repository: Option<Repository>,
    ignored: Vec<String>,
}

enum Content {
    Memory(MemoryTree),
    Other(Arc<dyn Tree>),
}

impl Test {
    pub(crate) fn new(plugin: Arc<Plugin>) -> Self {
        let wanted = |kind: &str| -> Vec<String> {
            let wants = plugin.info().wants.iter();
            wants
                .filter(|want| want.kind == kind)
                .map(|want| want.name.clone())
                .collect()
        };
        let grants = Grants {
            slots: wanted("slot"),
            secrets: wanted("secret"),
            ..Grants::default()
        };
        Self {
            plugin,
            subject: Subject {
                api_version: "example.com/v1".into(),
                kind: "Test".into(),
                namespace: "default".into(),
                name: "test".into(),
                uid: "00000000-0000-0000-0000-000000000000".into(),
            },
            settings: Value::Object(serde_json::Map::new()),
            inputs: BTreeMap::new(),
            secrets: BTreeMap::new(),
            grants,
            limits: Limits::default(),
            target: FixedTarget::default(),
            repository: None,
            ignored: Vec::new(),
        }
    }

    /// Adds a file to the input `source`.
    pub fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.input_file(SOURCE, path, content)
    }

    /// Adds a file to an input.
    ///
    /// # Panics
    /// The path is no path for a file of the tree, or the input is a directory.
    #[track_caller]
    pub fn input_file(mut self, input: &str, path: &str, content: impl Into<Vec<u8>>) -> Self {
        let empty = || (REVISION.to_owned(), Content::Memory(MemoryTree::new()));
        match &mut self.inputs.entry(input.to_owned()).or_insert_with(empty).1 {
            Content::Memory(tree) => tree
                .insert(path, content.into(), false)
                .unwrap_or_else(|error| panic!("input {input}: {error}")),
            Content::Other(_) => panic!("input {input} is a directory, files cannot be added"),
        }
        self
    }

    /// Makes a local directory the input `source`.
    ///
    /// # Panics
    /// There is no such directory.
    #[track_caller]
    pub fn directory(mut self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let tree =
            DirTree::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.inputs.insert(
            SOURCE.into(),
            (REVISION.into(), Content::Other(Arc::new(tree))),
        );
        self
    }

    /// Sets the revision of an input.
    ///
    /// # Panics
    /// There is no such input yet.
    #[track_caller]
    pub fn revision(mut self, input: &str, revision: &str) -> Self {
        let entry = self
            .inputs
            .get_mut(input)
            .unwrap_or_else(|| panic!("no input {input} yet"));
        revision.clone_into(&mut entry.0);
        self
    }

    /// Sets the settings; checked against the plugin's schema before the call.
    pub fn settings(mut self, settings: Value) -> Self {
        self.settings = settings;
        self
    }

    /// Sets the object on whose behalf the call happens.
    pub fn subject(mut self, kind: &str, namespace: &str, name: &str) -> Self {
        self.subject.kind = kind.into();
        self.subject.namespace = namespace.into();
        self.subject.name = name.into();
        self
    }

    /// Binds a Secret to a slot.
    pub fn secret<K: Into<String>, V: Into<Vec<u8>>>(
        mut self,
        slot: &str,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let entries = entries
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()));
        self.secrets.entry(slot.into()).or_default().extend(entries);
        self
    }

    /// Grants an origin, `https://example.com`.
    pub fn grant_host(mut self, origin: &str) -> Self {
        self.grants.hosts.push(origin.into());
        self
    }

    /// Replaces all grants; those of hosts, too.
    pub fn grants(mut self, grants: Grants) -> Self {
        self.grants = grants;
        self
    }

    /// Grants the origin of a fake HTTP server.
    pub fn peer(self, peer: &Peer) -> Self {
        let origin = peer.origin().to_owned();
        self.grant_host(&origin)
    }

    /// Lets `git` find a repository at its URL, and grants its origin.
    pub fn repository(mut self, repository: &Repository) -> Self {
        self.repository = Some(repository.clone());
        let origin = repository.origin();
        self.grant_host(&origin)
    }

    /// Sets the bounds of the call.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Paths for which [`ignored`](weir_plugin::ArtifactSink::ignored) says yes. (The host's ignore
    /// rules are not applied here.)
    pub fn ignored<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.ignored.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Sets the target's directory in `source`; the root by default.
    pub fn path(mut self, path: &str) -> Self {
        self.target.path = path.into();
        self
    }

    /// Sets the target's values.
    pub fn values(mut self, values: &Value) -> Self {
        self.target.values = values.to_string().into();
        self
    }

    /// Sets the target's namespace.
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.target.namespace = Some(namespace.into());
        self
    }

    /// Sets name and revision of the target's release.
    pub fn release(mut self, name: &str, revision: u32) -> Self {
        self.target.release_name = Some(name.into());
        self.target.release_revision = revision;
        self.target.is_upgrade = revision > 1;
        self
    }

    /// Sets the version of the API server, `v1.35.0`.
    pub fn kube_version(mut self, version: &str) -> Self {
        self.target.kube_version = version.into();
        self
    }

    /// Adds to what the API server serves: `apps/v1`, `apps/v1/Deployment`.
    pub fn api(mut self, name: &str) -> Self {
        self.target.apis.push(name.into());
        self.target.apis.sort();
        self.target.apis.dedup();
        self
    }

    /// Calls a renderer.
    pub fn render(self) -> Outcome<Rendered> {
        let target = Arc::new(self.target.clone());
        match self.call() {
            Ok((plugin, call, _)) => {
                let called = block_on(async { plugin.render(call, target).await });
                Outcome::new(called, Rendered::from)
            }
            Err(failure) => Outcome::refused(failure),
        }
    }

    /// Calls a source. `last`: the token of the stored artifact.
    pub fn pull(self, last: Option<&str>) -> Outcome<Pulled> {
        let last = last.map(str::to_owned);
        match self.call() {
            Ok((plugin, call, sink)) => {
                let (called, sink) = block_on(async { plugin.pull(call, last, sink).await });
                Outcome::new(called, |revision| Pulled {
                    revision,
                    files: sink.files,
                    stored: sink.stored,
                })
            }
            Err(failure) => Outcome::refused(failure),
        }
    }

    /// Calls an image policy; returns the tag it picked.
    pub fn select<T: Into<String>>(
        self,
        candidates: impl IntoIterator<Item = T>,
    ) -> Outcome<Option<String>> {
        let candidates: Vec<String> = candidates.into_iter().map(Into::into).collect();
        match self.call() {
            Ok((plugin, call, _)) => {
                let given = candidates.clone();
                let called = block_on(async { plugin.select(call, given).await });
                Outcome::new(called, |index| {
                    index.and_then(|index| candidates.get(index as usize).cloned())
                })
            }
            Err(failure) => Outcome::refused(failure),
        }
    }

    /// Calls a notifier with Flux's Event.
    pub fn notify(self, id: &str, event: &Value) -> Outcome<()> {
        let (id, event) = (id.to_owned(), event.to_string());
        match self.call() {
            Ok((plugin, call, _)) => {
                let called = block_on(async { plugin.notify(call, id, event).await });
                Outcome::new(called, |()| ())
            }
            Err(failure) => Outcome::refused(failure),
        }
    }

    /// What the host makes of the description; it checks the settings first.
    fn call(self) -> Result<(Arc<Plugin>, Call, Sink), Failure> {
        let settings = self.settings.to_string();
        let problems = self.plugin.validate_settings(&settings);
        if let Some(problem) = problems.iter().find(|problem| problem.fatal) {
            let class = FailureClass::InvalidSettings;
            return Err(Failure::new(class, "InvalidSettings", problem.to_string()));
        }
        let inputs = self
            .inputs
            .into_iter()
            .map(|(name, (revision, tree))| Input {
                name,
                revision,
                tree: match tree {
                    Content::Memory(tree) => Arc::new(tree),
                    Content::Other(tree) => tree,
                },
            })
            .collect();
        let secrets = self
            .secrets
            .into_iter()
            .map(|(slot, secret)| (slot, Arc::new(secret)))
            .collect();
        let call = Call {
            subject: self.subject,
            settings: settings.into(),
            inputs,
            grants: Arc::new(self.grants),
            limits: self.limits,
            services: Services {
                git: self.repository.map(|repository| Arc::new(repository) as _),
                credentials: Some(Arc::new(Bound(secrets))),
                ..Services::none()
            },
        };
        Ok((
            self.plugin,
            call,
            Sink {
                ignored: self.ignored,
                ..Sink::default()
            },
        ))
    }
}

/// The Secrets of a test.
struct Bound(BTreeMap<String, Arc<Secret>>);

#[async_trait]
impl Credentials for Bound {
    async fn slot(&self, name: &str) -> Result<Option<Arc<Secret>>, Failure> {
        Ok(self.0.get(name).cloned())
    }

    /// A test has no object whose address would say otherwise.
    async fn is_bound_to(&self, _: &str, _: &url::Url) -> Result<bool, Failure> {
        Ok(true)
    }

    async fn ca_certificate(&self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(None)
    }
}
