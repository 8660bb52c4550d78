//! What is told: the metadata of Kubernetes Events, and Flux's Event as JSON for notifications.
//!
//! Rules of fluxcd/pkg `runtime/events` and fluxcd/notification-controller
//! `internal/server/event_handlers.go`.

use std::collections::BTreeMap;

use weir_api::event::{Event, Severity as EventSeverity};
use weir_api::meta;
use weir_api::notification::v1beta3::AlertSpec;

use super::{Happening, Severity, controller};

/// Keys that consumers of notifications get to see never: the host's own bookkeeping.
const INTERNAL: [&str; 2] = ["checksum", meta::META_DIGEST];
/// Tells otherwise equal events apart for the rate limit only.
const TOKEN: &str = "token";
/// Where the old field `spec.summary` goes.
const SUMMARY: &str = "summary";

/// The metadata under its full keys: the object's group as prefix, and the annotations that are
/// meant for events.
pub(super) fn metadata(happening: &Happening) -> BTreeMap<String, String> {
    let group = group(happening);
    let given = happening
        .metadata
        .iter()
        .filter(|(_, value)| !value.is_empty());
    let own = given.map(|(key, value)| {
        let key = if group.is_empty() {
            key.clone()
        } else {
            format!("{group}/{key}")
        };
        (key, value.clone())
    });
    own.chain(happening.annotations.clone()).collect()
}

fn group(happening: &Happening) -> &str {
    let version = happening.object.api_version.as_deref().unwrap_or_default();
    version.split_once('/').map_or("", |(group, _)| group)
}

/// The event under its full keys, as Flux's controllers post it.
pub(super) fn event(happening: &Happening, instance: &str) -> Event {
    let mut metadata = metadata(happening);
    let group = group(happening);
    for key in INTERNAL {
        metadata.remove(&format!("{group}/{key}"));
    }
    Event {
        involved_object: happening.object.clone(),
        severity: match happening.severity {
            Severity::Trace => EventSeverity::Trace,
            Severity::Info => EventSeverity::Info,
            Severity::Error => EventSeverity::Error,
        },
        timestamp: happening.time.clone(),
        message: happening.message.clone(),
        reason: happening.reason.clone(),
        metadata,
        reporting_controller: controller(happening.object.kind.as_deref().unwrap_or_default())
            .to_owned(),
        reporting_instance: instance.to_owned(),
    }
}

/// The event as one Alert sends it, and the keys that more than one source gave. Later sources
/// win: the object's annotations, `eventMetadata`, `summary`, the controller.
pub(super) fn for_alert(event: &Event, alert: &AlertSpec) -> (Event, Vec<String>) {
    let mut merged = BTreeMap::new();
    let mut doubled = Vec::new();
    let mut put = |key: &str, value: &str| {
        if merged.insert(key.to_owned(), value.to_owned()).is_some() {
            doubled.push(key.to_owned());
        }
    };
    for (key, value) in &event.metadata {
        if let Some(key) = key.strip_prefix(meta::EVENT_PREFIX) {
            put(key, value);
        }
    }
    for (key, value) in &alert.event_metadata {
        put(key, value);
    }
    if let Some(summary) = alert
        .summary
        .as_deref()
        .filter(|summary| !summary.is_empty())
    {
        put(SUMMARY, summary);
    }
    let prefix = format!("{}/", event.group());
    for (key, value) in &event.metadata {
        if let Some(key) = key.strip_prefix(&prefix).filter(|key| *key != TOKEN) {
            put(key, value);
        }
    }
    doubled.sort();
    doubled.dedup();
    (
        Event {
            metadata: merged,
            ..event.clone()
        },
        doubled,
    )
}

/// For the fuzz targets.
#[cfg(fuzzing)]
pub mod fuzzing {
    use weir_api::event::Event;
    use weir_api::notification::v1beta3::AlertSpec;

    /// What an Alert posts of an event: the bytes are the event's JSON.
    pub fn payload(data: &[u8]) -> Option<String> {
        let event: Event = serde_json::from_slice(data).ok()?;
        let alert = AlertSpec {
            event_metadata: [("cluster".to_owned(), event.message.clone())].into(),
            summary: Some(event.reason.clone()),
            ..AlertSpec::default()
        };
        let (event, _) = super::for_alert(&event, &alert);
        serde_json::to_string(&event).ok()
    }
}
