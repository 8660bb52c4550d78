//! Telling people: Kubernetes Events, and notifications to the Providers of matching Alerts.
//!
//! ```text
//! record ──> shard by object ──> core/v1 Event        (kubernetes)
//!        └─> alerts: match, limit, dispatch ──> notifier plugin   (dispatch)
//! ```
//!
//! Recording never waits. The queues are bounded; what does not fit is counted in
//! `weir_events_dropped_total` and lost: a reconcile must not stall because nobody can be told.

mod alerts;
mod delivery;
mod dispatch;
mod kubernetes;
mod limit;
mod payload;
#[cfg(fuzzing)]
pub use payload::fuzzing;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{Client, Resource, ResourceExt as _};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use weir_api::notification::v1beta3::{Alert, Provider};
use weir_api::{Time, meta};
use weir_plugin::Catalog;

use crate::credentials::Secrets;
use crate::grants::GrantBook;
use crate::reconcile::objects::Objects;
use crate::telemetry::Metrics;

/// Tasks that write Kubernetes Events. One object's Events go through one, in order.
const SHARDS: usize = 8;
/// Events that wait for a task: a thousand objects that change together, three times over.
const QUEUE: usize = 512;
/// Events that wait for their Alerts; matching is quick.
const ALERT_QUEUE: usize = 4096;
/// What the sinks get to empty their queues on shutdown, each.
const FLUSH: Duration = Duration::from_secs(2);

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// A Kubernetes Event and no notification.
    Trace,
    /// Something happened as it should.
    Info,
    /// Something failed.
    Error,
}

/// What happened to an object.
#[derive(Clone, Debug)]
pub struct Happening {
    pub(crate) object: ObjectReference,
    /// Those that go into notifications (`event.toolkit.fluxcd.io/…`).
    pub(crate) annotations: BTreeMap<String, String>,
    /// Alerts select by them.
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) severity: Severity,
    pub(crate) reason: String,
    pub(crate) message: String,
    /// Keys without prefix.
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) time: Time,
    kubernetes: bool,
    alerts: bool,
}

impl Happening {
    /// Something that goes to both sinks.
    pub fn new<K: Resource<DynamicType = ()>>(
        object: &K,
        severity: Severity,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let mut annotations = object.annotations().clone();
        annotations.retain(|key, _| key.starts_with(meta::EVENT_PREFIX));
        Self {
            object: ObjectReference {
                resource_version: object.resource_version(),
                ..object.object_ref(&())
            },
            annotations,
            labels: object.labels().clone(),
            severity,
            reason: reason.into(),
            message: message.into(),
            metadata: Vec::new(),
            time: weir_api::now(),
            kubernetes: true,
            alerts: true,
        }
    }

    /// With revision, digest and the like, keys as in [`meta::META_REVISION`]: without the
    /// prefix of the object's group.
    pub fn metadata(mut self, metadata: Vec<(String, String)>) -> Self {
        self.metadata = metadata;
        self
    }

    /// Without a Kubernetes Event.
    pub fn alerts_only(mut self) -> Self {
        self.kubernetes = false;
        self
    }

    /// Without a notification.
    pub fn kubernetes_only(mut self) -> Self {
        self.alerts = false;
        self
    }
}

/// Flux's controller of a kind, which is what `flux events` and log pipelines look for.
pub(crate) fn controller(kind: &str) -> &'static str {
    match kind {
        "GitRepository" | "OCIRepository" | "HelmRepository" | "HelmChart" | "Bucket" => {
            "source-controller"
        }
        "Kustomization" => "kustomize-controller",
        "HelmRelease" => "helm-controller",
        "Alert" | "Provider" | "Receiver" => "notification-controller",
        "ImageRepository" | "ImagePolicy" => "image-reflector-controller",
        "ImageUpdateAutomation" => "image-automation-controller",
        "ArtifactGenerator" | "ExternalArtifact" => "source-watcher",
        _ => "weir",
    }
}

/// Where happenings are told. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    shards: Arc<[mpsc::Sender<Happening>]>,
    /// Absent in the recorder that tells of failed notifications.
    alerts: Option<mpsc::Sender<Happening>>,
    metrics: Arc<Metrics>,
}

impl Recorder {
    /// Tells, sometime soon; never waits.
    pub fn record(&self, happening: Happening) {
        let to_alerts = happening.alerts && happening.severity != Severity::Trace;
        if let Some(alerts) = self.alerts.as_ref().filter(|_| to_alerts)
            && alerts.try_send(happening.clone()).is_err()
        {
            self.metrics.event_dropped();
        }
        if happening.kubernetes {
            let mut hasher = DefaultHasher::new();
            (
                &happening.object.kind,
                &happening.object.namespace,
                &happening.object.name,
            )
                .hash(&mut hasher);
            let shard = hasher.finish() as usize % self.shards.len().max(1);
            let sent = self
                .shards
                .get(shard)
                .is_some_and(|to| to.try_send(happening).is_ok());
            if !sent {
                self.metrics.event_dropped();
            }
        }
    }
}

/// What the sinks work with.
pub struct Sinks {
    /// Writes Events.
    pub client: Client,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Which events go where.
    pub alerts: Arc<Objects<Alert>>,
    /// Where that is.
    pub providers: Arc<Objects<Provider>>,
    /// Who delivers.
    pub catalog: Arc<Catalog>,
    /// What they may.
    pub grants: Arc<GrantBook>,
    /// Their Secrets.
    pub secrets: Arc<Secrets>,
    /// Alerts see events of their own namespace only.
    pub no_cross_namespace_refs: bool,
}

/// Starts the sinks. After `stop` they empty their queues, notifications first, and the task ends
/// within a few seconds.
pub fn start(sinks: Sinks, stop: CancellationToken) -> (Recorder, JoinHandle<()>) {
    let metrics = Arc::clone(&sinks.metrics);
    let instance: Arc<str> = crate::cluster::host_name().into();
    let stop_writers = CancellationToken::new();
    let mut writers = JoinSet::new();
    let mut shards = Vec::new();
    for _ in 0..SHARDS {
        let (sender, receiver) = mpsc::channel(QUEUE);
        shards.push(sender);
        let writer = kubernetes::Writer::new(
            sinks.client.clone(),
            Arc::clone(&metrics),
            Arc::clone(&instance),
        );
        writers.spawn(writer.run(receiver, stop_writers.clone()));
    }
    let quiet = Recorder {
        shards: shards.into(),
        alerts: None,
        metrics,
    };
    let (sender, receiver) = mpsc::channel(ALERT_QUEUE);
    let recorder = Recorder {
        alerts: Some(sender),
        ..quiet.clone()
    };

    let delivery = delivery::PluginDelivery {
        catalog: sinks.catalog,
        grants: sinks.grants,
        secrets: Arc::clone(&sinks.secrets),
    };
    delivery::forget_secrets_of_edited(&sinks.providers, &sinks.secrets);
    let dispatcher = dispatch::Dispatcher {
        alerts: sinks.alerts,
        providers: sinks.providers,
        delivery: Arc::new(delivery),
        recorder: quiet,
        instance,
        no_cross_namespace_refs: sinks.no_cross_namespace_refs,
    };
    let task = tokio::spawn(async move {
        dispatcher.run(receiver, stop).await;
        stop_writers.cancel();
        while writers.join_next().await.is_some() {}
    });
    (recorder, task)
}

#[cfg(test)]
mod tests;
