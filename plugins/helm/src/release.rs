//! What a render gives: everything a release record holds of the chart's side
//! (helm/helm pkg/release/release.go).

use std::rc::Rc;

use weir_template::Map;

use crate::chart::Chart;
use crate::hook::Hook;
use crate::manifest::Manifest;
use crate::metadata::Metadata;

/// A definition of a kind from a chart's `crds/`, never rendered.
#[derive(Clone)]
pub struct Crd {
    /// Where it stands in the root chart: `web/charts/db/crds/x.yaml`.
    pub path: String,
    /// Content of the file: any number of documents.
    pub data: Rc<[u8]>,
}

/// A chart under a name.
pub struct Release {
    /// The name.
    pub name: String,
    /// Where it is installed.
    pub namespace: String,
    /// Which one of that name, from 1.
    pub revision: u32,
    /// The root chart as it was loaded.
    pub chart: Rc<Chart>,
    /// Its metadata, with the dependencies that are left.
    pub metadata: Metadata,
    /// Its own values, with those that it imported.
    pub chart_values: Rc<Map>,
    /// The values that the user gave.
    pub config: Rc<Map>,
    /// All values, as the root's templates saw them at the end.
    pub values: Rc<Map>,
    /// Definitions from `crds/`, the root's first.
    pub crds: Vec<Crd>,
    /// Documents to be applied, in order.
    pub manifests: Vec<Manifest>,
    /// Hooks, in order.
    pub hooks: Vec<Hook>,
    /// What the chart tells its user.
    pub notes: String,
}
