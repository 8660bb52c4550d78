//! Flags of `kustomize build` that have to do with running programs: plugins, functions, Helm.
//! A component runs none, so what would start one is refused; what would only have set it up is
//! taken, and said to be without effect.

use clap::Args;

use crate::cli::Error;

/// Flags about programs.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Flags of kustomize about programs, none of which is run here")]
pub(super) struct ProgramArgs {
    /// Refused: plugins are programs and containers
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    enable_alpha_plugins: Option<bool>,
    /// Refused: functions are programs
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    enable_exec: Option<bool>,
    /// Refused: charts are rendered by `weir build helm`
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    enable_helm: Option<bool>,
    /// Environment of functions
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Storage of functions
    #[arg(long, value_name = "MOUNT")]
    mount: Vec<String>,
    /// Network of functions
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    network: Option<bool>,
    /// Network of functions
    #[arg(long, value_name = "NAME")]
    network_name: Option<String>,
    /// User of functions
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    as_current_user: Option<bool>,
    /// Program of Helm
    #[arg(long, value_name = "PATH")]
    helm_command: Option<String>,
    /// API versions for charts
    #[arg(long, value_name = "VERSION")]
    helm_api_versions: Vec<String>,
    /// Kubernetes version for charts
    #[arg(long, value_name = "VERSION")]
    helm_kube_version: Option<String>,
    /// Messages of Helm
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    helm_debug: Option<bool>,
    /// Stack of an error
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    stack_trace: Option<bool>,
}

impl ProgramArgs {
    /// Refuses what would run a program, and tells what has no effect.
    pub(super) fn check(&self) -> Result<(), Error> {
        let refused = [
            (
                self.enable_alpha_plugins == Some(true),
                "--enable-alpha-plugins: plugins are programs and containers, which are not run \
                 here; use kustomize's own transformers, or a renderer plugin of weir",
            ),
            (
                self.enable_exec == Some(true),
                "--enable-exec: functions are programs, which are not run here; commit what they \
                 print, or use a renderer plugin of weir",
            ),
            (
                self.enable_helm == Some(true),
                "--enable-helm: charts are not inflated in a kustomization here; use a HelmRelease, \
                 or commit what `weir build helm` prints",
            ),
        ];
        if let Some((_, why)) = refused.iter().find(|(asked, _)| *asked) {
            return Err(Error::failed(*why));
        }
        for flag in self.without_effect() {
            eprintln!("warning: {flag} has no effect");
        }
        Ok(())
    }

    fn without_effect(&self) -> impl Iterator<Item = &'static str> {
        [
            (!self.env.is_empty(), "--env"),
            (!self.mount.is_empty(), "--mount"),
            (self.network == Some(true), "--network"),
            (self.network_name.is_some(), "--network-name"),
            (self.as_current_user == Some(true), "--as-current-user"),
            (self.helm_command.is_some(), "--helm-command"),
            (!self.helm_api_versions.is_empty(), "--helm-api-versions"),
            (self.helm_kube_version.is_some(), "--helm-kube-version"),
            (self.helm_debug == Some(true), "--helm-debug"),
            (self.stack_trace == Some(true), "--stack-trace"),
        ]
        .into_iter()
        .filter_map(|(given, flag)| given.then_some(flag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_refused_and_their_settings_are_not() {
        let refused = ProgramArgs {
            enable_helm: Some(true),
            ..ProgramArgs::default()
        };
        assert!(refused.check().is_err());
        let idle = ProgramArgs {
            env: vec!["A=1".to_owned()],
            helm_debug: Some(true),
            ..ProgramArgs::default()
        };
        assert!(idle.check().is_ok());
        assert!(idle.without_effect().eq(["--env", "--helm-debug"]));
    }
}
