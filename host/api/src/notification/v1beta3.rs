//! Provider and Alert (fluxcd/notification-controller api/v1beta3). Neither has a status.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::Severity;
use crate::string_enum::string_enum;
use crate::unsupported::{Collect, Unsupported};
use crate::{Duration, LocalObjectReference, duration, is_false};

/// Time that one notification may take when `timeout` is absent.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

/// Where notifications go.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "notification.toolkit.fluxcd.io",
    version = "v1beta3",
    kind = "Provider",
    namespaced,
    category = "all",
    category = "fluxcd",
    category = "fluxcd-notifications",
    derive = "PartialEq",
    doc = "Provider is an endpoint that notifications are sent to.",
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[schemars(extend("x-kubernetes-validations" = [{
    "message": "spec.commitStatusExpr is only supported for the 'github', 'gitlab', 'gitea', 'bitbucketserver', 'bitbucket', 'azuredevops' provider types",
    "rule": "self.type == 'github' || self.type == 'gitlab' || self.type == 'gitea' || self.type == 'bitbucketserver' || self.type == 'bitbucket' || self.type == 'azuredevops' || !has(self.commitStatusExpr)"
}]))]
#[serde(rename_all = "camelCase")]
pub struct ProviderSpec {
    /// The service.
    #[serde(rename = "type")]
    pub type_: ProviderType,
    /// Not used; Flux keeps it for compatibility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,
    /// Channel, topic, room or the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub channel: Option<String>,
    /// Name to post under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub username: Option<String>,
    /// The endpoint; the Secret's `address` wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub address: Option<String>,
    /// Time that one notification may take; 15 s when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "timeout_schema")]
    pub timeout: Option<Duration>,
    /// Old form of `proxySecretRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), pattern(r"^(http|https)://.*$"))]
    pub proxy: Option<String>,
    /// Secret with the proxy to connect through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<LocalObjectReference>,
    /// Secret with `token`, `address`, `username`, `password`, `headers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// ServiceAccount whose identity authenticates with a cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Secret with `ca.crt`, or also `tls.crt` and `tls.key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// Sends nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
    /// CEL over `event`, `alert` and `provider` that makes the id of a commit status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_status_expr: Option<String>,
}

fn timeout_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "string", "pattern": duration::PATTERN_NO_HOURS })
}

string_enum! {
    /// Services that notifications can go to.
    ProviderType {
        /// Slack.
        Slack = "slack",
        /// Discord.
        Discord = "discord",
        /// Microsoft Teams.
        MsTeams = "msteams",
        /// Rocket.Chat.
        Rocket = "rocket",
        /// The event as JSON to any HTTP endpoint.
        Generic = "generic",
        /// The same, signed.
        GenericHmac = "generic-hmac",
        /// GitHub commit status.
        GitHub = "github",
        /// GitLab commit status.
        GitLab = "gitlab",
        /// Gitea commit status.
        Gitea = "gitea",
        /// Gitea pull request comment.
        GiteaPullRequestComment = "giteapullrequestcomment",
        /// Bitbucket Server commit status.
        BitbucketServer = "bitbucketserver",
        /// Bitbucket commit status.
        Bitbucket = "bitbucket",
        /// Azure DevOps commit status.
        AzureDevOps = "azuredevops",
        /// Google Chat.
        GoogleChat = "googlechat",
        /// Google Pub/Sub.
        GooglePubSub = "googlepubsub",
        /// Webex.
        Webex = "webex",
        /// Sentry.
        Sentry = "sentry",
        /// Azure Event Hub.
        AzureEventHub = "azureeventhub",
        /// Telegram.
        Telegram = "telegram",
        /// Lark.
        Lark = "lark",
        /// Matrix.
        Matrix = "matrix",
        /// Opsgenie.
        Opsgenie = "opsgenie",
        /// Prometheus Alertmanager.
        Alertmanager = "alertmanager",
        /// Grafana annotation.
        Grafana = "grafana",
        /// GitHub repository dispatch.
        GitHubDispatch = "githubdispatch",
        /// GitHub pull request comment.
        GitHubPullRequestComment = "githubpullrequestcomment",
        /// GitLab merge request comment.
        GitLabMergeRequestComment = "gitlabmergerequestcomment",
        /// PagerDuty.
        PagerDuty = "pagerduty",
        /// Datadog.
        Datadog = "datadog",
        /// NATS.
        Nats = "nats",
        /// Zulip.
        Zulip = "zulip",
        /// OpenTelemetry traces.
        Otel = "otel",
    }
}

impl ProviderSpec {
    /// Time that one notification may take.
    pub fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(DEFAULT_TIMEOUT)
    }

    /// What is set and not acted on yet.
    pub fn unsupported(&self) -> Vec<Unsupported> {
        let served = matches!(
            self.type_,
            ProviderType::Slack | ProviderType::Generic | ProviderType::GenericHmac
        );
        Collect::new()
            .refuse("spec.type", !served)
            .refuse("spec.proxy", self.proxy.is_some())
            .refuse("spec.proxySecretRef", self.proxy_secret_ref.is_some())
            .refuse(
                "spec.serviceAccountName",
                self.service_account_name.is_some(),
            )
            .note("spec.commitStatusExpr", self.commit_status_expr.is_some())
            .finish()
    }
}

/// Which events go to which provider.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "notification.toolkit.fluxcd.io",
    version = "v1beta3",
    kind = "Alert",
    namespaced,
    category = "all",
    category = "fluxcd",
    category = "fluxcd-notifications",
    derive = "Default",
    derive = "PartialEq",
    doc = "Alert selects events and names the Provider they are sent to.",
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct AlertSpec {
    /// The Provider, in the same namespace.
    pub provider_ref: LocalObjectReference,
    /// Least severity that is sent.
    #[serde(default = "default_severity")]
    pub event_severity: AlertSeverity,
    /// The objects whose events are sent.
    pub event_sources: Vec<EventSource>,
    /// Regular expressions; only events whose message matches one are sent. All when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inclusion_list: Vec<String>,
    /// Metadata to add to every event.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub event_metadata: BTreeMap<String, String>,
    /// Regular expressions; events whose message matches one are not sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusion_list: Vec<String>,
    /// Old form of the metadata key `summary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub summary: Option<String>,
    /// Sends nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
}

fn default_severity() -> AlertSeverity {
    AlertSeverity::Info
}

string_enum! {
    /// Least severity of the events that an Alert sends.
    #[derive(Default)]
    AlertSeverity {
        /// All events.
        #[default]
        Info = "info",
        /// Failures only.
        Error = "error",
    }
}

/// Objects whose events are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventSource {
    /// API version; not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Kind.
    pub kind: EventSourceKind,
    /// Name, or `*` for all.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Namespace; the Alert's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub namespace: Option<String>,
    /// Labels that the object must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
}

string_enum! {
    /// Kinds that send events.
    EventSourceKind {
        /// Bucket.
        Bucket = "Bucket",
        /// GitRepository.
        GitRepository = "GitRepository",
        /// Kustomization.
        Kustomization = "Kustomization",
        /// HelmRelease.
        HelmRelease = "HelmRelease",
        /// HelmChart.
        HelmChart = "HelmChart",
        /// HelmRepository.
        HelmRepository = "HelmRepository",
        /// ImageRepository.
        ImageRepository = "ImageRepository",
        /// ImagePolicy.
        ImagePolicy = "ImagePolicy",
        /// ImageUpdateAutomation.
        ImageUpdateAutomation = "ImageUpdateAutomation",
        /// OCIRepository.
        OCIRepository = "OCIRepository",
        /// ArtifactGenerator.
        ArtifactGenerator = "ArtifactGenerator",
        /// ExternalArtifact.
        ExternalArtifact = "ExternalArtifact",
    }
}

impl AlertSpec {
    /// Whether events of this severity are sent.
    pub fn passes(&self, severity: &Severity) -> bool {
        match self.event_severity {
            AlertSeverity::Error => *severity == Severity::Error,
            AlertSeverity::Info | AlertSeverity::Other(_) => *severity != Severity::Trace,
        }
    }

    /// What is set and not acted on yet.
    pub fn unsupported(&self) -> Vec<Unsupported> {
        Vec::new()
    }
}
