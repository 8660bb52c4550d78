//! A loaded plugin: what it says of itself, and its calls.

mod call;
mod checked;
mod outcome;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmtime::component::{Component, InstancePre};

pub use call::Called;

use crate::bindings::exports::weir::plugin as exports;
use crate::guest::{Labels, State};
use crate::runtime::Shared;
use crate::schema::{Problem, Schema};
use crate::{Digest, LoadError, World};

/// What a plugin says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// Its name.
    pub name: String,
    /// SemVer of the plugin.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// JSON Schema (2020-12) of the settings object.
    pub settings_schema: Value,
    /// Settings that are valid under the schema.
    pub examples: Vec<Value>,
    /// What the operator has to grant.
    pub wants: Vec<Want>,
    /// Extra data: docs URL, icon, licence.
    pub annotations: Vec<(String, String)>,
}

/// Something that the operator must grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// `host`, `slot`, `secret`, `cluster`.
    pub kind: String,
    /// `https://*.example.com`, slot, `v1/Secret`.
    pub name: String,
    /// One sentence for the operator.
    pub reason: String,
}

/// What is known of a component besides its code: stored beside it on disk, and embedded with the
/// built-in ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// Of the component's bytes.
    pub digest: Digest,
    /// Its kind.
    pub world: World,
    /// Version of the contract it was built for.
    pub contract: String,
    /// Its answer to `describe`.
    pub info: Info,
}

/// The exported interface that a world is called by.
pub(crate) enum Export {
    Source(exports::source::GuestIndices),
    Renderer(exports::renderer::GuestIndices),
    ImagePolicy(exports::image_policy::GuestIndices),
    Notifier(exports::notifier::GuestIndices),
    /// A world that is not called yet.
    Other,
}

/// A component that is compiled, checked and described.
pub struct Plugin {
    description: Description,
    imports: Vec<String>,
    schema: Schema,
    pub(crate) pre: InstancePre<State>,
    pub(crate) about: exports::about::GuestIndices,
    pub(crate) export: Export,
    pub(crate) labels: Arc<Labels>,
    pub(crate) shared: Arc<Shared>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.info().name)
            .field("version", &self.info().version)
            .field("world", &self.world())
            .field("digest", &self.digest())
            .finish_non_exhaustive()
    }
}

impl Plugin {
    /// Of the component's bytes.
    pub fn digest(&self) -> Digest {
        self.description.digest
    }

    /// Its kind.
    pub fn world(&self) -> World {
        self.description.world
    }

    /// Version of the contract it was built for.
    pub fn contract(&self) -> &str {
        &self.description.contract
    }

    /// What it says of itself.
    pub fn info(&self) -> &Info {
        &self.description.info
    }

    /// All that is known of it besides its code.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The interfaces it imports: its list of capabilities.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// What is wrong with the settings by the plugin's schema; empty: nothing. The host asks
    /// before each call; [`Plugin::check_settings`] asks the plugin itself.
    pub fn validate_settings(&self, settings: &str) -> Vec<Problem> {
        self.schema.check(settings)
    }

    /// Links the component and takes or asks its description. Runs on a blocking thread.
    pub(crate) fn build(
        shared: &Arc<Shared>,
        component: &Component,
        digest: Digest,
        known: Option<Info>,
    ) -> Result<Self, LoadError> {
        let engine = component.engine();
        let ty = component.component_type();
        let (world, contract) = crate::world::world(ty.exports(engine).map(|(name, _)| name))?;
        let imports = ty
            .imports(engine)
            .map(|(name, _)| name.to_owned())
            .collect();
        let pre = crate::linker::link(component, world)?;

        let indices = || -> wasmtime::Result<_> {
            let export = match world {
                World::Source => Export::Source(exports::source::GuestIndices::new(&pre)?),
                World::Renderer => Export::Renderer(exports::renderer::GuestIndices::new(&pre)?),
                World::ImagePolicy => {
                    Export::ImagePolicy(exports::image_policy::GuestIndices::new(&pre)?)
                }
                World::Notifier => Export::Notifier(exports::notifier::GuestIndices::new(&pre)?),
                _ => Export::Other,
            };
            Ok((exports::about::GuestIndices::new(&pre)?, export))
        };
        let (about, export) =
            indices().map_err(|source| LoadError::IncompatibleImports { source })?;

        let mut plugin = Self {
            description: Description {
                digest,
                world,
                contract: contract.to_string(),
                info: Info::default(),
            },
            imports,
            schema: Schema::compile(&Value::Bool(true)).map_err(LoadError::Host)?,
            pre,
            about,
            export,
            labels: Arc::new(Labels {
                plugin: String::new(),
                digest: digest.to_string(),
            }),
            shared: shared.clone(),
        };
        let info = match known {
            Some(info) => info,
            None => plugin.describe()?,
        };
        plugin.schema = Schema::compile(&info.settings_schema)
            .map_err(|problem| LoadError::InvalidDescription { problem })?;
        plugin.labels = Arc::new(Labels {
            plugin: info.name.clone(),
            digest: digest.to_string(),
        });
        plugin.description.info = info;
        Ok(plugin)
    }
}
