//! A chart as it was loaded (helm/helm pkg/chart/chart.go).

use std::rc::Rc;

use weir_template::Map;

use crate::metadata::{Dependency, Metadata};

/// A file of a chart.
#[derive(Clone)]
pub struct File {
    /// Path in the chart.
    pub name: String,
    /// Content.
    pub data: Rc<[u8]>,
}

/// A file below `templates/`.
#[derive(Clone)]
pub struct Template {
    /// Path in the chart.
    pub name: String,
    /// Content as text; what is not UTF-8 in it is replaced.
    pub text: Rc<str>,
    /// Content, where that is not the text.
    pub raw: Option<Vec<u8>>,
}

impl Template {
    /// Content.
    pub fn data(&self) -> &[u8] {
        self.raw.as_deref().unwrap_or(self.text.as_bytes())
    }
}

/// `Chart.lock`: which versions the dependencies were taken in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lock {
    /// When it was written.
    pub generated: String,
    /// Digest of the dependencies in `Chart.yaml`.
    pub digest: String,
    /// The versions.
    pub dependencies: Vec<Dependency>,
}

/// A chart with those that it carries. It does not change; what a render makes of it is a
/// tree of its own.
pub struct Chart {
    /// `Chart.yaml`, and `requirements.yaml` of charts of the first version.
    pub metadata: Metadata,
    /// `Chart.lock`.
    pub lock: Option<Lock>,
    /// Files below `templates/`.
    pub templates: Vec<Template>,
    /// `values.yaml`.
    pub values: Rc<Map>,
    /// `values.schema.json`.
    pub schema: Option<Rc<[u8]>>,
    /// All other files.
    pub files: Vec<File>,
    /// The charts below `charts/`, sorted by the names of their folders and archives.
    pub dependencies: Vec<Rc<Chart>>,
}

impl Chart {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Whether it only lends its templates to others.
    pub fn is_library(&self) -> bool {
        self.metadata.chart_type.eq_ignore_ascii_case("library")
    }
}
