//! Flags of `weir run` that bound what others' input may cost.

use std::path::Path;

use clap::Args;
use weir_api::{ByteSize, Duration};
use weir_git::GitConfig;
use weir_plugin::oci::Timeouts;
use weir_plugin::{Limits, RuntimeConfig};

use crate::artifact::{Bounds, Retention};

/// What an artifact may hold, and how many are kept.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "a field is named as its flag")]
pub(super) struct ArtifactArgs {
    /// Files of one artifact at most
    #[arg(
        long,
        value_name = "N",
        env = "WEIR_ARTIFACT_MAX_FILES",
        default_value_t = 100_000
    )]
    artifact_max_files: usize,
    /// Size of one file of an artifact at most
    #[arg(
        long,
        value_name = "SIZE",
        env = "WEIR_ARTIFACT_MAX_FILE_SIZE",
        default_value = "64Mi"
    )]
    artifact_max_file_size: ByteSize,
    /// Size of all files of an artifact together at most
    #[arg(
        long,
        value_name = "SIZE",
        env = "WEIR_ARTIFACT_MAX_SIZE",
        default_value = "1Gi"
    )]
    artifact_max_size: ByteSize,
    /// How long superseded artifacts are kept
    #[arg(
        long,
        value_name = "TIME",
        env = "WEIR_ARTIFACT_RETENTION_TTL",
        default_value = "60s"
    )]
    artifact_retention_ttl: Duration,
    /// Artifacts of one source that are kept at most
    #[arg(
        long,
        value_name = "N",
        env = "WEIR_ARTIFACT_RETENTION_RECORDS",
        default_value_t = 2
    )]
    artifact_retention_records: usize,
}

/// What a Git server may send.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "a field is named as its flag")]
pub(super) struct GitArgs {
    /// Git operations at a time; further ones wait within their timeout
    #[arg(
        long,
        value_name = "N",
        env = "WEIR_GIT_CONCURRENCY",
        default_value_t = 128
    )]
    git_concurrency: usize,
    /// Time until a connection to a Git server stands
    #[arg(
        long,
        value_name = "TIME",
        env = "WEIR_GIT_CONNECT_TIMEOUT",
        default_value = "15s"
    )]
    git_connect_timeout: Duration,
    /// Size of a Git server's list of references at most
    #[arg(
        long,
        value_name = "SIZE",
        env = "WEIR_GIT_MAX_LISTING_SIZE",
        default_value = "64Mi"
    )]
    git_max_listing_size: ByteSize,
    /// Bytes that one fetch may receive
    #[arg(
        long,
        value_name = "SIZE",
        env = "WEIR_GIT_MAX_FETCH_SIZE",
        default_value = "2Gi"
    )]
    git_max_fetch_size: ByteSize,
    /// Size of one file of a commit at most, ignored or not
    #[arg(
        long,
        value_name = "SIZE",
        env = "WEIR_GIT_MAX_FILE_SIZE",
        default_value = "256Mi"
    )]
    git_max_file_size: ByteSize,
    /// Size of all files of a commit together at most, ignored ones included
    #[arg(
        long,
        value_name = "SIZE",
        env = "WEIR_GIT_MAX_TREE_SIZE",
        default_value = "4Gi"
    )]
    git_max_tree_size: ByteSize,
    /// Files of a commit at most, ignored ones included
    #[arg(
        long,
        value_name = "N",
        env = "WEIR_GIT_MAX_FILES",
        default_value_t = 500_000
    )]
    git_max_files: u64,
    /// Submodules of a commit at most, nested ones included
    #[arg(
        long,
        value_name = "N",
        env = "WEIR_GIT_MAX_SUBMODULES",
        default_value_t = 100
    )]
    git_max_submodules: usize,
    /// Follow redirects and submodules to other servers than the repository's; credentials never
    /// go there
    #[arg(
        long,
        value_name = "BOOL",
        env = "WEIR_GIT_FOREIGN_ORIGINS",
        default_value_t = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    git_foreign_origins: bool,
}

/// What plugins and their registries may take.
#[derive(Debug, Args)]
pub(super) struct PluginArgs {
    /// Memory of one plugin call, unless its Plugin grants otherwise
    #[arg(
        long,
        value_name = "SIZE",
        env = "WEIR_PLUGIN_MEMORY",
        default_value = "256Mi"
    )]
    plugin_memory: ByteSize,
    /// Wall time of one plugin call, unless its Plugin grants otherwise
    #[arg(
        long,
        value_name = "TIME",
        env = "WEIR_PLUGIN_TIMEOUT",
        default_value = "60s"
    )]
    plugin_timeout: Duration,
    /// Bytes that one plugin call may emit, unless its Plugin grants otherwise
    #[arg(
        long,
        value_name = "SIZE",
        env = "WEIR_PLUGIN_OUTPUT_SIZE",
        default_value = "256Mi"
    )]
    plugin_output_size: ByteSize,
    /// Manifests or files that one plugin call may emit, unless its Plugin grants otherwise
    #[arg(
        long,
        value_name = "N",
        env = "WEIR_PLUGIN_OUTPUT_OBJECTS",
        default_value_t = 100_000
    )]
    plugin_output_objects: u64,
    /// Log lines of one plugin call; further ones are counted and dropped
    #[arg(
        long,
        value_name = "N",
        env = "WEIR_PLUGIN_LOG_LINES",
        default_value_t = 1_000
    )]
    plugin_log_lines: u32,
    /// Size of one HTTP body that a plugin sends or gets, unless its Plugin grants otherwise
    #[arg(
        long,
        value_name = "SIZE",
        env = "WEIR_PLUGIN_HTTP_BODY",
        default_value = "64Mi"
    )]
    plugin_http_body: ByteSize,
    /// Size of a component at most
    #[arg(
        long,
        value_name = "SIZE",
        env = "WEIR_PLUGIN_MAX_SIZE",
        default_value = "64Mi"
    )]
    plugin_max_size: ByteSize,
    /// Size of all compiled components that are kept; what was used longest ago goes first
    #[arg(
        long,
        value_name = "SIZE",
        env = "WEIR_PLUGIN_CACHE_SIZE",
        default_value = "1Gi"
    )]
    plugin_cache_size: ByteSize,
    /// Components that are compiled at a time, each by all processors
    #[arg(
        long,
        value_name = "N",
        env = "WEIR_PLUGIN_COMPILE_JOBS",
        default_value_t = 1
    )]
    plugin_compile_jobs: usize,
    /// Plugin calls at a time; further ones wait
    #[arg(
        long,
        value_name = "N",
        env = "WEIR_PLUGIN_MAX_CALLS",
        default_value_t = 64
    )]
    plugin_max_calls: u32,
    /// Bytes that the archives of one plugin call may unpack to
    #[arg(
        long,
        value_name = "SIZE",
        env = "WEIR_PLUGIN_UNPACKED_SIZE",
        default_value = "1Gi"
    )]
    plugin_unpacked_size: ByteSize,
    /// Files and directories that the archives of one plugin call may unpack to
    #[arg(
        long,
        value_name = "N",
        env = "WEIR_PLUGIN_UNPACKED_FILES",
        default_value_t = 100_000
    )]
    plugin_unpacked_files: usize,
    /// How long a registry may take for each of its small answers, and be silent within a large one
    #[arg(
        long,
        value_name = "TIME",
        env = "WEIR_REGISTRY_TIMEOUT",
        default_value = "30s"
    )]
    registry_timeout: Duration,
    /// How long a component may take to arrive
    #[arg(
        long,
        value_name = "TIME",
        env = "WEIR_REGISTRY_TRANSFER_TIMEOUT",
        default_value = "5m"
    )]
    registry_transfer_timeout: Duration,
}

impl ArtifactArgs {
    /// The flag that is 0 and must not be.
    pub(super) fn zero(&self) -> Option<&'static str> {
        first_zero(&[
            ("--artifact-max-files", self.artifact_max_files as u64),
            (
                "--artifact-retention-records",
                self.artifact_retention_records as u64,
            ),
        ])
    }

    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            files: self.artifact_max_files,
            file_size: self.artifact_max_file_size.0,
            total_size: self.artifact_max_size.0,
        }
    }

    pub(super) fn retention(&self) -> Retention {
        Retention {
            ttl: self.artifact_retention_ttl.0,
            records: self.artifact_retention_records,
        }
    }
}

impl GitArgs {
    /// The flag that is 0 and must not be.
    pub(super) fn zero(&self) -> Option<&'static str> {
        first_zero(&[("--git-concurrency", self.git_concurrency as u64)])
    }

    /// The client's configuration over a cache folder.
    pub(super) fn config(&self, cache_dir: &Path) -> GitConfig {
        GitConfig {
            concurrency: self.git_concurrency,
            connect_timeout: self.git_connect_timeout.0,
            max_listing_bytes: self.git_max_listing_size.0,
            max_fetch_bytes: self.git_max_fetch_size.0,
            max_file_bytes: self.git_max_file_size.0,
            max_tree_bytes: self.git_max_tree_size.0,
            max_files: self.git_max_files,
            max_submodules: self.git_max_submodules,
            foreign_origins: self.git_foreign_origins,
            ..GitConfig::new(cache_dir)
        }
    }
}

impl PluginArgs {
    /// The flag that is 0 and must not be.
    pub(super) fn zero(&self) -> Option<&'static str> {
        first_zero(&[
            ("--plugin-timeout", self.plugin_timeout.0.as_nanos() as u64),
            ("--plugin-compile-jobs", self.plugin_compile_jobs as u64),
            ("--plugin-max-calls", self.plugin_max_calls.into()),
        ])
    }

    /// Bounds of a call, where a `Plugin` grants no others.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            memory: self.plugin_memory.0,
            time: self.plugin_timeout.0,
            output_bytes: self.plugin_output_size.0,
            output_count: self.plugin_output_objects,
            log_lines: self.plugin_log_lines,
            http_body: self.plugin_http_body.0,
        }
    }

    /// Bounds of the runtime as a whole; folders and observer are for the caller to set.
    pub(super) fn runtime(&self) -> RuntimeConfig {
        RuntimeConfig {
            cache_bytes: self.plugin_cache_size.0,
            max_component_bytes: self.plugin_max_size.0,
            compile_jobs: self.plugin_compile_jobs,
            max_calls: self.plugin_max_calls,
            max_unpacked_bytes: self.plugin_unpacked_size.0,
            max_unpacked_files: self.plugin_unpacked_files,
            ..RuntimeConfig::default()
        }
    }

    pub(super) fn timeouts(&self) -> Timeouts {
        Timeouts {
            answer: self.registry_timeout.0,
            transfer: self.registry_transfer_timeout.0,
        }
    }
}

fn first_zero(flags: &[(&'static str, u64)]) -> Option<&'static str> {
    flags
        .iter()
        .find(|(_, value)| *value == 0)
        .map(|(flag, _)| *flag)
}
