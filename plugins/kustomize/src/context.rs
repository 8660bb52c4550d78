//! What all steps of one build share.

use std::rc::Rc;

use weir_yaml::Arena;

use crate::config::TransformerConfig;
use crate::openapi::Schemas;
use crate::resource::Resource;

/// State of one build.
pub(crate) struct Context {
    pub(crate) arena: Arena,
    pub(crate) resources: Vec<Resource>,
    pub(crate) schemas: Schemas,
    pub(crate) default_config: Rc<TransformerConfig>,
    /// Remarks that do not fail the build.
    pub(crate) warnings: Vec<String>,
}

impl Context {
    pub(crate) fn new() -> Self {
        Self {
            arena: Arena::new(),
            resources: Vec::new(),
            schemas: Schemas::default(),
            default_config: Rc::new(TransformerConfig::default_config()),
            warnings: Vec::new(),
        }
    }
}
