//! What a user may set.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// How to render. The defaults are those of `helm template`; names and values of a release come
/// from the object.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Settings {
    /// Name of the release, where the object's kind has none.
    pub(super) release_name: Option<String>,
    /// Namespace of the release, where the object says none.
    pub(super) namespace: Option<String>,
    /// Files of values, merged in order under what the object says: paths from the chart's
    /// directory, or names in `files`.
    pub(super) values_files: Vec<String>,
    /// Values in the syntax of `helm --set-json`.
    pub(super) set_json: Vec<String>,
    /// Values in the syntax of `helm --set`.
    pub(super) set: Vec<String>,
    /// Values in the syntax of `helm --set-string`.
    pub(super) set_string: Vec<String>,
    /// Values in the syntax of `helm --set-file`.
    pub(super) set_file: Vec<String>,
    /// Values in the syntax of `helm --set-literal`.
    pub(super) set_literal: Vec<String>,
    /// Contents of files that are not in the source, by the names that other settings use; null for
    /// one that is nowhere.
    pub(super) files: BTreeMap<String, Option<String>>,
    /// Version of Kubernetes to assume, and with it the APIs that Helm knows, rather than asking
    /// the cluster.
    pub(super) kube_version: Option<String>,
    /// APIs that are there besides: `monitoring.coreos.com/v1`.
    pub(super) api_versions: Vec<String>,
    /// Emit the definitions in `crds/`.
    pub(super) include_crds: bool,
    /// Render as an upgrade, where the object's kind has no releases.
    pub(super) is_upgrade: bool,
    /// Leave out all hooks.
    pub(super) no_hooks: bool,
    /// Leave out hooks that are tests.
    pub(super) skip_tests: bool,
    /// Emit only what comes from these templates.
    pub(super) show_only: Vec<String>,
    /// Do not hold values against the charts' schemas.
    pub(super) skip_schema_validation: bool,
    /// Take notes of subcharts into the notes.
    pub(super) render_subchart_notes: bool,
    /// Emit one text, as `helm template` prints it, rather than documents.
    pub(super) stream: bool,
}
