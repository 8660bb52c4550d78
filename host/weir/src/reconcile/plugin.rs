//! Plugin: look up the tag, pull, load, swap, tell.
//!
//! A new digest takes over only when it is loaded and has described itself; until then, and when
//! it never does, the old one goes on serving. Nothing here runs on the path of other kinds'
//! reconciles: they take whatever the catalog holds.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kube::api::Api;
use kube::{Client, ResourceExt as _};
use weir_api::condition::{self, Condition, ConditionStatus};
use weir_api::meta::{self, condition as types, reason};
use weir_api::weir::v1alpha1::{Description, Plugin, PluginStatus, Want};
use weir_plugin::{Catalog, Runtime, World};

use super::objects::{Key, Objects};
use super::queue::jitter;
use super::status::Writer;
use super::worker::{Next, Reconcile};
use crate::credentials::Secrets;
use crate::event::{Happening, Recorder, Severity};
use crate::grants::GrantBook;
use crate::images::{FetchError, Fetched, Images, Wanted};
use crate::telemetry::chain;

/// Conditions that this host owns on a Plugin.
const OWNED: &[&str] = &[
    types::READY,
    types::RECONCILING,
    types::STALLED,
    types::PULLED,
    types::VERIFIED,
    types::COMPILED,
];

/// Reconciles Plugins.
pub struct Plugins {
    /// The view.
    pub objects: Arc<Objects<Plugin>>,
    /// Writes them.
    pub writer: Writer<Plugin>,
    /// The API that they are written to.
    pub client: Client,
    /// Loads components.
    pub runtime: Runtime,
    /// Pulls them.
    pub images: Images,
    /// Who serves which name.
    pub catalog: Arc<Catalog>,
    /// What they may do.
    pub grants: Arc<GrantBook>,
    /// Registry credentials.
    pub secrets: Arc<Secrets>,
    /// Tells people.
    pub recorder: Recorder,
    /// Of pull secrets that name none.
    pub namespace: String,
    /// Of the interval, in percent.
    pub jitter: u8,
}

/// A run that did not end well: the condition it is about, why, and whether to come back.
struct Failed {
    condition: &'static str,
    reason: String,
    message: String,
    stalled: bool,
}

#[async_trait]
impl Reconcile for Plugins {
    const CONTROLLER: &'static str = "plugin";
    const KIND: &'static str = "Plugin";
    const GROUP: &'static str = meta::WEIR_GROUP;

    async fn reconcile(&self, key: &Key, _: bool) -> Next {
        let Some(object) = self.objects.get(key) else {
            return Next::Gone;
        };
        // Grants count at once, also for what serves already.
        self.grants.set(&key.name, Some(&object.spec.grants));
        if object.spec.suspend {
            return Next::OnChange;
        }
        match Box::pin(self.update(&object)).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the API server refused a write");
                Next::Backoff(Duration::ZERO)
            }
        }
    }
}

impl Plugins {
    /// Gives names back to the built-ins when their Plugin is deleted.
    pub fn release_on_delete(
        objects: &Objects<Plugin>,
        catalog: &Arc<Catalog>,
        grants: &Arc<GrantBook>,
    ) {
        let (catalog, grants) = (Arc::clone(catalog), Arc::clone(grants));
        objects.on_change(move |change| {
            if change.new.is_none() {
                catalog.remove(&change.key.name);
                grants.set(&change.key.name, None);
            }
        });
    }

    async fn update(&self, object: &Plugin) -> Result<Next, kube::Error> {
        let old = object.status.clone().unwrap_or_default();
        let mut new = old.clone();
        let generation = object.metadata.generation;
        let outcome = Box::pin(self.install(object, &mut new)).await;
        new.last_handled_reconcile_at = object
            .annotations()
            .get(meta::REQUESTED_AT)
            .cloned()
            .or(new.last_handled_reconcile_at);
        let next = match outcome {
            Ok(swapped) => {
                let digest = new.digest.clone().unwrap_or_default();
                let message = format!("serving {digest}");
                condition::mark_ready(&mut new.conditions, generation, reason::SUCCEEDED, &message);
                new.observed_generation = generation;
                if swapped {
                    tracing::info!(plugin = object.name_any(), digest, "a plugin took over");
                    self.recorder.record(Happening::new(
                        object,
                        Severity::Info,
                        "PluginReady",
                        message,
                    ));
                }
                Next::After(jitter(object.spec.interval().get(), self.jitter))
            }
            Err(failed) => self.failed(object, &old, &mut new, &failed),
        };
        new.conditions = condition::merge_owned(&old.conditions, &new.conditions, OWNED);
        let api: Api<Plugin> = Api::all(self.client.clone());
        self.writer.status(&api, object, &old, &new).await?;
        Ok(next)
    }

    /// Brings the image's component to the catalog; returns whether another one serves now.
    async fn install(&self, object: &Plugin, new: &mut PluginStatus) -> Result<bool, Failed> {
        let name = object.name_any();
        let generation = object.metadata.generation;
        let spec = &object.spec;
        let docker_config = self.pull_secret(object).await?;
        let wanted = Wanted {
            image: &spec.image,
            insecure: spec.insecure,
            docker_config: docker_config.as_deref(),
            world: built_in_world(&name),
        };
        let fetched = self.images.fetch(&self.runtime, wanted).await;
        let fetched = fetched.map_err(|error| fetch_failed(&error))?;
        let mut tell = |type_: &str, message: String| {
            let status = ConditionStatus::True;
            condition::set(
                &mut new.conditions,
                Condition::new(type_, status, reason::SUCCEEDED, message, generation),
            );
        };
        let (plugin, manifest) = match fetched {
            Fetched::Compiled {
                plugin,
                manifest,
                unchecked,
            } => {
                let doubt = unchecked
                    .map(|error| format!("; not checked now: {}", chain(&error)))
                    .unwrap_or_default();
                tell(types::PULLED, format!("pulled {}{doubt}", spec.image));
                (plugin, manifest)
            }
            Fetched::Pulled(pulled) => {
                tell(types::PULLED, format!("pulled {}", spec.image));
                let loaded = self.runtime.load(pulled.source()).await;
                let plugin = loaded.map_err(|error| Failed {
                    condition: types::COMPILED,
                    reason: error.reason().into(),
                    message: chain(&error).to_string(),
                    stalled: !error.is_retryable(),
                })?;
                (plugin, pulled.manifest_digest())
            }
        };
        self.images.remember(&spec.image, manifest, plugin.digest());
        tell(types::VERIFIED, format!("digest {manifest}"));
        tell(types::COMPILED, "compiled for this host".into());
        new.digest = Some(plugin.digest().to_string());
        new.world = Some(plugin.world().to_string());
        new.contract_version = Some(plugin.contract().to_owned());
        new.description = Some(self.describe(&name, &plugin));
        let serving = self.catalog.get(&name).map(|serving| serving.digest());
        let swapped = serving != Some(plugin.digest());
        self.catalog.replace(&name, plugin);
        Ok(swapped)
    }

    /// The Secret of `pullSecretRef`, as a docker config.
    async fn pull_secret(&self, object: &Plugin) -> Result<Option<Vec<u8>>, Failed> {
        let Some(reference) = &object.spec.pull_secret_ref else {
            return Ok(None);
        };
        let namespace = reference.namespace.as_deref().unwrap_or(&self.namespace);
        let failed = |message: String| Failed {
            condition: types::PULLED,
            reason: reason::AUTHENTICATION_FAILED.into(),
            message,
            stalled: false,
        };
        let values = self
            .secrets
            .read(namespace, &reference.name)
            .await
            .map_err(|failure| failed(failure.message))?;
        match values.get(".dockerconfigjson") {
            Some(config) => Ok(Some(config.clone())),
            None => Err(failed(format!(
                "the secret '{namespace}/{}' has no key .dockerconfigjson",
                reference.name
            ))),
        }
    }

    fn describe(&self, name: &str, plugin: &weir_plugin::Plugin) -> Description {
        let info = plugin.info();
        let grants = self.grants.of(name).grants;
        let covers = |list: &[String], wanted: &str| {
            list.iter()
                .any(|granted| granted == wanted || granted == "*")
        };
        let wants = info
            .wants
            .iter()
            .map(|want| Want {
                kind: want.kind.clone(),
                name: want.name.clone(),
                reason: want.reason.clone(),
                granted: match want.kind.as_str() {
                    "host" => covers(&grants.hosts, &want.name),
                    "slot" => covers(&grants.slots, &want.name),
                    "secret" => covers(&grants.secrets, &want.name),
                    _ => false,
                },
            })
            .collect();
        Description {
            name: info.name.clone(),
            version: info.version.clone(),
            summary: info.summary.clone(),
            wants,
            annotations: info.annotations.iter().cloned().collect(),
        }
    }

    fn failed(
        &self,
        object: &Plugin,
        old: &PluginStatus,
        new: &mut PluginStatus,
        failed: &Failed,
    ) -> Next {
        let generation = object.metadata.generation;
        let (reason, mut message) = (failed.reason.as_str(), failed.message.clone());
        if let Some(serving) = self.catalog.get(&object.name_any()) {
            message = format!("{message}; {} goes on serving", serving.digest());
        }
        condition::set(
            &mut new.conditions,
            Condition::new(
                failed.condition,
                ConditionStatus::False,
                reason,
                &message,
                generation,
            ),
        );
        let repeated = condition::find(&old.conditions, types::READY)
            .is_some_and(|ready| ready.is_false() && ready.message == message);
        if failed.stalled {
            condition::mark_stalled(&mut new.conditions, generation, reason, &message);
            new.observed_generation = generation;
        } else {
            condition::mark_failed(&mut new.conditions, generation, reason, &message);
        }
        if !repeated {
            tracing::warn!(reason, error = message, "a plugin does not take over");
            self.recorder
                .record(Happening::new(object, Severity::Error, reason, message));
        }
        // A stalled tag may be pushed again: it is looked up at the interval all the same.
        if failed.stalled {
            Next::RetryAfter(jitter(object.spec.interval().get(), self.jitter))
        } else {
            Next::Backoff(Duration::ZERO)
        }
    }
}

/// A Plugin that replaces a built-in must be of the same world.
fn built_in_world(name: &str) -> Option<World> {
    let builtin = crate::builtin::BUILTINS
        .iter()
        .find(|builtin| builtin.name == name)?;
    builtin
        .description()
        .ok()
        .map(|description| description.world)
}

fn fetch_failed(error: &FetchError) -> Failed {
    Failed {
        condition: types::PULLED,
        reason: error.reason().into(),
        message: chain(error).to_string(),
        stalled: !error.is_retryable(),
    }
}
