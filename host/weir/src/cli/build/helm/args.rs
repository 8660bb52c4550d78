//! The flags, named as those of `helm template`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cluster::Access;

/// The name of a release without one (helm/helm cmd/helm/template.go).
const RELEASE_NAME: &str = "release-name";

/// Render a chart and print its manifests, as `helm template` does.
#[derive(Debug, Args)]
pub(in crate::cli::build) struct HelmArgs {
    /// Name of the release (`release-name` if there is none), and the chart: a directory or an
    /// archive
    #[arg(value_name = "[NAME] CHART", required = true)]
    name_and_chart: Vec<String>,
    /// Namespace of the release
    #[arg(
        short,
        long,
        overrides_with = "namespace",
        value_name = "NAME",
        env = "HELM_NAMESPACE",
        default_value = "default"
    )]
    pub(super) namespace: String,
    #[command(flatten)]
    pub(super) values: ValueArgs,
    /// Print the definitions in `crds/`, too
    #[arg(long, overrides_with = "include_crds")]
    pub(super) include_crds: bool,
    /// Set .Release.IsUpgrade rather than .Release.IsInstall
    #[arg(long, overrides_with = "is_upgrade")]
    pub(super) is_upgrade: bool,
    /// Leave out hooks
    #[arg(long, overrides_with = "no_hooks")]
    pub(super) no_hooks: bool,
    /// Leave out hooks that are tests
    #[arg(long, overrides_with = "skip_tests")]
    pub(super) skip_tests: bool,
    /// Print only what comes from these templates; may be repeated
    #[arg(short, long, value_name = "PATTERN")]
    pub(super) show_only: Vec<String>,
    /// Do not hold values against the charts' schemas
    #[arg(long, overrides_with = "skip_schema_validation")]
    pub(super) skip_schema_validation: bool,
    /// Render notes of subcharts, too
    #[arg(long, overrides_with = "render_subchart_notes")]
    pub(super) render_subchart_notes: bool,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
    /// How long it may take, such as 60s
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(super) timeout: weir_api::Duration,
}

/// Where values come from; files first, then in the order of these flags.
#[derive(Debug, Default, Args)]
pub(super) struct ValueArgs {
    /// File of values (`-` for standard input); may be repeated, or hold several between commas
    #[arg(
        short = 'f',
        long = "values",
        value_name = "FILE",
        value_delimiter = ','
    )]
    pub(super) files: Vec<String>,
    /// Values as JSON, `a.b={"c":1}`; may be repeated
    #[arg(long, value_name = "LINE", allow_hyphen_values = true)]
    pub(super) set_json: Vec<String>,
    /// Values, `a.b=1,c={x,y}`; may be repeated
    #[arg(long, value_name = "LINE", allow_hyphen_values = true)]
    pub(super) set: Vec<String>,
    /// Values that are strings; may be repeated
    #[arg(long, value_name = "LINE", allow_hyphen_values = true)]
    pub(super) set_string: Vec<String>,
    /// Values that are contents of files, `a.b=path`; may be repeated
    #[arg(long, value_name = "LINE", allow_hyphen_values = true)]
    pub(super) set_file: Vec<String>,
    /// A value that is a string as it stands, commas and all; may be repeated
    #[arg(long, value_name = "LINE", allow_hyphen_values = true)]
    pub(super) set_literal: Vec<String>,
}

/// What the cluster is taken to be, or which one is asked.
#[derive(Debug, Default, Args)]
pub(super) struct ClusterArgs {
    /// Version of Kubernetes to assume; v1.32.0, with what Helm 3.17 knows, if there is none
    #[arg(long, overrides_with = "kube_version", value_name = "VERSION")]
    pub(super) kube_version: Option<String>,
    /// API to assume besides, such as monitoring.coreos.com/v1; may be repeated
    #[arg(short, long, value_name = "API", value_delimiter = ',')]
    pub(super) api_versions: Vec<String>,
    /// Ask the cluster what it serves, and whether it could take the manifests
    #[arg(long, overrides_with = "validate")]
    pub(super) validate: bool,
    /// Whether templates may look objects up in the cluster
    #[arg(
        long,
        value_enum,
        value_name = "WHERE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "client"
    )]
    dry_run: Option<DryRun>,
    /// Kubeconfig file; without it $KUBECONFIG, then ~/.kube/config
    #[arg(long, value_name = "FILE", env = "WEIR_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, value_name = "NAME", env = "WEIR_CONTEXT")]
    kube_context: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DryRun {
    /// They may not
    Client,
    /// They may
    Server,
}

impl HelmArgs {
    /// The release's name and the chart, or what Helm says of the arguments.
    pub(super) fn name_and_chart(&self) -> Result<(&str, &str), String> {
        match self.name_and_chart.as_slice() {
            [chart] => Ok((RELEASE_NAME, chart)),
            [name, chart] => Ok((name, chart)),
            [_, _, more @ ..] => Err(format!(
                "expected at most two arguments, unexpected arguments: {}",
                more.join(", ")
            )),
            [] => Err("a chart is missing".to_owned()),
        }
    }
}

impl ClusterArgs {
    /// Whether a cluster is needed at all.
    pub(super) fn is_asked(&self) -> bool {
        self.validate || self.looks_up()
    }

    /// Whether templates may look up objects.
    pub(super) fn looks_up(&self) -> bool {
        self.dry_run == Some(DryRun::Server)
    }

    pub(super) fn access(&self) -> Access {
        Access {
            kubeconfig: self.kubeconfig.clone(),
            context: self.kube_context.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        args: HelmArgs,
    }

    fn args(flags: &[&str]) -> HelmArgs {
        Only::try_parse_from(["build"].iter().chain(flags))
            .unwrap()
            .args
    }

    #[test]
    fn a_name_may_stand_before_the_chart() {
        assert_eq!(args(&["web"]).name_and_chart(), Ok(("release-name", "web")));
        assert_eq!(args(&["r", "web"]).name_and_chart(), Ok(("r", "web")));
        assert_eq!(
            args(&["r", "web", "a", "b"]).name_and_chart(),
            Err("expected at most two arguments, unexpected arguments: a, b".to_owned())
        );
    }

    #[test]
    fn flags_are_written_as_with_helm() {
        let args = args(&[
            "r",
            "./web",
            "-n",
            "apps",
            "-f",
            "a.yaml,b.yaml",
            "--values=-",
            "--set",
            "a=1,b=2",
            "--set=-c=3",
            "-a",
            "x/v1,y/v1",
            "-s",
            "templates/*.yaml",
            "--dry-run",
            "--include-crds",
        ]);
        assert_eq!(args.values.files, ["a.yaml", "b.yaml", "-"]);
        assert_eq!(args.values.set, ["a=1,b=2", "-c=3"]);
        assert_eq!(args.cluster.api_versions, ["x/v1", "y/v1"]);
        assert_eq!(args.show_only, ["templates/*.yaml"]);
        assert!(!args.cluster.is_asked() && args.include_crds);
    }
}
