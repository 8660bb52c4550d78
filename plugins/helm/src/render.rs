//! A chart becomes a release (helm/helm pkg/action/install.go, as `helm template` calls it).

use std::collections::BTreeMap;
use std::rc::Rc;

use weir_template::{Host, Limits, Map, Options as TemplateOptions, Value};

use crate::capabilities::Discovery;
use crate::chart::Chart;
use crate::dependencies::{self, is_compatible};
use crate::engine::{self, Top};
use crate::error::Error;
use crate::manifest;
use crate::release::{Crd, Release};
use crate::schema;
use crate::tree::{ChartId, ChartTree};
use crate::values::{Mode, coalesce_values};
use crate::warnings::Warnings;

/// How a release is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its name.
    pub name: String,
    /// Where it goes.
    pub namespace: String,
    /// Which one of that name, from 1.
    pub revision: u32,
    /// `.Release.IsUpgrade` rather than `.Release.IsInstall`.
    pub is_upgrade: bool,
    /// Notes of subcharts, too.
    pub subchart_notes: bool,
    /// Do not hold values against `values.schema.json`.
    pub skip_schema_validation: bool,
    /// Bounds of templates.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "release-name".to_owned(),
            namespace: "default".to_owned(),
            revision: 1,
            is_upgrade: false,
            subchart_notes: false,
            skip_schema_validation: false,
            limits: Limits::default(),
        }
    }
}

/// Renders a chart. `values` are the user's; they stay as they are. Remarks are added to `warnings`,
/// however it ends.
pub fn render(
    chart: &Rc<Chart>,
    values: &Rc<Map>,
    options: &Options,
    discovery: &Rc<dyn Discovery>,
    host: &dyn Host,
    warnings: &Warnings,
) -> Result<Release, Error> {
    check_installable(chart, warnings)?;
    let mut tree = ChartTree::new(chart);
    if chart.metadata.dependencies.is_some() {
        dependencies::check(&tree)?;
    }
    check_release_name(&options.name)?;
    dependencies::process(&mut tree, values, warnings)?;
    let all = coalesce_values(&tree, ChartTree::ROOT, values, Mode::Coalesce, warnings)?;
    if !options.skip_schema_validation {
        schema::validate(&tree, &all)?;
    }
    check_kube_version(chart, discovery.as_ref())?;
    let top = Top {
        release: release_object(options),
        values: Rc::clone(&all),
        discovery,
    };
    let limits = TemplateOptions {
        limits: options.limits,
        ..TemplateOptions::default()
    };
    let mut files = engine::render(&tree, &top, host, limits)?;
    let notes = take_notes(
        &mut files,
        &tree[ChartTree::ROOT].name,
        options.subchart_notes,
    );
    let (hooks, manifests) = manifest::sort(&files, warnings)?;
    let mut crds = Vec::new();
    gather_crds(&tree, ChartTree::ROOT, &mut crds);
    let mut metadata = chart.metadata.clone();
    let left = tree[ChartTree::ROOT].requirements.as_ref();
    metadata.dependencies =
        left.map(|ids| ids.iter().map(|id| tree.requirement(*id).clone()).collect());
    Ok(Release {
        name: options.name.clone(),
        namespace: options.namespace.clone(),
        revision: options.revision,
        chart: Rc::clone(chart),
        metadata,
        chart_values: Rc::clone(&tree[ChartTree::ROOT].values),
        config: Rc::clone(values),
        values: all,
        crds,
        manifests,
        hooks,
        notes,
    })
}

fn check_installable(chart: &Chart, warnings: &Warnings) -> Result<(), Error> {
    match chart.metadata.chart_type.as_str() {
        "" | "application" => {}
        other => return Err(Error::Chart(format!("{other} charts are not installable"))),
    }
    if chart.metadata.deprecated {
        warnings.add("This chart is deprecated");
    }
    Ok(())
}

/// Names become parts of the names of objects: a DNS name of at most 53 characters.
fn check_release_name(name: &str) -> Result<(), Error> {
    const MAX_LENGTH: usize = 53;
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let label = |label: &str| {
        let bytes = label.as_bytes();
        bytes.iter().all(|b| alphanumeric(*b) || *b == b'-')
            && bytes.first().copied().is_some_and(alphanumeric)
            && bytes.last().copied().is_some_and(alphanumeric)
    };
    if name.is_empty() {
        let text = format!("release name {name:?}: no name provided");
        return Err(Error::Options(text));
    }
    if name.len() > MAX_LENGTH || !name.split('.').all(label) {
        return Err(Error::Options(format!(
            "release name {name:?}: invalid release name, must match regex \
             ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length \
             must not be longer than {MAX_LENGTH}"
        )));
    }
    Ok(())
}

fn check_kube_version(chart: &Chart, discovery: &dyn Discovery) -> Result<(), Error> {
    let wanted = &chart.metadata.kube_version;
    if wanted.is_empty() {
        return Ok(());
    }
    let version = discovery.kube_version().version;
    if is_compatible(wanted, &version) {
        return Ok(());
    }
    Err(Error::Render(format!(
        "chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {version}"
    )))
}

fn release_object(options: &Options) -> Value {
    Value::map([
        ("Name", Value::from(options.name.as_str())),
        ("Namespace", Value::from(options.namespace.as_str())),
        ("IsUpgrade", Value::Bool(options.is_upgrade)),
        ("IsInstall", Value::Bool(!options.is_upgrade)),
        ("Revision", Value::int(options.revision.into())),
        ("Service", Value::from("Helm")),
    ])
}

/// Notes are no manifests. Those of subcharts are dropped unless they are wanted.
fn take_notes(files: &mut BTreeMap<String, String>, root: &str, subcharts: bool) -> String {
    const SUFFIX: &str = "NOTES.txt";
    let own = format!("{root}/templates/{SUFFIX}");
    let mut notes: Vec<String> = Vec::new();
    files.retain(|path, text| {
        let is_notes = path.ends_with(SUFFIX);
        if is_notes && (subcharts || *path == own) {
            notes.push(std::mem::take(text));
        }
        !is_notes
    });
    notes.retain(|text| !text.is_empty());
    notes.join("\n")
}

/// The files in `crds/`, of the root first.
fn gather_crds(tree: &ChartTree, id: ChartId, crds: &mut Vec<Crd>) {
    let is_manifest = |name: &str| {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let mut known = ["yaml", "yml", "json"].iter();
        known.any(|known| known.eq_ignore_ascii_case(extension))
    };
    for file in &tree[id].chart.files {
        if file.name.starts_with("crds/") && is_manifest(&file.name) {
            crds.push(Crd {
                path: format!("{}/{}", tree.full_path(id), file.name),
                data: Rc::clone(&file.data),
            });
        }
    }
    for dependency in &tree[id].dependencies {
        gather_crds(tree, *dependency, crds);
    }
}
