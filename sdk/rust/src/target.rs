//! What a renderer may ask about where its output goes.

use std::rc::Rc;

use crate::Result;
use crate::bindings::imports::weir::plugin::rendering;

/// Format of encrypted data, for [`Target::decrypt`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML documents.
    Yaml,
    /// A JSON document.
    Json,
    /// `KEY=value` lines.
    Dotenv,
    /// Sections of `key=value` lines.
    Ini,
    /// Anything else.
    Binary,
}

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Dotenv => "dotenv",
            Self::Ini => "ini",
            Self::Binary => "binary",
        }
    }
}

/// The target of a render. A question that is not asked is not part of the cache key.
///
/// Clones are the same target, for values that cannot borrow it; none may outlive the call.
#[derive(Clone, Debug)]
pub struct Target(Rc<rendering::Target>);

impl Target {
    pub(crate) fn new(target: rendering::Target) -> Self {
        Self(Rc::new(target))
    }

    /// Directory inside the input `source`.
    pub fn path(&self) -> String {
        self.0.path()
    }

    /// Values that the host merged, one JSON object. Numbers keep the text of their source.
    pub fn values(&self) -> String {
        self.0.values()
    }

    /// Namespace to render for.
    pub fn namespace(&self) -> Option<String> {
        self.0.namespace()
    }

    /// Helm's release name.
    pub fn release_name(&self) -> Option<String> {
        self.0.release_name()
    }

    /// Helm's release revision, from 1.
    pub fn release_revision(&self) -> u32 {
        self.0.release_revision()
    }

    /// Whether there is an earlier release.
    pub fn is_upgrade(&self) -> bool {
        self.0.is_upgrade()
    }

    /// Version of the API server, `v1.35.4`.
    pub fn kube_version(&self) -> String {
        self.0.kube_version()
    }

    /// Whether the API server serves `apps/v1` or `apps/v1/Deployment`.
    pub fn has_api(&self, name: &str) -> bool {
        self.0.has_api(name)
    }

    /// All that it serves. The result then depends on every CRD: prefer [`Target::has_api`].
    pub fn apis(&self) -> Vec<String> {
        self.0.apis()
    }

    /// Decrypts through the object's decryptor; data that is not encrypted comes back as it is.
    ///
    /// # Errors
    /// `unauthorized` when no key fits, `invalid-input` when the data is damaged.
    pub fn decrypt(&self, data: &[u8], format: Format) -> Result<Vec<u8>> {
        Ok(self.0.decrypt(data, format.name())?)
    }
}
